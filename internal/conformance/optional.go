package conformance

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
)

// optional are refusals of what can be done in another way.
func optional() []behaviour {
	const data = "^(PUT|PATCH) .*/uploads/"
	large := []int{3 << 20}
	return []behaviour{
		// The body waits for the response, or is sent again.
		{name: "uploads move after their body was read", layers: []int{100_000, 3 << 20}, behave: func(tr *trial) {
			tr.target.Behave(reading(fake.RedirectingWrites(data, tr.other)))
		}},
		{name: "pieces move after their body was read", layers: large, behave: func(tr *trial) {
			tr.target.Behave(reading(fake.RedirectingWrites(data, tr.other)))
			tr.target.Behave(fake.LimitingBodies(1 << 20))
		}},
		{name: "uploads move, and a waiting body is 417", layers: []int{100_000, 3 << 20}, behave: func(tr *trial) {
			elsewhere(tr, refusingExpect)
			tr.target.Behave(fake.RedirectingWrites(data, tr.other))
		}},
		{name: "a waiting body is 417 before the upload moves", layers: []int{100_000, 3 << 20}, behave: func(tr *trial) {
			tr.target.Behave(fake.RedirectingWrites(data, tr.other))
			tr.target.Behave(refusingExpect)
		}},

		// A limit, in many words.
		{name: "a large request is 404 of a page", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 404,
			"<html><title>IIS 10.0 Detailed Error - 404.13 - Not Found</title>The request filtering module is configured to deny a request that exceeds the request content length.</html>"))},
		{name: "a large request is 404 of a page without a reason", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 404, "<html>404 Not Found</html>"))},
		{name: "a large request is 417", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 417, `{"message":"Request size limit exceeded"}`))},
		{name: "a large request is 400 of a store", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 400,
			"<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message></Error>"))},
		{name: "a large request is 403 of a proxy", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 403, "<html>The request or reply is too large.</html>"))},
		{name: "a large request is 500 of a server", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 500, "Maximum upload size exceeded"))},
		{name: "a large request is 400 without a reason", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 400, "Bad Request"))},
		{name: "a large request is 403 without a reason", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 403, ""))},
		{name: "a large request is 499", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 499, ""))},
		{name: "a large request is 500 without a reason", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 500, "internal error"))},
		{name: "a large request is a page by 503", layers: large, behave: onTarget(fake.LimitingBodiesBy(1<<20, 503, "<html>503</html>"))},
		{name: "the session is gone after 413", layers: large, behave: onTarget(forgettingTooLarge(1 << 20))},
		{name: "pieces of 1 MiB at most, said before", layers: large, behave: onTarget(headers(func(h http.Header, _ int) { h.Set("OCI-Chunk-Max-Length", "1048576") }), fake.LimitingBodiesBy(1<<20, 500, "")),
			check: func(t *testing.T, o outcome) {
				if n := o.trial.target.Count("^PATCH "); n > 3 {
					t.Errorf("%d pieces", n)
				}
			}},
		{name: "requests of 1 MiB at most and no pieces by 403", layers: large, want: failure.RequestLimit, says: limit,
			behave: onTarget(fake.LimitingBodies(1<<20), fake.Refusing("^PATCH ", -1, 403, "<html>403 Forbidden</html>"))},
		{name: "a quota by 413", layers: large, want: failure.Quota, says: full, behave: onTarget(fake.Refusing(data, -1, 413, "quota exceeded"))},

		// Sources.
		{name: "a website", want: failure.WebPage, says: page, behave: onSource(fake.Refusing("/", -1, 404, "<html>404</html>"))},
		{name: "a website in place of the target", want: failure.WebPage, says: page, behave: onTarget(fake.Refusing("/", -1, 404, "<html>404</html>"))},
		{name: "401 of a page, twice", behave: onSource(fake.InterceptFirst("/manifests/1", 2, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
			w.Header().Set("WWW-Authenticate", `Basic realm="Restricted"`)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, "<html>401 Authorization Required</html>")
		}))},
		{name: "a token ends with a line", source: fake.Options{Tokens: true}, behave: onSource(fake.AnsweringTokens(`{"token":"TOKEN\n"}`))},
		{name: "a manifest is unknown by 200", want: failure.NotFound, says: missing,
			behave: onSource(fake.Refusing("/manifests/1", -1, 200, coded("MANIFEST_UNKNOWN", "manifest unknown")))},
		{name: "an upload is denied by 200", want: failure.TargetLogin, says: login,
			behave: onTarget(fake.Refusing("^POST ", -1, 200, coded("DENIED", "requested access to the resource is denied")))},

		{name: "everything by 203", behave: onSource(fake.AnsweringAs("^GET .*/(manifests|blobs)/", 203))},
		{name: "a manifest without a type", memory: true, behave: func(tr *trial) {
			var m map[string]any
			if err := json.Unmarshal(tr.image.Root().Body, &m); err != nil {
				tr.t.Fatal(err)
			}
			delete(m, "mediaType")
			body, err := json.Marshal(m)
			if err != nil {
				tr.t.Fatal(err)
			}
			tr.source.PutManifest("ns/img", "1", tr.image.Root().MediaType, body)
			tr.source.Behave(headers(func(h http.Header, _ int) { h["Content-Type"] = nil }))
		}},

		// Sessions.
		{name: "sessions have a number and no address", memory: true, behave: onTarget(fake.Intercept("^POST ", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			held := httptest.NewRecorder()
			next.ServeHTTP(held, r)
			at := held.Header().Get("Location")
			w.Header().Set("Docker-Upload-UUID", at[strings.LastIndexByte(at, '/')+1:])
			w.WriteHeader(held.Code)
		}))},
		{name: "data is 429 twice", behave: onTarget(refusingUntil(data, 2, "1"))},
		{name: "PATCH is 403 after a broken PUT", layers: large, behave: onTarget(cuttingOnce("^PUT .*/uploads/", 1<<20), fake.Refusing("^PATCH ", -1, 403, "<html>403</html>"))},
		{name: "PATCH is 400 after a broken PUT", layers: large, behave: onTarget(cuttingOnce("^PUT .*/uploads/", 1<<20), fake.Refusing("^PATCH ", -1, 400, ""))},
		{name: "sessions that are 500 when asked for their offset", layers: large, behave: onTarget(fake.Refusing("^GET .*/uploads/", -1, 500, ""), fake.Refusing("^PUT .*/uploads/", 1, 500, ""))},
		{name: "sessions that are a page when asked for their offset", layers: large, behave: onTarget(fake.Refusing("^GET .*/uploads/", -1, 200, "<html></html>"), fake.Refusing("^PUT .*/uploads/", 1, 500, ""))},
		{name: "sessions that end the connection when asked for their offset", layers: large, behave: onTarget(breaking("^GET .*/uploads/"), fake.Refusing("^PUT .*/uploads/", 1, 500, ""))},

		{name: "manifests are always 504 although they were stored, without HEAD", behave: func(tr *trial) {
			tr.target.Behave(storing("^PUT .*/manifests/", -1, 504))
			tr.target.Behave(fake.Refusing("^HEAD ", -1, 405, ""))
		}},
	}
}

// forgettingTooLarge refuses requests with more bytes, and ends their sessions.
func forgettingTooLarge(limit int64) fake.Behaviour {
	var gone sync.Map
	return fake.Intercept("/uploads/.", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.ContentLength > limit {
			gone.Store(r.URL.Path, true)
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		} else if _, ended := gone.Load(r.URL.Path); ended {
			w.WriteHeader(http.StatusNotFound)
		} else {
			next.ServeHTTP(w, r)
		}
	})
}

// reading makes a behaviour respond after the body of the request was read.
func reading(b fake.Behaviour) fake.Behaviour {
	return func(next http.Handler) http.Handler {
		behaving := b(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/uploads/") {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			behaving.ServeHTTP(w, r)
		})
	}
}

// refusingExpect refuses requests whose body waits for the response.
func refusingExpect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Expect") != "" {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// elsewhere puts a behaviour in front of the other host.
func elsewhere(tr *trial, b fake.Behaviour) {
	server := httptest.NewServer(b(tr.target.Specified()))
	tr.t.Cleanup(server.Close)
	tr.other.Host = named(server)
}
