package registry

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// at returns the host name of a test server.
func at(s *httptest.Server) string {
	return strings.Replace(strings.TrimPrefix(s.URL, "http://"), "127.0.0.1", "localhost", 1)
}

// hostile returns the host of a registry that is served by handle.
func hostile(t *testing.T, handle http.HandlerFunc) string {
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return at(server)
}

// bystander returns the address of a server that must not be contacted.
func bystander(t *testing.T) string {
	return hostile(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a bystander was asked %s %s with authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
	})
}

var impatient = Options{UserAgent: "ferry/test", TokenServers: map[string]known.TokenServer{},
	Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}

// sourceAt returns a source client of a host on loopback that the owner named.
func sourceAt(t *testing.T, host string) (*Client, reference.Reference) {
	t.Helper()
	set := NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true, Username: "user", Password: config.NewSecret("source-secret")}}, impatient)
	return clientOf(t, set, host)
}

func targetAt(t *testing.T, host string) (*Client, reference.Reference) {
	t.Helper()
	set := NewTargets([]config.Target{{Host: host, Private: true, PlainHTTP: true, Username: "user", Password: config.NewSecret("target-secret")}}, nil, impatient)
	return clientOf(t, set, host)
}

func clientOf(t *testing.T, set *Clients, host string) (*Client, reference.Reference) {
	t.Helper()
	t.Cleanup(set.Close)
	c, ok := set.ForHost(host)
	if !ok {
		t.Fatalf("no client for %s", host)
	}
	ref, err := reference.Parse(host + "/a/b:1")
	if err != nil {
		t.Fatal(err)
	}
	return c, ref
}

func wantCode(t *testing.T, err error, want failure.Code) {
	t.Helper()
	f, ok := failure.As(err)
	if !ok || f.Code != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), "secret") || f != nil && strings.Contains(f.Detail, "-secret")) {
		t.Errorf("error tells a secret: %v", err)
	}
}

func TestPrivateAddressesAreOutOfReach(t *testing.T) {
	server := bystander(t)
	for _, host := range []string{server, strings.Replace(server, "localhost", "127.0.0.1", 1)} {
		c, ref := clientOf(t, NewSources([]config.Source{{Host: host, PlainHTTP: true}}, impatient), host)
		_, err := c.Manifest(t.Context(), ref)
		wantCode(t, err, failure.HostForbidden)
		if f, _ := failure.As(err); f != nil && f.Hints[0] != host { // not as if DNS had given the address
			t.Errorf("the address of %s is told as %q", host, f.Hints)
		}
	}
}

func TestRedirectsToOtherHosts(t *testing.T) {
	server := bystander(t)
	for name, location := range map[string]string{
		"a private address":  "http://" + server + "/x",
		"the same, with TLS": "https://" + server + "/x",
		"metadata":           "http://169.254.169.254/latest/meta-data/",
		"a file":             "file:///etc/passwd",
		"itself":             "",
		"with a password":    "https://user:pass@example.com/",
	} {
		t.Run(name, func(t *testing.T) {
			host := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", location)
				w.WriteHeader(http.StatusTemporaryRedirect)
			})
			c, ref := sourceAt(t, host)
			_, err := c.Manifest(t.Context(), ref)
			wantCode(t, err, failure.BadAddress)
			_, err = c.Blob(ref.Repository(), someHash, 10).Open(t.Context(), 0, 10)
			wantCode(t, err, failure.BadAddress)
		})
	}
}

var someHash = v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}

// TestRedirectsLeaveTheCredentialsBehind follows a blob to another host that
// the owner named. That host must not get the credentials for the registry.
func TestRedirectsLeaveTheCredentialsBehind(t *testing.T) {
	var asked atomic.Int32
	cdn := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if got := r.Header.Get("Authorization"); got != "" {
			t.Errorf("the other host was sent %q", got)
		}
		fmt.Fprint(w, "0123456789")
	})
	host := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if _, _, ok := r.BasicAuth(); !ok {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, "http://"+cdn+"/signed", http.StatusTemporaryRedirect)
	})
	set := NewSources([]config.Source{
		{Host: host, Private: true, PlainHTTP: true, Username: "user", Password: config.NewSecret("source-secret")},
		{Host: cdn, Private: true, PlainHTTP: true},
	}, impatient)
	c, ref := clientOf(t, set, host)
	blob := c.Blob(ref.Repository(), someHash, 10)
	for range 2 {
		body, err := blob.Open(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(body); string(text) != "0123456789" || err != nil {
			t.Errorf("read %q, %v", text, err)
		}
		body.Close()
	}
	if asked.Load() != 2 {
		t.Errorf("the other host was asked %d times", asked.Load())
	}
}

