package page

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/catalog"

	"github.com/imageferry/ferry/e2e/browser"
)

// The goals for 100,000 images in 12,000 repositories, in bytes after compression.
const (
	firstView = 60_000 // what a visitor loads at first, without the index
	index     = 230_000
)

// large is the log of 100,000 images in 12,000 repositories.
func large(t *testing.T) []catalog.Change {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	part := func() string {
		return []string{"alpha", "proxy", "server", "agent", "operator", "controller", "node", "exporter", "prom", "graf", "redis", "mysql", "postgres", "kafka", "cache", "gateway", "auth", "web", "build", "runner", "tools", "metrics", "log", "collector", "driver", "csi", "scheduler", "manager"}[random.IntN(28)]
	}
	var lines bytes.Buffer
	for r := range 12_000 {
		host := []string{"docker.io", "docker.io", "docker.io", "quay.io", "ghcr.io", "gcr.io", "registry.k8s.io"}[random.IntN(7)]
		name := fmt.Sprintf("%s%d/%s-%s-%s", part(), r/40, part(), part(), part())
		for n := range 8 + random.IntN(2)*(r%3+1)/2 {
			digest := fmt.Sprintf("sha256:%016x%016x%016x%016x", random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
			fmt.Fprintf(&lines, `{"v":1,"at":"2026-11-%02dT03:41:10Z","what":"copied","source":"%s/%s:v%d.%d.%d","mirror":"docker.io/me/%s.%s:v%[4]d.%[5]d.%[6]d","source_digest":%[9]q,"digest":%[9]q,"platforms":["linux/amd64","linux/arm64"],"size":%[10]d}`+"\n",
				1+random.IntN(28), host, name, r%4, n, random.IntN(30), strings.Split(host, ".")[0], strings.ReplaceAll(name, "/", "."), digest, random.IntN(1e9))
		}
	}
	changes, faults := catalog.Read(lines.Bytes())
	if len(faults) > 0 {
		t.Fatal(faults[0])
	}
	return changes
}

// compressed is the size of a file after compression.
func compressed(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	must(t, err)
	_, err = w.Write(text)
	must(t, err, w.Close())
	return b.Len()
}

// TestLargeCatalog compares the sizes with the goals, and measures the search in the
// browser.
func TestLargeCatalog(t *testing.T) {
	changes := large(t)
	folder := t.TempDir()
	write(t, catalog.Fold(changes), folder)
	path := func(name string) string { return filepath.Join(folder, filepath.FromSlash(name)) }
	if n := compressed(t, path("api/v1/index.json")); n > index {
		t.Errorf("the index has %d bytes, the goal is %d", n, index)
	} else {
		t.Logf("%d images; the index has %d bytes", len(changes), n)
	}
	sum := 0
	for _, name := range []string{"index.html", "app.js", "style.css", "api/v1/clients.json"} {
		sum += compressed(t, path(name))
	}
	if sum > firstView {
		t.Errorf("the first view has %d bytes, the goal is %d", sum, firstView)
	}
	b := browser.Start(t)
	visit(t, b, serve(t, folder), "en")
	search(t, b, "nothing:1") // loads the tags
	times := value[[]float64](t, b, `["prom", "exporter", "ngnix", "redis cache", "promehteus-exporter", "v3.1.0 kafka", "gateway0/auth", "schedulr", "docker.io/alpha0/x", "controler manager", "csi driver ghcr", "zzzz", "e", "grafana", "posgres", "runnner"].map((query) => {
		const begin = performance.now();
		for (let i = 0; i < 5; i++) search(query);
		return (performance.now() - begin) / 5;
	})`)
	slices.Sort(times)
	t.Logf("a search takes %.1f ms at most, %.1f ms in the median", times[len(times)-1], times[len(times)/2])
}
