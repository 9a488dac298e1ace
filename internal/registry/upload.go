package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	startingUpload = "starting upload"
	sendingBlob    = "writing blob"
)

// Upload is a session in which one blob is sent to a repository (OCI
// distribution specification, "Pushing blobs"). It is for one goroutine.
type Upload struct {
	c          *Client
	repository reference.Repository
	digest     v1.Hash
	size       int64
	location   *url.URL
}

// Upload begins to send a blob to a repository and at the same time asks
// whether that is needed at all: from is a repository of the same registry
// that may hold the blob already, the very same one if no other is known, and
// not necessarily one that may be pushed to. If it does, the blob is in place and Upload returns nil. That makes one request
// of what is usually two, HEAD and POST.
func (c *Client) Upload(ctx context.Context, repository reference.Repository, digest v1.Hash, size int64, from reference.Repository) (*Upload, error) {
	u, err := c.upload(ctx, repository, digest, size, url.Values{"mount": {digest.String()}, "from": {from.Path()}}, from)
	if f, ok := failure.As(err); ok && f.Kind() == failure.Refusal {
		// A registry may forbid or not know mounts. What it has against the
		// upload itself it will say again.
		return c.upload(ctx, repository, digest, size, nil, repository)
	}
	return u, err
}

func (c *Client) upload(ctx context.Context, repository reference.Repository, digest v1.Hash, size int64, query url.Values, from reference.Repository) (*Upload, error) {
	at := c.at(repository, distribution.Uploads, "")
	at.RawQuery = query.Encode()
	scopes := c.scopes(repository)
	if from != repository {
		scopes = append(scopes, c.auth.mounting(from))
	}
	a, err := c.ask(ctx, startingUpload, exchange{
		method: http.MethodPost,
		url:    at,
		scopes: scopes,
		via:    c.bulk,
		body:   strings.NewReader(""),
	}, maxError, http.StatusAccepted, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	if a.status == http.StatusCreated {
		return nil, nil
	}
	u := &Upload{c: c, repository: repository, digest: digest, size: size, location: at}
	if err := u.moved(a.header); err != nil {
		return nil, err
	}
	return u, nil
}

// moved follows the Location of a session, which every answer may change.
func (u *Upload) moved(header http.Header) error {
	text := header.Get("Location")
	if text == "" {
		return nil
	}
	next, err := u.location.Parse(text)
	if err != nil {
		return &failure.Error{Code: failure.Internal, Side: u.c.side, Step: startingUpload, Err: fmt.Errorf("reading location: %w", err)}
	}
	if next.Hostname() == u.c.base.Hostname() && next.Scheme == "http" && u.c.base.Scheme == "https" {
		// Registries behind a proxy that takes TLS off often do not know it.
		next.Scheme, next.Host = u.c.base.Scheme, u.c.base.Host
	}
	if err := u.c.trust.Check(next); err != nil {
		return &failure.Error{Code: failure.HostForbidden, Side: u.c.side, Step: startingUpload, Err: fmt.Errorf("reading location: %w", err)}
	}
	u.location = next
	return nil
}

// Send sends the bytes from offset to the end, which are all that body has,
// and completes the blob. It makes one attempt; after a failure that passes,
// Offset tells where to go on. The size of body must be right.
func (u *Upload) Send(ctx context.Context, body io.Reader, offset int64) error {
	if offset > 0 && offset < u.size {
		// The rest in one piece, then the end.
		header := http.Header{"Content-Range": {fmt.Sprintf("%d-%d", offset, u.size-1)}}
		resp, err := u.send(ctx, http.MethodPatch, u.location, header, body, u.size-offset)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusNoContent && resp.StatusCode != http.StatusCreated {
			return u.refused(resp)
		}
		if err := u.moved(resp.Header); err != nil {
			return err
		}
		body, offset = strings.NewReader(""), u.size
	}
	at := *u.location
	query := at.Query()
	query.Set("digest", u.digest.String())
	at.RawQuery = query.Encode()
	resp, err := u.send(ctx, http.MethodPut, &at, nil, body, u.size-offset)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusCreated && resp.StatusCode != http.StatusNoContent {
		return u.refused(resp)
	}
	return nil
}

// refused is the failure of sending. That the session is unknown, or knows
// another offset, concerns the session alone.
func (u *Upload) refused(resp *http.Response) error {
	f := u.c.refused(sendingBlob, resp)
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable || strings.Contains(f.Detail, "BLOB_UPLOAD_") {
		f.Code, f.Err = failure.Network, fmt.Errorf("%w: %w", errNoSession, f.Err)
	}
	return f
}

func (u *Upload) send(ctx context.Context, method string, at *url.URL, header http.Header, body io.Reader, size int64) (*http.Response, error) {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/octet-stream")
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watched := &watchedBody{body: body, left: size, dog: newWatchdog(cancel)}
	resp, err := u.c.send(ctx, exchange{
		method: method,
		url:    at,
		header: header,
		scopes: u.c.scopes(u.repository),
		via:    u.c.bulk,
		body:   watched,
		size:   size,
	})
	if failed := watched.finish(); err != nil && failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, u.c.broken(context.WithoutCancel(ctx), sendingBlob, err)
	}
	// The body is small: read it now, for cancel ends it.
	small, err := io.ReadAll(io.LimitReader(resp.Body, maxError))
	resp.Body.Close()
	if err != nil {
		return nil, u.c.broken(context.WithoutCancel(ctx), sendingBlob, err)
	}
	resp.Body = io.NopCloser(strings.NewReader(string(small)))
	return resp, nil
}

