package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// maxPiece and minPiece limit the pieces in which a blob is sent after a
	// request was too large for the registry or a proxy in front of it.
	// Cloudflare accepts 100 MB, nginx 1 MiB by default.
	maxPiece, minPiece = 64 << 20, 256 << 10
	// maxBreaks is how often a request may break at the same place before
	// smaller ones are tried: some proxies end each request after a minute, and
	// some registries lose what had arrived.
	maxBreaks = 2
)

// Upload is one blob being sent to a repository, in a session once Start has
// opened one (OCI distribution specification, "Pushing blobs"). It is for one
// goroutine.
type Upload struct {
	c          *Client
	repository reference.Repository
	digest     v1.Hash
	size       int64
	location   *url.URL // nil without a session
	stray      string   // the host that the registry gave for it, if that cannot be used
	lost       bool     // the registry has lost the session or part of it
	began      bool     // a session has been opened before
	breaks     int      // requests that broke without progress
	denied     int      // requests with all data for which the session was unknown
}

// Upload returns an upload of a blob to a repository. It sends no request.
func (c *Client) Upload(repository reference.Repository, digest v1.Hash, size int64) *Upload {
	return &Upload{c: c, repository: repository, digest: digest, size: size}
}

// Host returns the registry's canonical host.
func (u *Upload) Host() string { return u.c.Host() }

// Repository returns the repository of the blob.
func (u *Upload) Repository() reference.Repository { return u.repository }

// Trip returns the round-trip time to the registry's farthest server, if known.
func (u *Upload) Trip() time.Duration { return u.c.Trip() }

// Backoff begins a series of attempts at the registry.
func (u *Upload) Backoff() Retrier { return u.c.Backoff() }

// Open reports whether there is a session, as far as known.
func (u *Upload) Open() bool { return u.location != nil && !u.lost }

// Start opens a session and at the same time finds out whether one is needed:
// from is a repository of the same registry that may have the blob already. It
// is the same repository if no other is known, and need not be one that may be
// pushed to. If it has the blob, the blob is in place, and Start reports that.
// So one request replaces the usual HEAD and POST.
func (u *Upload) Start(ctx context.Context, from reference.Repository) (present bool, err error) {
	// An upload that seemed to fail may have succeeded, with a lost response.
	// The session of a refused mount may be the reason why the last upload failed.
	plain := u.began || u.c.learned.noMount.Load()
	u.began = true
	switch {
	case plain && u.head(ctx) == nil:
		return true, nil
	case plain:
		return u.openPlain(ctx)
	}
	began := time.Now()
	err = u.c.within(ctx, extrasTime, func(ctx context.Context) (err error) {
		present, err = u.open(ctx, mountBlob, url.Values{"mount": {u.digest.String()}, "from": {from.Path()}}, from)
		return err
	})
	if time.Since(began) >= extrasTime {
		u.c.DistrustMounts()
	}
	switch {
	case err != nil && u.optional(err, from):
		// A registry may not support mounts, forbid them or fail at them. If it
		// refuses the upload itself, it will repeat that.
		return u.openPlain(ctx)
	case present && !u.mounted(ctx):
		return u.openPlain(ctx)
	}
	return present, err
}

// openPlain opens a session without a mount, repeatedly if a request fails
// temporarily or a response names no session.
func (u *Upload) openPlain(ctx context.Context) (present bool, err error) {
	tries := u.c.Backoff()
	for broken := 0; ; {
		err = u.c.once(ctx, func(ctx context.Context) (err error) {
			present, err = u.open(ctx, startUpload, nil, u.repository)
			return err
		})
		if err == nil || u.location != nil {
			return present, err
		}
		if failure.CodeOf(err) == failure.Network {
			if broken++; broken == maxBreaks {
				if unknown := u.c.unknown(ctx, u.repository); unknown != nil {
					return false, unknown
				}
			}
		}
		if err := tries.Again(ctx, err); err != nil {
			return false, err
		}
	}
}

