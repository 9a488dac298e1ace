package app

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/report"
)

// TestEveryCallToGitHubCanFail breaks every single call of a run in every way,
// lets the sweep come, and wants what every run must leave: one comment with
// the true state, the right label, the right close reason, and each image
// pushed once.
func TestEveryCallToGitHubCanFail(t *testing.T) {
	faults := map[string]fakegithub.Fault{
		"error":         {Status: http.StatusBadGateway},
		"refused":       {Status: http.StatusForbidden},
		"cut":           {Cut: true},
		"lost response": {Cut: true, Effect: true},
	}
	type event struct {
		name  string
		start func(*world) (number int, run func())
	}
	events := []event{
		{"opened", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			return n, func() { w.happens("issues", "opened", n, nil) }
		}},
		{"retry", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			id := w.github.Comment(n, stranger, "/ferry retry")
			return n, func() {
				w.happens("issue_comment", "created", n, map[string]any{"comment": map[string]any{
					"id": id, "body": "/ferry retry", "user": map[string]any{"login": stranger.Login, "id": stranger.ID},
				}})
			}
		}},
		{"dispatch", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			return n, func() {
				w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": map[string]any{"issue": fmt.Sprint(n)}})
			}
		}},
		{"schedule", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			return n, func() { w.happens("schedule", "", 0, nil) }
		}},
	}
	for _, e := range events {
		for name, fault := range faults {
			for _, ever := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/ever %v", e.name, name, ever), func(t *testing.T) {
					t.Parallel()
					for n, calls := 1, 2; n <= calls; n++ {
						w := newWorld(t)
						w.publish("ns/img", "1.0", 1)
						number, run := e.start(w)
						w.disturb(func(i int) fakegithub.Fault {
							if i == n || ever && i > n {
								return fault
							}
							return fakegithub.Fault{}
						})
						run()
						calls = len(w.github.Requests())
						w.disturb(nil)
						w.later()
						w.happens("schedule", "", 0, nil)
						w.wantDone(number, fmt.Sprintf("call %d", n))
						if t.Failed() {
							return
						}
					}
				})
			}
		}
	}
}

// wantDone wants the issue to be served, once.
func (w *world) wantDone(number int, when string) {
	w.t.Helper()
	w.wantIssue(number, false, "completed", "ferry/done")
	if m, _ := report.ParseMarker(w.comment(number)); m.State != report.StateDone {
		w.t.Errorf("%s: the comment says %q", when, m.State)
	}
	if got := w.target.Count("^PUT /v2/mirror/ns.img/manifests/1.0"); got != 1 {
		w.t.Errorf("%s: the image was pushed %d times", when, got)
	}
	if w.t.Failed() {
		w.t.Logf("%s; GitHub was asked:", when)
		for _, r := range w.github.Requests() {
			w.t.Log(r)
		}
	}
}

// TestKilledAnywhere stops a run at every request to a registry, as a job that
// is cancelled is, and lets the sweep finish.
func TestKilledAnywhere(t *testing.T) {
	for n, calls := 1, 2; n <= calls; n++ {
		w := newWorld(t)
		w.publish("ns/img", "1.0", 1)
		number := w.open(stranger, "please", "gcr.io/ns/img:1.0")
		ctx, cancel := context.WithCancel(t.Context())
		seen := 0
		stop := func(http.ResponseWriter, *http.Request) bool {
			w.mu.Lock()
			defer w.mu.Unlock()
			if seen++; seen == n {
				cancel()
			}
			return false
		}
		w.source.Inject(fakeregistry.Fault{Match: ".", Times: -1, Do: stop})
		w.target.Inject(fakeregistry.Fault{Match: ".", Times: -1, Do: stop})
		w.happensIn(ctx, "issues", "opened", number, nil)
		cancel()
		if m, _ := report.ParseMarker(w.comment(number)); m.State != report.StateInterrupted && m.State != report.StateDone {
			t.Errorf("request %d: the comment says %q", n, m.State)
		}
		w.mu.Lock()
		calls = seen
		w.mu.Unlock()
		w.later()
		w.happens("schedule", "", 0, nil)
		w.wantDone(number, fmt.Sprintf("request %d", n))
		if t.Failed() {
			return
		}
	}
}
