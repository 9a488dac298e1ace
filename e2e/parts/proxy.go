package parts

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/imageferry/ferry/e2e/sandbox"
)

// Proxy opens tunnels (CONNECT) for one account, and notes to where.
type Proxy struct {
	URL   *url.URL // with the account's login
	names map[string]string

	mu    sync.Mutex
	asked map[string]bool
}

// NewProxy starts a proxy that is spoken to over TLS, on the port 3128 of host.
// It resolves names to those that the sandbox knows instead of them; nobody else
// knows these.
func NewProxy(t testing.TB, authority *sandbox.Authority, account Account, host string, names map[string]string) *Proxy {
	t.Helper()
	settings, err := authority.Vouch(host)
	if err != nil {
		t.Fatal(err)
	}
	settings.NextProtos = []string{"http/1.1"} // tunnels of HTTP/2 are another matter
	address := net.JoinHostPort(host, "3128")
	p := &Proxy{
		URL:   &url.URL{Scheme: "https", Host: address, User: url.UserPassword(account.Username, account.Password)},
		names: names, asked: map[string]bool{},
	}
	listener, err := tls.Listen("tcp", address, settings)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login := http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
		username, password, _ := login.BasicAuth()
		switch {
		case r.Method != http.MethodConnect:
			t.Errorf("the proxy was asked %s %s", r.Method, r.URL)
		case (Account{username, password}) != account:
			w.WriteHeader(http.StatusProxyAuthRequired)
		default:
			p.open(t, w, r.Host)
		}
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return p
}

// open makes the client's connection one to address.
func (p *Proxy) open(t testing.TB, w http.ResponseWriter, address string) {
	p.mu.Lock()
	p.asked[address] = true
	p.mu.Unlock()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if known, ok := p.names[host]; ok {
		host = known
	}
	there, err := net.Dial("tcp", net.JoinHostPort(host, port))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer here.Close()
	fmt.Fprint(here, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, here)
		there.Close()
	}()
	_, _ = io.Copy(here, there)
}

// Asked is where tunnels were asked for to, sorted, each once.
func (p *Proxy) Asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.asked))
}
