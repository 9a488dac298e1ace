package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/e2e/parts"
)

// TestSetup sets containerd and podman up with what "ferry setup" writes, and
// pulls by the original name through a front whose target holds nothing but the
// mirror name. Then it takes everything out again.
func TestSetup(t *testing.T) {
	parts.Registry(t, authority, "registry.example.com")
	shell := parts.NewShell(t)
	digest := push(t, "registry.example.com/user/ns.img:1.2").String()
	const source, front = "gcr.io/ns/img:1.2", "http://127.0.0.1:5050"

	serve := exec.CommandContext(t.Context(), ferryFile(), "serve", "--target", "registry.example.com/user")
	serve.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = serve.Process.Kill()
		_ = serve.Wait()
	})
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if answer, err := http.Get(front + "/-/live"); err == nil {
			answer.Body.Close()
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatal("the front did not start within a minute")
		}
	}

	root := t.TempDir()
	for _, dir := range []string{"etc/containerd", "etc/containers"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	setup := ferryFile() + " setup --root " + root
	if out := shell.Run(t, setup+" --front "+front); !strings.Contains(out, "Nothing was written") {
		t.Errorf("a dry run printed %q", out)
	}
	shell.Run(t, setup+" --front "+front+" --apply")

	shell.Run(t, "ctr -n k8s.io images pull --hosts-dir "+root+"/etc/containerd/certs.d "+source)
	if got := shell.Run(t, "ctr -n k8s.io images ls name=="+source); !strings.Contains(got, digest) {
		t.Errorf("containerd has %s as %s, want %s", source, got, digest)
	}
	shell.Run(t, "CONTAINERS_REGISTRIES_CONF="+root+"/etc/containers/registries.conf.d/050-ferry.conf podman pull "+source)
	if got := shell.Run(t, "podman image inspect --format '{{.RepoDigests}}' "+source); !strings.Contains(got, digest) {
		t.Errorf("podman has %s by the digests %s, want %s", source, got, digest)
	}

	shell.Run(t, setup+" --undo")
	for _, dir := range []string{"etc/containerd", "etc/containers"} {
		if entries, err := os.ReadDir(filepath.Join(root, dir)); err != nil || len(entries) > 0 {
			t.Errorf("after --undo, %s holds %v (%v)", dir, entries, err)
		}
	}
}
