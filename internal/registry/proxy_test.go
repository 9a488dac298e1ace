package registry

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
)

// proxy opens tunnels for who knows its password, and notes them.
type proxy struct {
	url    *url.URL
	refuse int // the status with which it refuses everybody; 0 for not

	mu      sync.Mutex
	asked   []string        // what tunnels were asked for to
	tunnels map[string]bool // the proxy's own end of each
}

func newProxy(t *testing.T) *proxy {
	p := &proxy{tunnels: map[string]bool{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			t.Errorf("the proxy was asked %s %s", r.Method, r.URL)
		}
		p.mu.Lock()
		p.asked = append(p.asked, r.Host)
		p.mu.Unlock()
		switch {
		case r.Header.Get("Proxy-Authorization") != "Basic "+basic("clerk", config.NewSecret("proxy-secret")):
			w.WriteHeader(http.StatusProxyAuthRequired)
		case p.refuse != 0:
			w.WriteHeader(p.refuse)
			fmt.Fprint(w, r.Header.Get("Proxy-Authorization")) // it repeats what it was sent
		default:
			p.join(t, w, r.Host)
		}
	}))
	t.Cleanup(server.Close)
	p.url = &url.URL{Scheme: "http", Host: server.Listener.Addr().String(), User: url.UserPassword("clerk", "proxy-secret")}
	return p
}

// join makes the client's connection one to address.
func (p *proxy) join(t *testing.T, w http.ResponseWriter, address string) {
	there, err := net.Dial("tcp", address)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	p.mu.Lock()
	p.tunnels[there.LocalAddr().String()] = true
	p.mu.Unlock()
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

func (p *proxy) hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// forAll is the choice of who has no NO_PROXY.
func (p *proxy) forAll(*http.Request) (*url.URL, error) { return p.url, nil }

// behind is a client of a registry that is only asked through p.
func (p *proxy) behind(t *testing.T, handler http.Handler, serve func(*httptest.Server)) (*Client, reference.Reference) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		tunnelled := p.tunnels[r.RemoteAddr]
		p.mu.Unlock()
		if !tunnelled {
			t.Errorf("%s %s came beside the proxy", r.Method, r.URL)
		}
		if got := r.Header.Get("Proxy-Authorization"); got != "" {
			t.Errorf("the registry was shown the proxy's login")
		}
		handler.ServeHTTP(w, r)
	}))
	serve(server)
	t.Cleanup(server.Close)
	opts := impatient
	opts.Proxy = p.forAll
	host := server.Listener.Addr().String()
	c, ref := clientOf(t, NewTargets([]config.Target{{Host: host, Private: true, PlainHTTP: server.TLS == nil}}, nil, opts), host)
	if server.TLS != nil {
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		for _, s := range c.warm {
			s.config.RootCAs = roots
		}
	}
	return c, ref
}

// protocols are how registries are spoken to, and how many tunnels that takes
// for a client that has warmed up and then asks for one thing after another.
var protocols = map[string]func(*httptest.Server){
	"plain":  (*httptest.Server).Start,
	"HTTP/1": (*httptest.Server).StartTLS,
	"HTTP/2": func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
}

// TestThroughAProxy does all that a client does, behind a proxy that wants a
// password. The connections that were opened ahead lead through it as well.
func TestThroughAProxy(t *testing.T) {
	for name, serve := range protocols {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t)
			fake := fakeregistry.New(fakeregistry.Options{})
			image := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100_000}})
			fake.Add("a/b", "1", image)
			c, ref := p.behind(t, fake, serve)
			c.Warm(2)
			for _, s := range c.warm {
				s.opening.Wait()
			}
			if got := len(p.hosts()); got != 3 {
				t.Errorf("%d tunnels were opened ahead, want 3", got)
			}
			if _, err := c.Manifest(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			digest, err := reference.ParseDigest(fakeregistry.Digest(image.Blobs[0]))
			if err != nil {
				t.Fatal(err)
			}
			body, err := c.Blob(ref.Repository(), digest, 100_000).Open(t.Context(), 0, 100_000)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, body); n != 100_000 || err != nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
			body.Close()
			other := NewManifest("text/plain", []byte("abc")).Digest
			u, err := c.Upload(t.Context(), ref.Repository(), other, 3, ref.Repository())
			if err != nil {
				t.Fatal(err)
			}
			if err := u.Send(t.Context(), strings.NewReader("abc"), 0); err != nil {
				t.Error(err)
			}
			if got := p.hosts(); len(got) != 3 || got[0] != c.Host() {
				t.Errorf("tunnels were opened to %q: those that were open have not served", got)
			}
		})
	}
}

