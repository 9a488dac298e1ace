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
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
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
	// Proxy names the proxy that a request goes through, as the field of
	// http.Transport does. Ferry asks proxies for tunnels alone, over HTTP or
	// over TLS, also where it speaks without TLS through them. Nil for none.
	Proxy func(*http.Request) (*url.URL, error)
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
	d := dialer{c.trust.private, c.trust.plain, opts.At, opts.Proxy, net.DefaultResolver.LookupNetIP}
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

// Warm opens a connection for manifests and, in all, n for blobs ahead of their
// use, in the background.
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
