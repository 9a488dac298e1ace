//go:build unix

package archive

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoadScript runs load.sh with a client that keeps what it is given.
func TestLoadScript(t *testing.T) {
	dir, bin := filepath.Join(t.TempDir(), "a folder"), t.TempDir()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := bytes.Repeat([]byte("0123456789"), 1000)
	furnish(t, dir, text, 3000)
	loaded := filepath.Join(bin, "loaded")
	for client, script := range map[string]string{
		"docker":  "#!/bin/sh\n[ \"$1\" = info ] || exec cat >" + loaded + "\n",
		"podman":  "#!/bin/sh\ncat >/dev/null; exit 3\n",
		"nerdctl": "#!/bin/sh\nexit 1\n",
	} {
		if err := os.WriteFile(filepath.Join(bin, client), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", append([]string{filepath.Join(dir, "load.sh")}, args...)...)
		cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run()
	if got, _ := os.ReadFile(loaded); err != nil || !bytes.Equal(got, text) || !strings.Contains(out, "loaded into docker") {
		t.Errorf("%v: %s: %d bytes were loaded", err, out, len(got))
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"check"}, "images.tar.004: OK"},
		{[]string{"podman"}, "podman did not take the images"},
		{[]string{"wget"}, "there is no client wget"},
	} {
		if out, err := run(test.args...); (err == nil) != (test.args[0] == "check") || !strings.Contains(out, test.want) {
			t.Errorf("%v: %v: %s", test.args, err, out)
		}
	}
	second := filepath.Join(dir, "images.tar.002")
	if err := os.WriteFile(second, bytes.Repeat([]byte("damage"), 500), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := run(); err == nil || !strings.Contains(out, "images.tar.002 is damaged: copy it again") {
		t.Errorf("damaged: %v: %s", err, out)
	}
	if err := os.Remove(second); err != nil {
		t.Fatal(err)
	}
	if out, err := run(); err == nil || !strings.Contains(out, "images.tar.002 is missing") {
		t.Errorf("missing: %v: %s", err, out)
	}
	for text, want := range map[string]string{"0  ../../etc/passwd\n": "is not part of an archive", "": "there is no file SHA256SUMS"} {
		if err := os.WriteFile(filepath.Join(dir, SumsFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := run("check"); err == nil || !strings.Contains(out, want) {
			t.Errorf("%q: %v: %s", text, err, out)
		}
	}
}
