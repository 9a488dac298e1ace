package registry

import (
	"context"
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
	resumingUpload = "resuming upload"
)

// Upload is one blob on its way to a repository, in a session once Start has
// opened one (OCI distribution specification, "Pushing blobs"). It is for one
// goroutine.
type Upload struct {
	c          *Client
	repository reference.Repository
	digest     v1.Hash
	size       int64
	location   *url.URL // nil for no session
	lost       bool     // the registry does not know the session, or not as it was
}

// Upload names a blob that is to be in a repository. Nothing is asked yet.
func (c *Client) Upload(repository reference.Repository, digest v1.Hash, size int64) *Upload {
	return &Upload{c: c, repository: repository, digest: digest, size: size}
}

// Host is the registry's canonical host.
func (u *Upload) Host() string { return u.c.Host() }

// Repository is where the blob is to lie.
func (u *Upload) Repository() reference.Repository { return u.repository }

// Backoff begins a series of tries against the registry.
func (u *Upload) Backoff() Retrier { return u.c.Backoff() }

// Open reports whether there is a session, as far as is known.
func (u *Upload) Open() bool { return u.location != nil && !u.lost }

// Start opens a session and at the same time asks whether that is needed at
// all: from is a repository of the same registry that may hold the blob
// already, the very same one if no other is known, and not necessarily one that
// may be pushed to. If it does, the blob is in place, and Start reports that.
// That makes one request of what is usually two, HEAD and POST.
func (u *Upload) Start(ctx context.Context, from reference.Repository) (present bool, err error) {
	present, err = u.start(ctx, url.Values{"mount": {u.digest.String()}, "from": {from.Path()}}, from)
	if f, ok := failure.As(err); ok && f.Kind() == failure.Refusal {
		// A registry may forbid or not know mounts. What it has against the
		// upload itself it will say again.
		return u.start(ctx, nil, u.repository)
	}
	return present, err
}

func (u *Upload) start(ctx context.Context, query url.Values, from reference.Repository) (present bool, err error) {
	at := u.c.at(u.repository, distribution.Uploads, "")
	at.RawQuery = query.Encode()
	scopes := u.c.scopes(u.repository)
	if from != u.repository {
		scopes = append(scopes, u.c.auth.mounting(from))
	}
	a, err := u.c.ask(ctx, startingUpload, exchange{
		method: http.MethodPost,
		url:    at,
		scopes: scopes,
		via:    u.c.bulk,
		body:   strings.NewReader(""),
	}, maxError, http.StatusAccepted, http.StatusCreated)
	if err != nil {
		return false, err
	}
	if a.status == http.StatusCreated {
		return true, nil
	}
	u.location, u.lost = at, false
	if err := u.moved(a.header); err != nil {
		u.location = nil
		return false, err
	}
	return false, nil
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
	u.location = nil
	return nil
}

// refused is the failure of sending. That the session is unknown, or knows
// another offset, concerns the session alone.
func (u *Upload) refused(resp *http.Response) error {
	f := u.c.refused(sendingBlob, resp)
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable || strings.Contains(f.Detail, "BLOB_UPLOAD_") {
		u.lost = true
		f.Code, f.Err = failure.Network, fmt.Errorf("upload session is unknown: %w", f.Err)
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

// Offset asks how many bytes have arrived. If it fails because the registry does
// not know the session, Open returns false afterwards.
func (u *Upload) Offset(ctx context.Context) (int64, error) {
	a, err := u.c.ask(ctx, resumingUpload, exchange{method: http.MethodGet, url: u.location, scopes: u.c.scopes(u.repository)},
		maxError, http.StatusNoContent, http.StatusAccepted, http.StatusOK)
	f, ok := failure.As(err)
	switch {
	case ok && f.Kind() != failure.Transient && f.Code != failure.TargetLogin:
		return 0, u.unknown(err)
	case err != nil:
		return 0, err
	}
	if err := u.moved(a.header); err != nil {
		return 0, err
	}
	var first, last int64
	if n, _ := fmt.Sscanf(strings.TrimPrefix(a.header.Get("Range"), "bytes="), "%d-%d", &first, &last); n != 2 || first != 0 || last < 0 || last >= u.size {
		return 0, u.unknown(fmt.Errorf("range %.100q", a.header.Get("Range")))
	}
	if last == 0 {
		return 0, nil // "0-0" is how an empty session is written
	}
	return last + 1, nil
}

// unknown notes that the session is lost.
func (u *Upload) unknown(err error) error {
	u.lost = true
	return &failure.Error{Code: failure.Network, Side: u.c.side, Step: resumingUpload, Err: fmt.Errorf("upload session is unknown: %w", err)}
}

// Cancel ends the session, so that the registry need not keep what it got. It
// does nothing if there is none.
func (u *Upload) Cancel(ctx context.Context) {
	if u.location == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	resp, err := u.c.send(ctx, exchange{method: http.MethodDelete, url: u.location, scopes: u.c.scopes(u.repository)})
	u.location = nil
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
