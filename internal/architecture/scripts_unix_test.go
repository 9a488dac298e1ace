//go:build unix

package architecture

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/texts"
)

// The scripts by which the action comes to a binary.

// tree is a small project with the scripts that ship.
type tree struct {
	t   *testing.T
	dir string
	env []string
}

func newTree(t *testing.T) *tree {
	t.Helper()
	for _, program := range []string{"bash", "curl", "sha256sum", "tar"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the action's scripts need %s", program)
		}
	}
	w := &tree{t: t, dir: t.TempDir(), env: []string{"PATH=" + os.Getenv("PATH"), "RUNNER_OS=Linux", "RUNNER_ARCH=X64"}}
	scripts := filepath.Join("..", "..", ".github", "scripts")
	if err := os.CopyFS(filepath.Join(w.dir, ".github", "scripts"), os.DirFS(scripts)); err != nil {
		t.Fatal(err)
	}
	w.write("go.mod", "module m")
	w.write("go.sum", "")
	w.write("cmd/ferry/main.go", "package main")
	w.write("internal/name/name.go", "package name")
	return w
}

func (w *tree) write(name, text string) {
	w.t.Helper()
	file := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// run runs a script of the tree and gives its output and whether its status was 0.
func (w *tree) run(stdin, script string, args ...string) (string, bool) {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), filepath.Join(w.dir, ".github", "scripts", script), args...)
	cmd.Env, cmd.Stdin = w.env, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func (w *tree) state() string {
	w.t.Helper()
	state, ok := w.run("", "source-state")
	if !ok || !regexp.MustCompile(`^[0-9a-f]{64}\n$`).MatchString(state) {
		w.t.Fatalf("source-state printed %q", state)
	}
	return strings.TrimSpace(state)
}

// TestSourceState: what the binary is made of changes the state, the rest does not.
func TestSourceState(t *testing.T) {
	w := newTree(t)
	before := w.state()
	for _, name := range []string{
		"README.md", "action.yml", "internal/name/name_test.go", "internal/name/testdata/name.txt", ".github/released.txt",
	} {
		w.write(name, "new")
		if w.state() != before {
			t.Errorf("%s changes the state, but not the binary", name)
		}
	}
	for _, name := range []string{
		"cmd/ferry/main.go", "internal/name/name.go", "internal/name/new.go", "internal/demo/issue.json", "go.mod", "go.sum", ".github/scripts/build", ".github/scripts/pack",
	} {
		w.write(name, "new")
		after := w.state()
		if after == before {
			t.Errorf("%s does not change the state", name)
		}
		before = after
	}
}

// TestEmbeddedFilesCount: what a package embeds is part of the binary, so none
// of it may be where source-state does not look, and all files that .github/scripts/pack
// compresses are embedded.
func TestEmbeddedFilesCount(t *testing.T) {
	root := os.DirFS(filepath.Join("..", ".."))
	packed, err := fs.Glob(root, "internal/*/texts/*")
	if err != nil || len(packed) == 0 {
		t.Fatal(packed, err)
	}
	err = fs.WalkDir(root, "internal", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, name)
		for _, m := range regexp.MustCompile(`(?m)^\t*//go:embed (.*)$`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "testdata") {
				t.Errorf("%s embeds %s, which source-state leaves out", name, m[1])
			}
			packed = slices.DeleteFunc(packed, func(file string) bool { return file == path.Join(path.Dir(name), m[1]) })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(packed) > 0 {
		t.Errorf("nothing embeds %s", packed)
	}
}

