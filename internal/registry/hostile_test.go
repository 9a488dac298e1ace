package registry

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// TestEchoedCredentialsStayHere checks registries that repeat in an error what
// they were sent. Errors are shown in public comments, so they must not reveal
// a login.
func TestEchoedCredentialsStayHere(t *testing.T) {
	const username, password, bearer = "mate", "sesame of the target", "token-for-nobody-else"
	pair := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	echo := func(w http.ResponseWriter, r *http.Request, format string) {
		w.WriteHeader(http.StatusForbidden)
		_, sent, _ := r.BasicAuth()
		fmt.Fprintf(w, format, r.Header.Get("Authorization"), sent)
	}
	for name, format := range map[string]string{
		"in an error's message": `{"errors":[{"code":"DENIED","message":"you sent %s, that is %s"}]}`,
		"in its detail":         `{"errors":[{"code":"DENIED","message":"no","detail":{"header":"%s","password":"%s"}}]}`,
		"on a web page":         `<html>%s %s</html>`,
	} {
		for _, kind := range []string{"password", "token", "token server"} {
			t.Run(kind+" "+name, func(t *testing.T) {
				mux := http.NewServeMux()
				server := httptest.NewServer(mux)
				defer server.Close()
				mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
					if kind == "token server" {
						echo(w, r, format)
						return
					}
					fmt.Fprintf(w, `{"token":%q}`, bearer)
				})
				mux.HandleFunc("/v2/", func(w http.ResponseWriter, r *http.Request) {
					switch {
					case r.Header.Get("Authorization") != "":
						echo(w, r, format)
						return
					case kind == "password":
						w.Header().Set("WWW-Authenticate", "Basic")
					default:
						w.Header().Set("WWW-Authenticate", `Bearer realm="`+server.URL+`/token"`)
					}
					w.WriteHeader(http.StatusUnauthorized)
				})
				host := server.Listener.Addr().String()
				set := NewTargets([]config.Target{{Host: host, Private: true, PlainHTTP: true, Username: username, Password: config.NewSecret(password)}}, nil, Options{Wait: impatiently})
				defer set.Close()
				c, _ := set.ForHost(host)
				_, err := c.Manifest(t.Context(), named(t, host))
				f, ok := failure.As(err)
				if !ok || f.Kind() != failure.Refusal {
					t.Fatalf("error %v, want a refusal", err)
				}
				for _, secret := range []string{password, pair, bearer} {
					if strings.Contains(f.Detail, secret) || strings.Contains(err.Error(), secret) {
						t.Errorf("%q is told:\n%s\n%v", secret, f.Detail, err)
					}
				}
				if f.Detail == "" {
					t.Error("the registry's words are lost")
				}
			})
		}
	}
}

// impatiently replaces the waiting before another attempt.
func impatiently(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// named returns an image at a host.
func named(t *testing.T, host string) reference.Reference {
	t.Helper()
	repository, err := reference.NewRepository(host, "ns/img")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := repository.Tagged("1")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestNamesThatChangeTheirAddress checks that the address of each connection is
// checked, whatever the name resolved to before.
func TestNamesThatChangeTheirAddress(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("somebody came through: %s %s", r.Method, r.URL)
	}))
	defer trap.Close()
	_, port, err := net.SplitHostPort(trap.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"127.0.0.1:" + port, "localhost:" + port, "[::ffff:127.0.0.1]:" + port, "[::ffff:7f00:1]:" + port, "0.0.0.0:" + port, "[::]:" + port} {
		set := NewSources([]config.Source{{Host: "quay.io"}}, Options{
			Network: outbound.Options{At: map[string]string{"quay.io:443": address}}, TokenServers: map[string]known.TokenServer{}, Wait: impatiently,
		})
		c, _ := set.ForHost("quay.io")
		for range 2 {
			_, err := c.Manifest(t.Context(), named(t, "quay.io"))
			if f, ok := failure.As(err); !ok || f.Code != failure.HostForbidden || !errors.Is(err, outbound.ErrForbidden) || strings.Contains(f.Hints[0], "quay.io") {
				t.Errorf("%s: %v", address, err)
			}
		}
		set.Close()
	}
}

// TestOnlyNamedHostsHaveClients checks that there are clients for named hosts
// only.
func TestOnlyNamedHostsHaveClients(t *testing.T) {
	sources := NewSources([]config.Source{{Host: "quay.io"}}, Options{})
	targets := NewTargets([]config.Target{{Host: "docker.io"}}, nil, Options{})
	for _, host := range []string{"", "quay.io.evil.example", "evil-quay.io", "QUAY.IO", "quay.io.", "quay.io:443", "docker.io", "127.0.0.1", "localhost", "quаy.io"} {
		if _, ok := sources.ForHost(host); ok {
			t.Errorf("there is a way to %q", host)
		}
		if _, ok := targets.ForHost(host); ok && host != "docker.io" {
			t.Errorf("there is a way to push to %q", host)
		}
	}
}

