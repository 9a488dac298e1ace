package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/imageferry/ferry/bench/internal/peer"
)

func shell(scripts ...string) []peer.Command {
	var commands []peer.Command
	for _, s := range scripts {
		commands = append(commands, peer.Command{Args: []string{"/bin/sh", "-c", s}, Env: []string{"OWN=mine"}})
	}
	return commands
}

func TestExecuteTellsWhatAFailureSaid(t *testing.T) {
	_, err := execute(t.Context(), shell("true", "echo because of $OWN $SHARED >&2; exit 3"), 2, []string{"SHARED=ours"})
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "because of mine ours") {
		t.Errorf("the error is %v", err)
	}
}

func TestExecuteRunsSoManyAtATime(t *testing.T) {
	t.Chdir(t.TempDir())
	// The directory is a lock: who comes while it is there fails.
	alone := "mkdir lock && i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; rmdir lock"
	if _, err := execute(t.Context(), shell(alone, alone, alone, alone), 1, os.Environ()); err != nil {
		t.Errorf("one at a time: %v", err)
	}
	// Each waits for the other: alone neither would end.
	pair := func(mine, other string) string {
		return "touch " + mine + "; while [ ! -e " + other + " ]; do :; done"
	}
	if _, err := execute(t.Context(), shell(pair("a", "b"), pair("b", "a")), 2, os.Environ()); err != nil {
		t.Errorf("two at a time: %v", err)
	}
}

func TestExecuteEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := execute(ctx, shell("while :; do :; done"), 1, nil); err == nil {
		t.Error("a cancelled run succeeded")
	}
}

func TestExecuteMeasures(t *testing.T) {
	u, err := execute(t.Context(), shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if u.cpu <= 0 || u.wall < u.cpu/2 {
		t.Errorf("measured %+v", u)
	}
	if u.peak <= 0 || u.peak > 100*mib {
		t.Errorf("a shell's peak is %d bytes", u.peak)
	}
}
