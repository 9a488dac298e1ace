package cli

import (
	"os"
	"path/filepath"
	"testing"

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
	delete(w.environ, "FERRY_CONFIG")
	status, said := w.run(t.Context(), "pull", "gcr.io/ns/img:1", "--from", "registry.example.com/MyOrg", "--with", "podman",
		"--private", "registry.example.com", "--plain-http", "registry.example.com", "--request", "alice/ferry")
	w.wantStatus(status, wiring.StatusFailed, said)
	wantText(t, "the output", said, "warning: --from", "gcr.io/ns/img:1: not mirrored yet",
		"https://github.com/alice/ferry/issues/new?template=mirror.yml&images=gcr.io%2Fns%2Fimg%3A1")
}