// TestRefusalsOfProxies: what a proxy won't do it won't do a moment later, and
// a password that is wrong too often locks an account. The password shows
// nowhere.
func TestRefusalsOfProxies(t *testing.T) {
	for _, test := range []struct {
		name     string
		password string
		refuse   int
		says     string
		tries    int
	}{
		{"no password", "", 0, "with 407 Proxy Authentication Required", 1},
		{"a wrong one", "another-secret", 0, "with 407 Proxy Authentication Required", 1},
		{"not that registry", "proxy-secret", http.StatusForbidden, "with 403 Forbidden", 1},
		{"nobody there", "proxy-secret", http.StatusBadGateway, "with 502 Bad Gateway", maxTries},
		{"words of its own", "proxy-secret", 499, "with 499", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newProxy(t)
			p.refuse = test.refuse
			p.url.User = url.UserPassword("clerk", test.password)
			c, ref := p.behind(t, http.NotFoundHandler(), (*httptest.Server).Start)
			_, err := c.Manifest(t.Context(), ref)
			wantCode(t, err, failure.Network)
			f, ok := failure.As(err)
			if ok && (!strings.HasSuffix(f.Detail, test.says) || strings.Contains(f.Detail, p.url.Host)) {
				t.Errorf("it says %q, want %q", f.Detail, test.says)
			}
			for _, secret := range []string{test.password, basic("clerk", config.NewSecret(test.password))} {
				if secret != "" && strings.Contains(fmt.Sprintf("%v %+v", err, f), secret) {
					t.Errorf("the proxy's password shows: %v", err)
				}
			}
			if got := len(p.hosts()); got != test.tries {
				t.Errorf("asked %d times, want %d", got, test.tries)
			}
		})
	}
}

// TestProxiesThatAreNone: what is wrong is told without the address.
func TestProxiesThatAreNone(t *testing.T) {
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for address, want := range map[string]struct {
		says  string
		tries int
	}{
		strings.Replace(nobody.URL, "//", "//clerk:proxy-secret@", 1): {"the proxy cannot be reached", maxTries},
		"socks5://clerk:proxy-secret@127.0.0.1:1080":                  {`the proxy has to be one for http:// or https://, and not for "socks5"`, 1},
	} {
		chosen := 0
		opts := impatient
		opts.Proxy = func(*http.Request) (*url.URL, error) {
			chosen++
			return url.Parse(address)
		}
		host := "registry.example.com"
		c, ref := clientOf(t, NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, opts), host)
		_, err := c.Manifest(t.Context(), ref)
		wantCode(t, err, failure.Network)
		if f, ok := failure.As(err); !ok || f.Detail != want.says {
			t.Errorf("%v, want the detail %q", err, want.says)
		}
		if chosen != want.tries {
			t.Errorf("tried %d times, want %d", chosen, want.tries)
		}
	}
}

// inside are addresses that no registry may lead to, in the forms in which one
// would try. This machine resolves the last two, see lookup.
var inside = []string{
	"169.254.169.254", "169.254.169.254:80", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "[fe80::1%25eth0]", "100.100.100.200",
	"127.0.0.1", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "127.0.0.1.", "１２７.0.0.1", "0.0.0.0", "[::]", "10.0.0.1", "192.168.1.1",
	"localhost", "LOCALHOST", "localhost.", "intranet", "metadata.google.internal", "Metadata.Google.Internal.", "metadata.tencentyun.com",
	"nas.lan", "a.svc.cluster.local",
	"inside.example.com", "metadata.example.com",
}

