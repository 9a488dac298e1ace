//go:build linux

package setup

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestImmutableFiles leaves a file that may not be replaced as it is, whatever
// the client, and undoes the other files of that client.
func TestImmutableFiles(t *testing.T) {
	for client, file := range map[string]string{
		"docker": daemon, "containerd": containerdConfig, "k3s": "etc/rancher/k3s/registries.yaml", "buildkit": "etc/buildkit/buildkitd.toml",
	} {
		t.Run(client, func(t *testing.T) {
			d, before := machine(t)
			if out, err := exec.CommandContext(t.Context(), "chattr", "+i", d.path(file)).CombinedOutput(); err != nil {
				t.Skipf("only root sets the attribute, and not on every file system: %v %s", err, out)
			}
			t.Cleanup(func() { _ = exec.Command("chattr", "-i", d.path(file)).Run() })
			err := d.Apply(planOf(d, guarded(t), client))
			if !errors.Is(err, os.ErrPermission) {
				t.Errorf("got %v", err)
			}
			if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
				t.Errorf("files have changed:\n%s", diff)
			}
			if data, err := os.ReadFile(d.state(journalFile)); err != nil || strings.Contains(string(data), file) {
				t.Errorf("the journal is %s, %v", data, err)
			}
		})
	}
}

// TestDiskFull applies the changes on file systems of all sizes from none to
// enough: each file is the old or the new one, and nothing else is left.
func TestDiskFull(t *testing.T) {
	full, done := 0, 0
	for pages := 3; pages < 60; pages += 2 {
		root := t.TempDir()
		if err := syscall.Mount("tmpfs", root, "tmpfs", 0, "size="+strconv.Itoa(pages*os.Getpagesize())); err != nil {
			t.Skipf("only root mounts file systems, and not in every container: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(root, syscall.MNT_DETACH) })
		d := Disk{Root: root}
		put := func(name, text string) error {
			if err := os.MkdirAll(filepath.Dir(d.path(name)), 0o755); err != nil {
				return err
			}
			return os.WriteFile(d.path(name), []byte(text), 0o600)
		}
		if put("usr/bin/containerd", "") != nil || put(containerdConfig, "version = 2\n"+strings.Repeat("# ours\n", 1000)) != nil {
			continue
		}
		before := tree(t, root)
		err := d.Apply(planOf(d, guarded(t), "containerd"))
		if err == nil {
			done++
			_, err = d.Undo()
			if err != nil && !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%d pages: %v", pages, err)
			}
			continue
		}
		full++
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d pages: %v", pages, err)
		}
		after := tree(t, root)
		for name, text := range before {
			if after[name] != text && !strings.Contains(after[name], "config_path") {
				t.Errorf("%d pages: %s is neither the old file nor the new one: %d bytes", pages, name, len(after[name]))
			}
		}
		for name := range after {
			if strings.Contains(name, ".ferry-") && !strings.HasSuffix(name, backupSuffix) {
				t.Errorf("%d pages: %s is left", pages, name)
			}
		}
	}
	if full == 0 || done == 0 {
		t.Errorf("%d file systems were full, %d were not", full, done)
	}
}

// TestManyAtOnce runs set-ups at the same time: one after the other changes the
// files, or says that another runs, and undoing restores them.
func TestManyAtOnce(t *testing.T) {
	d, before := machine(t)
	var all sync.WaitGroup
	failures := make([]error, 8)
	for i := range failures {
		all.Go(func() {
			for _, p := range planned(d, local(t)) {
				if err := d.Apply(p); err != nil {
					failures[i] = err
				}
			}
		})
	}
	all.Wait()
	for _, err := range failures {
		if err != nil && !strings.Contains(err.Error(), "another \"ferry setup\" is running") && !strings.Contains(err.Error(), "changed in the meantime") {
			t.Error(err)
		}
	}
	if _, err := d.Undo(); err != nil {
		t.Error(err)
	}
	if diff := gocmp.Diff(before, tree(t, d.Root)); diff != "" {
		t.Errorf("undo left:\n%s", diff)
	}
}
