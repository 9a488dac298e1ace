package site

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/bench/internal/wire"
	"github.com/imageferry/ferry/bench/internal/workload"
)

func TestTokensOpenExactlyTheirScopes(t *testing.T) {
	s := open(t)
	s.push(t, "a")
	manifest := "/v2/w/a/manifests/1"

	resp := s.do(t, "GET", manifest, "", nil)
	want := fmt.Sprintf(`Bearer realm="https://%s/token",service="bench",scope="repository:w/a:pull"`, s.tokenHost)
	if got := resp.Header.Get("WWW-Authenticate"); resp.StatusCode != 401 || got != want {
		t.Errorf("without a token: %s, %s; want 401, %s", resp.Status, got, want)
	}
	for _, c := range []struct {
		method, path, scope string
		status              int
	}{
		{"GET", "/v2/", "", 200},
		{"GET", manifest, "repository:w/a:pull", 200},
		{"GET", manifest, "repository:w/b:pull repository:w/a:pull,push", 200},
		{"GET", manifest, "repository:w/b:pull", 401},
		{"POST", "/v2/w/a/blobs/uploads/", "repository:w/a:pull", 401},
		{"POST", "/v2/w/a/blobs/uploads/", "repository:w/a:pull,push", 202},
	} {
		if resp := s.do(t, c.method, c.path, s.token(t, c.scope), nil); resp.StatusCode != c.status {
			t.Errorf("%s %s with %q: %s, want %d", c.method, c.path, c.scope, resp.Status, c.status)
		}
	}
}

func TestMountsNeedTheRightToRead(t *testing.T) {
	s := open(t)
	digest := s.push(t, "a")
	s.Begin(wire.Path{}, Habits{})
	layer := s.layer(t)
	mount := "/v2/new/a/blobs/uploads/?from=w%2Fa&mount=" + layer.String()
	if resp := s.do(t, "POST", mount, s.token(t, "repository:new/a:pull,push"), nil); resp.StatusCode != 202 {
		t.Errorf("without the right: %s, want 202", resp.Status)
	}
	if resp := s.do(t, "POST", mount, s.token(t, "repository:new/a:pull,push repository:w/a:pull"), nil); resp.StatusCode != 201 {
		t.Errorf("with the right: %s, want 201", resp.Status)
	}
	if n := s.Traffic().Mounts; n != 1 {
		t.Errorf("counted %d mounts, want 1", n)
	}
	tagged, err := s.Tagged("w")
	if err != nil || len(tagged) != 1 || !tagged[digest] {
		t.Errorf("tagged are %v, %v; want %s alone", tagged, err, digest)
	}
}

// A lent blob is elsewhere, for a time.
func TestLentBlobs(t *testing.T) {
	s := open(t)
	s.push(t, "a")
	token := s.token(t, "repository:w/a:pull")
	path := "/v2/w/a/blobs/" + s.layer(t).String()
	s.Begin(wire.Path{}, Habits{Lend: time.Hour})
	resp := s.do(t, "GET", path, token, nil) // the client follows
	if resp.StatusCode != 200 || resp.Request.URL.Host == strings.TrimPrefix(s.base, "https://") {
		t.Errorf("%s from %s", resp.Status, resp.Request.URL.Host)
	}
	if n := s.Traffic().Sent; n < 1<<20 || n > 1<<20+1000 {
		t.Errorf("counted %d bytes", n)
	}
	old := *resp.Request.URL
	old.RawQuery = "until=1"
	if resp, err := s.client.Get(old.String()); err != nil || resp.StatusCode != 403 {
		t.Errorf("an old address: %v, %v", resp, err)
	}
}

func TestHTTP2IsAHabit(t *testing.T) {
	s := open(t)
	for _, http2 := range []bool{false, true, false} {
		s.Begin(wire.Path{}, Habits{HTTP2: http2})
		s.client.CloseIdleConnections()
		if resp := s.do(t, "GET", "/v2/", "", nil); (resp.ProtoMajor == 2) != http2 {
			t.Errorf("offered: %t, spoken: %s", http2, resp.Proto)
		}
	}
}

func TestTrafficCountsBodies(t *testing.T) {
	s := open(t)
	s.push(t, "a")
	layer := s.layer(t)
	token := s.token(t, "repository:w/a:pull,push")
	s.Begin(wire.Path{}, Habits{})
	s.do(t, "GET", "/v2/w/a/blobs/"+layer.String(), token, nil)
	session := s.do(t, "POST", "/v2/w/a/blobs/uploads/", token, nil)
	s.do(t, "PATCH", session.Header.Get("Location"), token, bytes.NewReader(make([]byte, 12345)))
	got := s.Traffic()
	if got.Requests != 3 || got.Sent != 1<<20 || got.Received != 12345 {
		t.Errorf("counted %+v, want 3 requests, %d bytes sent, 12345 received", got, 1<<20)
	}
}

