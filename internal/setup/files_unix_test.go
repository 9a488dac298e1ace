//go:build unix

package setup

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// On Windows there are no such modes and owners, and making links takes a right
// that not everybody has.

// TestFilesOfOthers keeps the mode, the owner and the link of a file, whatever
// the mode is.
func TestFilesOfOthers(t *testing.T) {
	other := -1 // the same, because only root gives files away
	if os.Geteuid() == 0 {
		other = 1234
	}
	for _, test := range []struct {
		name  string
		mode  fs.FileMode
		owner int
		link  bool
	}{{"read-only", 0o400, -1, false}, {"for everybody", 0o666, -1, false}, {"another owner", 0o640, other, false}, {"a link", 0o644, -1, true}} {
		t.Run(test.name, func(t *testing.T) {
			d, _ := machine(t)
			file := d.path(daemon)
			if test.link {
				elsewhere := d.path("srv/daemon.json")
				if err := os.MkdirAll(filepath.Dir(elsewhere), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(file, elsewhere); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink("../../srv/daemon.json", file); err != nil {
					t.Fatal(err)
				}
				file = elsewhere
			}
			if err := os.Chmod(file, test.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(file, test.owner, test.owner); err != nil {
				t.Fatal(err)
			}
			describe := func() string {
				info, err := os.Lstat(file)
				if err != nil {
					t.Fatal(err)
				}
				stat, ok := info.Sys().(*syscall.Stat_t)
				if !ok {
					t.Fatalf("%s has no owner", file)
				}
				return fmt.Sprint(info.Mode(), stat.Uid, stat.Gid)
			}
			before, content := describe(), tree(t, d.Root)
			if err := d.Apply(planOf(d, local(t), "docker")); err != nil {
				t.Fatal(err)
			}
			if got := describe(); got != before {
				t.Errorf("the file became %s, was %s", got, before)
			}
			if got, _ := os.ReadFile(d.path(daemon)); !bytes.Contains(got, []byte("registry-mirrors")) {
				t.Errorf("the file holds %q", got)
			}
			if _, err := d.Undo(); err != nil {
				t.Error(err)
			}
			if got := describe(); got != before || gocmp.Diff(content, tree(t, d.Root)) != "" {
				t.Errorf("undo left %s, was %s:\n%s", got, before, gocmp.Diff(content, tree(t, d.Root)))
			}
		})
	}
}

func TestLinks(t *testing.T) {
	d, _ := machine(t)
	outside := filepath.Join(t.TempDir(), "daemon.json")
	if err := os.WriteFile(outside, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	inside := d.path("srv/daemon.json")
	if err := os.MkdirAll(filepath.Dir(inside), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(inside, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for target, wrong := range map[string]bool{outside: true, inside: false} {
		if err := os.Remove(d.path(daemon)); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, d.path(daemon)); err != nil {
			t.Fatal(err)
		}
		err := d.Apply(Plan(Machine{Files: os.DirFS(d.Root)}, local(t), []string{"docker"})[0])
		if (err != nil) != wrong {
			t.Errorf("a link to %s: %v", target, err)
		}
		if info, err := os.Lstat(d.path(daemon)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link is gone: %v", err)
		}
	}
}