// TestTheTwoSidesShareNoLogin uses the same host as source and as target, and
// checks that the login for pushing is not used for reading.
func TestTheTwoSidesShareNoLogin(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Header.Get("Authorization")] = true
		mu.Unlock()
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	host := server.Listener.Addr().String()
	source := config.Source{Host: host, Private: true, PlainHTTP: true}
	target := config.Target{Host: host, Private: true, PlainHTTP: true, Username: "mate", Password: config.NewSecret("sesame")}
	reading := NewSources([]config.Source{source}, Options{Wait: impatiently})
	defer reading.Close()
	pushing := NewTargets([]config.Target{target}, []config.Source{source}, Options{Wait: impatiently})
	defer pushing.Close()
	if c, ok := pushing.ForHost(host); !ok {
		t.Fatal("no target")
	} else if _, err := c.Manifest(t.Context(), named(t, host)); err == nil {
		t.Error("the target let us in")
	}
	if !seen["Basic "+base64.StdEncoding.EncodeToString([]byte("mate:sesame"))] {
		t.Fatal("the target has not seen its login")
	}
	clear(seen)
	c, _ := reading.ForHost(host)
	if _, err := c.Manifest(t.Context(), named(t, host)); err == nil {
		t.Error("the source let us in")
	}
	if len(seen) != 1 || !seen[""] {
		t.Errorf("the source has seen %v", seen)
	}
}

// pipes are connections without a network, for use with virtual time.
type pipes chan net.Conn

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p <- theirs
	return ours, nil
}

// pipeTransport is a transport over pipes.
type pipeTransport struct{ *http.Transport }

func (p pipes) transport(header time.Duration) transport {
	return pipeTransport{&http.Transport{DialContext: p.dial, ResponseHeaderTimeout: header, MaxResponseHeaderBytes: 64 << 10}}
}

func (pipeTransport) Warm(*url.URL, int)              {}
func (pipeTransport) HTTP1() bool                     { return true }
func (t pipeTransport) Trip() time.Duration           { return 0 }
func (t pipeTransport) Answer(*url.URL) time.Duration { return 0 }
func (t pipeTransport) Close()                        { t.CloseIdleConnections() }

// TestSlowServers checks servers that send a byte now and then, for ever. It
// uses virtual time.
func TestSlowServers(t *testing.T) {
	const preface = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	for _, test := range []struct {
		name  string
		every time.Duration
		head  string // sent at once
		blob  bool
		most  time.Duration
	}{
		{"a header that never ends", time.Second, "HTTP/1.1 200 OK\r\nX-Long: ", false, maxPatience + 3*answerTimeout},
		{"a manifest that never ends", time.Second, preface, false, maxPatience + 3*answerTimeout},
		{"a blob that crawls", time.Second, preface, true, 2 * stallTime},
		{"a blob that stands still", time.Hour, preface, true, firstByteTime + time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := NewSources([]config.Source{{Host: "quay.io", PlainHTTP: true}}, Options{TokenServers: map[string]known.TokenServer{}}).ForHost("quay.io")
				p := make(pipes)
				c.api, c.bulk = p.transport(answerTimeout), p.transport(commitTimeout)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					for {
						select {
						case conn := <-p:
							go dribble(ctx, conn, test.head, test.every)
						case <-ctx.Done():
							return
						}
					}
				}()
				began := time.Now()
				var err error
				ref := named(t, "quay.io")
				if test.blob {
					var body io.ReadCloser
					if body, err = c.Blob(ref.Repository(), v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}, 1_000_000).Open(ctx, 0, 1_000_000); err == nil {
						_, err = io.Copy(io.Discard, body)
						body.Close()
					}
				} else {
					_, err = c.Manifest(ctx, ref)
				}
				if f, ok := failure.As(err); !ok || f.Kind() != failure.Transient {
					t.Errorf("it ended as %v", err)
				}
				if took := time.Since(began); took > test.most {
					t.Errorf("it took %v", took)
				}
				c.Close()
			})
		})
	}
}

// dribble answers a request with head and then with single bytes.
func dribble(ctx context.Context, conn net.Conn, head string, every time.Duration) {
	defer conn.Close()
	go io.Copy(io.Discard, conn)
	io.WriteString(conn, head)
	for {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return
		}
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
	}
}

// FuzzRefused parses refusals with any status and any body.
func FuzzRefused(f *testing.F) {
	f.Add(429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 333.9ms"}]}`, "", true)
	f.Add(503, "<html>", "9223372036854775807", false)
	f.Add(400, `{"errors":[{"code":"MANIFEST_INVALID","detail":{"a":[1]}},null]}`, "Fri, 31 Dec 9999 23:59:59 GMT", true)
	f.Add(401, "sesame sesame", "-1", true)
	f.Fuzz(func(t *testing.T, status int, body, delay string, target bool) {
		c := &wire{side: failure.Source}
		if target {
			c.side = failure.Target
		}
		resp := &http.Response{
			StatusCode: status, Header: http.Header{"Retry-After": {delay}}, Body: io.NopCloser(bytes.NewReader([]byte(body))),
			Request: &http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "https", Host: "quay.io"}, Header: http.Header{}},
		}
		resp.Request.SetBasicAuth("mate", "sesame")
		got := c.refused(step{name: "asking"}, reply{Response: resp})
		if got.Code == "" || got.Side != c.side || got.Err == nil {
			t.Errorf("%+v", got)
		}
		if len(got.Detail) > maxDetail+len("…") {
			t.Errorf("%d bytes of words", len(got.Detail))
		}
		if strings.Contains(got.Detail, "sesame") || strings.Contains(got.Error(), "sesame") {
			t.Errorf("a secret in %v", got)
		}
		if !got.Until.IsZero() && got.Kind() != failure.Transient {
			t.Errorf("%s is to be tried again at %v", got.Code, got.Until)
		}
	})
}
