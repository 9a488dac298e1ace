package bot

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestHundredsOfIssuesAtOnce leaves more requests to the sweep than one can serve
// within GitHub's real limits: each gets one answer, none is copied twice, and no
// sweep uses up the requests of the repository's other workflows.
func TestHundredsOfIssuesAtOnce(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) { c.Limits = fakegithub.GitHubLimits() })
	w.wait = w.byTheClock
	const issues, images = 250, 7
	for i := range images {
		w.Publish("ns/img", fmt.Sprint(i), uint64(i+1))
	}
	for i := range issues {
		w.open(event.User{ID: int64(5000 + i), Login: fmt.Sprint("passenger-", i)}, "please", fmt.Sprintf("gcr.io/ns/img:%d", i%images))
	}
	answered := func() int {
		n := 0
		for i := range issues {
			if !w.github.Issue(i + 1).Open {
				n++
			}
		}
		return n
	}
	const reserve = 150 // see publish
	for sweeps := 1; answered() < issues; sweeps++ {
		// The runner gives every run its own file.
		if err := errors.Join(os.RemoveAll(w.Environ["GITHUB_STEP_SUMMARY"]), os.RemoveAll(w.Environ["GITHUB_OUTPUT"])); err != nil {
			t.Fatal(err)
		}
		before, requests := answered(), len(w.github.Requests())
		status, log := w.happens("schedule", "", 0, nil)
		w.WantStatus(status, wiring.StatusDone, log)
		counted := 0
		for _, r := range w.github.Requests()[requests:] {
			if r.Status != http.StatusNotModified {
				counted++
			}
		}
		if counted > 2*(1000-reserve) { // it has parts of two hours
			t.Errorf("sweep %d sends %d requests", sweeps, counted)
		}
		if sweeps > 3 {
			t.Fatal("a thousand would take more than a day")
		}
		if after := answered(); after == before || t.Failed() {
			t.Fatalf("sweep %d gets from %d to %d answers: %s", sweeps, before, after, log)
		}
		t.Logf("sweep %d: %d answers, %d requests", sweeps, answered(), len(w.github.Requests())-requests)
		w.later()
	}
	for i := range issues {
		w.wantIssue(i+1, false, "completed", "ferry/done")
		if m, _ := ledger.ParseMarker(w.comment(i + 1)); m.State != ledger.Done {
			t.Errorf("issue %d: the comment says %q", i+1, m.State)
		}
	}
	if n := w.Target.Count("^PUT .*/manifests/[0-9]$"); n != images {
		t.Errorf("%d images were pushed %d times", images, n)
	}
}
