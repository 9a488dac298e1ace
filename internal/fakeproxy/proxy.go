// Package fakeproxy is an HTTP proxy for tests. It opens tunnels for clients
// with its password, and records the requested addresses.
package fakeproxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
)

// The login that every Proxy requires.
const (
	Username = "clerk"
	Password = "proxy-secret"
)

// Proxy opens tunnels by CONNECT. It is safe for concurrent use.
type Proxy struct {
	// URL is its address, with the login.
	URL *url.URL
	// Refuse is the status of every response, or 0 to open tunnels. It must be
	// set before the first request.
	Refuse int

	t       testing.TB
	mu      sync.Mutex
	asked   []string
	tunnels map[string]bool // by the proxy's own end
}

// New starts a proxy on loopback that runs until the end of the test.
func New(t testing.TB) *Proxy {
	p := &Proxy{t: t, tunnels: map[string]bool{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.URL = &url.URL{Scheme: "http", Host: server.Listener.Addr().String(), User: url.UserPassword(Username, Password)}
	return p
}

// Asked returns the addresses of the requested tunnels, in order.
func (p *Proxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// Opened reports whether the connection with the given remote address comes
// from the proxy.
func (p *Proxy) Opened(remote string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tunnels[remote]
}

// ForAll returns the proxy for every request.
func (p *Proxy) ForAll(*http.Request) (*url.URL, error) { return p.URL, nil }

// ServeHTTP answers a request for a tunnel. A refusal repeats the login, as
// careless proxies do.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		p.t.Errorf("the proxy was asked %s %s", r.Method, r.URL)
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.Host)
	p.mu.Unlock()
	login := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	username, password, _ := login.BasicAuth()
	switch {
	case username != Username || password != Password:
		w.WriteHeader(http.StatusProxyAuthRequired)
	case p.Refuse != 0:
		w.WriteHeader(p.Refuse)
		fmt.Fprint(w, r.Header.Get("Proxy-Authorization"))
	default:
		p.open(w, r.Host)
	}
}

// open turns the client's connection into a tunnel to address.
func (p *Proxy) open(w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	p.mu.Lock()
	p.tunnels[there.LocalAddr().String()] = true
	p.mu.Unlock()
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		there.Close()
		p.t.Error(err)
		return
	}
	fmt.Fprint(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	join(here, there)
}

// join copies in both directions until either end is closed, and closes both.
func join(here, there net.Conn) {
	defer here.Close()
	defer there.Close()
	go func() {
		_, _ = io.Copy(there, here)
		there.Close()
	}()
	_, _ = io.Copy(here, there)
}