// lookup is what names are on a machine behind a proxy.
func lookup(_ context.Context, _, host string) ([]netip.Addr, error) {
	names := map[string]string{
		"inside.example.com":   "10.0.0.1 fd00::1",
		"metadata.example.com": "169.254.169.254",
		"both.example.com":     "10.0.0.1 93.184.216.34",
		"fake.example.com":     "198.18.0.5",
	}
	var addresses []netip.Addr
	for text := range strings.FieldsSeq(names[host]) {
		addresses = append(addresses, netip.MustParseAddr(text))
	}
	if addresses == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addresses, nil
}

// leading are the ways in which a registry can lead a client elsewhere.
var leading = map[string]struct {
	answer func(w http.ResponseWriter, to string)
	ask    func(context.Context, *Client, reference.Reference) error
}{
	"a redirect": {
		func(w http.ResponseWriter, to string) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusTemporaryRedirect)
		},
		func(ctx context.Context, c *Client, ref reference.Reference) error {
			_, err := c.Blob(ref.Repository(), someHash, 10).Open(ctx, 0, 10)
			return err
		},
	},
	"a token server": {
		func(w http.ResponseWriter, to string) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q", to))
			w.WriteHeader(http.StatusUnauthorized)
		},
		func(ctx context.Context, c *Client, ref reference.Reference) error {
			_, err := c.Manifest(ctx, ref)
			return err
		},
	},
	"an upload": {
		func(w http.ResponseWriter, to string) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusAccepted)
		},
		func(ctx context.Context, c *Client, ref reference.Reference) error {
			u, err := c.Upload(ctx, ref.Repository(), someHash, 3, ref.Repository())
			if err != nil {
				return err
			}
			return u.Send(ctx, strings.NewReader("abc"), 0)
		},
	},
}

// TestProxiesOpenNoWayInside: the proxy stands in the owner's network, and it
// resolves names by itself. It never hears of what leads inside.
func TestProxiesOpenNoWayInside(t *testing.T) {
	for name, way := range leading {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t)
			for _, host := range append(slices.Clone(inside), p.url.Host) {
				c, ref := p.behind(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					way.answer(w, "https://"+host+"/latest/meta-data/")
				}), (*httptest.Server).Start)
				for _, s := range c.warm {
					s.dialer.lookup = lookup
				}
				if err := way.ask(t.Context(), c, ref); !errors.Is(err, errForbidden) {
					t.Errorf("%s: %v", host, err)
				} else {
					wantCode(t, err, failure.HostForbidden)
				}
				for _, asked := range p.hosts() {
					if !strings.HasPrefix(asked, "127.0.0.1:") || asked == p.url.Host {
						t.Fatalf("%s: the proxy was asked for %s", host, asked)
					}
				}
			}
		})
	}
}

// TestProxiesResolveNames: a name that this machine cannot resolve, for which
// somebody made up an address, or that has a public one beside another, is for
// the proxy to find, and so is a public address.
func TestProxiesResolveNames(t *testing.T) {
	p := newProxy(t)
	p.refuse = http.StatusForbidden
	for _, address := range []string{"registry.example.com:443", "Both.Example.com:5000", "both.example.com:443", "fake.example.com:443", "8.8.8.8:443", "[2606:4700::1]:443", "a_bucket.s3.example.com.:443"} {
		d := dialer{proxy: p.forAll, lookup: lookup}
		conn, err := d.dial(t.Context(), "tcp", address)
		if err == nil {
			conn.Close()
		}
		if _, refused := errors.AsType[*proxyError](err); !refused {
			t.Errorf("%s: %v", address, err)
		}
		if asked := p.hosts(); len(asked) == 0 || asked[len(asked)-1] != address {
			t.Errorf("%s: the proxy was asked for %q", address, asked)
		}
	}
}

