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

// Blob is one blob in a repository, for reading. It is safe for concurrent use.
type Blob struct {
	c          *Client
	repository reference.Repository
	digest     v1.Hash
	size       int64

	mu       sync.Mutex
	resolved *url.URL // target of the registry's redirect, with a signature that expires
	whole    bool     // the server has sent the whole blob when asked for a part
	parted   bool     // the server has sent a part
	broken   int      // requests for a part with temporary failures
}

// Blob returns a blob of a repository. It sends no request.
func (c *Client) Blob(repository reference.Repository, digest v1.Hash, size int64) *Blob {
	return &Blob{c: c, repository: repository, digest: digest, size: size}
}

// Host returns the registry's canonical host.
func (b *Blob) Host() string { return b.c.Host() }

// Trip returns the round-trip time to the farthest server that the registry's
// blobs come from, if known.
func (b *Blob) Trip() time.Duration { return b.c.Trip() }

// Backoff begins a series of attempts at the registry.
func (b *Blob) Backoff() Retrier { return b.c.Backoff() }

// Answer returns how long the registry takes to begin a response, if known.
func (b *Blob) Answer() time.Duration { return b.c.Answer() }

// Repository returns the repository of the blob.
func (b *Blob) Repository() reference.Repository { return b.repository }

// Size returns the blob's size in bytes, and requests it if the given size was
// negative. It must not be called while the blob is being read.
func (b *Blob) Size(ctx context.Context) (int64, error) {
	if b.size >= 0 {
		return b.size, nil
	}
	size := int64(-1)
	if a, err := b.c.glance(ctx, headBlob, exchange{
		method: http.MethodHead,
		url:    b.c.at(b.repository, distribution.Blobs, b.digest.String()),
		scopes: b.c.scopes(b.repository),
	}); err == nil {
		size = a.length
	}
	if size < 0 {
		err := b.c.retry(ctx, func(ctx context.Context) error {
			resp, err := b.request(ctx, "")
			if err != nil {
				return b.c.broken(ctx, readingBlob, err)
			}
			defer resp.Body.Close()
			if !isWhole(resp.StatusCode) {
				return b.c.refused(readBlob, resp)
			}
			size = resp.ContentLength
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	if size < 0 {
		return 0, b.c.fail(failure.Unsupported, readingBlob, errors.New("registry does not report the size of the blob"))
	}
	b.size = size
	return size, nil
}

// Ranged reports whether the blob can be read in parts, as far as known.
func (b *Blob) Ranged() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.whole && !b.c.learned.noRange.Load()
}

// Parted reports whether a part has been requested and returned by the server
// that the registry's redirects lead to.
func (b *Blob) Parted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.parted && !b.whole
}

// Open reads the bytes from from up to, but not including, to. It makes one
// attempt: the reader has to resume after errors in the stream. The stream ends
// with io.ErrUnexpectedEOF if it is too short; it is never too long.
func (b *Blob) Open(ctx context.Context, from, to int64) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{b: b, c: b.c, ctx: ctx, cancel: cancel, dog: newWatchdog(cancel, firstByteTime), left: to - from}
	resp, err := b.get(ctx, s.dog, from, to)
	if err == nil {
		err = s.expect(resp, from, to, b.size)
	}
	if err != nil {
		cancel(nil)
		return nil, b.c.broken(context.WithoutCancel(ctx), readingBlob, err)
	}
	return s, nil
}

// get requests the range, or the whole blob if parts are refused.
func (b *Blob) get(ctx context.Context, dog *watchdog, from, to int64) (reply, error) {
	dog.begin()
	defer dog.end(0)
	if from == 0 && to == b.size || b.c.learned.noRange.Load() || b.breaks(false) {
		return b.request(ctx, "")
	}
	part, err := b.request(ctx, fmt.Sprintf("bytes=%d-%d", from, to-1))
	if ctx.Err() == nil && (err != nil || passing(part.StatusCode)) {
		b.breaks(true)
	}
	if err != nil || passing(part.StatusCode) || b.answers(part, from, to) {
		return part, err
	}
	// Range requests are optional: the whole blob may be available.
	discard(part.Response)
	whole, err := b.request(ctx, "")
	if err == nil && isWhole(whole.StatusCode) && (part.StatusCode < http.StatusInternalServerError || part.StatusCode == http.StatusNotImplemented) {
		b.c.learned.noRange.Store(true)
	}
	return whole, err
}

// isWhole reports whether a status is that of a response with a whole blob.
func isWhole(status int) bool {
	return status == http.StatusOK || status == http.StatusNonAuthoritativeInfo
}

// maxBroken is how many requests for a part may fail temporarily before the
// whole blob is requested, if no part has ever been sent: some proxies close the
// connection at a Range.
const maxBroken = 4

// breaks counts failed requests for a part, and reports whether there were too
// many.
func (b *Blob) breaks(failed bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if failed && !b.parted {
		b.broken++
	}
	return b.broken >= maxBroken
}

