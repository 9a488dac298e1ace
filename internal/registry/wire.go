package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/patience"
)

const (
	// answerTimeout bounds one small exchange: a manifest, a token. Pull-through
	// caches fetch a manifest from elsewhere meanwhile.
	answerTimeout = 3 * time.Minute
	// commitTimeout is how long a registry may think about a blob that it has
	// got wholly: some hash ten gigabytes before they answer.
	commitTimeout = 10 * time.Minute
)

// Options are shared by all clients.
type Options struct {
	// Network is for the connections.
	Network outbound.Options
	// UserAgent names Ferry to the registries.
	UserAgent string
	// TokenServers are known beforehand, by canonical host, so that the first
	// request can have a token. Those of known.TokenServers if nil.
	TokenServers map[string]known.TokenServer
	// Wait waits before another try. Nil for the real thing.
	Wait func(context.Context, time.Duration) error
	// Secret is called with every token that a login was exchanged for, before it
	// is used, so that it can be masked. May be nil.
	Secret func(string)
}

// transport is an *outbound.Transport, or what a test has in its place.
type transport interface {
	http.RoundTripper
	Warm(base *url.URL, n int)
	HTTP1() bool
	Trip() time.Duration
	Answer(base *url.URL) time.Duration
	Close()
}

// wire performs single requests, to one registry and to the servers that it
// refers to. It has no logins.
type wire struct {
	side  failure.Side
	host  outbound.Host
	base  *url.URL
	trust outbound.Trust
	opts  Options
	api   transport // manifests, tags, tokens: HTTP/2 where it is spoken
	bulk  transport // blobs: one stream a connection, several connections

	loginDoubted atomic.Bool // a refusal of the login has been doubted
}

func newWire(side failure.Side, host outbound.Host, named []outbound.Host, opts Options) *wire {
	if opts.Wait == nil {
		opts.Wait = patience.Sleep
	}
	if opts.TokenServers == nil {
		opts.TokenServers = known.TokenServers()
	}
	trust := outbound.NewTrust(named)
	return &wire{
		side: side, host: host, base: host.Base(), trust: trust, opts: opts,
		api:  outbound.NewTransport(trust, opts.Network, outbound.Limits{HTTP2: true, ResponseHeader: answerTimeout}),
		bulk: outbound.NewTransport(trust, opts.Network, outbound.Limits{ResponseHeader: commitTimeout, ReadBuffer: readBuffer(side)}),
	}
}

// readBuffer is for the side from which blobs are read.
func readBuffer(side failure.Side) int {
	if side == failure.Source {
		return 32 << 10
	}
	return 0
}

// Host is the registry's canonical host.
func (w *wire) Host() string { return w.host.Name }

// Side is the side on which the client stands.
func (w *wire) Side() failure.Side { return w.side }

// Trip is how long a round trip takes to the farthest server that blobs were got
// from, zero if none were.
func (w *wire) Trip() time.Duration {
	if trip := w.bulk.Trip(); trip > 0 {
		return trip
	}
	return w.api.Trip()
}

// Answer is how long the registry takes to begin an answer, as far as is known.
func (w *wire) Answer() time.Duration {
	api, bulk := w.api.Answer(w.base), w.bulk.Answer(w.base)
	if api == 0 || bulk > 0 && bulk < api {
		return bulk
	}
	return api
}

// Warm opens a connection for manifests and, in all, n for blobs ahead of their
// use, in the background.
func (w *wire) Warm(n int) {
	w.api.Warm(w.base, 1)
	w.bulk.Warm(w.base, n)
}

// Close closes all idle connections.
func (w *wire) Close() {
	w.api.Close()
	w.bulk.Close()
}

// small is the transport for small exchanges: one connection for all of them
// where HTTP/2 is spoken, those of the blobs where it is not.
func (w *wire) small() transport {
	if w.host.PlainHTTP || w.api.HTTP1() {
		return w.bulk
	}
	return w.api
}

// roundTrip is one exchange with any server: no authentication but what header
// has, no redirects, no second try.
func (w *wire) roundTrip(ctx context.Context, via http.RoundTripper, method string, u *url.URL, header http.Header, body io.Reader, size int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header.Clone()
	}
	if body != nil {
		req.ContentLength = size
		// A body that failed halfway is ours to resume, not the transport's to replay.
		req.GetBody = nil
		if size == 0 {
			req.Body = http.NoBody
		}
	}
	req.Header.Set("User-Agent", w.opts.UserAgent)
	return via.RoundTrip(req)
}

// ours reports whether u is at the registry's own host, over the scheme that it
// has: the only place for its credentials.
func (w *wire) ours(u *url.URL) bool {
	return outbound.HostPort(u) == outbound.HostPort(w.base) && u.Scheme == w.base.Scheme
}

// own gives an address on the registry's own host the registry's own scheme and
// port, if it names the host without TLS. Registries behind a proxy that
// terminates TLS write such addresses.
func (w *wire) own(u *url.URL) *url.URL {
	if u.Hostname() != w.base.Hostname() || u.Scheme != "http" || w.base.Scheme != "https" {
		return u
	}
	return w.moved(u)
}

// ownPort does what own does, and also for an address that lacks only the port.
// It is for what can be nowhere but at the registry: upload sessions and pages
// of lists. A token server may be on another port of the same host.
func (w *wire) ownPort(u *url.URL) *url.URL {
	if u.User != nil && u.Hostname() == w.base.Hostname() { // the login is in a header
		plain := *u
		plain.User = nil
		u = &plain
	}
	if u.Hostname() == w.base.Hostname() && u.Port() == "" && w.base.Port() != "" {
		return w.moved(u)
	}
	return w.own(u)
}

func (w *wire) moved(u *url.URL) *url.URL {
	next := *u
	next.Scheme, next.Host = w.base.Scheme, w.base.Host
	return &next
}

// maxRedirects allows for twice the redirects that a blob at a content network has.
const maxRedirects = 5

// isRedirect reports whether a request is to be sent elsewhere. 303 asks for
// another method, which makes no sense for a write.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// discard gives the connection back if little is left to read on it.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxError)
	resp.Body.Close()
}

// retry performs op until it succeeds or is not worth another try.
func (w *wire) retry(ctx context.Context, op func(context.Context) error) error {
	b := w.Backoff()
	for {
		err := w.once(ctx, op)
		if err == nil {
			return nil
		}
		if err := b.Again(ctx, err); err != nil {
			return err
		}
	}
}

// once performs op within the time that one small exchange may take.
func (w *wire) once(ctx context.Context, op func(context.Context) error) error {
	tryCtx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	err := op(tryCtx)
	if f, ok := failure.As(err); ok && tryCtx.Err() != nil && ctx.Err() == nil {
		// One exchange was too slow; the job's time is not over.
		f.Code = failure.Network
	}
	return err
}
