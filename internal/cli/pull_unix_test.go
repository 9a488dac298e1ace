//go:build unix

package cli

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestPullWaits pulls an image as soon as a mirror has it, and gives up after the
// given time.
func TestPullWaits(t *testing.T) {
	fakePodman(t)
	w := newWorld(t)
	w.Publish("ns/img", "2", 2)
	environ := maps.Clone(w.Environ)
	delete(environ, "FERRY_CONFIG") // which would name another mirror
	delete(environ, "GITHUB_TOKEN") // which would open an issue
	for _, test := range []struct {
		wait, said string
		mirrored   bool
		slept      time.Duration
	}{{"60s", "1m0s", true, 30 * time.Second}, {"20s", "20s", false, 20 * time.Second}, {"25s", "25s", false, 25 * time.Second}, {"5s", "5s", false, 5 * time.Second}} {
		target := "registry.example.com/other"
		if test.mirrored {
			target = "registry.example.com/mirror"
		}
		var out fakeworld.Output
		var slept time.Duration
		status := Run(t.Context(), wiring.Env{
			Args: []string{
				"pull", "gcr.io/ns/img:2", "--from", target, "--with", "podman", "--request", "alice/ferry", "--wait", test.wait,
				"--private", "registry.example.com", "--plain-http", "registry.example.com",
			},
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: func(key string) string { return environ[key] }, At: w.At,
			Wait: func(ctx context.Context, d time.Duration) error {
				if slept += d; slept == 30*time.Second { // the bot has copied it
					copied, said := w.run(ctx, "copy", "gcr.io/ns/img:2", "--to", "registry.example.com/mirror")
					w.WantStatus(copied, wiring.StatusDone, said)
				}
				return ctx.Err()
			},
		})
		fakeworld.WantText(t, "the output", out.String(), "To ask for them, open: https://github.com/alice/ferry/issues/new?", "waiting at most "+test.said+" for: gcr.io/ns/img:2")
		if test.mirrored != (status == wiring.StatusDone) || test.mirrored != strings.Contains(out.String(), "gcr.io/ns/img:2: sha256:") || test.mirrored == strings.Contains(out.String(), "not mirrored yet") {
			t.Errorf("%s: status %d\n%s", test.wait, status, out.String())
		}
		if slept != test.slept {
			t.Errorf("%s: waited %v, want %v", test.wait, slept, test.slept)
		}
	}
}
