package registry

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeproxy"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// behind returns a client that can reach its registry through p only.
func behind(t *testing.T, p *fakeproxy.Proxy, handler http.Handler, serve func(*httptest.Server)) (*Client, reference.Reference) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.Opened(r.RemoteAddr) {
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
	opts.Network.Proxy, opts.Network.Lookup = p.ForAll, lookup
	if server.TLS != nil {
		opts.Network.Roots = x509.NewCertPool()
		opts.Network.Roots.AddCert(server.Certificate())
	}
	host := server.Listener.Addr().String()
	return clientOf(t, NewTargets([]config.Target{{Host: host, Private: true, PlainHTTP: server.TLS == nil}}, nil, opts), host)
}

// protocols are the protocols of registries, and how many tunnels each needs
// for a client that has warmed up and then sends one request after another.
var protocols = map[string]func(*httptest.Server){
	"plain":  (*httptest.Server).Start,
	"HTTP/1": (*httptest.Server).StartTLS,
	"HTTP/2": func(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() },
}

// TestThroughAProxy makes all kinds of requests through a proxy that requires a
// password. Connections opened in advance use the proxy as well.
func TestThroughAProxy(t *testing.T) {
	kinds := map[string]func(testing.TB) *fakeproxy.Proxy{"": fakeproxy.New, ", SOCKS": fakeproxy.NewSOCKS}
	for name, serve := range protocols {
		for kind, start := range kinds {
			t.Run(name+kind, func(t *testing.T) { doAll(t, start(t), serve) })
		}
	}
}

func doAll(t *testing.T, p *fakeproxy.Proxy, serve func(*httptest.Server)) {
	fake := fakeregistry.New(fakeregistry.Options{})
	image := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100_000}})
	fake.Add("a/b", "1", image)
	c, ref := behind(t, p, fake, serve)
	c.Warm(2)
	for _, transport := range []transport{c.api, c.bulk} {
		transport.(*outbound.Transport).Wait()
	}
	if got := len(p.Asked()); got != 3 {
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
	u := c.Upload(ref.Repository(), other, 3)
	if _, err := u.Start(t.Context(), ref.Repository()); err != nil {
		t.Fatal(err)
	}
	if err := u.Send(t.Context(), strings.NewReader("abc"), 0); err != nil {
		t.Error(err)
	}
	if got := p.Asked(); len(got) != 3 || got[0] != c.Host() {
		t.Errorf("tunnels were opened to %q: those that were open have not served", got)
	}
}

// TestRefusalsOfProxies checks that refused tunnels are not requested again,
// because repeating a wrong password may lock an account, and that the password
// appears nowhere.
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
			p := fakeproxy.New(t)
			p.Refuse = test.refuse
			p.URL.User = url.UserPassword("clerk", test.password)
			c, ref := behind(t, p, http.NotFoundHandler(), (*httptest.Server).Start)
			_, err := c.Manifest(t.Context(), ref)
			wantCode(t, err, failure.Proxy)
			f, ok := failure.As(err)
			if ok && (!strings.HasSuffix(f.Hints[0], test.says) || strings.Contains(f.Hints[0], p.URL.Host)) {
				t.Errorf("it says %q, want %q", f.Hints, test.says)
			}
			for _, secret := range []string{test.password, base64.StdEncoding.EncodeToString([]byte("clerk:" + test.password))} {
				if secret != "" && strings.Contains(fmt.Sprintf("%v %+v", err, f), secret) {
					t.Errorf("the proxy's password shows: %v", err)
				}
			}
			if got := len(p.Asked()); got != test.tries {
				t.Errorf("asked %d times, want %d", got, test.tries)
			}
		})
	}
}

// TestRefusedConnectionsAreNotOpenedAhead checks that a proxy that refuses a
// connection is not asked for all that were to be opened in advance.
func TestRefusedConnectionsAreNotOpenedAhead(t *testing.T) {
	p := fakeproxy.New(t)
	p.URL.User = url.UserPassword("clerk", "another-secret")
	c, _ := behind(t, p, http.NotFoundHandler(), (*httptest.Server).Start)
	c.Warm(8)
	for _, via := range []transport{c.api, c.bulk} {
		via.(*outbound.Transport).Wait()
	}
	if got := len(p.Asked()); got != 2 {
		t.Errorf("asked %d times, want once for each kind of connection", got)
	}
}