// unknown returns the failure of reading a repository that does not exist, if
// the registry says that in so many words. ECR ends connections for uploads to
// such a repository without a response. A registry that creates repositories
// when they are pushed to only says that it does not know the name.
func (c *Client) unknown(ctx context.Context, repository reference.Repository) error {
	_, err := c.FewTags(ctx, repository, 1)
	if f, ok := failure.As(err); ok && f.Code == failure.NotFound && strings.Contains(f.Detail, "does not exist") {
		return err
	}
	return nil
}

// optional reports whether err may concern only the mount.
func (u *Upload) optional(err error, from reference.Repository) bool {
	f, ok := failure.As(err)
	if !ok {
		return false
	}
	switch f.Code {
	case failure.Cancelled, failure.TimedOut, failure.BadAddress, failure.TokenServer:
		return false
	default: // whatever a registry answers to a mount, the blob can be sent
	}
	return f.Step != gettingToken || from != u.repository
}

// mounted reports whether a blob that was reported as mounted is there, because
// some registries report that for blobs of other repositories. Only the first
// one is checked, with one request per registry.
func (u *Upload) mounted(ctx context.Context) bool {
	l := &u.c.learned
	l.mountOnce.Do(func() { l.noMount.Store(u.missing(ctx)) })
	return !l.noMount.Load()
}

// Holds reports whether a repository has a blob, according to the registry.
func (c *Client) Holds(ctx context.Context, repository reference.Repository, digest v1.Hash) bool {
	return c.Upload(repository, digest, 0).head(ctx) == nil
}

// DistrustMounts stops mounting, because the registry reported a blob as
// mounted that is not there, or does not answer.
func (c *Client) DistrustMounts() { c.learned.noMount.Store(true) }

// missing reports whether the registry says that the blob is not there.
func (u *Upload) missing(ctx context.Context) bool {
	return failure.CodeOf(u.head(ctx)) == failure.NotFound
}

// head asks whether the blob is there. Some registries give no usable answer: an
// error with another code than NotFound.
func (u *Upload) head(ctx context.Context) error {
	_, err := u.c.glance(ctx, headBlob, exchange{
		method: http.MethodHead,
		url:    u.c.at(u.repository, distribution.Blobs, u.digest.String()),
		scopes: u.c.scopes(u.repository),
	})
	return err
}

// open opens a session.
func (u *Upload) open(ctx context.Context, s step, query url.Values, from reference.Repository) (present bool, err error) {
	at := u.c.at(u.repository, distribution.Uploads, "")
	at.RawQuery = query.Encode()
	scopes := u.c.scopes(u.repository)
	var via http.RoundTripper = u.c.bulk // data will follow
	if from != u.repository {
		scopes = append(scopes, u.c.auth.mounting(from))
		via = nil
	}
	a, err := u.c.try(ctx, s, exchange{
		method: http.MethodPost,
		url:    at,
		scopes: scopes,
		via:    via,
		body:   strings.NewReader(""),
	}, maxError)
	if err != nil {
		return false, err
	}
	if a.status == http.StatusCreated {
		return true, nil
	}
	if id := a.header.Get("Docker-Upload-UUID"); id != "" && a.header.Get("Location") == "" {
		a.header.Set("Location", at.Path+url.PathEscape(id)) // docker/distribution, "API: Starting an upload"
	}
	if a.header.Get("Location") == "" {
		return false, u.c.fail(failure.Unavailable, startingUpload, errors.New("registry started no upload session"))
	}
	u.location, u.lost = a.url, false
	if least, err := strconv.ParseInt(a.header.Get("OCI-Chunk-Min-Length"), 10, 64); err == nil && least > 0 {
		u.c.learned.minPiece.Store(least)
	}
	// cloudflare/serverless-registry
	if most, err := strconv.ParseInt(a.header.Get("OCI-Chunk-Max-Length"), 10, 64); err == nil && most > 0 {
		if limit := u.c.learned.maxBody.Load(); limit == 0 || most < limit {
			u.c.learned.maxBody.Store(max(most, minPiece))
		}
	}
	if err := u.moved(a.url, a.header); err != nil {
		u.location = nil
		return false, err
	}
	return false, nil
}

