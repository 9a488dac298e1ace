package distribution

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"testing"
)

func TestPaths(t *testing.T) {
	for path, want := range map[string]Endpoint{
		"/v2/a/manifests/1":          {"a", Manifests, "1"},
		"/v2/a/b/c/blobs/sha256:00":  {"a/b/c", Blobs, "sha256:00"},
		"/v2/a/blobs/uploads/":       {"a", Uploads, ""},
		"/v2/a/blobs/uploads/x-1":    {"a", Uploads, "x-1"},
		"/v2/a/tags/list":            {"a", Tags, "list"},
		"/v2/a/referrers/sha256:00":  {"a", Referrers, "sha256:00"},
		"/v2/a/blobs/b/manifests/1":  {"a/blobs/b", Manifests, "1"},
		"/v2/manifests/manifests/mn": {"manifests", Manifests, "mn"},
	} {
		got, ok := ParsePath(path)
		if !ok || got != want || got.Path() != path {
			t.Errorf("%s is %+v %v, want %+v", path, got, ok, want)
		}
	}
	for _, path := range []string{"", "/", Root, "/v2/a", "/v2//manifests", "/v1/a/manifests/1", "/v2/a/manifests/1/2"} {
		if got, ok := ParsePath(path); ok {
			t.Errorf("%s is %+v", path, got)
		}
	}
}

// FuzzPaths compares ParsePath with a regular expression for the paths.
func FuzzPaths(f *testing.F) {
	endpoint := regexp.MustCompile(`(?s)^/v2/(.+)/(manifests|blobs/uploads|blobs|tags|referrers)/([^/]*)$`)
	for _, path := range []string{"/v2/a/manifests/1", "/v2/a/blobs/uploads/", "/v2/blobs/uploads/x", "/v2///tags/", "/v2/a/blobs/uploads/blobs/x", "/v2/a\n/tags/\n"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		var want Endpoint
		m := endpoint.FindStringSubmatch(path)
		if m != nil {
			want = Endpoint{m[1], Kind(m[2]), m[3]}
		}
		if got, ok := ParsePath(path); got != want || ok != (m != nil) {
			t.Errorf("%q is %+v %v, want %+v", path, got, ok, want)
		}
	})
}

func TestErrors(t *testing.T) {
	w := httptest.NewRecorder()
	WriteError(w, http.StatusNotFound, ManifestUnknown, "no such tag")
	if got := ParseErrors(w.Body.Bytes()); len(got) != 1 || got[0].Code != ManifestUnknown || got[0].Message != "no such tag" || w.Code != http.StatusNotFound {
		t.Errorf("%d, %+v", w.Code, got)
	}
	for _, body := range []string{"", "<html>", "[]", `"errors"`, "{}", `{"errors":null}`} {
		if got := ParseErrors([]byte(body)); len(got) > 0 {
			t.Errorf("%q is %+v", body, got)
		}
	}
}

func TestNextPage(t *testing.T) {
	for link, want := range map[string]string{
		`</v2/a/tags/list?n=2&last=b>; rel="next"`:        "/v2/a/tags/list?n=2&last=b",
		`<https://r.example/x?last=a,b>; rel=next`:        "https://r.example/x?last=a,b",
		`</first>; rel="first", </second>; rel="next"`:    "/second",
		`</v2/a/tags/list?last=b> ; title="x";REL="NEXT"`: "/v2/a/tags/list?last=b",
		`</v2/a/tags/list?last=b>`:                        "/v2/a/tags/list?last=b",
		`</second>; REL="last next"`:                      "/second",
		`</first>; title="a, b"; rel="first", </second>; title="c, d"; rel="last next", </third>; rel="last"`: "/second",
		`</first>; rel="first"`:    "",
		`/no-brackets; rel="next"`: "",
		`</open; rel="next"`:       "",
		``:                         "",
	} {
		got := ""
		if u, ok := NextPage(http.Header{"Link": {link}}); ok {
			got = u.String()
		}
		if got != want {
			t.Errorf("%q leads to %q, want %q", link, got, want)
		}
	}
	header := http.Header{}
	SetNextPage(header, &url.URL{Path: "/v2/a/tags/list", RawQuery: "last=b"})
	if u, ok := NextPage(header); !ok || u.String() != "/v2/a/tags/list?last=b" {
		t.Errorf("%q leads to %v", header, u)
	}
}
