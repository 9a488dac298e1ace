package conformance

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
)

// pushing matches the requests that change something.
const pushing = "^(POST|PUT|PATCH) "

// refusals are refusals whose text says another thing than their status.
func refusals() []behaviour {
	account := fake.Options{Tokens: true, Username: username, Password: password}
	const waf = "<html><title>Request Rejected</title>The requested URL was rejected. Your support ID is: 1</html>"
	denied := func(message string) string { return coded(distribution.Denied, message) }
	return []behaviour{
		// The target accepts no pushes.
		{name: "Google's API is not enabled", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing(pushing, -1, 403, denied("Artifact Registry API has not been used in project 123456 before or it is disabled. Enable it by visiting https://console.developers.google.com/ then retry.")))},
		{name: "quay.io is read-only", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing(pushing, -1, 405, denied("System is currently read-only. Pulls will succeed but all write operations are currently suspended.")))},
		{name: "Harbor is read-only", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing(pushing, -1, 403, denied("The system is in read only mode. Any modification is prohibited.")))},
		{name: "pushes are disabled", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing(pushing, -1, 405, coded("METHOD NOT ALLOWED", "Pushes to the registry are currently disabled. Please contact the administrator for more information.")))},
		{name: "a firewall of Azure", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing(pushing, -1, 403, denied("client with IP '192.0.2.1' is not allowed access. Refer https://aka.ms/acr/firewall to grant access.")))},
		{name: "the registry is off for the project", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing(pushing, -1, 403, denied("container registry is turned off for this project")))},
		{name: "a firewall's page to manifests", want: failure.TargetClosed, says: shut, check: oneTag,
			behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 403, waf))},
		{name: "a firewall's page to a manifest, twice", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 2, 403, waf))},
		{name: "a firewall in JSON", want: failure.TargetClosed, says: shut, check: oneTag,
			behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 403, `{"message":"Request denied by the web application firewall"}`))},
		{name: "a reason that is in no list", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing(pushing, -1, 403, denied("writes have to wait while this repository is being migrated")))},
		{name: "a portal in place of the registry", want: failure.TargetClosed, says: shut,
			behave: onTarget(fake.Refusing("^POST ", -1, 405, "<html><head><title>405 Not Allowed</title></head></html>"))},
		{name: "a page to a manifest, twice", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 2, 405, "<html><head><title>405 Not Allowed</title></head></html>"))},
		{name: "an expired login", want: failure.TargetLogin, says: login,
			behave: onTarget(fake.Refusing(pushing, -1, 403, denied("Your authorization token has expired. Reauthenticate and try again.")))},

		// The source does not serve.
		{name: "a country", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, denied("This content is not available in your country or region due to export restrictions.")))},
		{name: "an account that is suspended", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, denied("The account that owns this repository is suspended: payment is overdue")))},
		{name: "a challenge to browsers", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, `<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head></html>`))},
		{name: "a license", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, denied("You must accept the license agreement of this product before you can pull it")))},
		{name: "a company's proxy in plain text", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, "Access to this site is denied by your organization's policy."))},
		{name: "a daily quota of the source", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, denied("Daily download quota exceeded; it resets at 00:00 UTC")))},
		{name: "a policy about downloads", want: failure.SourceRefused, says: refused,
			behave: onSource(fake.Refusing("^GET .*/blobs/", -1, 403, `{"errors":[{"status":403,"message":"Artifact download request rejected: layer was not downloaded due to the download blocking policy configured in Xray"}]}`))},
		{name: "a pull limit by 403", want: failure.RateLimited, says: slower,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, denied("You have reached your pull rate limit")))},
		{name: "an anonymous pull", want: failure.Private, says: private,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, denied("anonymous access is disabled")))},

		// The tag.
		{name: "a protected tag", want: failure.TagImmutable, says: immutable, check: oneTag, behave: func(tr *trial) {
			older(tr, 0)
			tr.target.Behave(fake.Refusing("^PUT .*/manifests/1$", -1, 403, denied("You do not have permission to push to this tag: it is protected by a rule")))
		}},
		{name: "a listed manifest cannot be stored again", behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.target.Behave(fake.Intercept("^PUT .*/manifests/sha256:", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				next.ServeHTTP(httptest.NewRecorder(), r)
				distribution.WriteError(w, http.StatusBadRequest, "UNKNOWN", "Repository does not allow updating assets: docker-hosted")
			}))
		}},
		{name: "403 in the detail of a manifest", want: failure.TargetLogin, says: login, check: oneTag, behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.target.Behave(fake.Refusing("^PUT .*/manifests/", -1, 400, `{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid","detail":{"description":"HTTP 403 Forbidden"}}]}`))
		}},
		{name: "a conflict of tags", want: failure.TagImmutable, says: immutable, check: oneTag, behave: func(tr *trial) {
			older(tr, 0)
			tr.target.Behave(fake.Refusing("^PUT .*/manifests/1$", -1, 409, coded("TAG_ALREADY_EXISTS", "conflict: it has a different digest")))
		}},
		{name: "an upper limit", want: failure.Quota, says: full,
			behave: onTarget(fake.Refusing("^POST ", -1, 403, denied("The number of repositories has reached the upper limit")))},
		{name: "a part is unknown by another code, twice", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 2, 400, coded(distribution.ManifestInvalid, "manifest invalid: blob unknown to registry")))},
		{name: "a part is unknown in Amazon's words, twice", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 2, 400, coded("UNKNOWN", "Layers with digests '[sha256:0]' required for pushing image do not exist")))},
		{name: "a page says that there is no place for a manifest", want: failure.TargetClosed, says: shut, behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 404, "<html>404 Not Found</html>"))},
		{name: "data is a page by 200", want: failure.WebPage, says: page, behave: onTarget(fake.Refusing("^PUT .*/uploads/", -1, 200, "<html>Sign in</html>"))},
		{name: "data is a page by 200, once", behave: onTarget(fake.Refusing("^PUT .*/uploads/", 1, 200, "<html>Sign in</html>"))},
		{name: "data is denied by 200", want: failure.TargetLogin, says: login, behave: onTarget(fake.Refusing("^PUT .*/uploads/", -1, 200, denied("requested access to the resource is denied")))},
		{name: "a full disk by 500", want: failure.Quota, says: full,
			behave: onTarget(fake.Refusing("^(PUT|PATCH) .*/uploads/", -1, 500, coded("UNKNOWN", "write /var/lib/registry: no space left on device")))},
		{name: "too many tags", want: failure.Quota, says: full, check: oneTag,
			behave: onTarget(fake.Refusing("^PUT .*/manifests/", -1, 403, denied("the number of tags exceeds the limit of this repository")))},

		// Temporary refusals.
		{name: "a cache that does not have the listed manifests yet", behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.source.Behave(times(2, "^GET .*/manifests/sha256:", 404, coded(distribution.ManifestUnknown, "Requested image not found")))
		}},
		{name: "each blob is 401 once", source: fake.Options{Tokens: true}, behave: onSource(times(1, "^GET .*/blobs/", 401, coded(distribution.Unauthorized, "authentication required")))},
		{name: "the uploads of a new repository are 401 three times", target: account, behave: onTarget(fake.InterceptFirst("^POST ", 3, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="fake",scope="repository:m/img:pull,push"`, r.Host))
			distribution.WriteError(w, http.StatusUnauthorized, distribution.Unauthorized, "access to the requested resource is not authorized")
		}))},
		{name: "another scope for each kind of request", behave: onSource(scopesByKind())},

		{name: "the token server answers an error by 200, once", source: fake.Options{Tokens: true}, behave: onSource(fake.Refusing("^GET /token", 1, 200, coded("UNKNOWN", "try again")))},

		{name: "a manifest's put is a page by 200, once", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 200, "<!DOCTYPE html><title>Sign in to the network</title>"))},
		{name: "a manifest's put is an error by 200, once", behave: onTarget(fake.Refusing("^PUT .*/manifests/", 1, 200, coded("UNKNOWN", "internal error")))},
		{name: "a manifest's put is a page by 201", behave: onTarget(fake.Intercept("^PUT .*/manifests/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "<html>created</html>")
		}))},
		{name: "a token without the right to push", target: account, want: failure.TargetLogin, says: login,
			behave: onTarget(fake.Intercept(pushing, func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
				w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="fake",scope="repository:m/img:pull,push",error="insufficient_scope"`, r.Host))
				distribution.WriteError(w, http.StatusForbidden, distribution.Denied, "requested access to the resource is denied")
			})), check: func(t *testing.T, o outcome) {
				if o.waited > 10*time.Second {
					t.Errorf("it waited %v for a right that the account does not have", o.waited)
				}
			}},
		{name: "layers by 303, at an address with spaces", behave: func(tr *trial) {
			tr.source.Behave(fake.Intercept("^GET .*/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.URL.Query().Get("file") == "" {
					w.Header().Set("Location", r.URL.Path+"?file=a b ü")
					w.WriteHeader(http.StatusSeeOther)
					return
				}
				next.ServeHTTP(w, r)
			}))
		}},
		{name: "503 until a date", behave: func(tr *trial) {
			until := tr.clock.Now().Add(3 * time.Second)
			tr.source.Behave(fake.InterceptFirst("/manifests/1", 2, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
				w.Header().Set("Retry-After", until.UTC().Format(http.TimeFormat))
				w.WriteHeader(http.StatusServiceUnavailable)
			}))
		}},
		{name: "every push is a page by 200", want: failure.WebPage, says: page, behave: onTarget(fake.Refusing(pushing, -1, 200, "<html>Sign in</html>"))},
		{name: "503 that is a limit, three times", behave: onSource(fake.Refusing("/manifests/1", 3, 503, coded(distribution.TooManyRequests, "too many requests, please retry")))},
		{name: "a limit of Cloudflare by 403", want: failure.RateLimited, says: slower,
			behave: onSource(fake.Refusing("/v2/.", -1, 403, "<html><title>Access denied</title>Error 1015 You are being rate limited</html>"))},
		{name: "a name that the token server does not take", target: account, want: failure.TargetRefused, says: noToken,
			behave: onTarget(fake.Refusing("^GET /token", -1, 400, `{"details":"invalid repository name"}`))},
		{name: "the length of a blob and no blob, twice each", behave: onSource(cutting(2, "^GET .*/blobs/"))},

		{name: "a token server without GET", target: account, behave: onTarget(fake.PostedTokens(username, password))},
		{name: "a token server without any method", target: account, want: failure.TargetRefused, says: noToken, behave: onTarget(fake.Refusing(" /token", -1, 405, ""))},
		{name: "a token server that is not there", target: account, want: failure.TargetRefused, says: noToken, behave: onTarget(fake.Refusing(" /token", -1, 404, "404 page not found"))},
		{name: "a page in place of the token server", target: account, want: failure.TargetRefused, says: noToken, behave: onTarget(fake.Refusing(" /token", -1, 400, "<html>400 Bad Request</html>"))},
		{name: "a page refuses the token server", target: account, want: failure.TargetRefused, says: noToken, behave: onTarget(fake.Refusing(" /token", -1, 403, "<html>403 Forbidden</html>"))},
		{name: "a source's token server without GET", source: fake.Options{Tokens: true}, want: failure.SourceRefused, says: noToken, behave: onSource(fake.Refusing(" /token", -1, 501, "<html>501</html>"))},

		// The same host.
		{name: "locations with the port of HTTP", behave: onTarget(fake.Locating(func(at, host string) string {
			name, _, _ := strings.Cut(host, ":")
			return "http://" + name + ":80" + at
		}))},
		{name: "a realm with TLS at a port without", target: account, behave: onTarget(fake.Challenging(`Bearer realm="https://HOST/token",service="fake"`))},

		{name: "locations with an internal port", behave: func(tr *trial) {
			tr.tls = true
			tr.target.Behave(fake.Locating(func(at, _ string) string { return "http://example.com:5000" + at }))
		}},
		{name: "a realm with an internal port", target: account, behave: func(tr *trial) {
			tr.tls = true
			tr.target.Behave(fake.Challenging(`Bearer realm="http://example.com:8080/token",service="fake"`))
		}},

		// Uploads.
		{name: "416 for a request that is too large", layers: []int{5 << 20}, behave: onTarget(fake.LimitingBodiesBy(2<<20, 416, coded("REQUESTED_RANGE_NOT_SATISFIABLE", "the request body is too large and exceeds the maximum permissible limit of 2.00MiB")))},
		{name: "requests of 1 MiB at most and no pieces by 501", layers: []int{4 << 20}, want: failure.RequestLimit, says: limit,
			behave: onTarget(fake.LimitingBodies(1<<20), fake.Refusing("^PATCH ", -1, 501, "<html>501 Not Implemented</html>"))},
		{name: "requests of 1 MiB at most and no pieces by 405", layers: []int{4 << 20}, want: failure.RequestLimit, says: limit,
			behave: onTarget(fake.LimitingBodies(1<<20), fake.Refusing("^PATCH ", -1, 405, ""))},
		{name: "pieces of 3 MiB at least and 4 MiB at most", layers: []int{20 << 20}, behave: onTarget(fake.LimitingBodies(4<<20), fake.DemandingPieces(3<<20))},
		{name: "a PUT with data is 404", behave: onTarget(fake.Intercept("^PUT .*/uploads/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.ContentLength > 0 {
				_, _ = io.Copy(io.Discard, r.Body)
				distribution.WriteError(w, http.StatusNotFound, distribution.BlobUnknown, "blob unknown to registry")
				return
			}
			next.ServeHTTP(w, r)
		}))},
		{name: "a blob that another upload has stored", behave: onTarget(fake.Intercept("^PUT .*/uploads/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			next.ServeHTTP(httptest.NewRecorder(), r)
			distribution.WriteError(w, http.StatusBadRequest, distribution.BlobUploadInvalid, "blob upload invalid: the asset cannot be updated")
		}))},

		{name: "the session of a refused mount is broken", behave: onTarget(fake.Intercept("^POST .*mount=", func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			w.Header().Set("Location", r.URL.Path+"?mount="+r.URL.Query().Get("mount")+"/c43c16a9")
			w.WriteHeader(http.StatusAccepted)
		}), fake.Refusing("^PUT .*mount=", -1, 404, "404 page not found"))},
		{name: "a registry that takes a part of each piece", layers: []int{6 << 20}, behave: onTarget(fake.LimitingBodies(4<<20), fake.TakingPartOfPieces(1<<20))},
		{name: "layers that are labelled as compressed on the way", behave: onSource(fake.Intercept("^GET .*/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			w.Header().Set("Content-Encoding", "gzip")
			next.ServeHTTP(w, r)
		}))},

		// Parts.
		{name: "a listed manifest of 5 MiB", memory: true, check: incomplete, behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.partial = true
			small, root := tr.image.Manifests[1], tr.image.Root()
			large := append([]byte(strings.Repeat(" ", 5<<20)), small.Body...)
			entry := func(body []byte) string {
				return `"digest":"` + fake.Digest(body) + `","size":` + strconv.Itoa(len(body))
			}
			tr.source.PutManifest("ns/img", "", small.MediaType, large)
			tr.source.PutManifest("ns/img", "1", root.MediaType, []byte(strings.Replace(string(root.Body), entry(small.Body), entry(large), 1)))
		}},
		{name: "a layer of one platform is 451", check: incomplete, behave: func(tr *trial) {
			tr.use(amd64AndArm64)
			tr.partial = true
			manifest := string(tr.image.Manifests[1].Body)
			layer := manifest[strings.LastIndex(manifest, "sha256:"):][:len("sha256:")+64]
			tr.source.Behave(fake.Refusing("^GET .*/blobs/"+layer, -1, 451, "Unavailable For Legal Reasons"))
		}},
		{name: "parts in several pieces of one response", layers: []int{3 << 20}, behave: onSource(farAway, fake.Intercept("^GET .*/blobs/", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if r.Header.Get("Range") == "" {
				next.ServeHTTP(w, r)
				return
			}
			w.Header().Set("Content-Type", "multipart/byteranges; boundary=x")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, "--x\r\nContent-Range: bytes 0-9/10\r\n\r\n0123456789\r\n--x--\r\n")
		}))},
	}
}

