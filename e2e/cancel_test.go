package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/internal/report"
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
			hold := parts.HeldRegistry(t, authority, "ns/held", "gcr.io")
			parts.DockerHub(t, authority, owner)
			arrives, held := push(t, "gcr.io/ns/img:1"), push(t, "gcr.io/ns/held:1")
			ferry := newBot(t, opened)
			issue := ferry.open(t, opened, "please", "gcr.io/ns/img:1\ngcr.io/ns/held:1\n")

			job := runner.start(t, "mirror.yml", "issues", opened)
			job.await(t, "mirrored image=gcr.io/ns/img:1 ")
			select {
			case <-hold.Begun():
			case <-job.ended:
			}
			job.cancel(t, signal)
			if status, _ := job.wait(t); status != 1 {
				t.Errorf("status %d, want 1", status)
			}
			answer := ferry.answer(t, issue)
			if m, ok := report.ParseMarker(answer); !ok || m.State != report.StateInterrupted {
				t.Errorf("the state in the comment is %q, want %q", m.State, report.StateInterrupted)
			}
			if !strings.Contains(answer, arrives.String()) || !strings.Contains(answer, "The run was stopped") {
				t.Error("the comment does not tell what has arrived, and that the run was stopped")
			}
			mustHold(t, "docker.io/user/ns.img:1", arrives)
			mustLack(t, "docker.io/user/ns.held:1")
			ferry.mustStand(t, issue, true, "")
			ferry.mustBear(t, issue, "ferry/retry")

			hold.Release()
			tick := payload{"schedule": "23 */2 * * *", "repository": opened["repository"], "workflow": ".github/workflows/sweep.yml"}
			if status, _ := runner.act(t, "sweep.yml", "schedule", tick); status != 0 {
				t.Errorf("the sweep: status %d, want 0", status)
			}
			mustHold(t, "docker.io/user/ns.img:1", arrives)
			mustHold(t, "docker.io/user/ns.held:1", held)
			ferry.answer(t, issue)
			ferry.mustStand(t, issue, false, "completed")
			ferry.mustBear(t, issue, "ferry/done")
		})
	}
}

// mustBear checks that of Ferry's labels an issue bears one.
func (b *bot) mustBear(t *testing.T, issue int, label string) {
	t.Helper()
	labels := slices.DeleteFunc(slices.Clone(b.repository.Issue(issue).Labels), func(l string) bool { return !strings.HasPrefix(l, "ferry/") })
	if !slices.Equal(labels, []string{label}) {
		t.Errorf("the issue bears %q, want %q", labels, label)
	}
}
