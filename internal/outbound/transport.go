// Package outbound opens connections to registries and to the servers that they
// refer to: storage and token servers. It decides which addresses may be
// connected to, through which proxy, and with which certificate authorities. No
// other package opens connections to registries.
package outbound

import (
	"net/http"
	"net/url"
	"time"
)

// Limits are the HTTP versions and timeouts of a Transport.
type Limits struct {
	HTTP2          bool          // use HTTP/2 if the server supports it, otherwise HTTP/1.1
	ResponseHeader time.Duration // from the end of the request to the header of the response
	// ReadBuffer is how many bytes are read from a TLS connection at once, if
	// available: single records have 16 KiB. Zero means one record.
	ReadBuffer int
}

const (
	maxHeader   = 64 << 10         // of a response, in bytes
	idleTimeout = 30 * time.Second // after which an idle connection is closed
	maxConns    = 64               // to a host; more requests wait for one
	// expectTimeout is how long a request with "Expect: 100-continue" holds its
	// body back.
	expectTimeout = 5 * time.Second
)

// Transport performs single HTTP requests over guarded connections. It is safe
// for concurrent use.
type Transport struct {
	http        *http.Transport
	connections *connections
}

// NewTransport returns the transport of a client with the given trust.
func NewTransport(trust Trust, opts Options, limits Limits) *Transport {
	speaks := []string{"http/1.1"}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	if limits.HTTP2 {
		speaks = []string{"h2", "http/1.1"}
		protocols.SetHTTP2(true)
	}
	c := newConnections(newDialer(trust, opts), opts.Roots, speaks...)
	c.readBuffer = limits.ReadBuffer
	plain, secure := c.plain, c.tls
	if !limits.HTTP2 { // net/http finds out about HTTP/2 by the type of the connection
		plain, secure = withBodies(plain), withBodies(secure)
	}
	return &Transport{connections: c, http: &http.Transport{
		DialContext:            plain,
		DialTLSContext:         secure,
		Protocols:              protocols,
		ResponseHeaderTimeout:  limits.ResponseHeader,
		MaxResponseHeaderBytes: maxHeader,
		IdleConnTimeout:        idleTimeout,
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxConns,
		DisableCompression:     true,
		ExpectContinueTimeout:  expectTimeout,
		WriteBufferSize:        32 << 10,
	}}
}

// RoundTrip performs one request. It follows no redirects.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	began := time.Now()
	resp, err := t.http.RoundTrip(r)
	if err == nil && r.ContentLength == 0 {
		t.connections.trips.noteAnswer(HostPort(r.URL), time.Since(began))
	}
	return resp, err
}

// Trip returns the round-trip time to the farthest server that was used; zero
// if there was none. With TLS, the time in which the server prepares a response
// is excluded.
func (t *Transport) Trip() time.Duration { return t.connections.trips.longest() }

// Answer returns how long the server at base takes to begin a response; zero if
// it was not used.
func (t *Transport) Answer(base *url.URL) time.Duration {
	return t.connections.trips.answerOf(HostPort(base))
}

// Warm opens connections to the server at base in the background, up to a total
// of n.
func (t *Transport) Warm(base *url.URL, n int) { t.connections.open(base, n) }

// Wait waits for the connections that Warm opens.
func (t *Transport) Wait() { t.connections.opening.Wait() }

// HTTP1 reports whether a server was found that does not support HTTP/2.
func (t *Transport) HTTP1() bool { return t.connections.http1.Load() }

// Close closes all connections that are not in use.
func (t *Transport) Close() {
	t.connections.close()
	t.http.CloseIdleConnections()
}
