package cli

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/wiring"
)

// harbour is the owner of the repository.
var harbour = event.User{ID: 1001, Login: "octo-harbour"}

// world holds the registries and the GitHub of a command.
type world struct {
	t       *testing.T
	source  *fakeregistry.Registry // gcr.io and docker.io in one
	target  *fakeregistry.Registry // registry.example.com/mirror
	github  *fakegithub.Server
	environ map[string]string
	at      map[string]string
	dir     string
}

const worldPolicy = `
targets:
  - {to: registry.example.com/mirror, private: true, plain-http: true}
sources:
  - {host: gcr.io, private: true, plain-http: true, requests: anyone}
  - {host: docker.io, private: true, plain-http: true, requests: anyone}
`

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t:      t,
		source: fakeregistry.New(fakeregistry.Options{}),
		target: fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame-of-the-target"}),
		dir:    t.TempDir(),
	}
	source, target := w.serve(w.source), w.serve(w.target)
	w.at = map[string]string{"gcr.io:80": source, "registry-1.docker.io:80": source, "registry.example.com:80": target}
	w.environ = map[string]string{
		"GITHUB_ACTIONS":      "true",
		"GITHUB_REPOSITORY":   harbour.Login + "/ferry",
		"GITHUB_TOKEN":        "token-of-github",
		"GITHUB_STEP_SUMMARY": filepath.Join(w.dir, "summary"),
		"FERRY_CONFIG":        filepath.Join(w.dir, "ferry.yaml"),
		"FERRY_USERNAME":      "mate",
		"FERRY_PASSWORD":      "sesame-of-the-target",
	}
	w.policy(worldPolicy)
	return w
}

func (w *world) serve(h http.Handler) string {
	server := httptest.NewServer(h)
	w.t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func (w *world) policy(text string) {
	w.t.Helper()
	if err := os.WriteFile(w.environ["FERRY_CONFIG"], []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// forgetPassword makes the set-up incomplete: the target is on the internet,
// and its password is missing.
func (w *world) forgetPassword() {
	w.policy("targets: [{to: docker.io/mate}]\n")
	delete(w.environ, "FERRY_PASSWORD")
}

// publish pushes a multi-platform image to the source and returns its digest.
func (w *world) publish(repository, tag string, seed uint64) string {
	image := fakeregistry.Generate(fakeregistry.Spec{
		Seed: seed, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{20_000, 300},
	})
	w.source.Add(repository, tag, image)
	return fakeregistry.Digest(image.Root().Body)
}

// run runs a command and returns the output of both streams.
func (w *world) run(ctx context.Context, args ...string) (status int, said string) {
	var out bytes.Buffer
	status = Run(ctx, wiring.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Getenv: func(key string) string { return w.environ[key] }, At: w.at,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	return status, out.String()
}

func (w *world) wantStatus(got, want int, log string) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("status %d, want %d: %s", got, want, log)
	}
}

func wantText(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, s := range want {
		if !strings.Contains(text, s) {
			t.Errorf("%s lacks %q: %s", what, s, text)
		}
	}
}

// mirrored returns the digest of a tag at the target; empty if there is none.
func (w *world) mirrored(repository, tag string) string {
	_, body, ok := w.target.Manifest("mirror/"+repository, tag)
	if !ok {
		return ""
	}
	return fakeregistry.Digest(body)
}