// TestGatewayLeadsToARegistryWithTokens follows a gateway to a registry that
// requires an anonymous token of its own.
func TestGatewayLeadsToARegistryWithTokens(t *testing.T) {
	fake := fakeregistry.New(fakeregistry.Options{Tokens: true})
	image := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	fake.Add("a/b", "1", image)
	behind := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if _, password, ok := r.BasicAuth(); ok {
			t.Errorf("the registry behind was shown %q", password)
		}
		fake.ServeHTTP(w, r)
	})
	gateway := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+behind+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
	set := NewSources([]config.Source{
		{Host: gateway, Private: true, PlainHTTP: true, Username: "user", Password: config.NewSecret("source-secret")},
		{Host: behind, Private: true, PlainHTTP: true},
	}, impatient)
	c, ref := clientOf(t, set, gateway)
	for range 2 {
		if _, err := c.Manifest(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
	digest, _ := reference.ParseDigest(fakeregistry.Digest(image.Blobs[0]))
	if body, err := c.SmallBlob(t.Context(), ref.Repository(), digest, 1000); err != nil || len(body) != 1000 {
		t.Errorf("got %d bytes, %v", len(body), err)
	}
	if n := fake.Count("^GET /token"); n != 1 {
		t.Errorf("got %d tokens, want one for all", n)
	}
}

func TestStaleRedirectIsRenewed(t *testing.T) {
	var valid atomic.Value
	valid.Store("/1")
	cdn := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != valid.Load() {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(w, "0123456789")
	})
	host := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+cdn+valid.Load().(string), http.StatusTemporaryRedirect)
	})
	c, ref := clientOf(t, NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}, {Host: cdn, Private: true, PlainHTTP: true}}, impatient), host)
	blob := c.Blob(ref.Repository(), someHash, 10)
	for _, path := range []string{"/1", "/2", "/2"} {
		valid.Store(path)
		body, err := blob.Open(t.Context(), 0, 10)
		if err != nil {
			t.Fatalf("at %s: %v", path, err)
		}
		body.Close()
	}
}

func TestRealmsOnOtherHosts(t *testing.T) {
	server := bystander(t)
	for name, realm := range map[string]string{
		"a private address by name": "http://" + server + "/token",
		"the same, with TLS":        "https://" + server + "/token",
		"metadata":                  "http://169.254.169.254/latest/",
		"no address":                "http:///token",
		"a strange scheme":          "gopher://example.com/",
	} {
		t.Run(name, func(t *testing.T) {
			host := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", fmt.Sprintf("Bearer realm=%q,service=\"x\"", realm))
				w.WriteHeader(http.StatusUnauthorized)
			})
			for _, side := range []func(*testing.T, string) (*Client, reference.Reference){sourceAt, targetAt} {
				c, ref := side(t, host)
				if _, err := c.Manifest(t.Context(), ref); err == nil {
					t.Error("no error")
				}
			}
			anonymous, ref := clientOf(t, NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, impatient), host)
			_, err := anonymous.Manifest(t.Context(), ref)
			wantCode(t, err, failure.BadAddress)
			wantStep(t, err)
		})
	}
}

// wantStep checks that a failure says what was being done.
func wantStep(t *testing.T, err error) {
	t.Helper()
	if f, ok := failure.As(err); !ok || f.Step == "" {
		t.Errorf("the failure has no step: %v", err)
	}
}

// TestUploadLocations checks that an address inside a network is looked for at the
// registry, and never connected to.
func TestUploadLocations(t *testing.T) {
	server := bystander(t)
	for name, test := range map[string]struct {
		location string
		want     failure.Code
	}{
		"a private address":         {"http://" + server + "/upload", ""},
		"the same, with TLS":        {"https://" + server + "/upload", failure.BadAddress},
		"metadata":                  {"http://169.254.169.254/", ""},
		"an address without a path": {"http://169.254.169.254", failure.BadAddress},
	} {
		t.Run(name, func(t *testing.T) {
			host := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", test.location)
				w.WriteHeader(http.StatusAccepted)
			})
			c, ref := targetAt(t, host)
			u := c.Upload(ref.Repository(), someHash, 3)
			_, err := u.Start(t.Context(), ref.Repository())
			if err == nil {
				err = u.Send(t.Context(), strings.NewReader("abc"), 0)
			}
			if test.want != "" || err != nil {
				wantCode(t, err, test.want)
				wantStep(t, err)
			}
		})
	}
}