// TestStrangeAddresses have no business in a proxy's request line, even where a
// parser before the dialer let them through.
func TestStrangeAddresses(t *testing.T) {
	p := newProxy(t)
	for _, address := range []string{
		"[2606:4700::1%eth0]:443", "[2606:4700::1%25eth0]:443", "a b.example.com:443", "a.example.com\r\nX: y:443", "%61.example.com:443",
		"a@b.example.com:443", "ä.example.com:443", "a/b.example.com:443", ":443", ".:443", "registry.example.com", "a:b:443",
	} {
		d := dialer{proxy: p.forAll, lookup: lookup}
		if conn, err := d.dial(t.Context(), "tcp", address); err == nil {
			conn.Close()
			t.Errorf("%q: there is a tunnel", address)
		} else if _, refused := errors.AsType[*proxyError](err); refused {
			t.Errorf("%q: the proxy was asked for it", address)
		}
	}
	if asked := p.hosts(); asked != nil {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

// TestGuardStandsBesideProxies: what does not go through the proxy meets the
// guard, be it the proxy itself.
func TestGuardStandsBesideProxies(t *testing.T) {
	p := newProxy(t)
	for _, address := range []string{p.url.Host, strings.Replace(p.url.Host, "127.0.0.1", "localhost", 1)} {
		d := dialer{proxy: func(*http.Request) (*url.URL, error) { return nil, nil }, lookup: lookup}
		if _, err := d.dial(t.Context(), "tcp", address); !errors.Is(err, errForbidden) {
			t.Errorf("%s: %v", address, err)
		}
	}
	d := dialer{proxy: p.forAll, lookup: lookup, at: map[string]string{"quay.io:443": p.url.Host}}
	if _, err := d.dial(t.Context(), "tcp", "quay.io:443"); !errors.Is(err, errForbidden) {
		t.Errorf("by another address: %v", err)
	}
	if asked := p.hosts(); asked != nil {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

// TestWhichProxy: the choice is by the scheme and the address, as
// http.ProxyFromEnvironment makes it.
func TestWhichProxy(t *testing.T) {
	var chosen []string
	d := dialer{plain: map[string]bool{"a.example.com:80": true}, lookup: lookup, proxy: func(r *http.Request) (*url.URL, error) {
		chosen = append(chosen, r.URL.String())
		return url.Parse("socks5://clerk:proxy-secret@127.0.0.1:1080")
	}}
	for _, address := range []string{"a.example.com:80", "b.example.com:443"} {
		_, err := d.dial(t.Context(), "tcp", address)
		if err == nil || !strings.Contains(err.Error(), `not for "socks5"`) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if want := []string{"http://a.example.com:80", "https://b.example.com:443"}; !slices.Equal(chosen, want) {
		t.Errorf("asked for the proxies of %q, want %q", chosen, want)
	}
}

// TestProxiesThatLie: one that answers nonsense, too much, or nothing.
func TestProxiesThatLie(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":         "",
		"nonsense":        "SSH-2.0-OpenSSH_9.6\r\n",
		"without an end":  "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", maxHeader),
		"more than asked": "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.WriteString(conn, answer)
				}
			}()
			d := dialer{lookup: lookup, proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()})}
			if _, err := d.dial(t.Context(), "tcp", "quay.io:443"); err == nil {
				t.Error("there is a tunnel")
			}
		})
	}
	t.Run("silent", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			cancel() // whoever waits for it goes away
			_, _ = io.Copy(io.Discard, conn)
		}()
		d := dialer{lookup: lookup, proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()})}
		if _, err := d.dial(ctx, "tcp", "quay.io:443"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestTransportsKnowNoOtherWay: the dialer alone decides about proxies. A
// transport that did would connect to them and to nothing that the guard sees.
func TestTransportsKnowNoOtherWay(t *testing.T) {
	c, _ := NewSources([]config.Source{{Host: "quay.io"}}, Options{Proxy: http.ProxyFromEnvironment}).For("quay.io")
	for _, transport := range []*http.Transport{c.api, c.bulk} {
		if transport.Proxy != nil {
			t.Error("there is a proxy")
		}
		if transport.DialContext == nil || transport.DialTLSContext == nil {
			t.Error("connections are made without the guard")
		}
	}
}