// answers reports whether the response to a request for a part is that part or
// the whole blob.
func (b *Blob) answers(resp reply, from, to int64) bool {
	if isWhole(resp.StatusCode) {
		return resp.ContentLength < 0 || resp.ContentLength == b.size // or it may be the part
	}
	return resp.StatusCode == http.StatusPartialContent && b.isPart(resp, from, to)
}

// isPart reports whether a response says that it begins at from and ends at to
// or before (RFC 9110 §14.4).
func (b *Blob) isPart(resp reply, from, to int64) bool {
	if from == 0 && to == b.size && resp.Header.Get("Content-Range") == "" {
		return resp.ContentLength < 0 || resp.ContentLength == b.size // the whole, by a status of caches
	}
	var first, last, total int64
	n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &total)
	return n >= 2 && first == from && last < to && (n < 3 || total == b.size)
}

// request requests a range, or everything, at the address of an earlier
// redirect if there was one. An expired address is forgotten.
func (b *Blob) request(ctx context.Context, bytes string) (reply, error) {
	header := http.Header{}
	if bytes != "" {
		header.Set("Range", bytes)
	}
	b.mu.Lock()
	resolved := b.resolved
	b.mu.Unlock()
	if resolved != nil {
		resp, err := b.c.roundTrip(ctx, b.c.bulk, http.MethodGet, resolved, header, nil, 0)
		if err == nil && resp.StatusCode < http.StatusMultipleChoices {
			return reply{Response: resp}, nil
		}
		if err == nil {
			discard(resp)
		}
		b.mu.Lock()
		if b.resolved == resolved {
			b.resolved = nil
		}
		b.mu.Unlock()
	}
	resp, err := b.c.send(ctx, exchange{
		method: http.MethodGet,
		url:    b.c.at(b.repository, distribution.Blobs, b.digest.String()),
		header: header,
		scopes: b.c.scopes(b.repository),
		via:    b.c.bulk,
	})
	if err == nil && resp.StatusCode < http.StatusMultipleChoices && resp.Request.URL.Host != b.c.base.Host {
		b.mu.Lock()
		b.resolved = resp.Request.URL
		b.mu.Unlock()
	}
	return resp, err
}

// passing reports whether a status is temporary: it says nothing about the
// blob.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// stream is the body of one response, watched and limited.
type stream struct {
	b      *Blob
	c      *Client
	ctx    context.Context
	cancel context.CancelCauseFunc
	dog    *watchdog
	body   io.ReadCloser
	left   int64
}

// expect checks the response against the request.
func (s *stream) expect(resp reply, from, to, size int64) error {
	s.body = resp.Body
	switch resp.StatusCode {
	case http.StatusPartialContent:
		if !s.b.isPart(resp, from, to) {
			resp.Body.Close()
			return s.c.fail(failure.Corrupt, readingBlob, fmt.Errorf("asked for bytes %d to %d of %d, got Content-Range %.100q", from, to-1, size, resp.Header.Get("Content-Range")))
		}
		if from > 0 || to < size {
			s.b.mu.Lock()
			s.b.parted = true
			s.b.mu.Unlock()
		}
	case http.StatusOK, http.StatusNonAuthoritativeInfo:
		if isPacked(resp.Response, size) {
			resp.ContentLength = -1
			s.body = &unpacker{body: resp.Body, size: size}
		}
		if resp.ContentLength >= 0 && resp.ContentLength != size {
			resp.Body.Close()
			if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				return webPage(s.c.side, readingBlob, []byte(resp.Header.Get("Content-Type")))
			}
			return wrongSize(s.c.side, size, resp.ContentLength)
		}
		if from > 0 || to < size {
			s.b.mu.Lock()
			s.b.whole = true
			s.b.mu.Unlock()
		}
		// A server without ranges sends everything again.
		if n, err := io.CopyN(io.Discard, s.watched(), from); err != nil {
			resp.Body.Close()
			return fmt.Errorf("skipping %d of %d bytes: %w", n, from, err)
		}
	default:
		defer resp.Body.Close()
		return s.c.refused(readBlob, resp)
	}
	return nil
}

func (s *stream) watched() io.Reader { return readerFunc(s.read) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (s *stream) read(p []byte) (int, error) {
	s.dog.begin()
	n, err := s.body.Read(p)
	s.dog.end(n)
	return n, err
}

// Read reads the stream. Errors are *failure.Error, except io.EOF at the end.
func (s *stream) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	switch {
	case err == nil, errors.Is(err, io.EOF) && s.left == 0:
		return n, nil
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return n, s.c.broken(context.WithoutCancel(s.ctx), readingBlob, err)
}

// Close ends the stream. If bytes are unread, the connection is closed.
func (s *stream) Close() error {
	s.dog.stop()
	if s.left == 0 {
		// The end of the body must be read before the connection can be reused.
		var one [1]byte
		s.dog.begin()
		_, _ = s.body.Read(one[:])
		s.dog.stop()
	}
	err := s.body.Close()
	s.cancel(nil)
	return err
}