// errNoSession tells that a session is gone and the upload begins anew.
var errNoSession = errors.New("upload session is unknown")

// NoSession reports whether err says that a session has to be begun anew.
func NoSession(err error) bool { return errors.Is(err, errNoSession) }

// Offset asks how many bytes have arrived.
func (u *Upload) Offset(ctx context.Context) (int64, error) {
	const step = "resuming upload"
	a, err := u.c.ask(ctx, step, exchange{method: http.MethodGet, url: u.location, scopes: u.c.scopes(u.repository)},
		maxError, http.StatusNoContent, http.StatusAccepted, http.StatusOK)
	f, ok := failure.As(err)
	switch {
	case ok && f.Kind() != failure.Transient && f.Code != failure.TargetLogin:
		return 0, &failure.Error{Code: failure.Network, Side: u.c.side, Step: step, Err: fmt.Errorf("%w: %w", errNoSession, err)}
	case err != nil:
		return 0, err
	}
	if err := u.moved(a.header); err != nil {
		return 0, err
	}
	var first, last int64
	if n, _ := fmt.Sscanf(strings.TrimPrefix(a.header.Get("Range"), "bytes="), "%d-%d", &first, &last); n != 2 || first != 0 || last < 0 || last >= u.size {
		return 0, &failure.Error{Code: failure.Network, Side: u.c.side, Step: step, Err: fmt.Errorf("%w: Range %.100q", errNoSession, a.header.Get("Range"))}
	}
	if last == 0 {
		return 0, nil // "0-0" is how an empty session is written
	}
	return last + 1, nil
}

// Cancel ends the session, so that the registry need not keep what it got.
func (u *Upload) Cancel(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	resp, err := u.c.send(ctx, exchange{method: http.MethodDelete, url: u.location, scopes: u.c.scopes(u.repository)})
	if err == nil {
		discard(resp)
	}
}

// watchedBody is a request's body. The time between two reads is the time in
// which the other end takes what it was given; once it has got all, the time to
// commit has its own limit. After finish nothing reads the body any more, which
// the transport alone does not promise.
type watchedBody struct {
	dog *watchdog

	mu   sync.Mutex
	body io.Reader
	left int64
	last int
	err  error
}

func (w *watchedBody) Read(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.body == nil {
		return 0, io.ErrClosedPipe
	}
	w.dog.end(w.last)
	n, err := w.body.Read(p)
	w.last = n
	w.left -= int64(n)
	if err != nil && err != io.EOF {
		w.err = err
	} else if w.left > 0 {
		w.dog.begin()
	}
	return n, err
}

// finish takes the body away from the transport and returns the error that
// the body ended with, if any.
func (w *watchedBody) finish() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dog.stop()
	w.body = nil
	return w.err
}
