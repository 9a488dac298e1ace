package cli

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/pull"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestPullNotMirrored asks for an image that the mirror lacks: no client runs,
// and the link for requesting it is printed. The target has capital letters,
// which is noted.
func TestPullNotMirrored(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"podman", "podman.exe"} { // must be found, but not run
		if err := os.WriteFile(filepath.Join(bin, name), nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	w := newWorld(t)
	delete(w.Environ, "FERRY_CONFIG")
	status, said := w.run(t.Context(), "pull", "gcr.io/ns/img:1", "--from", "registry.example.com/MyOrg", "--with", "podman",
		"--private", "registry.example.com", "--plain-http", "registry.example.com", "--request", "alice/ferry")
	w.WantStatus(status, wiring.StatusFailed, said)
	fakeworld.WantText(t, "the output", said, "warning: --from", "gcr.io/ns/img:1: not mirrored yet",
		"https://github.com/alice/ferry/issues/new?template=mirror.yml&images=gcr.io%2Fns%2Fimg%3A1")
}

// TestPullUnanswered: a mirror that cannot be asked is described as by "ferry
// copy", with the name of the mirror.
func TestPullUnanswered(t *testing.T) {
	f := &failure.Error{Code: failure.Private, Side: failure.Source, Step: "reading digest"}
	var refs []reference.Reference
	for _, text := range []string{"gcr.io/ns/img:1", "quay.io/me/ns.img:1"} {
		ref, err := reference.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	source, at := refs[0], refs[1]
	result, ok := unanswered(source, fmt.Errorf("wrapped: %w", &pull.LookupError{Mirror: at, Err: f}))
	said := report.Terminal{}.Copies(plan.Plan{}, []mirror.Result{result})
	fakeworld.WantText(t, "the output", said, "gcr.io/ns/img:1 → quay.io/me/ns.img:1: ", "\"quay.io\"", "Run `docker login` for it")
	if _, other := unanswered(source, pull.ErrNotMirrored); !ok || other {
		t.Errorf("got %v and %v", ok, other)
	}
}

// TestPullBySHA512: a mirror is asked for two tags, the source's and the one that
// is made of the digest, and the content decides.
func TestPullBySHA512(t *testing.T) {
	mirror := fakeregistry.New(fakeregistry.Options{})
	server := httptest.NewServer(mirror)
	t.Cleanup(server.Close)
	host := strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	parse := func(text string) reference.Reference {
		ref, err := reference.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	image := func(seed uint64) *fakeregistry.Image {
		return fakeregistry.Generate(fakeregistry.Spec{Seed: seed, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	}
	wanted := image(1).Root().Body
	sum := sha512.Sum512(wanted)
	cfg := &config.Config{Targets: []config.Target{{Host: host, Namespace: "u", Profile: "flat", Private: true, PlainHTTP: true}}}
	images, err := candidates(cfg, []request.Image{{Reference: parse("gcr.io/a/b:1@sha512:" + hex.EncodeToString(sum[:]))}}, "")
	if err != nil || len(images) != 1 || len(images[0].Mirrors) != 2 {
		t.Fatalf("candidates are %+v, %v", images, err)
	}
	names := images[0].Mirrors
	mirror.Add(names[0].Repository().Path(), names[0].Tag(), image(2)) // the tag has moved
	mirror.Add(names[1].Repository().Path(), names[1].Tag(), image(1))
	set := registry.NewSources([]config.Source{{Host: host, Private: true, PlainHTTP: true}}, registry.Options{})
	t.Cleanup(set.Close)
	c, _ := set.ForHost(host)
	for i, want := range []failure.Code{failure.NotFound, ""} {
		digest, err := registry.Mirrored(t.Context(), c, names[i].WithDigest(images[0].Source.Digest()))
		if failure.CodeOf(err) != want || want == "" && digest.String() != fakeregistry.Digest(wanted) {
			t.Errorf("%s: %s, %v", names[i], digest, err)
		}
	}
}

// TestPullWithoutClient: on a machine without a client the images are saved to a
// file, which is not written over.
func TestPullWithoutClient(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "2", 2)
	status, said := w.run(t.Context(), "copy", "gcr.io/ns/img:2", "--to", "registry.example.com/mirror")
	w.WantStatus(status, wiring.StatusDone, said)
	delete(w.Environ, "FERRY_CONFIG") // which would name another mirror
	t.Setenv("PATH", t.TempDir())
	t.Chdir(t.TempDir())
	args := []string{
		"pull", "gcr.io/ns/img:2", "--from", "registry.example.com/mirror", "--platform", "linux/amd64",
		"--private", "registry.example.com", "--plain-http", "registry.example.com",
	}
	status, said = w.run(t.Context(), args...)
	w.WantStatus(status, wiring.StatusDone, said)
	fakeworld.WantText(t, "the output", said, "none of the clients is installed and in PATH: saving to images.tar", "gcr.io/ns/img:2: sha256:", "docker load -i images.tar")
	if _, err := os.Stat("images.tar"); err != nil {
		t.Error(err)
	}
	status, said = w.run(t.Context(), args...)
	w.WantStatus(status, wiring.StatusUsage, said)
	fakeworld.WantText(t, "the output", said, "images.tar, to which the images would be saved, exists")
}
