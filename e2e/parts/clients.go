package parts

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Shell is a terminal of somebody who has the container clients installed:
// podman, which answers to the name docker as well, and containerd with ctr.
type Shell struct {
	Dir string // where it is
	env []string
}

// standIns are the commands that a terminal has and a bare machine lacks:
// podman calls itself docker as Debian's podman-docker does, and root needs no
// sudo.
var standIns = map[string]string{
	"docker": "#!/bin/sh\nexec podman \"$@\"\n",
	"sudo":   "#!/bin/sh\nexec \"$@\"\n",
}

// NewShell opens a terminal and starts containerd, with its own default
// configuration, for as long as the test runs.
func NewShell(t testing.TB) *Shell {
	t.Helper()
	bin := t.TempDir()
	for name, script := range standIns {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	shell := &Shell{
		Dir: t.TempDir(),
		env: append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+t.TempDir()),
	}
	shell.startContainerd(t)
	return shell
}

func (s *Shell) startContainerd(t testing.TB) {
	t.Helper()
	var log bytes.Buffer
	daemon := exec.Command("containerd")
	daemon.Env, daemon.Stdout, daemon.Stderr = s.env, &log, &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait()
		if t.Failed() {
			t.Logf("containerd said:\n%s", log.Bytes())
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for exec.CommandContext(ctx, "ctr", "version").Run() != nil {
		select {
		case <-ctx.Done():
			t.Fatal("containerd did not answer within a minute")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Run runs a script as if it was pasted into the terminal and gives what it
// wrote to its standard output. A line that fails ends the test.
func (s *Shell) Run(t testing.TB, script string) string {
	t.Helper()
	out, err := s.Try(t, script)
	if err != nil {
		t.Fatalf("running in a terminal:\n%s\n%v", script, err)
	}
	return out
}

// Try is Run for a script that may fail; the error holds what it complained of.
func (s *Shell) Try(t testing.TB, script string) (string, error) {
	t.Helper()
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = s.Dir
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, complaint.Bytes())
	}
	return out.String(), nil
}
