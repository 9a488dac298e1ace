package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/mirror"
)

var amd64AndArm64 = fake.Spec{Seed: 7, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{2000, 300}}

// variants are more behaviours of the same kinds, which were written before the
// client's result was known.
func variants() []behaviour {
	soon := func(t *testing.T, o outcome) {
		wantChanges(t, o, mirror.Unconfirmed)
		if o.waited > 3*time.Second {
			t.Errorf("it waited for %v", o.waited)
		}
	}
	return []behaviour{
		// Optional features.
		{name: "blobs are compressed", behave: onSource(fake.Compressing("^GET .*/blobs/"))},
		{name: "blobs are compressed, without lengths", behave: onSource(fake.Compressing("^GET .*/blobs/"), headers(func(h http.Header, _ int) { h.Del("Content-Length") }))},
		{name: "blobs are said to be compressed", behave: onSource(headers(func(h http.Header, _ int) { h.Set("Content-Encoding", "gzip") }))},
		{name: "PATCH is 405 after a broken PUT", layers: []int{3 << 20}, behave: onTarget(cuttingOnce("^PUT .*/uploads/", 1<<20), fake.Refusing("^PATCH ", -1, 405, "<html>405</html>"))},
		{name: "HEAD of manifests ends the connection", behave: onTarget(breaking("^HEAD .*/manifests/"))},
		{name: "HEAD of manifests is a redirect to nowhere", behave: onTarget(fake.Refusing("^HEAD .*/manifests/", -1, 302, ""))},
		{name: "a part without Content-Range", layers: []int{3 << 20}, behave: onSource(farAway, headers(func(h http.Header, _ int) { h.Del("Content-Range") }))},
		{name: "Range is 405", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(405)), check: rangesOnce},
		{name: "Range is 412", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(412)), check: rangesOnce},
		{name: "Range is 404", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(404)), check: rangesOnce},
		{name: "Range is 500", layers: []int{3 << 20}, behave: onSource(farAway, fake.RefusingRanges(500))},
		{name: "a mount ends the connection", behave: onTarget(breaking("^POST .*mount="))},
		{name: "a mount is 409", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 409, ""))},
		{name: "a mount is 200 and nothing else", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 200, ""))},
		{name: "a mount is 201 for one blob of three", behave: onTarget(lyingOnce(2))},
		{name: "a mount is 414", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 414, ""))},
		{name: "referrers end the connection", behave: onSource(breaking("/referrers/")),
			check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.ReferrersUnread) }},
		{name: "referrers are 400", behave: onSource(fake.Refusing("/referrers/", -1, 400, ""))},
		{name: "tags of signatures are 500, and so is their list", behave: onSource(fake.Refusing(`/tags/list|/manifests/sha256-`, -1, 500, "")),
			check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.ReferrersUnread) }},
		{name: "uploads cannot be cancelled", behave: onTarget(fake.Refusing("^DELETE ", -1, 500, ""), fake.Refusing("^PUT .*/uploads/", 1, 500, ""))},

		// Reading back.
		{name: "a tag is 403 for 3 s", behave: func(tr *trial) { tr.target.Behave(fake.Lagging(tr.clock.Now, 3*time.Second, 403, "")) },
			check: func(t *testing.T, o outcome) { wantChanges(t, o) }},
		{name: "a tag is a page for 3 s", behave: func(tr *trial) { tr.target.Behave(fake.Lagging(tr.clock.Now, 3*time.Second, 200, "<html>wait</html>")) },
			check: func(t *testing.T, o outcome) { wantChanges(t, o) }},
		{name: "a tag is 429 after its put", behave: func(tr *trial) { tr.target.Behave(fake.Lagging(tr.clock.Now, time.Minute, 429, "")) },
			check: func(t *testing.T, o outcome) { wantChanges(t, o, mirror.Unconfirmed) }},
		{name: "Harbor does not let anybody pull it", behave: onTarget(fake.Refusing("^(GET|HEAD) .*/manifests/", -1, 412, coded("PROJECTPOLICYVIOLATION", "current image with 12 vulnerabilities cannot be pulled"))), check: soon},
		{name: "a policy does not let anybody pull it", behave: onTarget(fake.Refusing("^(GET|HEAD) .*/manifests/", -1, 403, coded(distribution.Denied, "pulls of images that are not scanned are blocked"))), check: soon},
		{name: "a manifest put is 200", behave: onTarget(fake.AnsweringAs("^PUT .*/manifests/", 200))},
		{name: "the answer to a manifest is lost", behave: onTarget(doingAndBreaking("^PUT .*/manifests/"))},

		// Temporary refusals.
		{name: "a layer is 404 once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 404, ""))},
		{name: "a layer is 404 with a code, once each", behave: onSource(times(1, "^GET .*/blobs/", 404, `{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}`))},
		{name: "a listed manifest is 404 once", behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.source.Behave(fake.Refusing("^GET .*/manifests/sha256:", 1, 404, ""))
		}},
		{name: "a layer is 400 once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 400, ""))},
		{name: "a layer is 416 once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 416, ""))},
		{name: "a layer is 401 once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 401, ""))},
		{name: "a layer is 409 once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 409, ""))},
		{name: "a layer is a page once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 200, "<html>one moment</html>"))},
		{name: "a layer is 403 at the content network, once", behave: func(tr *trial) { network(tr, fake.Refusing("^GET .*/blobs/", 1, 403, "")) }},
		{name: "a layer is 403 in JSON at the content network, twice", behave: func(tr *trial) {
			network(tr, fake.Refusing("^GET .*/blobs/", 2, 403, `{"message":"forbidden"}`))
		}},
		{name: "a layer is 404 at the content network, twice", behave: func(tr *trial) {
			network(tr, fake.Refusing("^GET .*/blobs/", 2, 404, `<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>`))
		}},
		{name: "a layer is 400 at the content network, once", behave: func(tr *trial) {
			network(tr, fake.Refusing("^GET .*/blobs/", 1, 400, `<?xml version="1.0"?><Error><Code>RequestTimeout</Code></Error>`))
		}},
		{name: "a manifest is 401 without a challenge, once", behave: onSource(fake.Refusing("/manifests/1", 1, 401, ""))},
		{name: "a manifest is empty once", behave: onSource(fake.Refusing("^GET .*/manifests/1", 1, 200, ""))},
		{name: "a manifest is an error in 200, once", behave: onSource(fake.Refusing("^GET .*/manifests/1", 1, 200, `{"errors":[{"code":"UNKNOWN","message":"try again"}]}`))},
		{name: "an upload's start is 404 once", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 404, ""), fake.Refusing("^POST [^?]*$", 1, 404, `{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}`))},
		{name: "an upload's start is 409 once", behave: onTarget(fake.Refusing("^POST .*mount=", -1, 409, ""), fake.Refusing("^POST [^?]*$", 1, 409, ""))},
		{name: "a blob's put is 403 once", behave: onTarget(fake.Refusing("^PUT .*/uploads/", 1, 403, ""))},
		{name: "a blob's put is 409 once", behave: onTarget(fake.Refusing("^PUT .*/uploads/", 1, 409, ""))},
		{name: "a manifest's put is 403 once", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 403, ""))},
		{name: "a manifest's put is 409 once", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 409, ""))},
		{name: "a manifest's put is 404 of a listed one, twice", behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.target.Behave(fake.Refusing("^PUT .*/manifests/1$", 2, 404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`))
		}},
		{name: "a manifest's put is 400 for want of a blob, twice", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 2, 400, `{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}`))},
		{name: "the token server is a page of 200, once", source: fake.Options{Tokens: true}, behave: onSource(fake.Refusing("^GET /token", 1, 200, "<html>maintenance</html>"))},
		{name: "the token server is 404 once", source: fake.Options{Tokens: true}, behave: onSource(fake.Refusing("^GET /token", 1, 404, ""))},
		{name: "the token server ends the connection, once", source: fake.Options{Tokens: true}, behave: onSource(breakingOnce("^GET /token"))},
		{name: "the token server is 401 with a login, once", target: fake.Options{Tokens: true, Username: username, Password: password},
			behave: onTarget(fake.Refusing("^GET /token", 1, 401, ""))},

		// One unusable part.
		{name: "a listed manifest is 403 always", check: incomplete, behave: func(tr *trial) { losing(tr, 403, "") }},
		{name: "a listed manifest is 410 always", check: incomplete, behave: func(tr *trial) { losing(tr, 410, "") }},
		{name: "a listed manifest is a page always", want: failure.WebPage, says: page, behave: func(tr *trial) { losing(tr, 200, "<html>gone</html>") }},
		{name: "a listed manifest is 500 always", want: failure.Unavailable, says: down, behave: func(tr *trial) { losing(tr, 500, "") }},
		{name: "a listed manifest is another", check: incomplete, behave: func(tr *trial) { losing(tr, 200, `{"schemaVersion":2}`) }},

		// Refusals that say nothing about the form.
		{name: "a tag that may not change, by 409", want: failure.TagImmutable, says: immutable, behave: func(tr *trial) {
			older(tr, 0)
			tr.target.Behave(fake.Refusing("^PUT .*/manifests/1$", -1, 409, `{"errors":[{"code":"TAG_INVALID","message":"tag is immutable"}]}`))
		}},
		{name: "a quota at the upload's start", want: failure.Quota, says: full,
			behave: onTarget(fake.Refusing("^POST ", -1, 403, `{"errors":[{"code":"DENIED","message":"storage quota exceeded"}]}`))},
		{name: "a quota at the manifest", want: failure.Quota, says: full,
			behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 400, `{"errors":[{"code":"DENIED","message":"Quota exceeded for repository"}]}`))},

		// The same host.
		{name: "a relative realm", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm="/token",service="fake"`))},
		{name: "locations relative to the upload", behave: onTarget(fake.Locating(func(at, _ string) string {
			if i := strings.LastIndex(at, "/uploads/"); i >= 0 {
				return at[i+len("/uploads/"):]
			}
			return at
		}))},
		{name: "locations with a user name", behave: onTarget(fake.Locating(func(at, host string) string { return "http://user@" + host + at }))},

		// Challenges and tokens.
		{name: "a challenge without quotes", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm=http://HOST/token,service=fake`))},
		{name: "a challenge with an escaped quote before the realm", source: fake.Options{Tokens: true},
			behave: onSource(fake.Challenging(`Bearer error_description="say \"please\", realm=x",realm="http://HOST/token",service="fake"`))},
		{name: "an empty challenge before the real one", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(``, `Bearer realm="http://HOST/token",service="fake"`))},
		{name: "Basic with a charset before Bearer", source: fake.Options{Tokens: true},
			behave: onSource(fake.Challenging(`Basic realm="r", charset="UTF-8", Bearer realm="http://HOST/token",service="fake"`))},
		{name: "an empty token beside an access token", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens(`{"token":"","access_token":"TOKEN"}`))},
		{name: "a token for no time", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens(`{"token":"TOKEN","expires_in":0}`))},
		{name: "a token for a negative time", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens(`{"token":"TOKEN","expires_in":-1}`))},
		{name: "a token after a byte order mark", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens("\ufeff" + `{"token":"TOKEN"}`))},
		{name: "a token whose field is null", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens(`{"token":null,"access_token":"TOKEN","expires_in":null}`))},
		{name: "the token server is elsewhere on the host", source: fake.Options{Tokens: true}, behave: onSource(redirectingTokens())},

		// Limits of proxies.
		{name: "413 in JSON", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodiesBy(1<<20, 413, `{"errors":[{"code":"SIZE_INVALID","message":"too large"}]}`))},
		{name: "the connection ends at more than 1 MiB", layers: []int{3 << 20}, behave: onTarget(fake.CuttingBodies(1 << 20))},
		{name: "413 for a manifest", want: failure.RequestLimit, says: limit, behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 413, "<html>413</html>"))},

		// Headers of manifests.
		{name: "a manifest's type has parameters", behave: onSource(headers(func(h http.Header, _ int) {
			if at := h.Get("Content-Type"); strings.Contains(at, "manifest") {
				h.Set("Content-Type", at+"; charset=utf-8")
			}
		}))},
		{name: "a manifest's type is wrong", behave: onSource(headers(func(h http.Header, _ int) {
			if strings.Contains(h.Get("Content-Type"), "manifest") {
				h.Set("Content-Type", "text/plain")
			}
		}))},
		{name: "a digest header in capitals", behave: onTarget(headers(func(h http.Header, _ int) {
			if at := h.Get("Docker-Content-Digest"); at != "" {
				h.Set("Docker-Content-Digest", strings.ToUpper(at))
			}
		}))},
		{name: "no digest header", behave: onSource(headers(func(h http.Header, _ int) { h.Del("Docker-Content-Digest") }))},
	}
}

