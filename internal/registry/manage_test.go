package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
)

// hosts are servers by their names.
type hosts map[string]http.Handler

func (h hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	server := h[r.URL.Host]
	if server == nil {
		return nil, fmt.Errorf("there is no %s", r.URL.Host)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// stocked returns a registry with repositories of two namespaces.
func stocked(n int) *fakeregistry.Registry {
	fake := fakeregistry.New(fakeregistry.Options{})
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	for i := range n {
		fake.Add(fmt.Sprintf("mate/r%03d", i), "1", image)
	}
	fake.Add("other/tool", "1", image)
	return fake
}

// managed returns a client of a target in a world.
func managed(t *testing.T, target config.Target, world hosts, secrets *[]string) *Client {
	t.Helper()
	opts := Options{Wait: impatiently, Secret: func(s string) { *secrets = append(*secrets, s) }}
	set := NewTargets([]config.Target{target}, nil, opts)
	t.Cleanup(set.Close)
	set.Over(world, 0)
	c, _ := set.at(namespace{target.Host, target.Namespace})
	return c
}

func TestDockerHubsAPI(t *testing.T) {
	for _, n := range []int{0, 1, 100, 101, 250} {
		fake := stocked(n)
		hub := &fakeregistry.Hub{Registry: fake, Username: "mate", Secret: "s3cret"}
		var secrets []string
		c := managed(t, config.Target{Host: "docker.io", Namespace: "mate", Username: "mate", Password: config.NewSecret("s3cret")}, hosts{"hub.docker.com": hub}, &secrets)
		found, err := c.Repositories(t.Context(), "mate")
		if err != nil || len(found) != n || n > 0 && found[0].String() != "docker.io/mate/r000" {
			t.Errorf("%d of %d repositories: %v", len(found), n, err)
		}
		if hub.Tokens != 1 || !slices.Equal(secrets, []string{"a-token"}) {
			t.Errorf("%d tokens; masked: %v", hub.Tokens, secrets)
		}
	}
}

// TestDockerHubDeletesTags deletes a tag by Docker Hub's API, since its registry only
// deletes manifests.
func TestDockerHubDeletesTags(t *testing.T) {
	ref, err := reference.Parse("docker.io/mate/r000:1")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		hub  func(*fakeregistry.Hub)
		want failure.Code
		left bool
	}{
		"with rights":       {func(*fakeregistry.Hub) {}, "", false},
		"a read-only token": {func(h *fakeregistry.Hub) { h.ReadOnly = true }, failure.TargetLogin, true},
		"a wrong password":  {func(h *fakeregistry.Hub) { h.Secret = "another" }, failure.TargetLogin, true},
	} {
		fake := stocked(1)
		hub := &fakeregistry.Hub{Registry: fake, Username: "mate", Secret: "s3cret"}
		test.hub(hub)
		var secrets []string
		c := managed(t, config.Target{Host: "docker.io", Namespace: "mate", Username: "mate", Password: config.NewSecret("s3cret")}, hosts{"hub.docker.com": hub}, &secrets)
		for range 2 { // that it is gone is fine
			if err := c.Delete(t.Context(), ref); failure.CodeOf(err) != test.want || err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, left := fake.Manifest("mate/r000", "1"); left != test.left {
			t.Errorf("%s: left is %v", name, left)
		}
	}
}

// TestHarborsAPI counts the repositories of a project at a Harbor that keeps the
// registry's list for administrators.
func TestHarborsAPI(t *testing.T) {
	const n = 130
	harbor := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/service/token":
			fmt.Fprint(w, `{"token":"of-the-registry"}`)
			return
		case "/api/v2.0/projects/mate/repositories":
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="https://harbor.example.com/service/token",service="harbor-registry"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if _, password, _ := r.BasicAuth(); password != "s3cret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		var page int
		if _, err := fmt.Sscan(r.FormValue("page"), &page); err != nil {
			t.Error(err)
		}
		var list []string
		for i := (page - 1) * 100; i < min(page*100, n); i++ {
			list = append(list, fmt.Sprintf(`{"name":"mate/a/r%03d","artifact_count":2}`, i))
		}
		fmt.Fprintf(w, "[%s]", strings.Join(list, ","))
	})
	var secrets []string
	c := managed(t, config.Target{Host: "harbor.example.com", Namespace: "mate", Username: "robot$mate", Password: config.NewSecret("s3cret")}, hosts{"harbor.example.com": harbor}, &secrets)
	found, err := c.Repositories(t.Context(), "mate")
	if err != nil || len(found) != n || found[n-1].String() != "harbor.example.com/mate/a/r129" {
		t.Errorf("%d repositories: %v", len(found), err)
	}
}

