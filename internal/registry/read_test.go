package registry

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// TestReadAsksOnce checks that Read does not retry, because a client is
// waiting.
func TestReadAsksOnce(t *testing.T) {
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.Method+" "+r.URL.String()+" "+r.Header.Get("Accept")]++
		switch r.URL.Path {
		case "/v2/a/b/manifests/moved":
			w.Header().Set("Location", "https://cdn.example/x?signature=1")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "/v2/a/b/manifests/inside":
			w.Header().Set("Location", "http://10.0.0.1/x")
			w.WriteHeader(http.StatusTemporaryRedirect)
		case "/v2/a/b/manifests/broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	host := server.Listener.Addr().String()
	set := NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, impatient)
	defer set.Close()
	c, _ := set.ForHost(host)
	repository, err := reference.NewRepository(host, "a/b")
	if err != nil {
		t.Fatal(err)
	}
	read := func(tag string) (*http.Response, error) {
		return c.Read(t.Context(), Read{
			Method: http.MethodGet, Repository: repository, Kind: distribution.Manifests, Reference: tag,
			Query: url.Values{"n": {"5"}}, Accept: []string{"application/x"}, Redirects: true,
		})
	}
	resp, err := read("1")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if asked["GET /v2/a/b/manifests/1?n=5 application/x"] != 1 {
		t.Errorf("asked %v", asked)
	}
	if _, err := read("broken"); failure.CodeOf(err) != failure.Unavailable || asked["GET /v2/a/b/manifests/broken?n=5 application/x"] != 1 {
		t.Errorf("%v, after %v", err, asked)
	}
	resp, err = read("moved")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if to, err := c.Leads(resp); err != nil || to.String() != "https://cdn.example/x?signature=1" {
		t.Errorf("leads to %v, %v", to, err)
	}
	resp, err = read("inside")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if to, err := c.Leads(resp); failure.CodeOf(err) != failure.BadAddress {
		t.Errorf("leads to %v, %v", to, err)
	}
}