// TestPack: the overlay has each text, compressed.
func TestPack(t *testing.T) {
	w := newTree(t)
	want := map[string]string{"internal/name/texts/zh.json": "是", "internal/cli/texts/help.txt": strings.Repeat("help\n", 100)}
	for name, text := range want {
		w.write(name, text)
	}
	w.write("internal/texts/texts.go", "package texts")
	if out, ok := w.run("", "pack"); !ok || out != "" {
		t.Fatalf("pack printed %q", out)
	}
	var overlay struct {
		Replace map[string]string `yaml:"Replace"`
	}
	unmarshal(t, filepath.Join(w.dir, "packed", "overlay.json"), &overlay)
	got := map[string]string{}
	for name, file := range overlay.Replace {
		packed := read(t, filepath.Join(w.dir, file))
		if packed[:2] != "\x1f\x8b" || packed[4:8] != "\x00\x00\x00\x00" {
			t.Errorf("%s: not compressed, or with the time: %x", name, packed)
		}
		got[name] = texts.Unpack(packed)
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// TestTextsHaveNoKeyTwice: of two texts of the same name in a file the first would be
// lost.
func TestTextsHaveNoKeyTwice(t *testing.T) {
	files, err := filepath.Glob("../*/texts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		var anything any
		unmarshal(t, file, &anything) // YAML has JSON's syntax, and no key twice
	}
}

// TestFetch has a release on loopback: the binary is taken if it is of just
// these sources and is what the list says, and in no other case.
func TestFetch(t *testing.T) {
	archive := targz(t, "ferry", "the binary")
	const name = "ferry_1.2.3_linux_amd64.tar.gz"
	sum := fmt.Sprintf("%x", sha256.Sum256(archive))
	tests := []struct {
		name    string
		list    string // STATE stands for the state of the sources
		env     string
		offered []byte
		fetched bool
		asked   int
		says    string
	}{
		{name: "no release", offered: archive},
		{name: "just these sources", list: "v1.2.3 STATE\n" + sum + "  " + name + "\n", offered: archive, fetched: true, asked: 1},
		{name: "other sources", list: "v1.2.3 " + sum + "\n" + sum + "  " + name + "\n", offered: archive},
		{
			name: "another archive", list: "v1.2.3 STATE\n" + sum + "  " + name + "\n", offered: targz(t, "ferry", "not the binary"),
			asked: 1, says: "::warning::" + name + " of Ferry v1.2.3 is not what",
		},
		{name: "not in the list", list: "v1.2.3 STATE\n", offered: archive, asked: 1, says: "is not what"},
		{name: "gone", list: "v1.2.3 STATE\n" + sum + "  " + name + "\n", asked: 1, says: "::warning::Ferry v1.2.3 could not be downloaded"},
		{name: "a machine without a release", list: "v1.2.3 STATE\n" + sum + "  " + name + "\n", env: "RUNNER_ARCH=ARM", offered: archive},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			releases := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				if test.offered == nil || r.URL.Path != "/v1.2.3/"+name {
					http.NotFound(w, r)
					return
				}
				w.Write(test.offered)
			}))
			defer releases.Close()
			w := newTree(t)
			w.env = append(w.env, "FERRY_RELEASES="+releases.URL, test.env)
			if test.list != "" {
				w.write(".github/released.txt", strings.Replace(test.list, "STATE", w.state(), 1))
			}
			out := filepath.Join(w.dir, "cache", "ferry")
			said, fetched := w.run("", "fetch", out)
			if fetched != test.fetched || asked != test.asked || !strings.Contains(said, test.says) || test.says == "" && said != "" {
				t.Errorf("fetched %v after %d requests, said %q; want %v, %d, %q", fetched, asked, said, test.fetched, test.asked, test.says)
			}
			binary, err := os.ReadFile(out)
			if test.fetched && (err != nil || string(binary) != "the binary") {
				t.Errorf("the binary is %q, %v", binary, err)
			}
			if !test.fetched && err == nil {
				t.Error("a file is there although nothing was fetched")
			}
		})
	}
}

// TestReleased goes from a release to the list and back to the binary.
func TestReleased(t *testing.T) {
	w := newTree(t)
	const checksums = "11  ferry_1.2.3_darwin_arm64.tar.gz\n22  ferry_1.2.3_linux_amd64.tar.gz\n" +
		"33  ferry_1.2.3_linux_arm64.tar.gz\n44  ferry_1.2.3_linux_amd64.tar.gz.sbom.json\n55  ferry_1.2.3_windows_amd64.zip\n"
	got, ok := w.run(checksums, "released", "v1.2.3")
	want := "v1.2.3 " + w.state() + "\n22  ferry_1.2.3_linux_amd64.tar.gz\n33  ferry_1.2.3_linux_arm64.tar.gz\n"
	if !ok || got != want {
		t.Errorf("got %q, %v; want %q", got, ok, want)
	}
	if got, ok := w.run(checksums, "released", "v9.9.9"); ok {
		t.Errorf("a release without archives gives %q", got)
	}
}

func targz(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