func TestBodiesWithoutEnd(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		want   failure.Code
	}{
		"manifest": {http.StatusOK, failure.ManifestTooLarge},
		"error":    {http.StatusForbidden, failure.Private},
		"5xx":      {http.StatusBadGateway, failure.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			var sent atomic.Int64
			host := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				piece := make([]byte, 64<<10)
				for {
					n, err := w.Write(piece)
					if err != nil || sent.Add(int64(n)) > 1<<30 {
						return
					}
				}
			})
			client, ref := sourceAt(t, host)
			_, err := client.Manifest(t.Context(), ref)
			wantCode(t, err, c.want)
			if sent.Load() > 1<<30 {
				t.Error("read a gigabyte of nothing")
			}
		})
	}
}

func TestHeadersWithoutEnd(t *testing.T) {
	host := hostile(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 200 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
		}
	})
	c, ref := sourceAt(t, host)
	_, err := c.Manifest(t.Context(), ref)
	wantCode(t, err, failure.Network)
}

func TestManifestIsWhatItsDigestSays(t *testing.T) {
	host := hostile(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	c, ref := sourceAt(t, host)
	_, err := c.Manifest(t.Context(), ref.WithDigest(someHash))
	wantCode(t, err, failure.Corrupt)
}

func TestBlobsThatLieAboutTheirSize(t *testing.T) {
	for name, handle := range map[string]http.HandlerFunc{
		"longer": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "0123456789-and-more") },
		"another range": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-4/10")
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, "01234")
		},
		"another total": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-9/11")
			w.WriteHeader(http.StatusPartialContent)
			fmt.Fprint(w, "56789")
		},
		"no range at all": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPartialContent) },
	} {
		t.Run(name, func(t *testing.T) {
			c, ref := sourceAt(t, hostile(t, handle))
			_, err := c.Blob(ref.Repository(), someHash, 10).Open(t.Context(), 5, 10)
			want := failure.Corrupt
			if name == "longer" {
				want = failure.WrongSize
			}
			wantCode(t, err, want)
		})
	}
	t.Run("shorter", func(t *testing.T) {
		c, ref := sourceAt(t, hostile(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "01234")
			http.NewResponseController(w).Flush()
		}))
		body, err := c.Blob(ref.Repository(), someHash, 10).Open(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(body)
		wantCode(t, err, failure.Network)
	})
}

// TestPartsAfterCuts has a server send a part and then cut many connections: parts
// are requested all the same. Another one cuts every connection for a part, and is
// asked for the whole blob in the end.
func TestPartsAfterCuts(t *testing.T) {
	for _, c := range []struct {
		served int // requests for parts before the cuts
		ranged bool
	}{{1, true}, {0, false}} {
		var requests atomic.Int32
		client, ref := sourceAt(t, hostile(t, func(w http.ResponseWriter, r *http.Request) {
			n := int(requests.Add(1))
			if r.Header.Get("Range") != "" && n > c.served && n <= c.served+3*maxBroken {
				panic(http.ErrAbortHandler)
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader("0123456789"))
		}))
		blob := client.Blob(ref.Repository(), someHash, 10)
		var last string
		for range c.served + 4*maxBroken {
			if body, err := blob.Open(t.Context(), 5, 10); err == nil {
				got, _ := io.ReadAll(body)
				body.Close()
				last = string(got)
			}
		}
		if last != "56789" || blob.Ranged() != c.ranged {
			t.Errorf("after %d parts: got %q, ranged %v", c.served, last, blob.Ranged())
		}
	}
}

// TestCompressedBlobs reads blobs that a proxy has compressed, and blobs that are
// compressed files and have the same header.
func TestCompressedBlobs(t *testing.T) {
	pack := func(data []byte) []byte {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(data)
		_ = z.Close()
		return packed.Bytes()
	}
	small, large := bytes.Repeat([]byte("text "), 1000), bytes.Repeat([]byte("text "), sideBySide)
	for _, c := range []struct {
		name       string
		blob, sent []byte
		length     bool
	}{
		{"compressed", small, pack(small), true},
		{"compressed, without a length", small, pack(small), false},
		{"compressed, large", large, pack(large), true},
		{"a compressed file", pack(small), pack(small), true},
		{"a compressed file, without a length", pack(small), pack(small), false},
		{"a compressed file that a proxy has compressed again", pack(small), pack(pack(small)), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, ref := sourceAt(t, hostile(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				if c.length {
					w.Header().Set("Content-Length", strconv.Itoa(len(c.sent)))
				} else {
					http.NewResponseController(w).Flush()
				}
				_, _ = w.Write(c.sent)
			}))
			size := int64(len(c.blob))
			body, err := client.Blob(ref.Repository(), someHash, size).Open(t.Context(), 0, size)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, c.blob) {
				t.Errorf("%d bytes of %d, %v", len(got), size, err)
			}
		})
	}
}

