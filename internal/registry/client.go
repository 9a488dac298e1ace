// Package registry is the only way out to registries. A Client speaks to one
// registry on one side: a source, anonymously or with the credentials that the
// owner configured for exactly that host, or a target. It knows the protocol
// of the OCI distribution specification, whom it may connect to, and what the
// errors mean; what is copied where, and in which order, it does not know.
//
// Everything that a registry says is hostile: bodies are bounded, digests
// computed, redirects and realms held against the gate, and every connection
// passes a guard that looks at the address which a name resolved to. All
// errors are of type *failure.Error underneath.
package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// answerTimeout bounds one small exchange: a manifest, a token.
	answerTimeout = time.Minute
	// commitTimeout is how long a registry may think about a blob that it has
	// got wholly: the big ones hash ten gigabytes behind the scenes.
	commitTimeout = 10 * time.Minute
	// maxHeader bounds a response's header.
	maxHeader = 64 << 10
	// maxRedirects is what a blob needs on its way to a content network, twice.
	maxRedirects = 5
)

// Options are what all clients have in common.
type Options struct {
	// UserAgent names Ferry to the registries.
	UserAgent string
	// TokenServers are known beforehand, by canonical host, so that the first
	// request can bear a token. Those of WellKnown if nil.
	TokenServers map[string]TokenServer
	// Wait waits before another try. Nil for the real thing.
	Wait func(context.Context, time.Duration) error
	// Secret is told every token that a login was exchanged for, before it is
	// used, so that it can be masked. May be nil.
	Secret func(string)
	// At sends connections for "host:port" to another address, so that the demo
	// can play a public registry on loopback. It opens no door: the guard looks
	// at the address that is really connected to.
	At map[string]string
}

// Client speaks to one registry. It is safe for concurrent use.
type Client struct {
	side  failure.Side
	host  Host
	base  *url.URL
	trust trust
	opts  Options
	api   *http.Transport // manifests, tags, tokens: HTTP/2 where it is spoken
	bulk  *http.Transport // blobs: one stream a connection, several connections
	warm  []*stash        // for api and for bulk
	auth  *authenticator
	guest guest
	trips *trips
}

// login is a user and password for one registry.
type login struct {
	username string
	password config.Secret
}