// TestRefusalsOfSOCKS checks the same for a SOCKS proxy.
func TestRefusalsOfSOCKS(t *testing.T) {
	for _, test := range []struct {
		name     string
		password string
		refuse   int
		tries    int
	}{
		{"a wrong password", "another-secret", 0, 1},
		{"not allowed", fakeproxy.Password, 2, 1},
		{"host unreachable", fakeproxy.Password, 4, maxTries},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := fakeproxy.NewSOCKS(t)
			p.Refuse = test.refuse
			p.URL.User = url.UserPassword(fakeproxy.Username, test.password)
			c, ref := behind(t, p, http.NotFoundHandler(), (*httptest.Server).Start)
			tries := 1
			c.opts.Wait = func(context.Context, time.Duration) error { tries++; return nil }
			_, err := c.Manifest(t.Context(), ref)
			wantCode(t, err, failure.Proxy)
			if f, ok := failure.As(err); ok && !strings.HasPrefix(f.Hints[0], "the SOCKS proxy did not connect to 127.0.0.1:") {
				t.Errorf("it says %q", f.Hints)
			}
			if tries != test.tries || strings.Contains(err.Error(), "secret") {
				t.Errorf("%d tries, want %d; %v", tries, test.tries, err)
			}
		})
	}
}

// TestProxiesThatAreNone checks that errors about invalid proxies contain no
// password, and no address but that of a proxy on this machine.
func TestProxiesThatAreNone(t *testing.T) {
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for address, want := range map[string]struct {
		says  string
		tries int
	}{
		strings.Replace(nobody.URL, "//", "//clerk:proxy-secret@", 1):             {"the proxy at " + nobody.Listener.Addr().String() + " cannot be reached", fewTries},
		"gopher://clerk:proxy-secret@127.0.0.1:1080":                              {`"gopher" is not a supported kind of proxy: use http, https, socks5 or socks5h`, 1},
		strings.Replace(nobody.URL, "http://", "socks5://clerk:proxy-secret@", 1): {"the proxy at " + nobody.Listener.Addr().String() + " cannot be reached", fewTries},
	} {
		chosen := 0
		opts := impatient
		opts.Network.Proxy = func(*http.Request) (*url.URL, error) {
			chosen++
			return url.Parse(address)
		}
		host := "registry.example.com"
		c, ref := clientOf(t, NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, opts), host)
		_, err := c.Manifest(t.Context(), ref)
		wantCode(t, err, failure.Proxy)
		if f, ok := failure.As(err); !ok || f.Hints[0] != want.says {
			t.Errorf("%v, want the hint %q", err, want.says)
		}
		if chosen != want.tries {
			t.Errorf("tried %d times, want %d", chosen, want.tries)
		}
	}
}

// inside are internal addresses, in the forms that an attacker would try. This
// machine resolves the last two, see lookup.
var inside = []string{
	"169.254.169.254", "169.254.169.254:80", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "[fe80::1%25eth0]", "100.100.100.200",
	"127.0.0.2", "127.1", "0x7f.1", "0177.0.0.1", "2130706433", "127.0.0.1.", "１２７.0.0.1", "0.0.0.0", "[::]", "10.0.0.1", "192.168.1.1",
	"localhost", "LOCALHOST", "localhost.", "intranet", "metadata.google.internal", "Metadata.Google.Internal.", "metadata.tencentyun.com",
	"nas.lan", "a.svc.cluster.local",
	"inside.example.com", "metadata.example.com",
}

// lookup is the resolver of a machine behind a proxy.
func lookup(_ context.Context, _, host string) ([]netip.Addr, error) {
	names := map[string]string{"inside.example.com": "10.0.0.1 fd00::1", "metadata.example.com": "169.254.169.254"}
	var addresses []netip.Addr
	for text := range strings.FieldsSeq(names[host]) {
		addresses = append(addresses, netip.MustParseAddr(text))
	}
	if addresses == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addresses, nil
}

// leading are the ways in which a registry can send a client to another
// address.
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
			u := c.Upload(ref.Repository(), someHash, 3)
			if _, err := u.Start(ctx, ref.Repository()); err != nil {
				return err
			}
			return u.Send(ctx, strings.NewReader("abc"), 0)
		},
	},
}

// TestProxiesOpenNoWayInside checks that a proxy, which is in the owner's
// network and resolves names itself, never gets a request for an internal
// address.
func TestProxiesOpenNoWayInside(t *testing.T) {
	for name, way := range leading {
		t.Run(name, func(t *testing.T) {
			p := fakeproxy.New(t)
			for _, host := range append(slices.Clone(inside), p.URL.Host) {
				c, ref := behind(t, p, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					way.answer(w, "https://"+host+"/latest/meta-data/")
				}), (*httptest.Server).Start)
				if err := way.ask(t.Context(), c, ref); err != nil || name == "a redirect" { // or it is looked for at the registry
					wantCode(t, err, failure.BadAddress)
				}
				for _, asked := range p.Asked() {
					if !strings.HasPrefix(asked, "127.0.0.1:") || asked == p.URL.Host {
						t.Fatalf("%s: the proxy was asked for %s", host, asked)
					}
				}
			}
		})
	}
}