// use copies another image instead.
func (tr *trial) use(spec fake.Spec) {
	tr.image = fake.Generate(spec)
	tr.source.Add("ns/img", "1", tr.image)
}

// breaking closes the connection for matching requests.
func breaking(match string) fake.Behaviour {
	return fake.Intercept(match, func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) })
}

// breakingOnce closes it once.
func breakingOnce(match string) fake.Behaviour {
	return fake.InterceptFirst(match, 1, func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) })
}

// doingAndBreaking executes the first matching request and closes the connection.
func doingAndBreaking(match string) fake.Behaviour {
	return fake.InterceptFirst(match, 1, func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
}

// times refuses every matching path n times.
func times(n int, match string, status int, body string) fake.Behaviour {
	var mu sync.Mutex
	seen := map[string]int{}
	return fake.Intercept(match, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		seen[r.URL.Path]++
		over := seen[r.URL.Path] > n
		mu.Unlock()
		if over {
			next.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

// lyingOnce reports the nth blob as mounted although it is not.
func lyingOnce(n int) fake.Behaviour {
	var mu sync.Mutex
	return fake.Intercept("^POST .*mount=", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		n--
		lies := n == 0
		mu.Unlock()
		if lies {
			w.WriteHeader(http.StatusCreated)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// network serves layers from another host, with the given behaviours.
func network(tr *trial, behaviours ...fake.Behaviour) {
	handler := tr.source.Specified()
	for _, b := range behaviours {
		handler = b(handler)
	}
	server := httptest.NewServer(handler)
	tr.t.Cleanup(server.Close)
	tr.other = &url.URL{Scheme: "http", Host: named(server)}
	tr.source.Behave(fake.RedirectingWrites("^GET .*/blobs/", tr.other))
}

// losing answers requests for the manifest of one of two platforms with a
// status.
func losing(tr *trial, status int, body string) {
	tr.use(amd64AndArm64)
	tr.partial = true
	tr.source.Behave(fake.Refusing("/manifests/"+fake.Digest(tr.image.Manifests[1].Body), -1, status, body))
}

func incomplete(t *testing.T, o outcome) {
	if o.receipt == nil || fmt.Sprint(o.receipt.Missing) != "[linux/arm64]" {
		t.Errorf("receipt is %+v", o.receipt)
	}
}

// redirectingTokens redirects the token server to another path.
func redirectingTokens() fake.Behaviour {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/token":
				w.Header().Set("Location", "/token2?"+r.URL.RawQuery)
				w.WriteHeader(http.StatusTemporaryRedirect)
				return
			case "/token2":
				r.URL.Path = "/token"
			}
			next.ServeHTTP(w, r)
		})
	}
}

// headers changes the headers of all answers.
func headers(change func(h http.Header, status int)) fake.Behaviour {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&changed{w, change, false}, r) })
	}
}

type changed struct {
	http.ResponseWriter
	change func(http.Header, int)
	done   bool
}

func (w *changed) WriteHeader(status int) {
	w.done = true
	w.change(w.Header(), status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *changed) Write(p []byte) (int, error) {
	if !w.done {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

// cuttingOnce ends the first matching request after n bytes, which arrive in the
// session.
func cuttingOnce(match string, n int64) fake.Behaviour {
	return fake.InterceptFirst(match, 1, func(_ http.ResponseWriter, r *http.Request, next http.Handler) {
		part := r.Clone(r.Context())
		part.Method, part.Body, part.ContentLength = http.MethodPatch, io.NopCloser(io.LimitReader(r.Body, n)), n
		part.URL.RawQuery = ""
		part.Header.Set("Content-Range", fmt.Sprintf("0-%d", n-1))
		next.ServeHTTP(httptest.NewRecorder(), part)
		panic(http.ErrAbortHandler)
	})
}
