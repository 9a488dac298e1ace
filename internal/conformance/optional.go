package conformance

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

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
		{name: "a large request is 404 of a page", layers: large, behave: onTarget(limitingAs(1<<20, 404,
			"<html><title>IIS 10.0 Detailed Error - 404.13 - Not Found</title>The request filtering module is configured to deny a request that exceeds the request content length.</html>"))},
		{name: "a large request is 404 of a page without a reason", layers: large, behave: onTarget(limitingAs(1<<20, 404, "<html>404 Not Found</html>"))},
		{name: "a large request is 417", layers: large, behave: onTarget(limitingAs(1<<20, 417, `{"message":"Request size limit exceeded"}`))},
		{name: "a large request is 400 of a store", layers: large, behave: onTarget(limitingAs(1<<20, 400,
			"<Error><Code>EntityTooLarge</Code><Message>Your proposed upload exceeds the maximum allowed size</Message></Error>"))},
		{name: "a large request is 403 of a proxy", layers: large, behave: onTarget(limitingAs(1<<20, 403, "<html>The request or reply is too large.</html>"))},
		{name: "a large request is 500 of a server", layers: large, behave: onTarget(limitingAs(1<<20, 500, "Maximum upload size exceeded"))},
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
		{name: "a manifest is unknown by 200", want: failure.NotFound, says: missing,
			behave: onSource(fake.Refusing("/manifests/1", -1, 200, coded("MANIFEST_UNKNOWN", "manifest unknown")))},
		{name: "an upload is denied by 200", want: failure.TargetLogin, says: login,
			behave: onTarget(fake.Refusing("^POST ", -1, 200, coded("DENIED", "requested access to the resource is denied")))},

		// Sessions.
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
