// Package registry is a client of registries. A Client talks to one registry on
// one side: a source, anonymously or with the credentials that the owner
// configured for exactly that host, or a target. It implements the protocol of
// the OCI distribution specification and classifies the responses of
// registries. It does not decide what is copied where, or in which order.
//
// Everything that a registry sends is treated as hostile: bodies are limited,
// digests computed, redirects and realms checked against the hosts that the
// owner named, and every connection is made by package outbound. All errors
// wrap a *failure.Error.
//
// Only meaning.go decides what a response means.
package registry

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// Client is a client of one registry. It is safe for concurrent use.
type Client struct {
	*wire
	auth    *authenticator
	guest   guest
	learned learned

	managing struct { // the token for the vendor's API
		sync.Mutex
		token string
		until time.Time
	}
}

// learned are the features that a registry turned out to lack, so that each is
// tried only once.
type learned struct {
	noRange     atomic.Bool  // a part of a blob was refused, but the whole was not
	noPut       atomic.Bool  // a PUT with data was refused
	pieces      atomic.Bool  // a piece of a blob was accepted
	elsewhere   atomic.Bool  // an upload at another host was accepted
	nowhere     atomic.Bool  // other hosts, which the registry names for uploads, are of no use
	noMount     atomic.Bool  // a blob was reported as mounted, but is not there
	noReferrers atomic.Bool  // the list of referrers failed, possibly for long
	noAPI       atomic.Bool  // there is no API for referrers
	redirects   atomic.Bool  // uploads are redirected, so bodies wait for the response to the header
	holds       atomic.Bool  // it did not answer requests for a manifest that was put
	noExpect    atomic.Bool  // a request to let the body wait was refused
	maxBody     atomic.Int64 // largest body of a request; 0 if no limit is known
	minPiece    atomic.Int64 // smallest piece of a blob but the last, according to the registry

	mountOnce sync.Once     // sets noMount
	heads     atomic.Int32  // whether HEAD requests are answered; 0 if unknown
	headFinds atomic.Bool   // a manifest that HEAD did not find does not exist
	slowTags  atomic.Bool   // a tag that was being put was looked up too early
	headCheck chan struct{} // has room for the one request that checks that
}

// The values of learned.heads.
const (
	answered = 1 + iota
	unanswered
)

func newClient(side failure.Side, host outbound.Host, named []outbound.Host, login account, identity oidc.Identity, opts Options) *Client {
	w := newWire(side, host, named, opts)
	c := &Client{wire: w, auth: newAuthenticator(w, newLogins(w, login, identity)), learned: learned{headCheck: make(chan struct{}, 1)}}
	// Docker Hub wants clients to use HEAD
	// (https://docs.docker.com/docker-hub/usage/pulls/).
	if host.Name == reference.DockerHub {
		c.learned.headFinds.Store(true)
		c.learned.heads.Store(answered)
	}
	return c
}

// Expect announces scopes, so that one token covers them all if the registry
// permits it.
func (c *Client) Expect(scopes ...Scope) { c.auth.expect(scopes) }

// exchange is one request to the registry itself.
type exchange struct {
	method string
	url    *url.URL
	header http.Header
	scopes []Scope
	via    http.RoundTripper // nil for the transport of small requests
	body   io.Reader         // rewound before another attempt if it is an io.Seeker
	size   int64

	unfollowed bool // redirects are returned like other responses
}

// maxSends limits how often one request is sent: without a token, with a token
// for many scopes, with one for this request only, and with renewed ones.
const maxSends = 5

// send performs x with the registry's authentication and follows redirects, to
// other hosts without the credentials. The response may have any status. A redirect
// is returned if the body cannot be sent again.
func (c *Client) send(ctx context.Context, x exchange) (reply, error) {
	if x.header == nil {
		x.header = http.Header{}
	}
	if !c.ours(x.url) {
		resp, err := c.roundTrip(ctx, c.via(x), x.method, x.url, x.header, x.body, x.size)
		return reply{Response: resp}, err
	}
	for sent := 1; ; sent++ {
		g, err := c.auth.authorize(ctx, x.scopes, kind(x.url.Path))
		if err != nil {
			return reply{}, err
		}
		header := x.header.Clone()
		if g.header != "" {
			header.Set("Authorization", g.header)
		}
		resp, err := c.roundTrip(ctx, c.via(x), x.method, x.url, header, x.body, x.size)
		lesson := c.auth.learn(g, resp)
		switch {
		case err != nil:
			return reply{}, err
		case lesson.again && sent < maxSends && rewind(x.body, 0):
			discard(resp)
			continue
		case isRedirect(resp.StatusCode) && !x.unfollowed && rewind(x.body, 0):
			resp, err = c.follow(ctx, x, resp, g.header)
			if err == nil && !c.ours(resp.Request.URL) {
				lesson.doubtful = maxDoubts // another server has refused, not the registry
			}
			return reply{resp, lesson.doubtful}, err
		}
		return reply{resp, lesson.doubtful}, nil
	}
}

// kind returns the kind of resource that a path names. Registries may demand
// another login or scope for blobs than for manifests.
func kind(path string) distribution.Kind {
	at, _ := distribution.ParsePath(path)
	return at.Kind
}

// via returns the transport for x. Call it as late as possible, because
// fetching a token may have shown the HTTP version of the registry.
func (c *Client) via(x exchange) http.RoundTripper {
	if x.via != nil {
		return x.via
	}
	return c.small()
}