// oneTag checks that no tag but the requested one was written.
func oneTag(t *testing.T, o outcome) {
	if tags := o.trial.target.Tags("m/img"); len(tags) > 1 {
		t.Errorf("the target has the tags %v", tags)
	}
}

// cutting sends only the header of the response to every matching path, n times.
func cutting(n int, match string) fake.Behaviour {
	var mu sync.Mutex
	seen := map[string]int{}
	return fake.Intercept(match, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		held := httptest.NewRecorder()
		next.ServeHTTP(held, r)
		w.Header().Set("Content-Length", strconv.Itoa(held.Body.Len()))
		mu.Lock()
		seen[r.URL.Path]++
		cut := seen[r.URL.Path] <= n
		mu.Unlock()
		if cut {
			w.WriteHeader(held.Code)
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(held.Body.Bytes())
	})
}

// scopesByKind demands tokens for one repository for manifests and for another
// one for blobs.
func scopesByKind() fake.Behaviour {
	manifests, blobs := fake.NamingScopes("virtual/img"), fake.NamingScopes("store/img")
	return func(next http.Handler) http.Handler {
		forManifests, forBlobs := manifests(next), blobs(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/blobs/") {
				forBlobs.ServeHTTP(w, r)
			} else {
				forManifests.ServeHTTP(w, r)
			}
		})
	}
}
