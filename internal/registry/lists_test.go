package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestTagsAreReadToTheirEnd checks lists of tags in pages of any size, with any
// kind of link to the next page.
func TestTagsAreReadToTheirEnd(t *testing.T) {
	const count = 450
	for name, b := range map[string]fakeregistry.Behaviour{
		"all at once":              func(next http.Handler) http.Handler { return next },
		"pages of 100":             fakeregistry.Paging(100, 1<<20, true),
		"pages of 7":               fakeregistry.Paging(7, 1<<20, true),
		"pages of 100 and no link": fakeregistry.Paging(100, 1<<20, false),
		"n is refused":             fakeregistry.Paging(200, 500, true),
		"a web page among them": func(next http.Handler) http.Handler {
			return fakeregistry.Refusing("last=", 1, 200, "<html>Sign in</html>")(fakeregistry.Paging(100, 1<<20, true)(next))
		},
		"429 among them": func(next http.Handler) http.Handler {
			return fakeregistry.Refusing("last=", 1, 429, "")(fakeregistry.Paging(100, 1<<20, true)(next))
		},
		"sorted anew on every page": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/tags/list") {
					next.ServeHTTP(w, r)
					return
				}
				page, _ := strconv.Atoi(r.URL.Query().Get("page"))
				var tags []string
				for i := range 50 {
					tags = append(tags, fmt.Sprintf("%q", fmt.Sprintf("v%03d", page/2*50+i))) // each twice
				}
				if page%2 == 1 {
					slices.Reverse(tags)
				}
				if page < 2*count/50-1 {
					w.Header().Set("Link", fmt.Sprintf(`</v2/a/b/tags/list?page=%d>; rel="next"`, page+1))
				}
				fmt.Fprintf(w, `{"tags":[%s]}`, strings.Join(tags, ","))
			})
		},
		"an error by 200 first": func(next http.Handler) http.Handler {
			return fakeregistry.Refusing("/tags/list", 1, 200, `{"errors":[{"code":"UNKNOWN","message":"try again"}]}`)(next)
		},
	} {
		t.Run(name, func(t *testing.T) {
			fake := fakeregistry.New(fakeregistry.Options{})
			image := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}})
			var want []string
			for i := range count {
				tag := fmt.Sprintf("v%03d", i)
				fake.Add("a/b", tag, image)
				want = append(want, tag)
			}
			fake.Behave(b)
			server := httptest.NewServer(fake)
			defer server.Close()
			c, ref := sourceAt(t, at(server))
			got, err := c.Tags(t.Context(), ref.Repository())
			slices.Sort(got)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%d tags, want %d; %v", len(got), count, err)
			}
			if n := fake.Count("/tags/list"); n > count/7+3 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

// TestTagsWithoutEnd checks a registry that returns the same page for ever, one
// that makes up tags, and one whose list continues at another host.
func TestTagsWithoutEnd(t *testing.T) {
	server := bystander(t)
	page := 0
	for name, handle := range map[string]http.HandlerFunc{
		"the same page": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", `<`+r.URL.RequestURI()+`>; rel="next"`)
			fmt.Fprint(w, `{"tags":["a","b"]}`)
		},
		"new tags for ever": func(w http.ResponseWriter, _ *http.Request) {
			page++
			w.Header().Set("Link", fmt.Sprintf(`</v2/a/b/tags/list?last=%d>; rel="next"`, page))
			fmt.Fprintf(w, `{"tags":["t%d"]}`, page)
		},
		"another host": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<http://`+server+`/v2/a/b/tags/list?last=b>; rel="next"`)
			fmt.Fprint(w, `{"tags":["a","b"]}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			host := hostile(t, func(w http.ResponseWriter, r *http.Request) { asked++; handle(w, r) })
			c, ref := clientOf(t, NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, impatient), host)
			if tags, err := c.Tags(t.Context(), ref.Repository()); err != nil || len(tags) == 0 || asked > maxPages+2 {
				t.Errorf("%d tags after %d requests, %v", len(tags), asked, err)
			}
			if tags, err := c.AllTags(t.Context(), ref.Repository()); (err == nil) != (name != "new tags for ever") {
				t.Errorf("all %d tags, %v", len(tags), err)
			}
		})
	}
}

// TestEmptyPageIsNoEnd: a registry may filter a page until nothing is left.
func TestEmptyPageIsNoEnd(t *testing.T) {
	host := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("last") == "" {
			w.Header().Set("Link", `</v2/a/b/tags/list?last=x>; rel="next"`)
			fmt.Fprint(w, `{"tags":null}`)
			return
		}
		fmt.Fprint(w, `{"tags":["1"]}`)
	})
	c, ref := sourceAt(t, host)
	if tags, err := c.AllTags(t.Context(), ref.Repository()); err != nil || len(tags) != 1 {
		t.Errorf("%q, %v", tags, err)
	}
}

// TestReferrersComeInPages also checks that a registry that fails is asked
// once.
func TestReferrersComeInPages(t *testing.T) {
	asked := 0
	host := hostile(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.RawQuery == "" {
			w.Header().Set("Link", `<?page=2>; rel="next"`)
		}
		fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":"a/b","size":1,"digest":"%s"}]}`, distribution.Index, someHash)
	})
	c, ref := sourceAt(t, host)
	list, err := c.Referrers(t.Context(), ref.Repository(), someHash, func(string) bool { return true })
	if err != nil || len(list) != 2 || asked != 2 {
		t.Errorf("%d referrers after %d requests, %v; want 2 of 2 pages", len(list), asked, err)
	}

	host = hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			w.Header().Set("Link", `<?page=2>; rel="next"`)
			fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":null}`, distribution.Index)
			return
		}
		fmt.Fprintf(w, `{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":"a/b","size":1,"digest":"%s"}]}`, distribution.Index, someHash)
	})
	c, ref = sourceAt(t, host)
	if list, err := c.Referrers(t.Context(), ref.Repository(), someHash, func(string) bool { return true }); err != nil || len(list) != 1 {
		t.Errorf("%d referrers behind an empty page, %v", len(list), err)
	}

	asked = 0
	host = hostile(t, func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	c, ref = sourceAt(t, host)
	for range 3 {
		if _, err := c.Referrers(t.Context(), ref.Repository(), someHash, func(string) bool { return true }); failure.CodeOf(err) == "" {
			t.Error("no error")
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
