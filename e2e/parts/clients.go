package parts

import (
	"bytes"
	"context"
	_ "embed" // the script systemctl
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
	shell := newShell(t, standIns)
	shell.startContainerd(t)
	return shell
}

// NewTerminal opens a terminal without daemons.
func NewTerminal(t testing.TB) *Shell {
	t.Helper()
	return newShell(t, nil)
}

// NewNode opens a terminal on a machine whose systemctl manages docker and
// containerd, with the configuration files in /etc. Both run until the test
// ends.
func NewNode(t testing.TB) *Shell {
	t.Helper()
	shell := newShell(t, map[string]string{"systemctl": systemctl})
	shell.env = append(shell.env, "SERVICES="+t.TempDir())
	t.Cleanup(func() {
		logs := "tail -n 30 $SERVICES/*.log"
		if !t.Failed() {
			logs = "true"
		}
		cmd := exec.Command("bash", "-c", "systemctl stop docker; systemctl stop containerd; "+logs)
		cmd.Env = shell.env
		if out, err := cmd.CombinedOutput(); err != nil || t.Failed() {
			t.Logf("stopping the services: %v\n%s", err, out)
		}
	})
	shell.Run(t, "systemctl start containerd; systemctl start docker")
	return shell
}

// systemctl is a stand-in with what "ferry setup" and these tests use of it.
//
//go:embed systemctl
var systemctl string

// newShell opens a terminal with scripts as further commands.
func newShell(t testing.TB, scripts map[string]string) *Shell {
	t.Helper()
	bin := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &Shell{Dir: t.TempDir(), env: append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOME="+t.TempDir())}
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
