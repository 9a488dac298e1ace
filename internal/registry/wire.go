package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/patience"
)

const (
	// answerTimeout limits one small exchange: a manifest, a token.
	// Pull-through caches may have to fetch a manifest first.
	answerTimeout = 3 * time.Minute
	// commitTimeout is how long a registry may take to confirm a complete blob:
	// some hash ten gigabytes before they respond.
	commitTimeout = 10 * time.Minute
)

// Options are shared by all clients.
type Options struct {
	// Network is for the connections.
	Network outbound.Options
	// UserAgent is sent to the registries.
	UserAgent string
	// TokenServers are known in advance, by canonical host, so that the first
	// request can have a token. Nil means known.TokenServers.
	TokenServers map[string]known.TokenServer
	// Wait waits before another attempt. Nil means real waiting.
	Wait func(context.Context, time.Duration) error
	// Attended means that somebody waits at a terminal: a registry that has never
	// answered and accepts no connection is soon given up.
	Attended bool
	// Job is where ID tokens come from for the targets and sources with OIDC.
	Job oidc.Job
	// Secret is called with every token obtained with a login, before it is
	// used, so that it can be masked. May be nil.
	Secret func(string)
}

// transport is an *outbound.Transport, or a replacement in tests.
type transport interface {
	http.RoundTripper
	Warm(base *url.URL, n int)
	HTTP1() bool
	Trip() time.Duration
	Answer(base *url.URL) time.Duration
	Close()
}

// wire sends single requests to one registry and to the servers that it refers
// to. It has no logins.
type wire struct {
	side  failure.Side
	host  outbound.Host
	base  *url.URL
	trust outbound.Trust
	opts  Options
	api   transport // manifests, tags, tokens: HTTP/2 if supported
	bulk  transport // blobs: one stream per connection, several connections

	loginDoubted atomic.Bool // a refusal of the login has been doubted
	website      atomic.Bool // the root of the API is a missing page: it is no registry
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

// readBuffer returns the size for the side from which blobs are read.
func readBuffer(side failure.Side) int {
	if side == failure.Source {
		return 32 << 10
	}
	return 0
}

// Host returns the registry's canonical host.
func (w *wire) Host() string { return w.host.Name }

// Side returns the side of the client.
func (w *wire) Side() failure.Side { return w.side }

// Trip returns the round-trip time to the farthest server that sent blobs; zero
// if there was none.
func (w *wire) Trip() time.Duration {
	if trip := w.bulk.Trip(); trip > 0 {
		return trip
	}
	return w.api.Trip()
}

// Answer returns how long the registry takes to begin a response, if known.
func (w *wire) Answer() time.Duration {
	api, bulk := w.api.Answer(w.base), w.bulk.Answer(w.base)
	if api == 0 || bulk > 0 && bulk < api {
		return bulk
	}
	return api
}

// Warm opens, in the background, one connection for manifests and a total of n
// for blobs before they are needed.
func (w *wire) Warm(n int) {
	w.api.Warm(w.base, 1)
	w.bulk.Warm(w.base, n)
}

// Close closes all idle connections.
func (w *wire) Close() {
	w.api.Close()
	w.bulk.Close()
}

// small returns the transport for small exchanges: with HTTP/2 one connection
// for all of them, otherwise the connections for blobs.
func (w *wire) small() transport {
	if w.host.PlainHTTP || w.api.HTTP1() {
		return w.bulk
	}
	return w.api
}

// roundTrip sends one request to any server, with no authentication except in
// header, without redirects or retries.
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
		// Ferry resumes a body that failed halfway; the transport must not
		// replay it.
		req.GetBody = nil
		if size == 0 {
			req.Body = http.NoBody
		}
	}
	req.Header.Set("User-Agent", w.opts.UserAgent)
	resp, err := via.RoundTrip(req)
	if err != nil && outbound.HostPort(u) != outbound.HostPort(w.base) {
		err = &elsewhereError{u.Host, err}
	}
	return resp, err
}

// elsewhereError is an error of a request to another server than the registry.
type elsewhereError struct {
	host string
	err  error
}

func (e *elsewhereError) Error() string { return e.err.Error() }
func (e *elsewhereError) Unwrap() error { return e.err }

// maxRedirects allows twice the redirects of a blob at a content network.
const maxRedirects = 5

// isRedirect reports whether a response is a redirect to follow. 303 asks for
// another method, which makes no sense for a write.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// location returns the header of that name. Some servers write spaces in it,
// which browsers and curl escape.
func location(header http.Header) string {
	return strings.ReplaceAll(header.Get("Location"), " ", "%20")
}

// discard releases the connection for reuse if little is left to read on it.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxError)
	resp.Body.Close()
}

// retry calls op until it succeeds or another attempt is not worthwhile.
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

// once calls op within the time limit of one small exchange.
func (w *wire) once(ctx context.Context, op func(context.Context) error) error {
	return w.within(ctx, answerTimeout, op)
}

// within calls op within a time limit.
func (w *wire) within(ctx context.Context, limit time.Duration, op func(context.Context) error) error {
	tryCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := op(tryCtx)
	if f, ok := failure.As(err); ok && tryCtx.Err() != nil && ctx.Err() == nil {
		// This exchange was too slow; the time of the job is not over.
		f.Code = failure.Network
	}
	return err
}