// moved records the Location of a session, which every response may change. It
// is relative to the address of the response.
func (u *Upload) moved(from *url.URL, header http.Header) error {
	text := location(header)
	if text == "" {
		return nil
	}
	if !u.c.ours(from) {
		u.c.learned.elsewhere.Store(true)
	}
	next, stray, err := u.c.session(from, text)
	if err != nil {
		return err
	}
	if !u.c.ours(next) && u.c.learned.nowhere.Load() {
		next, stray = u.c.atHome(next), next.Host
	}
	u.location, u.stray = next, stray
	return nil
}

// elsewhere reports whether the session is at another host, none of which has
// accepted an upload so far, and records that their addresses are of no use: the
// host may be another name of the registry, which only its own network knows.
// The session's path is then looked for at the registry itself.
func (u *Upload) elsewhere(at *url.URL) bool {
	return !u.c.ours(at) && !u.c.learned.elsewhere.Load() && !u.c.learned.nowhere.Swap(true)
}

// Send sends body, the bytes from offset to the end, and completes the blob. It
// makes one attempt; after a temporary failure, Offset returns where to
// continue. The size of body must be right.
func (u *Upload) Send(ctx context.Context, body io.Reader, offset int64) error {
	for {
		piece := u.size - offset
		limit := u.c.learned.maxBody.Load()
		small := limit == 0 || piece <= limit
		if offset == 0 && small && !u.c.learned.noPut.Load() || piece == 0 {
			break // everything is sent with the request that completes the blob
		}
		if !small {
			piece = limit
		}
		if err := u.sendPiece(ctx, body, offset, piece); err != nil {
			return err
		}
		offset += piece
	}
	if offset > 0 {
		return u.complete(ctx, strings.NewReader(""), 0)
	}
	err := u.complete(ctx, body, u.size)
	if err != nil && u.lost && u.size > 0 && u.c.learned.noPut.Load() && rewind(body, 0) {
		u.lost = false // nothing has been sent yet
		return u.Send(ctx, body, 0)
	}
	return err
}

// sendPiece adds size bytes to the session.
func (u *Upload) sendPiece(ctx context.Context, body io.Reader, offset, size int64) error {
	header := http.Header{"Content-Range": {fmt.Sprintf("%d-%d", offset, offset+size-1)}}
	resp, err := u.send(ctx, http.MethodPatch, u.location, header, body, offset, size)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return u.refusedPiece(resp, size)
	}
	u.c.learned.pieces.Store(true)
	if err := u.moved(resp.Request.URL, resp.Header); err != nil {
		return err
	}
	if arrived := received(resp.Header); arrived > offset && arrived < offset+size {
		// A registry may take less of a piece than it was sent.
		u.c.shrink(size, arrived-offset)
		return u.c.fail(failure.Network, sendingBlob, fmt.Errorf("registry took %d bytes of %d", arrived-offset, size))
	}
	return nil
}

// refusedPiece returns the failure of sending size bytes of a blob by PATCH. Some
// proxies forbid the method. The whole blob can be sent by PUT, if it is not too
// large for one request.
func (u *Upload) refusedPiece(resp reply, size int64) error {
	f := u.c.refused(sendBlob, resp)
	forbidden := refusesData(resp.StatusCode)
	switch {
	case u.c.learned.pieces.Load(), u.c.learned.noPut.Load(),
		!forbidden && (f.Kind() == failure.Transient || f.Code == failure.RequestLimit || f.Detail != "" && !isPage([]byte(f.Detail))),
		resp.StatusCode == http.StatusUnauthorized, resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return u.refused(f, resp, size)
	case u.c.learned.maxBody.Load() == 0:
		return u.unknown(sendingBlob, f)
	}
	if !forbidden {
		if err := u.refused(f, resp, size); f.Code == failure.Network {
			return err // smaller pieces are worth an attempt
		}
	}
	f.Code = failure.RequestLimit
	return f
}

