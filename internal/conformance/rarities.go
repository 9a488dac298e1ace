package conformance

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
)

// rarities are rare behaviours, most of them in a single request.
func rarities() []behaviour {
	account := fake.Options{Tokens: true, Username: username, Password: password}
	locatedAt := func(change func(at string) string) func(*trial) {
		return onTarget(fake.Locating(func(at, _ string) string { return change(at) }))
	}
	return []behaviour{
		// Addresses that only the registry's own network knows.
		{name: "uploads are at a machine behind a proxy", behave: locatedAt(func(at string) string { return "http://registry.internal:5000" + at })},
		{name: "uploads are at an address of Docker's", behave: locatedAt(func(at string) string { return "http://172.17.0.2:5000" + at })},
		{name: "uploads are nowhere", want: failure.BadAddress, says: inside, memory: true,
			behave: locatedAt(func(at string) string { return "http://registry.internal:5000/elsewhere" + at })},
		{name: "a realm has two ports", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm="http://HOST:443/token",service="fake"`))},
		{name: "a realm has two schemes", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm="https,http://HOST/token",service="fake"`))},
		{name: "a realm has two hosts", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm="http://HOST, HOST/token",service="fake"`))},
		{name: "a realm has no scheme", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm="HOST/token",service="fake"`))},
		{name: "a realm is a machine behind a proxy", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm="http://core:8080/token",service="fake"`))},
		{name: "a realm is nowhere", source: fake.Options{Tokens: true}, want: failure.BadAddress, says: inside,
			behave: onSource(fake.Challenging(`Bearer realm="http://core:8080/elsewhere",service="fake"`))},
		{name: "blobs are at a machine behind a proxy", want: failure.BadAddress, says: inside, behave: func(tr *trial) {
			tr.source.Behave(fake.RedirectingWrites("^GET .*/blobs/", &url.URL{Scheme: "https", Host: "minio:9000"}))
		}},

		// Proxies that do not tell why they refuse much data.
		{name: "a proxy waits no longer for much data", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodiesBy(1<<20, 524, "<html>cloudflare</html>"))},
		{name: "a proxy refuses much data by a page", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodiesBy(1<<20, 400, "<html>cloudflare</html>"))},

		{name: "a proxy takes 300 kB", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodies(300_000))},
		{name: "a proxy that does not lead to the target", want: failure.TargetClosed, says: shut, behave: onTarget(fake.Refusing("/v2/.", -1, 404, "<html>404 Not Found</html>"))},

		{name: "uploads to a repository that does not exist end the connection", want: failure.NotFound, says: nowhere, behave: func(tr *trial) {
			tr.target.Behave(fake.Refusing("^(GET|HEAD) ", -1, 404, coded(distribution.NameUnknown, "The repository with name 'm/img' does not exist in the registry with id '123'")))
			tr.target.Behave(fake.Intercept("^POST ", func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }))
		}},
		{name: "an account that is locked", target: account, want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing("^GET /token", -1, 401, coded(distribution.Unauthorized, "account is locked: too many failed login attempts")))},
		{name: "a page in place of the list of uploads", want: failure.WebPage, says: page, behave: onTarget(fake.Refusing("^POST ", -1, 200, "<html>login</html>"))},

		{name: "a manifest breaks off, once", behave: onSource(truncating("^GET .*/manifests/", 1))},
		{name: "a config breaks off, once each", behave: onSource(truncating("^GET .*/blobs/", 3))},
		{name: "blobs move on the registry itself", behave: onSource(hopping("^GET .*/blobs/", 4))},
		{name: "manifests move on the registry itself", behave: onSource(hopping("^(GET|HEAD) .*/manifests/", 1))},
		{name: "a content network that takes no login", source: fake.Options{Tokens: true}, behave: func(tr *trial) {
			store := fake.New(fake.Options{})
			store.Add("ns/img", "1", tr.image)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				store.ServeHTTP(w, r)
			}))
			tr.t.Cleanup(server.Close)
			tr.other = &url.URL{Scheme: "http", Host: named(server)}
			tr.source.Behave(fake.Intercept("^GET .*/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Header.Get("Authorization") == "" {
					next.ServeHTTP(w, r)
					return
				}
				w.Header().Set("Location", tr.other.ResolveReference(r.URL).String())
				w.WriteHeader(http.StatusTemporaryRedirect)
			}))
		}},
		{name: "no Content-Length", behave: onSource(headers(func(h http.Header, _ int) { h.Del("Content-Length") }))},
		{name: "connections are closed after each answer", behave: func(tr *trial) {
			closing := headers(func(h http.Header, _ int) { h.Set("Connection", "close") })
			tr.source.Behave(closing)
			tr.target.Behave(closing)
		}},
		{name: "parts of unknown wholes", layers: []int{3 << 20}, behave: onSource(farAway, headers(func(h http.Header, _ int) {
			if text, _, ok := strings.Cut(h.Get("Content-Range"), "/"); ok {
				h.Set("Content-Range", text+"/*")
			}
		}))},
		{name: "an upload is unknown, once", behave: onTarget(fake.Refusing("^PUT .*/uploads/", 1, 404, `{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN","message":"blob upload unknown to registry"}]}`))},
		{name: "a digest is invalid, once", behave: onTarget(fake.Refusing("^PUT .*/uploads/", 1, 400, `{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match uploaded content"}]}`))},
		{name: "an upload is 416, once", behave: onTarget(fake.Refusing("^PUT .*/uploads/", 1, 416, ""))},
		{name: "an upload is 500 although it was stored", behave: onTarget(storing("^PUT .*/uploads/", 1, 500))},
		{name: "a manifest is 504 although it was stored", behave: onTarget(storing("^PUT .*/manifests/", 1, 504))},
		{name: "manifests are always 504 although they were stored", behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.target.Behave(storing("^PUT .*/manifests/", -1, 504))
		}},
		{name: "a manifest's put is 500, once", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 500, ""))},
		{name: "a manifest's put is 400 without a code, once", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 400, "Bad Request"))},
		{name: "411 without a length", behave: onTarget(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodDelete && r.Header.Get("Content-Length") == "" && r.ContentLength < 0 {
					w.WriteHeader(http.StatusLengthRequired)
					return
				}
				next.ServeHTTP(w, r)
			})
		})},
		{name: "a token for one scope at a time", target: account,
			behave: onTarget(fake.Intercept("^GET /token", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if len(r.URL.Query()["scope"]) > 1 {
					w.WriteHeader(http.StatusBadRequest)
					return
				}
				next.ServeHTTP(w, r)
			}))},
		{name: "tokens that are forgotten after three requests", source: fake.Options{Tokens: true}, behave: onSource(forgetting(3))},
		{name: "tokens of the target that are forgotten after six requests", target: fake.Options{Tokens: true, Username: username, Password: password}, behave: onTarget(forgetting(6))},
		{name: "429 until a time that has passed", behave: onSource(refusingUntil("/manifests/1", 3, "Sat, 21 Nov 2020 11:00:00 GMT"))},
		{name: "429 for two minutes", want: failure.RateLimited, says: slower, behave: onSource(refusingUntil("/manifests/1", -1, "120"))},
		{name: "the token server asks for five seconds", source: fake.Options{Tokens: true}, behave: onSource(refusingUntil("^GET /token", 1, "5"))},
		{name: "digests by sha512", behave: onSource(headers(func(h http.Header, _ int) {
			if h.Get("Docker-Content-Digest") != "" {
				h.Set("Docker-Content-Digest", "sha512:"+strings.Repeat("a", 128))
			}
		}))},
		{name: "uploads begin by 204", behave: onTarget(fake.AnsweringAs("^POST ", 204))},
		{name: "uploads begin by 200", behave: onTarget(fake.AnsweringAs("^POST ", 200))},
		{name: "pieces are taken by 201", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodies(1<<20), fake.AnsweringAs("^PATCH ", 201))},
		{name: "pieces are taken by 200", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodies(1<<20), fake.AnsweringAs("^PATCH ", 200))},
		{name: "a manifest is taken by 202", behave: onTarget(fake.AnsweringAs("^PUT .*/manifests/", 202))},
		{name: "locations with a fragment", behave: onTarget(fake.Locating(func(at, _ string) string { return at + "#here" }))},
		{name: "locations in capitals", behave: onTarget(fake.Locating(func(at, host string) string { return "HTTP://" + strings.ToUpper(host) + at }))},
		{name: "uploads begin behind another slash", behave: onTarget(fake.Intercept("^POST .*/uploads/[?]", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.URL.Query().Get("again") == "" {
				w.Header().Set("Location", r.URL.Path+"?again=1&"+r.URL.RawQuery)
				w.WriteHeader(http.StatusPermanentRedirect)
				return
			}
			next.ServeHTTP(w, r)
		}))},
		{name: "a referrer that is not there", behave: onSource(fake.Intercept("/referrers/", func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("Content-Type", distribution.Index)
			_, _ = io.WriteString(w, `{"schemaVersion":2,"mediaType":"`+distribution.Index+`","manifests":[{"mediaType":"`+distribution.Manifest+`","size":100,"digest":"sha256:`+strings.Repeat("a", 64)+`"}]}`)
		}))},
		{name: "a listed manifest of another size than listed", memory: true, check: incomplete, behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.partial = true
			root, digest := tr.image.Root(), fake.Digest(tr.image.Manifests[1].Body)
			tr.source.PutManifest("ns/img", "1", root.MediaType, []byte(strings.Replace(string(root.Body), `"digest":"`+digest+`","size":`, `"digest":"`+digest+`","size":1`, 1)))
		}},
		{name: "the registry's root is 404", source: fake.Options{Tokens: true}, behave: onSource(fake.Refusing("^GET /v2/$", -1, 404, ""))},
		{name: "the registry's root is a page", behave: onTarget(fake.Refusing("^GET /v2/$", -1, 200, "<html>Welcome</html>"))},
		{name: "the source wakes up after ten seconds", behave: func(tr *trial) {
			began := tr.clock.Now()
			tr.source.Behave(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if tr.clock.Now().Sub(began) < 10*time.Second {
						w.WriteHeader(http.StatusBadGateway)
						return
					}
					next.ServeHTTP(w, r)
				})
			})
		}},
		{name: "406 to a manifest, once", behave: onSource(fake.Refusing("^GET .*/manifests/1", 1, 406, ""))},
		{name: "an empty blob, once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 200, ""))},
		{name: "206 to requests for wholes", behave: onSource(fake.AnsweringAs("^GET .*/blobs/", 206))},
		{name: "parts by 200", layers: []int{3 << 20}, behave: onSource(farAway, fake.Intercept("^GET .*/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			held := httptest.NewRecorder()
			next.ServeHTTP(held, r)
			w.Header().Set("Content-Length", strconv.Itoa(held.Body.Len()))
			if held.Code == 206 {
				held.Code = 200
			}
			w.WriteHeader(held.Code)
			_, _ = w.Write(held.Body.Bytes())
		}))},
		{name: "401 to an upload with a good token, twice", target: account, behave: onTarget(fake.Refusing("^POST ", 2, 401, ""))},
		{name: "401 to a manifest with a good token, once", target: account, behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 401, ""))},
		{name: "401 to a blob's end with a good token, once", target: account, behave: onTarget(fake.Refusing("^PUT .*/uploads/", 1, 401, ""))},
		{name: "403 to a manifest with a good token, once", target: account, behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 403, `{"errors":[{"code":"DENIED","message":"denied"}]}`))},
		{name: "parameters in capitals", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`BEARER REALM="http://HOST/token", SERVICE="fake"`))},
		{name: "spaces around the equals signs", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm = "http://HOST/token", service = "fake"`))},
		{name: "a realm with a query", source: fake.Options{Tokens: true}, behave: onSource(fake.Challenging(`Bearer realm="http://HOST/token?a=b",service="fake"`))},
		{name: "a token by 201", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringAs("^GET /token", 201))},
		{name: "a fraction of a second", behave: onSource(refusingUntil("/manifests/1", 2, "0.5"))},
		{name: "a time that is no time", behave: onSource(refusingUntil("/manifests/1", 2, "soon"))},
		{name: "502 to three uploads", behave: onTarget(fake.Refusing("^POST ", 3, 502, "<html>502</html>"))},
		{name: "408 to a blob, once", behave: onSource(fake.Refusing("^GET .*/blobs/", 1, 408, ""))},
		{name: "421 to a manifest, once", behave: onSource(fake.Refusing("^GET .*/manifests/1", 1, 421, ""))},
		{name: "500 to a third of everything", behave: func(tr *trial) {
			every := func(r *fake.Registry) {
				n := 0
				r.Behave(fake.Intercept("", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					tr.clock.mu.Lock()
					n++
					fails := n%3 == 0
					tr.clock.mu.Unlock()
					if fails {
						_, _ = io.Copy(io.Discard, r.Body)
						w.WriteHeader(500)
						return
					}
					next.ServeHTTP(w, r)
				}))
			}
			every(tr.source)
			every(tr.target)
		}},
		{name: "a piece is 502, once", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodies(1<<20), fake.Refusing("^PATCH ", 1, 502, ""))},
		{name: "a piece is 404, once", layers: []int{3 << 20}, behave: onTarget(fake.LimitingBodies(1<<20), fake.Refusing("^PATCH ", 1, 404, ""))},
		{name: "sessions cannot be asked for their offset", layers: []int{3 << 20}, behave: onTarget(fake.Refusing("^GET .*/uploads/", -1, 405, ""), fake.Refusing("^PUT .*/uploads/", 1, 500, ""))},
		{name: "a page for a tag that is not there", behave: onTarget(fake.Refusing("^(GET|HEAD) .*/manifests/1$", 1, 200, "<html>not here</html>"))},
		{name: "a name that the target does not allow", want: failure.TargetRefused, says: notTaken,
			behave: onTarget(fake.Refusing("^POST ", -1, 400, `{"errors":[{"code":"NAME_INVALID","message":"invalid repository name"}]}`))},
		{name: "a repository that was moved", behave: onSource(fake.Intercept("/v2/ns/img/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.URL.Query().Get("moved") == "" {
				w.Header().Set("Location", r.URL.Path+"?moved=1")
				w.WriteHeader(http.StatusMovedPermanently)
				return
			}
			next.ServeHTTP(w, r)
		}))},
		{name: "referrers without an end", behave: onSource(fake.Intercept("/referrers/", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Link", `<`+r.URL.Path+`?n=`+r.URL.Query().Get("n")+`1>; rel="next"`)
			_, _ = io.WriteString(w, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
		}))},
		{name: "a very long refusal", want: failure.SourceRefused, says: refused, behave: onSource(fake.Refusing("/manifests/", -1, 403, strings.Repeat("no ", 100_000)))},
		{name: "an error in another form", want: failure.Private, says: private, behave: onSource(fake.Refusing("/manifests/", -1, 403, `{"error":"forbidden","message":"no"}`))},
	}
}

// truncating truncates matching responses, a number of times.
func truncating(match string, times int) fake.Behaviour {
	return fake.InterceptFirst(match, times, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		held := httptest.NewRecorder()
		next.ServeHTTP(held, r)
		maps.Copy(w.Header(), held.Header())
		w.Header().Set("Content-Length", strconv.Itoa(held.Body.Len()))
		w.WriteHeader(held.Code)
		_, _ = w.Write(held.Body.Bytes()[:held.Body.Len()/2])
	})
}

// hopping redirects matching requests n times on the registry itself.
func hopping(match string, n int) fake.Behaviour {
	return fake.Intercept(match, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		hop, _ := strconv.Atoi(r.URL.Query().Get("hop"))
		if hop < n {
			w.Header().Set("Location", "?hop="+strconv.Itoa(hop+1))
			w.WriteHeader(http.StatusFound)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// storing executes matching requests, and answers the first n with a status; a
// negative number means all.
func storing(match string, n, status int) fake.Behaviour {
	return fake.InterceptFirst(match, n, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(status)
	})
}

// forgetting accepts a token for n requests.
func forgetting(n int) fake.Behaviour {
	var mu sync.Mutex
	given, used := 0, map[string]int{}
	return fake.Intercept("", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == "/token" {
			mu.Lock()
			given++
			mu.Unlock()
			next.ServeHTTP(w, r)
			return
		}
		text := r.Header.Get("Authorization")
		mu.Lock()
		used[text+strconv.Itoa(given)]++
		over := text != "" && used[text+strconv.Itoa(given)] > n
		mu.Unlock()
		if over {
			r.Header.Del("Authorization")
		}
		next.ServeHTTP(w, r)
	})
}

// refusingUntil answers 429 with a date, a number of times.
func refusingUntil(match string, times int, until string) fake.Behaviour {
	return fake.InterceptFirst(match, times, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", until)
		w.WriteHeader(http.StatusTooManyRequests)
	})
}
