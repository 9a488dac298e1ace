//go:build unix

package upstream_test

import (
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestGit: what is asked and read is what Git itself understands.
func TestGit(t *testing.T) {
	root := t.TempDir()
	repository := filepath.Join(root, "a", "b.git")
	if err := os.MkdirAll(repository, 0o700); err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", repository, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...).Output()
		if err != nil {
			t.Fatalf("git %s: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "--bare")
	commit := git("commit-tree", "-m", "x", git("mktree"))
	for _, tag := range []string{"v1.0.0", "v1.1.0", "other/1"} {
		git("update-ref", "refs/tags/"+tag, commit)
	}
	program, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	s := &site{ServeMux: http.NewServeMux()}
	s.Handle("github.com/a/b.git/", &cgi.Handler{Path: program, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1", "HOME=" + root, "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}})
	s.HandleFunc("github.com/a/b/releases/download/v1.1.0/f", answer("quay.io/a/b:1\n"))
	u := read(t, "release a/b ^1 f")
	texts, verdicts, err := newReader(t, s).Read(t.Context(), u)
	if err != nil || len(verdicts) != 3 || !slices.Equal(images(u, texts), []string{"quay.io/a/b:1"}) {
		t.Errorf("%v, %v, %+v", err, verdicts, texts)
	}
}
