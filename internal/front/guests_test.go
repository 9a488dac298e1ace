package front

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/name"
)

const aToken = "a-token-of-forty-characters-at-the-least"

// guarded returns a front for guests only.
func guarded(t *testing.T, admission Admission) *world {
	w := newWorld(t)
	w.options.Guests = NewGuests(admission, w.clock)
	w.front = New(w.options)
	w.target.Add(mirrored, "1.0", image(1))
	return w
}

func TestTokens(t *testing.T) {
	w := guarded(t, Admission{Tokens: []Token{
		{Name: "cluster", Hash: sha256.Sum256([]byte(aToken))},
		{Name: "old", Hash: sha256.Sum256([]byte("expired")), Expires: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
	}})
	const uri = "/v2/harbour/hello/manifests/1.0?ns=gcr.io"
	basic := func(password string) string {
		r := httptest.NewRequest("GET", "/", nil)
		r.SetBasicAuth("anything", password)
		return r.Header.Get("Authorization")
	}
	for _, test := range []struct {
		uri, authorization string
		status             int
	}{
		{uri, "", 401},
		{uri, "Bearer " + aToken, 200},
		{uri, "bearer " + aToken, 200},
		{uri, basic(aToken), 200},
		{"/v2/" + aToken + "/harbour/hello/manifests/1.0?ns=gcr.io", "", 200},
		{"/v2/" + aToken + "/gcr.io/harbour/hello/manifests/1.0", "", 200},
		{"/v2/" + aToken + "/gcr.io/harbour/hello/manifests/1.0", basic("of somebody else"), 200},
		{uri, "Bearer expired", 401},
		{uri, basic("expired"), 401},
		{uri, "Bearer wrong", 401},
		{uri, "Bearer", 401},
		{uri, "Digest " + aToken, 401},
		{uri + "&token=" + aToken, "", 400},
		{"/v2/wrong/gcr.io/harbour/hello/manifests/1.0", "", 403},
	} {
		rec := w.get("GET", test.uri, "Authorization", test.authorization)
		w.expect(rec, test.status)
		if challenge := rec.Header().Get("WWW-Authenticate"); challenge != "" != (test.status == 401) {
			t.Errorf("%s: challenge %q with status %d", test.uri, challenge, test.status)
		}
	}
	w.expect(w.get("GET", "/v2/"), http.StatusOK)
	if text := w.log.String(); strings.Contains(text, aToken) || strings.Contains(text, "sesame") || !strings.Contains(text, "guest=cluster") {
		t.Errorf("log: %s", text)
	}
	for _, r := range w.target.Requests() {
		if strings.Contains(r.Path, aToken) {
			t.Errorf("the token went to a registry: %s", r.Path)
		}
	}
}

// TestDockerHubIsNeverChallenged checks that dockerd gets no challenge: it
// would answer with the user's password for Docker Hub.
func TestDockerHubIsNeverChallenged(t *testing.T) {
	w := guarded(t, Admission{Tokens: []Token{{Name: "cluster", Hash: sha256.Sum256([]byte(aToken))}}})
	for _, uri := range []string{
		"/v2/", "/v2/library/nginx/manifests/1", "/v2/nginx/manifests/1?ns=docker.io", "/v2/docker.io/library/nginx/blobs/" + anyDigest,
		"/v2/library/nginx/tags/list", "/v2/x", "/token",
	} {
		rec := w.get("GET", uri, "Authorization", "Basic dXNlcjpwYXNzd29yZA==")
		if rec.Header().Get("WWW-Authenticate") != "" || rec.Code == http.StatusUnauthorized {
			t.Errorf("%s is answered with a challenge", uri)
		}
	}
	if strings.Contains(w.log.String(), "dXNlcj") || strings.Contains(w.log.String(), "password") {
		t.Errorf("log: %s", w.log)
	}
}

func TestNetworksAndProxies(t *testing.T) {
	w := guarded(t, Admission{
		Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Proxies:  []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")},
	})
	for _, test := range []struct {
		from, forwarded string
		status          int
	}{
		{"10.1.2.3:4", "", 200},
		{"[::ffff:10.1.2.3]:4", "", 200},
		{"203.0.113.9:4", "", 401},
		{"203.0.113.9:4", "10.1.2.3", 401}, // written by a stranger
		{"192.0.2.1:4", "10.1.2.3", 200},
		{"192.0.2.1:4", "203.0.113.9", 401},
		{"192.0.2.1:4", "10.1.2.3, 203.0.113.9", 401}, // the first address was written by the stranger
		{"192.0.2.1:4", "203.0.113.9, 10.1.2.3", 200},
		{"192.0.2.1:4", "10.1.2.3, 192.0.2.2", 200},
		{"192.0.2.1:4", "garbage", 401},
		{"192.0.2.1:4", "", 401},
		{"10.1.2.3:4", "203.0.113.9", 200},
		{"@", "", 401},
	} {
		r := httptest.NewRequest("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io", nil)
		r.Host, r.RemoteAddr = "front.example", test.from
		if test.forwarded != "" {
			r.Header.Set("X-Forwarded-For", test.forwarded)
		}
		rec := httptest.NewRecorder()
		w.front.ServeHTTP(rec, r)
		if rec.Code != test.status {
			t.Errorf("from %s for %q: status %d, want %d", test.from, test.forwarded, rec.Code, test.status)
		}
	}
}

func TestCertificates(t *testing.T) {
	w := guarded(t, Admission{Certificates: true})
	for _, verified := range []bool{true, false} {
		r := httptest.NewRequest("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io", nil)
		cert := &x509.Certificate{Subject: pkix.Name{CommonName: "node-1\nfake=line"}}
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
		want := http.StatusUnauthorized
		if verified {
			r.TLS.VerifiedChains, want = [][]*x509.Certificate{{cert}}, http.StatusOK
		}
		rec := httptest.NewRecorder()
		w.front.ServeHTTP(rec, r)
		if rec.Code != want {
			t.Errorf("verified %t: status %d", verified, rec.Code)
		}
	}
	if !strings.Contains(w.log.String(), `guest="node-1?fake=line"`) {
		t.Errorf("log: %s", w.log)
	}
}

func TestLimitsOfAGuest(t *testing.T) {
	w := guarded(t, Admission{Anybody: true, Requests: 3})
	const uri = "/v2/harbour/hello/manifests/1.0?ns=gcr.io"
	for range 3 {
		w.expect(w.get("GET", uri), http.StatusOK)
	}
	rec := w.expect(w.get("GET", uri), http.StatusTooManyRequests)
	if errorCode(t, rec) != distribution.TooManyRequests || rec.Header().Get("Retry-After") == "" {
		t.Errorf("%v", rec.Header())
	}
	w.expect(w.get("GET", "/v2/"), http.StatusOK)
	w.pass(21 * time.Second)
	w.expect(w.get("GET", uri), http.StatusOK)
	w.expect(w.get("GET", uri), http.StatusTooManyRequests)

	img := image(1)
	blob := "/v2/harbour/hello/blobs/" + fakeregistry.Digest(img.Blobs[0]) + "?ns=gcr.io"
	w = guarded(t, Admission{Anybody: true, Bytes: 100_000})
	w.expect(w.get("GET", blob), http.StatusOK) // 200,000 bytes: a response that has begun is finished
	w.expect(w.get("GET", blob), http.StatusTooManyRequests)
	w.expect(w.get("GET", uri), http.StatusOK)
	w.pass(2 * time.Minute)
	w.expect(w.get("GET", blob), http.StatusOK)
}

func TestBlobsAtOnce(t *testing.T) {
	w := guarded(t, Admission{Anybody: true, Blobs: 1})
	img := image(1)
	blob := "/v2/harbour/hello/blobs/" + fakeregistry.Digest(img.Blobs[0]) + "?ns=gcr.io"
	asked, release := make(chan struct{}), make(chan struct{})
	w.target.Inject(fakeregistry.Fault{Match: "GET .*blobs", Times: 1, Do: func(http.ResponseWriter, *http.Request) bool {
		close(asked)
		<-release
		return false
	}})
	done := make(chan int)
	go func() { done <- w.get("GET", blob).Code }()
	<-asked
	w.expect(w.get("GET", blob), http.StatusTooManyRequests)
	close(release)
	if status := <-done; status != http.StatusOK {
		t.Errorf("status %d", status)
	}
	w.expect(w.get("GET", blob), http.StatusOK)
}

func TestRepositoriesThatAreServed(t *testing.T) {
	for _, test := range []struct {
		rules  Rules
		status int
	}{
		{Rules{}, 200},
		{Rules{Denied: patterns(t, "gcr.io/harbour/*")}, 403},
		{Rules{Denied: patterns(t, "gcr.io/harbour/hello")}, 403},
		{Rules{Denied: patterns(t, "gcr.io/harbour/hell")}, 200},
		{Rules{Denied: patterns(t, "gcr.io/*")}, 403},
		{Rules{Allowed: patterns(t, "docker.io/*")}, 403},
		{Rules{Allowed: patterns(t, "gcr.io/harbour/*")}, 200},
		{Rules{Allowed: patterns(t, "gcr.io/*"), Denied: patterns(t, "gcr.io/harbour/hello")}, 403},
	} {
		w := guarded(t, Admission{Anybody: true})
		w.options.Repositories = &test.rules
		w.front = New(w.options)
		rec := w.get("GET", "/v2/harbour/hello/manifests/1.0?ns=gcr.io")
		if rec.Code != test.status {
			t.Errorf("%v: status %d, want %d", test.rules, rec.Code, test.status)
		}
	}
}

func patterns(t *testing.T, texts ...string) []name.Pattern {
	t.Helper()
	all := make([]name.Pattern, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = name.ParsePattern(text); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestClientsWithOwnLoginsAreChallenged checks that podman and the like, which
// send a login only if "/v2/" asks for one, are asked, also for Docker Hub: they
// look up the login by the host of the front.
func TestClientsWithOwnLoginsAreChallenged(t *testing.T) {
	w := guarded(t, Admission{Tokens: []Token{{Name: "cluster", Hash: sha256.Sum256([]byte(aToken))}}})
	for agent, status := range map[string]int{
		"containers/5.24.1 (github.com/containers/image)": 401, "skopeo/1.9.3": 401, "Buildah/1.28.2": 401, "cri-o/1.30.0": 401, "ferry/1.0": 401,
		"docker/20.10.24 go/go1.19": 200, "containerd/1.6.20": 200, "": 200,
	} {
		rec := w.get("GET", "/v2/", "User-Agent", agent)
		w.expect(rec, status)
		if challenge := rec.Header().Get("WWW-Authenticate"); challenge != "" != (status == 401) {
			t.Errorf("%s: challenge %q", agent, challenge)
		}
		if status == 401 {
			w.expect(w.get("GET", "/v2/docker.io/library/nginx/manifests/1", "User-Agent", agent), 401)
			w.expect(w.get("GET", "/v2/", "User-Agent", agent, "Authorization", "Bearer "+aToken), 200)
		}
	}
}

// TestLimitsOfWhatIsServed: an image or an index beyond the limits is refused, from a
// place and from memory, and served once the limits allow it. Limits also apply to what
// was remembered before they were set.
func TestLimitsOfWhatIsServed(t *testing.T) {
	w := newWorld(t)
	img := image(1)
	w.target.Add(mirrored, "1.0", img)
	inner := fakeregistry.Digest(img.Manifests[0].Body)
	const uri = "/v2/gcr.io/harbour/hello/manifests/"
	w.expect(w.get("GET", uri+"1.0"), http.StatusOK) // gets a token
	kept := NewMemories(DefaultMemory)
	for i, test := range []struct {
		limits       Extent
		index, image int
	}{
		{Extent{}, http.StatusOK, http.StatusOK},
		{Extent{Bytes: 1000}, http.StatusOK, http.StatusForbidden},
		{Extent{Manifests: 1}, http.StatusForbidden, http.StatusOK},
		{Extent{Bytes: 1 << 30, Manifests: 100}, http.StatusOK, http.StatusOK},
	} {
		requests := 2
		for _, memories := range []*Memories{nil, kept} { // after the start, and after a change of the limits
			if i > 0 && memories != nil {
				requests = 0
			}
			w.options.Limits, w.options.Memories = test.limits, memories
			w.front = New(w.options)
			before := w.target.Count("GET .*manifests")
			for range 2 {
				w.expect(w.get("GET", uri+"1.0"), test.index)
				w.expect(w.get("GET", uri+inner), test.image)
			}
			if n := w.target.Count("GET .*manifests") - before; n != requests {
				t.Errorf("%+v: %d requests, want %d", test.limits, n, requests)
			}
		}
	}
}