func newClient(side failure.Side, host Host, named []Host, l login, opts Options) *Client {
	if opts.Wait == nil {
		opts.Wait = sleep
	}
	if opts.TokenServers == nil {
		opts.TokenServers = WellKnown()
	}
	c := &Client{side: side, host: host, base: host.base(), trust: newTrust(named), opts: opts, trips: &trips{shortest: map[string]time.Duration{}}}
	d := dialer{c.trust.private, opts.At}
	one, many := newStash(d, "http/1.1"), newStash(d, "h2", "http/1.1")
	c.warm = []*stash{many, one}
	c.api = &http.Transport{
		DialContext:            many.plain,
		DialTLSContext:         many.tls,
		ResponseHeaderTimeout:  answerTimeout,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    64,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	c.bulk = &http.Transport{
		DialContext:            one.plain,
		DialTLSContext:         one.tls,
		Protocols:              protocols,
		ResponseHeaderTimeout:  commitTimeout,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        30 * time.Second,
		MaxIdleConnsPerHost:    64,
		DisableCompression:     true,
		WriteBufferSize:        64 << 10,
	}
	c.auth = &authenticator{c: c, username: l.username, password: l.password, batches: map[string]*batch{}, tokens: map[string]*token{}}
	many.http1.Store(host.PlainHTTP)
	if server, ok := opts.TokenServers[host.Name]; ok && !host.PlainHTTP {
		c.auth.challenge, c.auth.guessed = &challenge{"bearer", server.Realm, server.Service}, true
	}
	return c
}

// Host is the registry's canonical host.
func (c *Client) Host() string { return c.host.Name }

// Side is the side on which the client stands.
func (c *Client) Side() failure.Side { return c.side }

// Expect tells what will be asked for, so that one token can serve it all
// where the registry grants that.
func (c *Client) Expect(scopes ...Scope) { c.auth.expect(scopes) }

// small is what small things are asked over: one connection for all of them
// where HTTP/2 is spoken, those of the blobs where it is not.
func (c *Client) small() *http.Transport {
	if c.warm[0].http1.Load() {
		return c.bulk
	}
	return c.api
}

// Warm opens a connection for manifests and n for blobs ahead of their use, in
// the background.
func (c *Client) Warm(n int) {
	c.warm[0].open(c.base, 1)
	c.warm[1].open(c.base, n)
}

// Close lets go of all idle connections.
func (c *Client) Close() {
	for _, s := range c.warm {
		s.close()
	}
	c.api.CloseIdleConnections()
	c.bulk.CloseIdleConnections()
}

func basic(username string, password config.Secret) string {
	return base64.StdEncoding.EncodeToString([]byte(username + ":" + password.Reveal()))
}

// roundTrip is one exchange with whatever server: no authentication but what
// header has, no redirects, no second try.
func (c *Client) roundTrip(ctx context.Context, via *http.Transport, method string, u *url.URL, header http.Header, body io.Reader, size int64) (*http.Response, error) {
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
	req.Header.Set("User-Agent", c.opts.UserAgent)
	began := time.Now()
	resp, err := via.RoundTrip(req)
	if err == nil && size == 0 {
		c.trips.note(u.Host, time.Since(began))
	}
	return resp, err
}

// exchange is one request to the registry itself.
type exchange struct {
	method string
	url    *url.URL
	header http.Header
	scopes []Scope
	via    *http.Transport
	body   io.Reader // rewound for another try if it is an io.Seeker
	size   int64
}

// send performs x with the registry's authentication and follows redirects of
// GET and HEAD; the credentials stay behind when they leave the host. The
// response may have any status.
func (c *Client) send(ctx context.Context, x exchange) (*http.Response, error) {
	if x.header == nil {
		x.header = http.Header{}
	}
	if !c.ours(x.url) {
		return c.roundTrip(ctx, x.via, x.method, x.url, x.header, x.body, x.size)
	}
	// Three: nothing known, a token for many scopes, a token of its own.
	for try := 1; ; try++ {
		g, err := c.auth.authorize(ctx, x.scopes)
		if err != nil {
			return nil, err
		}
		header := x.header.Clone()
		if g.header != "" {
			header.Set("Authorization", g.header)
		}
		resp, err := c.roundTrip(ctx, x.via, x.method, x.url, header, x.body, x.size)
		again := c.auth.settle(g, resp)
		if err != nil {
			return nil, err
		}
		if again && try < 4 && c.rewind(x.body) {
			discard(resp)
			continue
		}
		if isRedirect(resp.StatusCode) && (x.method == http.MethodGet || x.method == http.MethodHead) {
			return c.follow(ctx, x, resp, g.header)
		}
		return resp, nil
	}
}

func (c *Client) rewind(body io.Reader) bool {
	if body == nil {
		return true
	}
	s, ok := body.(io.Seeker)
	if !ok {
		return false
	}
	_, err := s.Seek(0, io.SeekStart)
	return err == nil
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// follow goes where resp points to, a few times. The authorization is for the
// registry's own host and for no other.
func (c *Client) follow(ctx context.Context, x exchange, resp *http.Response, authorization string) (*http.Response, error) {
	at := x.url
	for range maxRedirects {
		next, err := at.Parse(resp.Header.Get("Location"))
		discard(resp)
		if err != nil {
			return nil, fmt.Errorf("reading redirect: %w", err)
		}
		if err := c.trust.reachable(next); err != nil {
			return nil, &failure.Error{Code: failure.HostForbidden, Side: c.side, Step: followingRedirect, Err: err}
		}
		header := x.header.Clone()
		if authorization != "" && c.ours(next) {
			header.Set("Authorization", authorization)
		}
		resp, err = c.roundTrip(ctx, x.via, x.method, next, header, nil, 0)
		if err == nil && resp.StatusCode == http.StatusUnauthorized && !c.ours(next) {
			if answer := c.guest.answer(ctx, c, resp.Header); answer != "" {
				discard(resp)
				header.Set("Authorization", answer)
				resp, err = c.roundTrip(ctx, x.via, x.method, next, header, nil, 0)
			}
		}
		if err != nil {
			return nil, err
		}
		if !isRedirect(resp.StatusCode) {
			return resp, nil
		}
		at = next
	}
	discard(resp)
	return nil, &failure.Error{Code: failure.Internal, Side: c.side, Step: followingRedirect, Err: errors.New("too many redirects")}
}

const followingRedirect = "following redirect"

// ours tells whether u is at the registry's own host, over the scheme that it
// has: the only place for its credentials.
func (c *Client) ours(u *url.URL) bool {
	return hostPort(u) == hostPort(c.base) && u.Scheme == c.base.Scheme
}

// discard gives the connection back if little is left to read on it.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxError)
	resp.Body.Close()
}

// retry performs op until it succeeds or is not worth another try.
func (c *Client) retry(ctx context.Context, op func(context.Context) error) error {
	b := c.Backoff()
	for {
		tryCtx, cancel := context.WithTimeout(ctx, answerTimeout)
		err := op(tryCtx)
		expired := tryCtx.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil {
			return nil
		}
		if f := (*failure.Error)(nil); expired && errors.As(err, &f) {
			// One exchange was too slow; the job's time is not over.
			f.Code = failure.Network
		}
		if err := b.Again(ctx, err); err != nil {
			return err
		}
	}
}

// answer is a small response, read wholly.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends x, small both ways, as often as it takes. Statuses other than ok
// are failures; a body over limit bytes is one too.
func (c *Client) ask(ctx context.Context, step string, x exchange, limit int64, ok ...int) (answer, error) {
	if x.via == nil {
		x.via = c.small()
	}
	var a answer
	err := c.retry(ctx, func(ctx context.Context) error {
		if !c.rewind(x.body) {
			return &failure.Error{Code: failure.Internal, Side: c.side, Step: step, Err: errors.New("body cannot be sent twice")}
		}
		resp, err := c.send(ctx, x)
		if err != nil {
			return c.broken(ctx, step, err)
		}
		defer resp.Body.Close()
		for _, status := range ok {
			if resp.StatusCode != status {
				continue
			}
			body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
			if err != nil {
				return c.broken(ctx, step, err)
			}
			if int64(len(body)) > limit {
				return &failure.Error{Code: failure.TooLarge, Side: c.side, Step: step, Err: fmt.Errorf("answer has more than %d bytes", limit)}
			}
			a = answer{status, resp.Header, body}
			return nil
		}
		return c.refused(step, resp)
	})
	return a, err
}

// at is the address of something in a repository. The parts come from
// reference types, so nothing needs escaping.
func (c *Client) at(repository reference.Repository, parts ...string) *url.URL {
	u := *c.base
	u.Path = "/v2/" + repository.Path() + "/" + strings.Join(parts, "/")
	return &u
}