func TestFaults(t *testing.T) {
	blobs := regexp.MustCompile(`^GET .*/blobs/`)
	s := open(t)
	s.push(t, "a")
	token := s.token(t, "repository:w/a:pull,push")
	blob := "/v2/w/a/blobs/" + s.layer(t).String()
	get := func(t *testing.T) (*http.Response, int, error) {
		resp, err := s.client.Do(s.request(t, "GET", blob, token, nil))
		if err != nil {
			return nil, 0, err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		return resp, int(n), err
	}

	t.Run("status", func(t *testing.T) {
		s.Begin(wire.Path{}, Habits{}, Fault{Match: blobs, Times: 2, Status: 429, RetryAfter: 7})
		for range 2 {
			if resp, _, err := get(t); err != nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "7" {
				t.Errorf("got %v, %v; want 429 after 7", resp, err)
			}
		}
		if resp, n, err := get(t); err != nil || resp.StatusCode != 200 || n != 1<<20 {
			t.Errorf("third: %v, %d bytes, %v; want all", resp, n, err)
		}
	})
	t.Run("end of stream", func(t *testing.T) {
		s.Begin(wire.Path{}, Habits{}, Fault{Match: blobs, Times: 1, Every: 1 << 19})
		if _, n, err := get(t); err == nil || n > 1<<19+64<<10 {
			t.Errorf("%d bytes, %v; want an error after half of them", n, err)
		}
		if _, n, err := get(t); err != nil || n != 1<<20 {
			t.Errorf("second: %d bytes, %v; want all", n, err)
		}
	})
	t.Run("bytes add up over requests", func(t *testing.T) {
		s.Begin(wire.Path{}, Habits{}, Fault{Match: blobs, Every: 3 << 19})
		if _, n, err := get(t); err != nil || n != 1<<20 {
			t.Errorf("first: %d bytes, %v; want all", n, err)
		}
		if _, n, err := get(t); err == nil || n == 1<<20 {
			t.Errorf("second: %d bytes, %v; want a cut", n, err)
		}
	})
	t.Run("reset of an upload, which keeps what came", func(t *testing.T) {
		s.Begin(wire.Path{}, Habits{}, Fault{Match: regexp.MustCompile(`^PATCH `), Times: 1, Every: 1 << 19, Request: true, Reset: true})
		session := s.do(t, "POST", "/v2/w/a/blobs/uploads/", token, nil).Header.Get("Location")
		if resp, err := s.client.Do(s.request(t, "PATCH", session, token, bytes.NewReader(make([]byte, 8<<20)))); err == nil {
			t.Errorf("the upload was answered with %s, want a reset", resp.Status)
		}
		resp := s.do(t, "GET", session, token, nil)
		if got := resp.Header.Get("Range"); resp.StatusCode != 204 || got == "" || got == "0-0" {
			t.Errorf("the session says %s, range %q; want progress", resp.Status, got)
		}
	})
}

// served is a site and a client that trusts it.
type served struct {
	*Site
	base, plain, tokenHost string
	client                 *http.Client
}

func open(t *testing.T) *served {
	t.Helper()
	certificate, pem, err := Certificate("localhost")
	if err != nil {
		t.Fatal(err)
	}
	listen := func() (net.Listener, string) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ln.Close() })
		return ln, fmt.Sprintf("localhost:%d", ln.Addr().(*net.TCPAddr).Port)
	}
	plain, plainHost := listen()
	registry, host := listen()
	tokens, tokenHost := listen()
	content, contentHost := listen()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &served{
		Site: Open(t.Context(), Options{
			Storage: t.TempDir(), Plain: plain, Registry: registry, Token: tokens, Content: content,
			Contents:    map[string]string{host: contentHost},
			Tokens:      map[string]TokenServer{host: {"https://" + tokenHost + "/token", "bench"}},
			Certificate: certificate,
		}),
		base: "https://" + host, plain: plainHost, tokenHost: tokenHost,
		client: &http.Client{Transport: transport},
	}
}

func (s *served) push(t *testing.T, name string) v1.Hash {
	t.Helper()
	digests, err := workload.All()[name].Push(s.plain)
	if err != nil {
		t.Fatal(err)
	}
	return digests[0]
}

// layer is the digest of the first layer of workload a.
func (s *served) layer(t *testing.T) v1.Hash {
	t.Helper()
	digest, err := workload.All()["a"].Images[0].Platforms[0][0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func (s *served) token(t *testing.T, scope string) string {
	t.Helper()
	resp, err := s.client.Get("https://" + s.tokenHost + "/token?scope=" + url.QueryEscape(scope))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(body), `"token":"`)
	token, _, _ := strings.Cut(rest, `"`)
	return token
}

func (s *served) request(t *testing.T, method, path, token string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.base+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Accept", "application/vnd.docker.distribution.manifest.v2+json")
	return r
}

func (s *served) do(t *testing.T, method, path, token string, body io.Reader) *http.Response {
	t.Helper()
	resp, err := s.client.Do(s.request(t, method, path, token, body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp
}
