package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// job is a workflow that runs under act.
type job struct {
	kind  string
	act   *exec.Cmd
	err   error         // of act, when it has ended
	ended chan struct{} // closed then

	mu      sync.Mutex
	written *sync.Cond
	log     bytes.Buffer
}

// begin starts act.
func begin(t *testing.T, kind string, act *exec.Cmd) *job {
	t.Helper()
	j := &job{kind: kind, act: act, ended: make(chan struct{})}
	j.written = sync.NewCond(&j.mu)
	act.Stdout, act.Stderr = j, j
	if err := act.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		err := act.Wait()
		j.mu.Lock()
		defer j.mu.Unlock()
		j.err = err
		close(j.ended)
		j.written.Broadcast()
	}()
	return j
}

// Write takes what act writes.
func (j *job) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.written.Broadcast()
	return j.log.Write(p)
}

// await waits until the log has text.
func (j *job) await(t *testing.T, text string) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	for !bytes.Contains(j.log.Bytes(), []byte(text)) {
		select {
		case <-j.ended:
			t.Fatalf("the job has ended without saying %q:\n%s", text, j.log.Bytes())
		default:
			j.written.Wait()
		}
	}
}

// wait waits for the end of the job and gives act's exit status and the log.
func (j *job) wait(t *testing.T) (int, string) {
	t.Helper()
	<-j.ended
	if _, exited := errors.AsType[*exec.ExitError](j.err); j.err != nil && !exited {
		t.Fatal(j.err)
	}
	status, log := j.act.ProcessState.ExitCode(), j.log.String()
	for _, step := range stepTook.FindAllStringSubmatch(log, -1) {
		t.Logf("act %s: %s took %s", j.kind, step[1], step[2])
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("act %s: status %d\n%s", j.kind, status, log)
		}
	})
	if strings.Contains(log, token) || strings.Contains(log, password) {
		t.Errorf("a secret shows in the log of act:\n%s", log)
	}
	return status, log
}

// stepTook matches what act says of a step that ended well: its name and time.
// "go test -v" shows them, with the cold start and the warm one.
var stepTook = regexp.MustCompile(`Success - Main (.+?) \[([\d.]+m?s)\]`)

// cancel sends a signal to the process of the step that runs. If that does not
// end it in a minute, it is killed; GitHub's runner has less patience.
func (j *job) cancel(t *testing.T, signal syscall.Signal) {
	t.Helper()
	steps := children(t, j.act.Process.Pid)
	if len(steps) != 1 {
		t.Fatalf("act has the processes %v, want one, of the step", steps)
	}
	if err := syscall.Kill(steps[0], signal); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(time.Minute, func() { _ = syscall.Kill(steps[0], syscall.SIGKILL) })
	t.Cleanup(func() { kill.Stop() })
}

// children are the processes that a process has started and that still run.
func children(t *testing.T, parent int) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []int
	for _, file := range files {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// After the name, which may hold anything: the state and the parent.
		var state string
		var of int
		if _, err := fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &of); err != nil {
			t.Fatalf("reading %s: %v", file, err)
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil && of == parent && state != "Z" {
			found = append(found, pid)
		}
	}
	return found
}