// received returns how many bytes have arrived according to the header Range of
// an upload session; -1 if it does not say that. "0-0" is how an empty session is
// written.
func received(header http.Header) int64 {
	var first, last int64
	if n, _ := fmt.Sscanf(strings.TrimPrefix(header.Get("Range"), "bytes="), "%d-%d", &first, &last); n != 2 || first != 0 || last < 0 {
		return -1
	}
	if last == 0 {
		return 0
	}
	return last + 1
}

// complete sends the last bytes and ends the session.
func (u *Upload) complete(ctx context.Context, body io.Reader, size int64) error {
	at := *u.location
	if at.RawQuery != "" {
		at.RawQuery += "&" // the rest stays as it is: some registries sign it
	}
	at.RawQuery += "digest=" + url.QueryEscape(u.digest.String())
	resp, err := u.send(ctx, http.MethodPut, &at, nil, body, 0, size)
	if err != nil {
		return err
	}
	switch {
	case resp.StatusCode == http.StatusCreated, resp.StatusCode == http.StatusNoContent:
		if !u.c.ours(resp.Request.URL) {
			u.c.learned.elsewhere.Store(true)
		}
	case size > 0 && refusesData(resp.StatusCode):
		u.c.learned.noPut.Store(true)
		return u.unknown(sendingBlob, u.c.refused(sendBlob, resp))
	case resp.StatusCode/100 != 2:
		return u.refused(u.c.refused(sendBlob, resp), resp, size)
	case u.missing(ctx):
		// A success status other than that of the specification is not a
		// success.
		body, _ := io.ReadAll(resp.Body)
		if err := u.c.otherwise(sendBlob, resp, body); err != nil {
			return err
		}
		return u.unknown(sendingBlob, fmt.Errorf("status %s, and the blob is not there", resp.Status))
	}
	u.location = nil
	return nil
}

// refusesData reports whether a registry with this response to a PUT with data
// accepts data by PATCH only (OCI distribution specification, "Pushing a blob
// monolithically", which is optional).
func refusesData(status int) bool {
	return status == http.StatusMethodNotAllowed || status == http.StatusUnsupportedMediaType || status == http.StatusNotImplemented
}

// refused returns the failure of sending size bytes, of which the response says f.
func (u *Upload) refused(f *failure.Error, resp reply, size int64) error {
	switch {
	case (f.Code == failure.RequestLimit || u.perhapsLarge(resp, size)) && u.c.shrink(size, size/4):
		f.Code, f.Err = failure.Network, errors.New(f.Err.Error()) // pieces are sent from now on, without doubts
	case f.Code == failure.RequestLimit:
	case u.stray != "" && resp.StatusCode/100 == 4 && f.Kind() == failure.Refusal:
		return u.c.astray(sendingBlob, u.stray, f.Err) // it is not at the registry either
	case resp.StatusCode/100 == 4 && vague(f.Code, true) && u.elsewhere(resp.Request.URL):
		return u.unknown(sendingBlob, f)
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusRequestedRangeNotSatisfiable, strings.Contains(f.Detail, "BLOB_UPLOAD_"):
		// The session is unknown or has another offset. The blob may exist
		// anyway.
		if resp.Request.Method == http.MethodPut && size > 0 && size == u.size {
			if u.denied++; u.denied > 1 {
				u.c.learned.noPut.Store(true) // some registries answer data in a PUT so
			}
		}
		return u.unknown(sendingBlob, f)
	}
	return f
}

// perhapsLarge reports whether a proxy has repeatedly refused requests as large as
// this one, without saying whether that is because of their size.
func (u *Upload) perhapsLarge(resp reply, size int64) bool {
	body, _ := io.ReadAll(resp.Body) // which Client.refused has limited
	if size <= minPiece || !perhapsLarge(resp.StatusCode, isPage(body), distribution.ParseErrors(body) != nil) {
		return false
	}
	u.breaks++
	return u.breaks >= maxBreaks
}

