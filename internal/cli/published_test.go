package cli

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestNameFromCatalog goes from a source to its mirrors by a site.
func TestNameFromCatalog(t *testing.T) {
	w := newHarvest(t, nil)
	w.answered("nginx:1", 1)
	w.run(t.Context(), "catalog", "harvest", "--in", w.checkout())
	site := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(w.checkout(), "docs"))))
	t.Cleanup(site.Close)
	status, said := w.run(t.Context(), "name", "--catalog", site.URL+"/", "nginx:1", "--json")
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, `"name": "docker.io/me/docker.nginx:1"`, `"digest": "sha256:0`)
	for _, test := range []struct {
		status int
		args   []string
		says   string
	}{
		{wiring.StatusFailed, []string{site.URL, "nginx:2"}, "docker.io/library/nginx:2 is not in the catalog"},
		{wiring.StatusFailed, []string{site.URL, "redis"}, "docker.io/library/redis:latest is not in the catalog"},
		{wiring.StatusUsage, []string{"nonsense", "redis"}, "write the address of a catalog"},
		{wiring.StatusUsage, []string{site.URL}, "no reference is given"},
	} {
		status, said := w.run(t.Context(), append([]string{"name", "--catalog"}, test.args...)...)
		w.WantStatus(status, test.status, said)
		fakeworld.WantText(t, "the output", said, test.says)
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	t.Cleanup(other.Close)
	status, said = w.run(t.Context(), "name", "--catalog", other.URL, "nginx:1")
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "the output", said, "is not that of a catalog")
}

// TestCompletionOfImages reads the images of a catalog once, and completes them without
// the network.
func TestCompletionOfImages(t *testing.T) {
	w := newHarvest(t, nil)
	w.Environ["XDG_CACHE_HOME"] = t.TempDir()
	status, said := w.run(t.Context(), "completion", "images", "nginx")
	w.WantStatus(status, wiring.StatusDone, said)
	if said != "" {
		t.Errorf("before a catalog is read: %q", said)
	}
	w.answered("nginx:1", 1)
	w.run(t.Context(), "catalog", "harvest", "--in", w.checkout())
	site := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(w.checkout(), "docs"))))
	t.Cleanup(site.Close)
	status, said = w.run(t.Context(), "completion", "images", "--catalog", site.URL)
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "1 images")
	site.Close()
	for typed, want := range map[string]string{
		"": "docker.io/library/nginx:1\n", "ng": "nginx:1\n", "library/": "library/nginx:1\n", "docker.io/l": "docker.io/library/nginx:1\n", "redis": "",
	} {
		if _, said := w.run(t.Context(), "completion", "images", typed); said != want {
			t.Errorf("%q completes to %q, want %q", typed, said, want)
		}
	}
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	t.Cleanup(other.Close)
	status, said = w.run(t.Context(), "completion", "images", "--catalog", other.URL)
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "the output", said, "is not that of a catalog")
}
