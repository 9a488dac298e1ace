// Package fakeworld provides the environment for tests of Ferry as a whole:
// registries under public names, a target with a login, a policy that allows
// them, and the environment of a run.
package fakeworld

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// Owner is the owner of the repository in Environ.
var Owner = event.User{ID: 1001, Login: "octo-harbour"}

// Token is the token of a workflow run.
const Token = "token-of-github"

// The login at the target.
const (
	username = "mate"
	password = "sesame-of-the-target"
)

// Policy is the initial policy: the registries are on loopback and use no TLS.
const Policy = `
targets:
  - {to: registry.example.com/mirror, private: true, plain-http: true}
sources:
  - {host: gcr.io, private: true, plain-http: true, requests: anyone}
  - {host: quay.io, private: true, plain-http: true, requests: anyone}
  - {host: ghcr.io, private: true, plain-http: true, requests: anyone}
  - {host: docker.io, private: true, plain-http: true, requests: anyone}
  - {host: registry.k8s.io, private: true, plain-http: true, requests: anyone}
`

// World is the environment of one test. Environ and At may be changed between
// runs.
type World struct {
	T       testing.TB
	Source  *fakeregistry.Registry // gcr.io, quay.io, ghcr.io, registry.k8s.io and docker.io in one
	Target  *fakeregistry.Registry // registry.example.com/mirror
	Environ map[string]string
	At      map[string]string // the addresses behind the public names, host:port
	Dir     string            // the folder of the files in Environ
}

// New starts the registries and writes the policy. They stop at the end of the
// test.
func New(t testing.TB) *World {
	t.Helper()
	dir := t.TempDir()
	w := &World{
		T:      t,
		Source: fakeregistry.New(fakeregistry.Options{}),
		Target: fakeregistry.New(fakeregistry.Options{Username: username, Password: password}),
		Dir:    dir,
		Environ: map[string]string{
			"GITHUB_ACTIONS":      "true",
			"GITHUB_REPOSITORY":   Owner.Login + "/ferry",
			"GITHUB_API_URL":      "http://127.0.0.1:1", // where nobody listens; a test that needs GitHub starts one
			"GITHUB_TOKEN":        Token,
			"GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
			"FERRY_CONFIG":        filepath.Join(dir, "ferry.yaml"),
			"FERRY_USERNAME":      username,
			"FERRY_PASSWORD":      password,
		},
	}
	source := w.Serve(w.Source)
	w.At = map[string]string{
		"gcr.io:80": source, "quay.io:80": source, "ghcr.io:80": source, "registry-1.docker.io:80": source, "registry.k8s.io:80": source,
		"registry.example.com:80": w.Serve(w.Target),
	}
	w.SetPolicy(Policy)
	return w
}

// Serve starts a server on loopback and returns its host and port.
func (w *World) Serve(h http.Handler) string {
	server := httptest.NewServer(h)
	w.T.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// SetPolicy replaces the policy.
func (w *World) SetPolicy(text string) { w.Write("ferry.yaml", text) }

// Write writes a file into Dir.
func (w *World) Write(name, text string) {
	w.T.Helper()
	if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(text), 0o600); err != nil {
		w.T.Fatal(err)
	}
}

// ForgetPassword makes the setup incomplete: the target is on the internet, and
// its password is missing.
func (w *World) ForgetPassword() {
	w.SetPolicy("targets: [{to: docker.io/" + username + "}]\n")
	delete(w.Environ, "FERRY_PASSWORD")
}

// Publish pushes an image of two platforms to the source and returns its digest.
func (w *World) Publish(repository, tag string, seed uint64) string {
	image := fakeregistry.Generate(fakeregistry.Spec{
		Seed: seed, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{20_000, 300},
	})
	w.Source.Add(repository, tag, image)
	return fakeregistry.Digest(image.Root().Body)
}

// Mirrored returns the digest of a tag at the target; empty if there is none.
func (w *World) Mirrored(repository, tag string) string {
	_, body, ok := w.Target.Manifest("mirror/"+repository, tag)
	if !ok {
		return ""
	}
	return fakeregistry.Digest(body)
}

// WantStatus fails the test unless a run had the expected status.
func (w *World) WantStatus(got, want int, log string) {
	w.T.Helper()
	if got != want {
		w.T.Errorf("exit status %d, want %d; the log:\n%s", got, want, log)
	}
}

// WantText fails the test unless the text, which the test calls what, contains
// all expected parts.
func WantText(t testing.TB, what, text string, wanted ...string) {
	t.Helper()
	for _, s := range wanted {
		if !strings.Contains(text, s) {
			t.Errorf("%s lacks %q:\n%s", what, s, text)
		}
	}
}