// shrink records that requests of so many bytes fail, and that pieces of next
// bytes may work, but not smaller ones than the registry takes (OCI distribution
// specification, "Pushing a blob in chunks"). It returns false if those would be
// too small.
func (c *Client) shrink(failed, next int64) bool {
	next = max(min(next, maxPiece), minPiece, c.learned.minPiece.Load())
	for {
		limit := c.learned.maxBody.Load()
		switch {
		case limit > 0 && limit < failed:
			return true // another blob has found that out in the meantime
		case next >= failed:
			return false
		case c.learned.maxBody.CompareAndSwap(limit, next):
			return true
		}
	}
}

// send sends a request to a session, with size bytes of body, which is at offset.
// Where uploads are redirected, the body waits for the response to the header
// (RFC 9110 §10.1.1). A body that was read nevertheless is sent again.
func (u *Upload) send(ctx context.Context, method string, at *url.URL, header http.Header, body io.Reader, offset, size int64) (reply, error) {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/octet-stream")
	if size > 0 && u.c.learned.redirects.Load() && !u.c.learned.noExpect.Load() {
		header.Set("Expect", "100-continue")
	}
	for range maxRedirects {
		resp, read, err := u.sendOnce(ctx, method, at, header, body, size)
		if err != nil {
			if f, ok := failure.As(err); ok && f.Code == failure.Network && read >= minPiece {
				if u.breaks++; u.breaks >= maxBreaks {
					u.c.shrink(size, read/2)
				}
			} else if ok && f.Code == failure.Network && unconnected(f.Err) && u.elsewhere(at) {
				err = u.unknown(sendingBlob, err)
			}
			return reply{}, err
		}
		switch {
		case isRedirect(resp.StatusCode):
			u.c.learned.redirects.Store(true)
			if at, err = u.c.redirect(at, resp.Header); err != nil {
				return reply{}, err
			}
		case resp.StatusCode == http.StatusExpectationFailed && header.Get("Expect") != "":
			u.c.learned.noExpect.Store(true)
		default:
			return resp, nil
		}
		header.Del("Expect") // the next server need not know it either
		if read > 0 && !rewind(body, offset) {
			return reply{}, u.unknown(sendingBlob, fmt.Errorf("status %s", resp.Status))
		}
	}
	return reply{}, u.c.astray(followingTo, at.Host, errManyRedirects)
}

// sendOnce sends one request without following redirects. It returns how many
// bytes of the body were read.
func (u *Upload) sendOnce(ctx context.Context, method string, at *url.URL, header http.Header, body io.Reader, size int64) (resp reply, read int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := &watchedBody{body: body, left: size, dog: newWatchdog(cancel, stallTime)}
	watched.peeker, _ = body.(peeker)
	resp, err = u.c.send(ctx, exchange{
		method: method,
		url:    at,
		header: header,
		scopes: u.c.scopes(u.repository),
		via:    u.c.bulk,
		body:   watched,
		size:   size,
	})
	var small []byte
	if err == nil {
		// The body is small; read it now, because cancel ends it.
		small, err = io.ReadAll(io.LimitReader(resp.Body, maxError))
		resp.Body.Close()
	}
	cancel(nil) // ends a write that the server has answered too early, for which finish waits
	left, failed := watched.finish()
	read = size - left
	if err != nil && failed != nil {
		return reply{}, read, failed
	}
	if err != nil {
		return reply{}, read, u.c.broken(context.WithoutCancel(ctx), sendingBlob, err)
	}
	resp.Body = io.NopCloser(strings.NewReader(string(small)))
	return resp, read, nil
}

// Offset asks how many bytes have arrived. If the registry does not say that, the
// session is lost: Offset fails, and Open returns false afterwards.
func (u *Upload) Offset(ctx context.Context) (int64, error) {
	a, err := u.c.ask(ctx, askOffset, exchange{method: http.MethodGet, url: u.location, scopes: u.c.scopes(u.repository)}, maxError)
	if err != nil && ctx.Err() == nil {
		return 0, u.unknown(resumingUpload, err)
	}
	if err != nil {
		return 0, err
	}
	if err := u.moved(a.url, a.header); err != nil {
		return 0, err
	}
	arrived := received(a.header)
	if arrived < 0 || arrived > u.size {
		return 0, u.unknown(resumingUpload, fmt.Errorf("range %.100q", a.header.Get("Range")))
	}
	if arrived > 0 {
		u.breaks = 0
	}
	return arrived, nil
}

