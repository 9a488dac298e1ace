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

// Blob is a place to read one blob from. It is safe for concurrent use.
type Blob struct {
	c          *Client
	repository reference.Repository
	digest     v1.Hash
	size       int64

	mu       sync.Mutex
	resolved *url.URL // where the registry redirected to, with a signature that will expire
	whole    bool     // the server has sent everything when asked for a part
	parted   bool     // it has sent a part
	broken   int      // requests for a part that failed in a way that passes
}

// Blob names a blob of a repository. It sends no request.
func (c *Client) Blob(repository reference.Repository, digest v1.Hash, size int64) *Blob {
	return &Blob{c: c, repository: repository, digest: digest, size: size}
}

// Host is the registry's canonical host.
func (b *Blob) Host() string { return b.c.Host() }

// Trip is how long a round trip to the farthest server takes that the registry's
// blobs come from, as far as is known.
func (b *Blob) Trip() time.Duration { return b.c.Trip() }

// Backoff begins a series of tries against the registry.
func (b *Blob) Backoff() Retrier { return b.c.Backoff() }

// Answer is how long the registry takes to begin an answer, as far as is known.
func (b *Blob) Answer() time.Duration { return b.c.Answer() }

// Repository is where the blob lies.
func (b *Blob) Repository() reference.Repository { return b.repository }

// Size is the blob's size in bytes, which is asked for if it was said to be below
// zero. It must not be called while the blob is read.
func (b *Blob) Size(ctx context.Context) (int64, error) {
	if b.size >= 0 {
		return b.size, nil
	}
	size := int64(-1)
	if a, err := b.c.ask(ctx, headBlob, exchange{
		method: http.MethodHead,
		url:    b.c.at(b.repository, distribution.Blobs, b.digest.String()),
		scopes: b.c.scopes(b.repository),
	}, 0); err == nil {
		size = a.length
	}
	if size < 0 {
		err := b.c.retry(ctx, func(ctx context.Context) error {
			resp, err := b.request(ctx, "")
			if err != nil {
				return b.c.broken(ctx, readingBlob, err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				return b.c.refused(readingBlob, resp)
			}
			size = resp.ContentLength
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	if size < 0 {
		return 0, &failure.Error{Code: failure.Unsupported, Side: b.c.side, Step: readingBlob, Err: errors.New("registry does not report the size of the blob")}
	}
	b.size = size
	return size, nil
}

// Ranged reports whether parts can be asked for, as far as is known.
func (b *Blob) Ranged() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.whole && !b.c.learned.noRange.Load()
}

// Parted reports whether a part has been asked for and was what came, from where
// the registry's redirects lead to.
func (b *Blob) Parted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.parted && !b.whole
}

// Open reads the bytes from from up to to, exclusively. It makes one attempt:
// errors in the middle of the stream are the reader's to resume. The stream
// ends with io.ErrUnexpectedEOF if it is shorter than it should be; it is
// never longer.
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

// get asks for the range, or for the whole where parts are refused.
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
	// Parts are optional: the whole may be there all the same.
	discard(part.Response)
	whole, err := b.request(ctx, "")
	if err == nil && whole.StatusCode == http.StatusOK && (part.StatusCode < http.StatusInternalServerError || part.StatusCode == http.StatusNotImplemented) {
		b.c.learned.noRange.Store(true)
	}
	return whole, err
}

// maxBroken is how many requests for a part may fail in a way that passes, until
// the whole is asked for instead: some proxies end the connection at a Range.
const maxBroken = 4

// breaks counts a request for a part that failed, if one did, and reports whether
// there were too many.
func (b *Blob) breaks(failed bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if failed {
		b.broken++
	}
	return b.broken >= maxBroken
}

// answers reports whether a response to a request for a part is that part, or
// the whole.
func (b *Blob) answers(resp reply, from, to int64) bool {
	return resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent && b.isPart(resp, from, to)
}

// isPart reports whether a response says that it begins at from and does not
// pass to (RFC 9110 §14.4).
func (b *Blob) isPart(resp reply, from, to int64) bool {
	var first, last, total int64
	n, _ := fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes %d-%d/%d", &first, &last, &total)
	return n >= 2 && first == from && last < to && (n < 3 || total == b.size)
}

// request asks for a range, or for everything, at the address that an earlier
// redirect led to if there was one. A stale one is forgotten.
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
	resp.doubt()
	return resp, err
}

// passing reports whether a status is temporary: it says to ask again later and
// nothing about the blob.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// stream is one response's body, watched and bounded.
type stream struct {
	b      *Blob
	c      *Client
	ctx    context.Context
	cancel context.CancelCauseFunc
	dog    *watchdog
	body   io.ReadCloser
	left   int64
}

// expect holds the response against what was asked for.
func (s *stream) expect(resp reply, from, to, size int64) error {
	s.body = resp.Body
	switch resp.StatusCode {
	case http.StatusPartialContent:
		if !s.b.isPart(resp, from, to) {
			resp.Body.Close()
			return &failure.Error{Code: failure.Corrupt, Side: s.c.side, Step: readingBlob, Err: fmt.Errorf("asked for bytes %d to %d of %d, got Content-Range %.100q", from, to-1, size, resp.Header.Get("Content-Range"))}
		}
		s.b.mu.Lock()
		s.b.parted = true
		s.b.mu.Unlock()
	case http.StatusOK:
		if resp.ContentLength >= 0 && resp.ContentLength != size {
			resp.Body.Close()
			if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				return notServed(s.c.side, readingBlob, []byte(resp.Header.Get("Content-Type")))
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
		return s.c.refused(readingBlob, resp)
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

// Read reads on. Errors are *failure.Error, but for io.EOF at the end.
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

// Close ends the stream. Unread bytes are dropped with the connection.
func (s *stream) Close() error {
	s.dog.stop()
	if s.left == 0 {
		// The end of the body has to be seen for the connection to be used again.
		var one [1]byte
		s.dog.begin()
		_, _ = s.body.Read(one[:])
		s.dog.stop()
	}
	err := s.body.Close()
	s.cancel(nil)
	return err
}
