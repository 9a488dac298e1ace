package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestKeep mirrors three tags, deletes what the rules do not keep, and checks that the
// list does not bring it back.
func TestKeep(t *testing.T) {
	w := newHarvest(t, nil)
	policy := func(rules string) { w.SetPolicy(fakeworld.Policy + rules) }
	policy("")
	for n, tag := range []string{"1", "2", "3"} {
		w.Publish("a/b", tag, uint64(n+1))
	}
	list := w.list("images.txt", "quay.io/a/b:*\n")
	status, said := w.run(t.Context(), "sync", list, "--json")
	w.WantStatus(status, wiring.StatusDone, said)
	var log strings.Builder
	for n, tag := range []string{"1", "2", "3"} {
		for _, source := range []string{"quay.io/a/b", "quay.io/b/b"} { // a mirror of two sources is counted once
			fmt.Fprintf(&log, `{"v":1,"at":"2026-11-%02dT00:00:00Z","what":"copied","source":"%s:%s","mirror":"registry.example.com/mirror/quay.a.b:%s","digest":%q}`+"\n", n+1, source, tag, tag, w.Mirrored("quay.a.b", tag))
		}
	}
	folder := filepath.Join(w.Dir, "catalog", "v1", "log", "2026", "11", "03")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	w.Write("catalog/v1/log/2026/11/03/1-1.jsonl", log.String())
	keep := func(want int, args ...string) string {
		t.Helper()
		status, said := w.run(t.Context(), append([]string{"keep", "--in", w.checkout()}, args...)...)
		w.WantStatus(status, want, said)
		return said
	}
	fakeworld.WantText(t, "without rules", keep(wiring.StatusUsage), "the policy file has no rules")
	policy("keep: {newest: 1, asked: 3650}\n")
	w.Environ["GITHUB_TOKEN"] = "token-of-a-person" // whom no answer is by
	fakeworld.WantText(t, "without answers", keep(wiring.StatusUsage, "--apply"), `the GITHUB_TOKEN of the account that answers`)
	w.Environ["GITHUB_TOKEN"] = "token-of-github"
	w.says(fakegithub.Bot(), "\n<!-- ferry:records\n{]\n-->\n")
	fakeworld.WantText(t, "a broken answer", keep(wiring.StatusFailed, "--apply"), "ferry keep: issue #1: is not an array of records", "nothing is deleted while answers cannot be read")
	w.github.Delete(1)
	w.says(fakegithub.Bot(), "\n<!-- ferry:records\n"+fmt.Sprintf(`{"source":"quay.io/a/b:2","mirror":"registry.example.com/mirror/quay.a.b:2","status":"present","digest":%q}`, w.Mirrored("quay.a.b", "2"))+"\n-->\n")
	fakeworld.WantText(t, "the dry run", keep(wiring.StatusDone), "registry.example.com/mirror/quay.a.b:1 sha256:", "mirrors to delete: 1; to delete them, add --apply")
	if w.Mirrored("quay.a.b", "1") == "" {
		t.Fatal("a dry run deletes")
	}
	said = keep(wiring.StatusDone, "--apply")
	fakeworld.WantText(t, "the run", said, "deleted  registry.example.com/mirror/quay.a.b:1")
	if strings.Count(said, "deleted  ") != 1 {
		t.Errorf("a mirror is deleted twice: %s", said)
	}
	if w.Mirrored("quay.a.b", "1") != "" || w.Mirrored("quay.a.b", "2") == "" || w.Mirrored("quay.a.b", "3") == "" {
		t.Error("the wrong tags are left")
	}
	files, _ := w.github.Branch("catalog")
	if !strings.Contains(files[catalog.HoldingsFile], `"deleted":["registry.example.com/mirror/quay.a.b:1"]`) {
		t.Errorf("the branch has %s", files[catalog.HoldingsFile])
	}
	status, said = w.run(t.Context(), "sync", list)
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the list", said, `deleted by "ferry keep", and not copied again: 1`)
	if w.Mirrored("quay.a.b", "1") != "" {
		t.Error("the list brings it back")
	}
	fakeworld.WantText(t, "the next run", keep(wiring.StatusDone), "mirrors to delete: 0")
}

// TestKeepAtDockerHub deletes a tag where the registry deletes none, but the vendor's API
// does, and with a token that may not.
func TestKeepAtDockerHub(t *testing.T) {
	for _, readOnly := range []bool{false, true} {
		w := newHarvest(t, nil)
		w.SetPolicy("targets: [{to: docker.io/mate, private: true, plain-http: true}]\nsources: [{host: hub.docker.com, private: true, plain-http: true}]\nkeep: {newest: 1}\n")
		target := fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame-of-the-target", NoDelete: true})
		hub := &fakeregistry.Hub{Registry: target, Username: "mate", Secret: "sesame-of-the-target", ReadOnly: readOnly}
		w.At["registry-1.docker.io:80"], w.At["hub.docker.com:80"] = w.Serve(target), w.Serve(hub)
		var log strings.Builder
		for n, tag := range []string{"1", "2"} {
			image := fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(n + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100}})
			target.Add("mate/a.b", tag, image)
			fmt.Fprintf(&log, `{"v":1,"at":"2026-11-%02dT00:00:00Z","what":"copied","source":"quay.io/a/b:%s","mirror":"docker.io/mate/a.b:%s","digest":%q}`+"\n", n+1, tag, tag, fakeregistry.Digest(image.Root().Body))
		}
		if err := os.MkdirAll(filepath.Join(w.Dir, "catalog", "v1", "log"), 0o755); err != nil {
			t.Fatal(err)
		}
		w.Write("catalog/v1/log/1.jsonl", log.String())
		status, said := w.run(t.Context(), "keep", "--in", filepath.Join(w.Dir, "catalog"), "--apply")
		_, _, left := target.Manifest("mate/a.b", "1")
		if left != readOnly {
			t.Errorf("read-only %v: the tag is there: %v; %s", readOnly, left, said)
		}
		want := "deleted  docker.io/mate/a.b:1"
		if readOnly {
			want = "by hand  docker.io/mate/a.b:1: the registry does not delete for this login; open https://hub.docker.com/"
		}
		w.WantStatus(status, map[bool]int{false: wiring.StatusDone, true: wiring.StatusFailed}[readOnly], said)
		fakeworld.WantText(t, "the output", said, want)
	}
}