// unknown records that the session is lost. If the registry has said so, the
// failure is not one of the network.
func (u *Upload) unknown(step string, err error) error {
	u.lost = true
	lost := &failure.Error{Code: failure.Network, Side: u.c.side, Step: step}
	if f, ok := failure.As(err); ok {
		lost.Code, lost.Detail, err = failure.Unavailable, f.Detail, f.Err
	}
	lost.Err = errors.New("upload session is unknown: " + err.Error()) // not wrapped: it decides nothing
	return lost
}

// Cancel ends the session, so that the registry can discard its data. Without a
// session it does nothing.
func (u *Upload) Cancel(ctx context.Context) {
	if u.location == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	resp, err := u.c.send(ctx, exchange{method: http.MethodDelete, url: u.location, scopes: u.c.scopes(u.repository)})
	u.location = nil
	if err == nil {
		discard(resp.Response)
	}
}

// watchedBody is the body of a request: the next left bytes of another one. The time
// between two reads is limited, because in it the server receives the bytes of the
// first; after the last read, the commit has its own limit. After finish the body is
// not read any more, which the transport alone does not guarantee.
type watchedBody struct {
	dog *watchdog

	mu     sync.Mutex
	body   io.Reader // nil after finish
	peeker peeker    // body, if it is one
	left   int64
	last   int
	err    error
}

// peeker is a body whose bytes can be written from where they are in memory. The
// bytes of Peek, at most n, stay there until Discard, which counts those that were
// read.
type peeker interface {
	Peek(n int) ([]byte, error)
	Discard(n int)
}

// maxWrite is the most, in bytes, that is written to a connection at once. A kernel
// that limits unsent bytes takes them in steps like this one (package outbound), so
// smaller ones would cost more and show progress no earlier.
const maxWrite = 128 << 10

func (w *watchedBody) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.moreLocked(); err != nil {
		return 0, err
	}
	n, err := w.body.Read(p[:min(int64(len(p)), w.left)])
	w.left -= int64(n)
	if err != nil && err != io.EOF {
		w.err = err
	} else if w.left > 0 {
		w.last = n
		w.dog.begin()
	}
	return n, err
}

// moreLocked returns io.EOF if nothing is left, and an error after finish.
func (w *watchedBody) moreLocked() error {
	if w.body == nil {
		return io.ErrClosedPipe
	}
	w.dog.end(w.last)
	if w.left == 0 {
		return io.EOF
	}
	return nil
}

// WriteTo writes the rest, without a copy of it if the body is a peeker.
func (w *watchedBody) WriteTo(to io.Writer) (total int64, err error) {
	if w.peeker == nil {
		return io.Copy(to, struct{ io.Reader }{w})
	}
	for err == nil {
		var n int
		n, err = w.writeTo(to)
		total += int64(n)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return total, err
}

func (w *watchedBody) writeTo(to io.Writer) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.moreLocked(); err != nil {
		return 0, err
	}
	p, err := w.peeker.Peek(int(min(maxWrite, w.left)))
	if err != nil {
		if !errors.Is(err, io.EOF) {
			w.err = err
		}
		return 0, err
	}
	w.dog.begin()
	n, err := to.Write(p)
	w.dog.end(n)
	w.peeker.Discard(n)
	w.left -= int64(n)
	return n, err
}

// Close does nothing: finish ends the reading.
func (w *watchedBody) Close() error { return nil }

// finish takes the body back from the transport and returns how much of it is
// left, and the error that it ended with, if any.
func (w *watchedBody) finish() (left int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dog.stop()
	w.body = nil
	return w.left, w.err
}
