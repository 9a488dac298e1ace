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
	"net/http"
	"net/url"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/patience"
)

const (
	// answerTimeout bounds one small exchange: a manifest, a token.
	answerTimeout = time.Minute
	// commitTimeout is how long a registry may think about a blob that it has
	// got wholly: the big ones hash ten gigabytes behind the scenes.
	commitTimeout = 10 * time.Minute
	// maxRedirects is what a blob needs on its way to a content network, twice.
	maxRedirects = 5
)

// Options are what all clients have in common.
type Options struct {
	// Network is for the connections.
	Network outbound.Options
	// UserAgent names Ferry to the registries.
	UserAgent string
	// TokenServers are known beforehand, by canonical host, so that the first
	// request can bear a token. Those of known.TokenServers if nil.
	TokenServers map[string]known.TokenServer
	// Wait waits before another try. Nil for the real thing.
	Wait func(context.Context, time.Duration) error
	// Secret is told every token that a login was exchanged for, before it is
	// used, so that it can be masked. May be nil.
	Secret func(string)
}

// Client speaks to one registry. It is safe for concurrent use.
type Client struct {
	side  failure.Side
	host  outbound.Host
	base  *url.URL
	trust outbound.Trust
	opts  Options
	api   transport // manifests, tags, tokens: HTTP/2 where it is spoken
	bulk  transport // blobs: one stream a connection, several connections
	auth  *authenticator
	guest guest
	trips *trips
}

// transport is an *outbound.Transport, or what a test has in its place.
type transport interface {
	http.RoundTripper
	Warm(base *url.URL, n int)
	HTTP1() bool
	Close()
}

// login is a user and password for one registry.
type login struct {
	username string
	password config.Secret
}

func newClient(side failure.Side, host outbound.Host, named []outbound.Host, l login, opts Options) *Client {
	if opts.Wait == nil {
		opts.Wait = patience.Sleep
	}
	if opts.TokenServers == nil {
		opts.TokenServers = known.TokenServers()
	}
	c := &Client{side: side, host: host, base: host.Base(), trust: outbound.NewTrust(named), opts: opts, trips: &trips{shortest: map[string]time.Duration{}}}
	c.api = outbound.NewTransport(c.trust, opts.Network, outbound.Limits{HTTP2: true, ResponseHeader: answerTimeout})
	c.bulk = outbound.NewTransport(c.trust, opts.Network, outbound.Limits{ResponseHeader: commitTimeout})
	c.auth = &authenticator{c: c, username: l.username, password: l.password, batches: map[string]*batch{}, tokens: map[string]*token{}}
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

// small is the transport for small exchanges: one connection for all of them
// where HTTP/2 is spoken, those of the blobs where it is not.
func (c *Client) small() transport {
	if c.host.PlainHTTP || c.api.HTTP1() {
		return c.bulk
	}
	return c.api
}

// Warm opens a connection for manifests and, in all, n for blobs ahead of their
// use, in the background.
func (c *Client) Warm(n int) {
	c.api.Warm(c.base, 1)
	c.bulk.Warm(c.base, n)
}

// Close closes all idle connections.
func (c *Client) Close() {
	c.api.Close()
	c.bulk.Close()
}

func basic(username string, password config.Secret) string {
	return base64.StdEncoding.EncodeToString([]byte(username + ":" + password.Reveal()))
}