// rewind reports whether a body can be sent again from an offset, and makes it
// so.
func rewind(body io.Reader, offset int64) bool {
	if body == nil {
		return true
	}
	s, ok := body.(io.Seeker)
	if !ok {
		return false
	}
	_, err := s.Seek(offset, io.SeekStart)
	return err == nil
}

// follow sends the request to the address that resp points to, a limited number
// of times, with the same method and body (RFC 9110 §15.4.8). The authorization
// is only sent to the registry's own host.
func (c *Client) follow(ctx context.Context, x exchange, resp *http.Response, authorization string) (*http.Response, error) {
	at := x.url
	for range maxRedirects {
		next, err := c.redirect(at, resp.Header)
		discard(resp)
		if err != nil {
			return nil, err
		}
		header := x.header.Clone()
		if authorization != "" && c.ours(next) {
			header.Set("Authorization", authorization)
		}
		if !rewind(x.body, 0) {
			return nil, errors.New("body cannot be sent twice")
		}
		resp, err = c.roundTrip(ctx, c.via(x), x.method, next, header, x.body, x.size)
		if err == nil && resp.StatusCode == http.StatusUnauthorized && !c.ours(next) && x.body == nil {
			if answer := c.guest.authorize(ctx, c.wire, resp.Header); answer != "" {
				discard(resp)
				header.Set("Authorization", answer)
				resp, err = c.roundTrip(ctx, c.via(x), x.method, next, header, nil, 0)
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
	return nil, c.astray(followingTo, at.Host, errManyRedirects)
}

var errManyRedirects = errors.New("too many redirects")

// answer is a small response, read completely.
type answer struct {
	status int
	url    *url.URL // its address, after redirects
	header http.Header
	length int64 // from the header; -1 if unknown
	body   []byte
}

// ask sends x, a small request with a small response, with the retries of its
// step. A body over limit bytes is a failure.
func (c *Client) ask(ctx context.Context, s step, x exchange, limit int64) (a answer, err error) {
	try := func(ctx context.Context) (err error) {
		a, err = c.try(ctx, s, x, limit)
		return err
	}
	if s.otherwise == askAgain {
		err = c.retry(ctx, try)
	} else {
		err = c.once(ctx, try)
	}
	return a, err
}

// glance sends x, a HEAD request, which is optional, with a short time limit. If the
// first one of a registry is not answered, the others are not sent.
func (c *Client) glance(ctx context.Context, s step, x exchange) (a answer, err error) {
	if c.learned.heads.Load() == unanswered {
		return answer{}, c.fail(failure.Network, s.name, context.DeadlineExceeded)
	}
	began := time.Now()
	err = c.within(ctx, glanceTime, func(ctx context.Context) (err error) {
		a, err = c.try(ctx, s, x, 0)
		return err
	})
	if time.Since(began) >= glanceTime {
		c.learned.heads.CompareAndSwap(0, unanswered)
	} else if ctx.Err() == nil {
		c.learned.heads.Store(answered)
	}
	return a, err
}

// glanceTime limits a HEAD request, with the token for it.
const glanceTime = 5 * time.Second

// try sends x once.
func (c *Client) try(ctx context.Context, s step, x exchange, limit int64) (answer, error) {
	if !rewind(x.body, 0) {
		return answer{}, c.fail(failure.Internal, s.name, errors.New("body cannot be sent twice"))
	}
	resp, err := c.send(ctx, x)
	if err != nil {
		return answer{}, c.broken(ctx, s.name, err)
	}
	defer resp.Body.Close()
	if !s.succeeded(resp.StatusCode) {
		f := c.refused(s, resp)
		if resp.StatusCode == http.StatusUnauthorized {
			c.auth.login.fixed.judge(f)
		}
		return answer{}, f
	}
	body, err := readSmall(resp.Response, limit)
	if err != nil {
		return answer{}, c.broken(ctx, s.name, err)
	}
	if int64(len(body)) > limit {
		return answer{}, c.fail(cmp.Or(s.overLimit, failure.Internal), s.name, fmt.Errorf("answer has more than %d bytes", limit))
	}
	if s.checked && resp.StatusCode == http.StatusOK {
		if err := c.otherwise(s, resp, body); err != nil {
			return answer{}, err
		}
	}
	return answer{resp.StatusCode, resp.Request.URL, resp.Header, resp.ContentLength, body}, nil
}

// otherwise returns the failure of a response with a status of success whose body
// says something else: a web page, or an error; nil for others.
func (c *Client) otherwise(s step, resp reply, body []byte) error {
	switch {
	case isPage(body):
		return webPage(c.side, s.name, body)
	case distribution.ParseErrors(body) == nil:
		return nil
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	f := c.refused(s, resp)
	if f.Code == failure.Internal {
		f.Code = failure.Unavailable
	}
	return f
}

// at returns the address of a resource in a repository. The parts come from
// reference types, so nothing needs escaping.
func (c *Client) at(repository reference.Repository, kind distribution.Kind, ref string) *url.URL {
	u := *c.base
	u.Path = distribution.Endpoint{Repository: repository.Path(), Kind: kind, Reference: ref}.Path()
	return &u
}

// scopes returns the permissions that this side needs in a repository.
func (c *Client) scopes(repository reference.Repository) []Scope {
	return []Scope{{Repository: repository, Push: c.side == failure.Target}}
}
