package cli

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestCatalog adds the records of a copy to a log, makes the site, checks it and
// searches.
func TestCatalog(t *testing.T) {
	w := newWorld(t)
	nginx := w.Publish("library/nginx", "1.27", 1)
	status, records := w.run(t.Context(), "copy", "nginx:1.27", "--json")
	w.WantStatus(status, wiring.StatusDone, records)
	file, log, site := filepath.Join(w.Dir, "records.json"), filepath.Join(w.Dir, "catalog"), filepath.Join(w.Dir, "site")
	w.Write("records.json", records)
	w.Environ["GITHUB_RUN_ID"] = "77"
	for _, step := range []struct {
		args   string
		status int
		said   string
	}{
		{"add " + file + " --in " + log, wiring.StatusDone, "1 changes"},
		{"add " + file + " --in " + log, wiring.StatusDone, "0 changes"},
		{"check -o " + site + " --in " + log, wiring.StatusFailed, "index.html"},
		{"build -o " + site + " --in " + log, wiring.StatusDone, "1 repositories"},
		{"check -o " + site + " --in " + log, wiring.StatusDone, "1 repositories"},
		{"search nginx 1.27 --in " + log, wiring.StatusDone, "docker.io/library/nginx:1.27 → registry.example.com/mirror/docker.nginx:1.27 " + nginx},
		{"search redis --in " + log, wiring.StatusFailed, "nothing was found"},
		{"", wiring.StatusUsage, "the first argument must be one of add, harvest, rebuild, build, check, search"},
		{"build --in " + log, wiring.StatusUsage, "-o site"},
		{"add --in " + log, wiring.StatusUsage, "no file with records"},
		{"add " + filepath.Join(log, "none") + " --in " + log, wiring.StatusFailed, "none"},
	} {
		status, said := w.run(t.Context(), append([]string{"catalog"}, strings.Fields(step.args)...)...)
		w.WantStatus(status, step.status, said)
		fakeworld.WantText(t, step.args, said, step.said)
	}
	files, err := filepath.Glob(filepath.Join(log, "v1", "log", "*", "*", "*", "77-1.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"v":9}` + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	status, said := w.run(t.Context(), "catalog", "search", "nginx", "--in", log)
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "a line of another version", said, "77-1.jsonl:2: has version 9", nginx)
}

// TestCatalogOfMissing adds the records of a run that did not ask the sources.
func TestCatalogOfMissing(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1", 1)
	list := w.list("images.txt", "gcr.io/ns/img:1\n")
	for range 2 { // the second time the image is there
		status, said := w.run(t.Context(), "sync", list, "--only-missing", "--json", "-q")
		w.WantStatus(status, wiring.StatusDone, said)
		w.Write("records.json", said[strings.LastIndex(said, "\n[")+1:])
	}
	status, said := w.run(t.Context(), "catalog", "add", filepath.Join(w.Dir, "records.json"), "--in", filepath.Join(w.Dir, "log"))
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "1 changes")
}

// TestCatalogCollects: with a small log, garbage is collected long before the memory
// that a large one needs, unless the user says otherwise. main has turned that off.
func TestCatalogCollects(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	for variable, want := range map[string]int{"": 50, "GOGC": -1, "GOMEMLIMIT": -1} {
		before := debug.SetGCPercent(-1)
		status, _, said := ferry(t, "", map[string]string{variable: "100"}, "catalog", "search", "nginx", "--in", t.TempDir())
		if percent := debug.SetGCPercent(before); percent != want || status != wiring.StatusFailed {
			t.Errorf("with %q: GOGC is %d, want %d; status %d: %s", variable, percent, want, status, said)
		}
	}
}
