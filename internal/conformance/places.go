package conformance

import (
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/imageferry/ferry/internal/failure"
	fake "github.com/imageferry/ferry/internal/fakeregistry"
)

// places are addresses and challenges of which some lead nowhere.
func places() []behaviour {
	anonymous := fake.Options{Tokens: true}
	located := func(tr *trial) {
		tr.target.Behave(fake.Locating(func(at, _ string) string { return tr.other.String() + at }))
	}
	return []behaviour{
		{name: "uploads have another name of the registry, which takes no login", behave: func(tr *trial) {
			elsewhere(tr, fake.Refusing("", -1, http.StatusUnauthorized, ""))
			located(tr)
		}},
		{name: "uploads have another name, which is of a website", behave: func(tr *trial) {
			elsewhere(tr, fake.Refusing("", -1, http.StatusNotFound, "<html>404</html>"))
			located(tr)
		}},
		{name: "uploads have another name, where nobody listens", behave: func(tr *trial) {
			tr.other = nobody()
			located(tr)
		}},
		{name: "blobs move in a circle", want: failure.BadAddress, says: inside, behave: onSource(hopping("^GET .*/blobs/", 1000))},
		{name: "pushes move to a login page", want: failure.WebPage, says: page, behave: func(tr *trial) {
			elsewhere(tr, fake.Refusing("", -1, http.StatusOK, "<html>Sign in</html>"))
			tr.target.Behave(fake.RedirectingWrites("^(POST|PUT|PATCH) ", tr.other))
		}},
		{name: "an anonymous token is at another host", source: anonymous, behave: func(tr *trial) {
			server := httptest.NewServer(tr.source.Specified())
			tr.t.Cleanup(server.Close)
			tr.other = &url.URL{Scheme: "http", Host: named(server)}
			tr.source.Behave(fake.RedirectingWrites("^GET /token", tr.other))
		}},
		{name: "two token servers, of which the first issues none", source: anonymous,
			behave: onSource(fake.Challenging(`Bearer realm="http://HOST/dead",service="fake"`, `Bearer realm="http://HOST/token",service="fake"`))},
		{name: "two token servers, of which the first does not listen", source: anonymous,
			behave: onSource(fake.Challenging(`Bearer realm="` + nobody().String() + `/token",service="fake", Bearer realm="http://HOST/token",service="fake"`))},
		{name: "a token server that issues none beside Basic", target: fake.Options{Username: username, Password: password, Private: true},
			behave: onTarget(fake.Challenging(`Bearer realm="http://HOST/dead",service="fake"`, `Basic realm="registry"`))},
	}
}

// nobody returns an address where nobody listens.
func nobody() *url.URL {
	server := httptest.NewServer(nil)
	defer server.Close()
	return &url.URL{Scheme: "http", Host: named(server)}
}