// TestHarborsAPIComesLast checks that Harbor's API is asked only where a Harbor refuses
// the registry's list, and that its own error hides no other one.
func TestHarborsAPIComesLast(t *testing.T) {
	for _, test := range []struct {
		service       string
		first, second int // statuses of the pages of the registry's list
		want          failure.Code
		asked         bool
	}{
		{"harbor-registry", http.StatusOK, http.StatusOK, "", false},
		{"harbor-registry", http.StatusUnauthorized, 0, failure.TargetLogin, true},
		{"harbor-registry", http.StatusNotFound, 0, failure.NotFound, true},
		{"harbor-registry", http.StatusServiceUnavailable, 0, failure.Unavailable, false},
		{"harbor-registry", http.StatusOK, http.StatusServiceUnavailable, failure.Unavailable, false},
		{"ghcr.io", http.StatusUnauthorized, 0, failure.TargetLogin, false},
		{"", http.StatusUnauthorized, 0, failure.TargetLogin, false},
		{"", http.StatusNotFound, 0, failure.NotFound, false},
	} {
		asked := false
		server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			status, last := test.first, r.FormValue("last")
			switch {
			case r.URL.Path == "/service/token":
				fmt.Fprint(w, `{"token":"of-the-registry"}`)
				return
			case r.URL.Path == distribution.Catalog && r.Header.Get("Authorization") == "" && test.service != "":
				w.Header().Set("WWW-Authenticate", `Bearer realm="https://harbor.example.com/service/token",service="`+test.service+`"`)
				status = http.StatusUnauthorized
			case r.URL.Path != distribution.Catalog:
				asked = asked || strings.HasPrefix(r.URL.Path, "/api/")
				status = http.StatusForbidden
			case last != "":
				status = test.second
			default:
				w.Header().Set("Link", `</v2/_catalog?n=1&last=x>; rel="next"`)
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"repositories":["mate/r%s"]}`, last)
		})
		var secrets []string
		c := managed(t, config.Target{Host: "harbor.example.com", Namespace: "mate"}, hosts{"harbor.example.com": server}, &secrets)
		if _, err := c.Repositories(t.Context(), "mate"); failure.CodeOf(err) != test.want || asked != test.asked {
			t.Errorf("%s, %d, %d: %v, asked is %v", test.service, test.first, test.second, err, asked)
		}
	}
}

// TestUnusableLists asks servers whose lists, or those of Harbor's API, are none, or lie.
func TestUnusableLists(t *testing.T) {
	for name, answer := range map[string]string{
		"a page":         "<html>hello</html>",
		"an object":      `{"hello":1}`,
		"an array":       `[1]`,
		"nothing":        "",
		"without an end": "",
	} {
		for _, refused := range []bool{false, true} {
			pages := 0
			server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/service/token":
					fmt.Fprint(w, `{"token":"of-the-registry"}`)
					return
				case refused && r.URL.Path == distribution.Catalog && r.Header.Get("Authorization") == "":
					w.Header().Set("WWW-Authenticate", `Bearer realm="https://harbor.example.com/service/token",service="harbor-registry"`)
					w.WriteHeader(http.StatusUnauthorized)
					return
				case refused && r.URL.Path == distribution.Catalog:
					w.WriteHeader(http.StatusNotFound)
					return
				}
				pages++
				if name == "without an end" {
					var list []string
					for i := range 2000 {
						list = append(list, fmt.Sprintf(`{"name":"mate/r%d-%d"}`, pages, i))
					}
					answer = "[" + strings.Join(list, ",") + "]"
				}
				fmt.Fprint(w, answer)
			})
			var secrets []string
			c := managed(t, config.Target{Host: "harbor.example.com", Namespace: "mate"}, hosts{"harbor.example.com": server}, &secrets)
			if found, err := c.Repositories(t.Context(), "mate"); err == nil || pages == 0 {
				t.Errorf("%s: %d repositories of %d pages", name, len(found), pages)
			}
		}
	}
}
