package e2e

import (
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/ledger"
)

// TestCancelled cancels a job while one image has arrived and the source does
// not answer for the other. The comment says so, the issue waits, and the sweep
// finishes what is left.
//
// The signals are those that GitHub's runner sends (its ProcessInvoker): SIGINT
// to the process of the step and to no other, after 7.5 seconds SIGTERM. act
// does not: it kills the step's process as soon as it is interrupted itself. So
// the test sends them in its stead, to the process that act has started.
func TestCancelled(t *testing.T) {
	opened := example(t, "issues", "opened")
	runner := newWorkspace(t, opened)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			c := newCancellation(t, runner, opened, time.Now)
			c.strike(t, signal)
			answer := c.ferry.answer(t, c.issue)
			if m, ok := ledger.ParseMarker(answer); !ok || m.State != ledger.Interrupted {
				t.Errorf("the state in the comment is %q, want %q", m.State, ledger.Interrupted)
			}
			if !strings.Contains(answer, c.first.String()) || !strings.Contains(answer, "The run was stopped") {
				t.Error("the comment does not tell what has arrived, and that the run was stopped")
			}
			c.ferry.mustBear(t, c.issue, "ferry/retry")
			c.sweep(t)
		})
	}
}

// TestKilled is a run that dies without a last word, as with its machine. Its
// comment says that it is at work; when nothing has been heard of it for a
// quarter of an hour, the sweep takes over.
func TestKilled(t *testing.T) {
	opened := example(t, "issues", "opened")
	var ago atomic.Int64
	ago.Store(int64(16 * time.Minute))
	c := newCancellation(t, newWorkspace(t, opened), opened, func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) })
	c.strike(t, syscall.SIGKILL)
	if m, ok := ledger.ParseMarker(c.ferry.answer(t, c.issue)); !ok || m.State != ledger.Working {
		t.Errorf("the state in the comment is %q, want %q", m.State, ledger.Working)
	}
	ago.Store(0)
	c.sweep(t)
}

// cancellation is a request for two images, of which the source holds one back.
type cancellation struct {
	runner      workspace
	opened      payload
	ferry       *bot
	issue       int
	hold        *parts.Hold
	first, held v1.Hash
}

// newCancellation opens the issue. now is GitHub's clock.
func newCancellation(t *testing.T, runner workspace, opened payload, now func() time.Time) *cancellation {
	t.Helper()
	c := &cancellation{runner: runner, opened: opened, hold: parts.HeldRegistry(t, authority, "ns/held", "gcr.io")}
	parts.DockerHub(t, authority, owner)
	c.first, c.held = push(t, "gcr.io/ns/img:1"), push(t, "gcr.io/ns/held:1")
	c.ferry = newBot(t, opened, func(github *fakegithub.Config) { github.Now = now })
	c.issue = c.ferry.open(t, opened, "please", "gcr.io/ns/img:1\ngcr.io/ns/held:1\n")
	return c
}

// strike runs the workflow for the issue and sends the signal when the first
// image has arrived and the other is waited for.
func (c *cancellation) strike(t *testing.T, signal syscall.Signal) {
	t.Helper()
	job := c.runner.start(t, "mirror.yml", "issues", c.opened)
	job.await(t, "mirrored image=gcr.io/ns/img:1 ")
	select {
	case <-c.hold.Begun():
	case <-job.ended:
	}
	job.cancel(t, signal)
	if status, _ := job.wait(t); status != 1 {
		t.Errorf("status %d, want 1", status)
	}
	mustHold(t, "docker.io/user/ns.img:1", c.first)
	mustLack(t, "docker.io/user/ns.held:1")
	c.ferry.mustStand(t, c.issue, true, "")
}

// sweep lets the source answer and runs the sweep, which must finish the request.
func (c *cancellation) sweep(t *testing.T) {
	t.Helper()
	c.hold.Release()
	tick := payload{"schedule": "23 */2 * * *", "repository": c.opened["repository"], "workflow": ".github/workflows/sweep.yml"}
	if status, _ := c.runner.act(t, "sweep.yml", "schedule", tick, "--env", "GITHUB_RUN_ID=2"); status != 0 {
		t.Errorf("the sweep: status %d, want 0", status)
	}
	mustHold(t, "docker.io/user/ns.img:1", c.first)
	mustHold(t, "docker.io/user/ns.held:1", c.held)
	c.ferry.answer(t, c.issue)
	c.ferry.mustStand(t, c.issue, false, "completed")
	c.ferry.mustBear(t, c.issue, "ferry/done")
}

// mustBear checks that of Ferry's labels an issue bears one.
func (b *bot) mustBear(t *testing.T, issue int, label string) {
	t.Helper()
	labels := slices.DeleteFunc(slices.Clone(b.repository.Issue(issue).Labels), func(l string) bool { return !strings.HasPrefix(l, "ferry/") })
	if !slices.Equal(labels, []string{label}) {
		t.Errorf("the issue bears %q, want %q", labels, label)
	}
}
