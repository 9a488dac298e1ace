package outbound

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeproxy"
)

// lookup is the resolver of a machine behind a proxy.
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

// TestProxiesResolveNames checks that the proxy gets names that this machine
// cannot resolve, that have a made-up address, or that have a public address
// beside another, and public addresses.
func TestProxiesResolveNames(t *testing.T) {
	p := fakeproxy.New(t)
	p.Refuse = http.StatusForbidden
	for _, address := range []string{"registry.example.com:443", "Both.Example.com:5000", "both.example.com:443", "fake.example.com:443", "8.8.8.8:443", "[2606:4700::1]:443", "a_bucket.s3.example.com.:443"} {
		d := dialer{proxy: p.ForAll, lookup: lookup}
		conn, err := d.dial(t.Context(), "tcp", address)
		if err == nil {
			conn.Close()
		}
		if _, refused := errors.AsType[*ProxyError](err); !refused {
			t.Errorf("%s: %v", address, err)
		}
		if asked := p.Asked(); len(asked) == 0 || asked[len(asked)-1] != address {
			t.Errorf("%s: the proxy was asked for %q", address, asked)
		}
	}
}

// TestStrangeAddresses checks that malformed addresses never get into a proxy's
// request line, even if a parser before the dialer accepts them.
func TestStrangeAddresses(t *testing.T) {
	p := fakeproxy.New(t)
	for _, address := range []string{
		"[2606:4700::1%eth0]:443", "[2606:4700::1%25eth0]:443", "a b.example.com:443", "a.example.com\r\nX: y:443", "%61.example.com:443",
		"a@b.example.com:443", "ä.example.com:443", "a/b.example.com:443", ":443", ".:443", "registry.example.com", "a:b:443",
	} {
		d := dialer{proxy: p.ForAll, lookup: lookup}
		if conn, err := d.dial(t.Context(), "tcp", address); err == nil {
			conn.Close()
			t.Errorf("%q: there is a tunnel", address)
		} else if _, refused := errors.AsType[*ProxyError](err); refused {
			t.Errorf("%q: the proxy was asked for it", address)
		}
	}
	if asked := p.Asked(); asked != nil {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

// TestGuardStandsBesideProxies checks that connections that do not use the
// proxy are guarded, even connections to the proxy itself.
func TestGuardStandsBesideProxies(t *testing.T) {
	p := fakeproxy.New(t)
	for _, address := range []string{p.URL.Host, strings.Replace(p.URL.Host, "127.0.0.1", "localhost", 1)} {
		d := dialer{proxy: func(*http.Request) (*url.URL, error) { return nil, nil }, lookup: lookup}
		if _, err := d.dial(t.Context(), "tcp", address); !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: %v", address, err)
		}
	}
	d := dialer{proxy: p.ForAll, lookup: lookup, at: map[string]string{"quay.io:443": p.URL.Host}}
	if _, err := d.dial(t.Context(), "tcp", "quay.io:443"); !errors.Is(err, ErrForbidden) {
		t.Errorf("by another address: %v", err)
	}
	if asked := p.Asked(); asked != nil {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

// TestWhichProxy checks that the proxy is selected by scheme and address, like
// http.ProxyFromEnvironment does.
func TestWhichProxy(t *testing.T) {
	var chosen []string
	d := dialer{trust: Trust{plain: map[string]bool{"a.example.com:80": true}}, lookup: lookup, proxy: func(r *http.Request) (*url.URL, error) {
		chosen = append(chosen, r.URL.String())
		return url.Parse("gopher://clerk:proxy-secret@127.0.0.1:1080")
	}}
	for _, address := range []string{"a.example.com:80", "b.example.com:443"} {
		_, err := d.dial(t.Context(), "tcp", address)
		if err == nil || !strings.Contains(err.Error(), `"gopher" is not a supported kind of proxy`) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if want := []string{"http://a.example.com:80", "https://b.example.com:443"}; !slices.Equal(chosen, want) {
		t.Errorf("asked for the proxies of %q, want %q", chosen, want)
	}
}

// TestUnusableProxies checks that the reason names what to change, and no password.
func TestUnusableProxies(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	closed := listener.Addr().String()
	for address, want := range map[string]string{
		"http://http://me:secret#@127.0.0.1:7890": "%23",
		"http://127.0.0.1:7890/proxy":             "not valid",
		"http://":                                 "not valid",
		"http://" + closed:                        closed,
		"socks5://" + closed:                      closed,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		d := dialer{lookup: lookup, proxy: http.ProxyURL(u)}
		_, err = d.dial(t.Context(), "tcp", "quay.io:443")
		if f, ok := errors.AsType[*ProxyError](err); !ok || !strings.Contains(f.Detail, want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestProxiesThatLie checks proxies that send malformed, too long, or no
// responses.
func TestProxiesThatLie(t *testing.T) {
	for name, answer := range map[string]string{
		"nothing":         "",
		"nonsense":        "SSH-2.0-OpenSSH_9.6\r\n",
		"without an end":  "HTTP/1.1 200 OK\r\nX-Long: " + strings.Repeat("x", maxProxyAnswer),
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
			cancel() // the waiting caller leaves
			_, _ = io.Copy(io.Discard, conn)
		}()
		d := dialer{lookup: lookup, proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: listener.Addr().String()})}
		if _, err := d.dial(ctx, "tcp", "quay.io:443"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestTransportsKnowNoOtherWay checks that only the dialer decides about
// proxies. A transport that did would connect to them without the guard.
func TestTransportsKnowNoOtherWay(t *testing.T) {
	for _, limits := range []Limits{{}, {HTTP2: true}} {
		transport := NewTransport(NewTrust(nil), Options{Proxy: http.ProxyFromEnvironment}, limits).http
		if transport.Proxy != nil {
			t.Error("there is a proxy")
		}
		if transport.DialContext == nil || transport.DialTLSContext == nil {
			t.Error("connections are made without the guard")
		}
	}
}