// TestOneTokenServesAll requests many repositories and counts the tokens, with
// a server that grants all scopes at once and one that grants only the first.
func TestOneTokenServesAll(t *testing.T) {
	const repositories = 5
	for _, c := range []struct {
		one    bool
		tokens int
	}{{false, 1}, {true, repositories}} {
		fake := fakeregistry.New(fakeregistry.Options{Tokens: true, OneScope: c.one})
		server := httptest.NewServer(fake)
		defer server.Close()
		client, ref := sourceAt(t, at(server))
		client.auth.login.fixed = account{}
		var refs []reference.Reference
		for i := range repositories {
			name := fmt.Sprintf("r%d", i)
			fake.Add(name, "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}}))
			r, err := reference.Parse(ref.Repository().Host() + "/" + name + ":1")
			if err != nil {
				t.Fatal(err)
			}
			refs = append(refs, r)
			client.Expect(Scope{Repository: r.Repository()})
		}
		for _, r := range refs {
			if _, err := client.Manifest(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if n := fake.Count("^GET /token"); n != c.tokens {
			t.Errorf("one scope %v: %d tokens, want %d", c.one, n, c.tokens)
		}
	}
}

// TestOldTokensAreDropped requests more repositories than tokens are kept, twice.
func TestOldTokensAreDropped(t *testing.T) {
	fake := fakeregistry.New(fakeregistry.Options{Tokens: true})
	server := httptest.NewServer(fake)
	defer server.Close()
	client, ref := sourceAt(t, at(server))
	client.auth.login.fixed = account{}
	for i := range 2 * (maxTokens + 10) {
		name := fmt.Sprintf("r%d", i/2)
		fake.Add(name, "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}}))
		r, err := reference.Parse(ref.Repository().Host() + "/" + name + ":1")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Manifest(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(client.auth.tokens); n != maxTokens {
		t.Errorf("%d tokens are kept, want %d", n, maxTokens)
	}
	if n := fake.Count("^GET /token"); n != maxTokens+10 {
		t.Errorf("%d tokens were requested, want %d", n, maxTokens+10)
	}
}

// TestGuessedTokenServerIsGone requests two images from a registry whose known
// token server no longer exists. The second request waits until the first has
// found out what the registry requires instead.
func TestGuessedTokenServerIsGone(t *testing.T) {
	learnt := make(chan struct{})
	var asked atomic.Int32
	host := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			fmt.Fprint(w, "{}")
			return
		}
		if asked.Add(1) == 2 {
			<-learnt
		}
		w.WriteHeader(http.StatusNotFound)
	})
	c, ref := clientOf(t, NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, impatient), host)
	c.auth.challenge, c.auth.guessed = &challenge{"bearer", "http://" + host + "/token", ""}, true
	other, err := reference.Parse(host + "/c/d:1")
	if err != nil {
		t.Fatal(err)
	}
	ends := make(chan error)
	for _, r := range []reference.Reference{ref, other} {
		go func() {
			_, err := c.Manifest(t.Context(), r)
			ends <- err
		}()
	}
	first := <-ends
	close(learnt)
	if second := <-ends; first != nil || second != nil {
		t.Errorf("%v, %v", first, second)
	}
}

// TestTokenThatRunsOut has a token expire in the middle, and get renewed.
func TestTokenThatRunsOut(t *testing.T) {
	fake := fakeregistry.New(fakeregistry.Options{Tokens: true})
	server := httptest.NewServer(fake)
	defer server.Close()
	fake.Add("a/b", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}}))
	client, ref := sourceAt(t, at(server))
	client.auth.login.fixed = account{}
	if _, err := client.Manifest(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	client.auth.mu.Lock()
	for _, held := range client.auth.tokens {
		held.value = "stale"
	}
	client.auth.mu.Unlock()
	if _, err := client.Manifest(t.Context(), ref); err != nil {
		t.Error(err)
	}
}

func TestWatchdogBitesWhoDoesNotMove(t *testing.T) {
	bitten := make(chan error, 1)
	w := newWatchdog(func(cause error) { bitten <- cause }, stallTime)
	w.begin()
	w.timer.Reset(0)
	if err := <-bitten; !errors.Is(err, errStalled) {
		t.Errorf("bitten because of %v", err)
	}
	w = newWatchdog(func(error) { t.Error("bitten although it moves") }, stallTime)
	for range 100 {
		w.begin()
		w.end(crawl)
	}
	if w.waited != 0 {
		t.Errorf("%v are held against it", w.waited)
	}
	w.begin()
	w.end(1)
	if w.waited == 0 {
		t.Error("a byte is progress")
	}
	w.stop()
}
