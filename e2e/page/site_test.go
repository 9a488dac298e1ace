// Package page tests the site of the catalog as visitors and programs meet it: in
// a browser, by validators of HTML and of feeds, and by its own schemas.
package page

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/catalog"
)

// form is the address of the form for requests, with the repository's own name in it.
const form = "https://github.com/alice/ferry/issues/new?template=mirror.yml&images="

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n*0x1000001) }

// record is a record of a copied image.
func record(source, mirror string, n, of int, more string) string {
	return fmt.Sprintf(`{"source":%q,"mirror":%q,"status":"copied","source_digest":%q,"digest":%q,"platforms":["linux/amd64","linux/arm64"],"size":54321000%s}`, source, mirror, digest(of), digest(n), more)
}

// hostile are names made for HTML, scripts, spreadsheets, addresses and shells, and
// texts in fields that are no names.
func hostile() []string {
	long := strings.Repeat("a", 128)
	records := []string{
		record("gcr.io/constructor/__proto__:1", "docker.io/me/p:1", 1, 1, ""),
		record("gcr.io/constructor/a__proto__b:__proto__", "docker.io/me/p:__proto__", 2, 2, ""),
		record("gcr.io/constructor/constructor:constructor", "docker.io/me/constructor:constructor", 3, 3, ""),
		record("gcr.io/index.html/i.json/i:1", "docker.io/me/i:1", 4, 4, ""),
		record("gcr.io/index.html/i:1", "docker.io/me/i:2", 7, 7, ""),
		record("localhost:5000/list/app.js:"+long, "docker.io/me/a:"+long, 5, 5, ""),
		record("gcr.io/a/by:1", "docker.io/me/by:1", 6, 6, `,"list":"<img src=x onerror=alert(1)>\"';alert(1)//:1"`),
	}
	for i, text := range []string{`<script>alert(1)</script>`, `"><svg onload=alert(1)>`, `=HYPERLINK("http://evil.example")`, `$(touch /tmp/x)`, "`id`", `../../../etc/passwd`, `javascript:alert(1)`, `{mirror}`, `%3Cscript%3E`, "a\u202Eb", "\\u003cscript", `';drop table`} {
		records = append(records, record("gcr.io/a/"+text+":1", "docker.io/me/x:1", 10+i, 10+i, ""), record("gcr.io/a/b:1", "docker.io/me/"+text+":1", 30+i, 30+i, ""), record("gcr.io/a/b:"+text, "docker.io/me/b:1", 50+i, 50+i, ""))
	}
	return records
}

// log is a catalog with every kind of state, and hostile names.
func log(t *testing.T) catalog.Snapshot {
	t.Helper()
	nginx, alpine := "docker.io/library/nginx:1.27", "docker.io/library/nginx:1.27-alpine"
	runs := [][]string{
		{record(nginx, "docker.io/me/docker.nginx:1.27", 100, 100, ""), record(alpine, "docker.io/me/docker.nginx:1.27-alpine", 101, 999, ""),
			record("quay.io/prometheus/prometheus:v3.1.0", "docker.io/me/quay.prometheus.prometheus:v3.1.0", 102, 102, ""),
			record("docker.io/library/redis@"+digest(103), "docker.io/me/docker.redis:digest-1", 103, 103, fmt.Sprintf(`,"elsewhere":[{"mirror":"m.example.com/docker.io/library/redis@%s","state":"same"},{"mirror":"m.example.net/redis@%s","state":"platform","platform":"linux/amd64"}]`, digest(103), digest(105))),
			record("docker.io/library/postgres:17@"+digest(104), "docker.io/me/docker.postgres:17", 104, 104, ""),
			fmt.Sprintf(`{"source":"docker.io/library/traefik:3","mirror":"docker.io/me/docker.traefik:3","status":"present","digest":%q}`, digest(106))}, // of a rebuilt log
		hostile(),
		{record(nginx, "docker.io/me/docker.nginx:1.27", 200, 200, "")},
		{`{"source":"quay.io/prometheus/prometheus:v3.1.0","mirror":"docker.io/me/quay.prometheus.prometheus:v3.1.0","status":"gone"}`},
	}
	var all []catalog.Change
	for i, records := range runs {
		changes, _, err := catalog.Changes(catalog.Fold(all), []byte("["+strings.Join(records, ",")+"]"), time.Date(2026, 11, 20+i, 3, 41, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, changes...)
	}
	return catalog.Fold(all)
}

// site writes the site of log and returns its folder.
func site(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	write(t, log(t), folder)
	return folder
}

// write writes the site of a catalog into a folder.
func write(t *testing.T, s catalog.Snapshot, folder string) {
	t.Helper()
	err := s.Write(catalog.About{Request: form, English: "Anyone may ask for images.", Chinese: "任何人都可以提请求。"}, func(path string, text []byte) error {
		path = filepath.Join(folder, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// serve serves a folder below a path, as GitHub Pages serves a repository's site.
func serve(t *testing.T, folder string) string {
	t.Helper()
	server := httptest.NewServer(http.StripPrefix("/alice/ferry", http.FileServer(http.Dir(folder))))
	t.Cleanup(server.Close)
	return server.URL + "/alice/ferry/"
}

// files are the files of a folder with an extension, by their paths below it.
func files(t *testing.T, folder, extension string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == extension {
			found = append(found, path)
		}
		return err
	})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d files %s: %v", len(found), extension, err)
	}
	return found
}

// TestHTML has a validator read every page.
func TestHTML(t *testing.T) {
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(cache, "ferry-e2e", "html-validate-10.9.0")
	program := filepath.Join(home, "node_modules", ".bin", "html-validate")
	if _, err := os.Stat(program); err != nil {
		install := exec.Command("npm", "install", "--silent", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", home, "html-validate@10.9.0")
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	folder := site(t)
	rules := `{"root":true,"extends":["html-validate:recommended","html-validate:document"],"rules":{"doctype-style":["error",{"style":"lowercase"}],"void-style":["error",{"style":"omit"}],"require-sri":["error",{"target":"crossorigin"}],"long-title":"off","no-inline-style":"error","prefer-native-element":["error",{"exclude":["region"]}]}}`
	if err := os.WriteFile(filepath.Join(folder, ".htmlvalidate.json"), []byte(rules), 0o644); err != nil {
		t.Fatal(err)
	}
	validate := func(pages []string) ([]byte, error) {
		command := exec.Command(program, append([]string{"--formatter", "text"}, pages...)...)
		command.Dir = folder
		out, err := command.CombinedOutput()
		return bytes.ReplaceAll(out, []byte(folder), nil), err
	}
	if out, err := validate(files(t, folder, ".html")); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	broken := filepath.Join(folder, "broken.html")
	if err := os.WriteFile(broken, []byte("<!doctype html>\n<p onclick=x()>a"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := validate([]string{broken}); err == nil {
		t.Errorf("the validator let a broken page pass: %s", out)
	}
}
