package bot

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
)

// TestEveryCallToGitHubCanFail makes every single request of a run fail, and then
// runs the sweep. The result must always be: one comment with the true state, the
// right label unless GitHub refuses it, the right close reason, and each image pushed
// once. Of all ways to fail each request has a third, and all with FERRY_EXHAUSTIVE,
// as in CI.
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
		tags  []string // of "ns.img" that are to be there in the end; nil for 1.0 alone
	}
	served := func(w *world) int {
		n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
		w.happens("issues", "opened", n, nil)
		return n
	}
	events := []event{
		{"opened", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			return n, func() { w.happens("issues", "opened", n, nil) }
		}, nil},
		{"edited", func(w *world) (int, func()) {
			n := served(w)
			w.Publish("ns/img", "2.0", 2)
			w.github.Edit(n, "please", "gcr.io/ns/img:1.0\ngcr.io/ns/img:2.0")
			return n, func() { w.happens("issues", "edited", n, nil) }
		}, []string{"1.0", "2.0"}},
		{"edited without change", func(w *world) (int, func()) {
			n := served(w)
			w.github.Edit(n, "thank you", "gcr.io/ns/img:1.0")
			return n, func() { w.happens("issues", "edited", n, nil) }
		}, nil},
		{"reopened", func(w *world) (int, func()) {
			n := served(w)
			w.github.Reopen(n)
			return n, func() { w.happens("issues", "reopened", n, nil) }
		}, nil},
		{"retry", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			id := w.github.Comment(n, stranger, "/ferry retry")
			return n, func() {
				w.happens("issue_comment", "created", n, map[string]any{"comment": commented(stranger, id, "/ferry retry")})
			}
		}, nil},
		{"dispatch", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			return n, func() {
				w.happens("workflow_dispatch", "", 0, map[string]any{"inputs": map[string]any{"issue": fmt.Sprint(n)}})
			}
		}, nil},
		{"schedule", func(w *world) (int, func()) {
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			return n, func() { w.happens("schedule", "", 0, nil) }
		}, nil},
	}
	stride := 3
	if os.Getenv("FERRY_EXHAUSTIVE") != "" {
		stride = 1
	}
	for _, e := range events {
		for kind, name := range slices.Sorted(maps.Keys(faults)) {
			fault := faults[name]
			for again, ever := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/ever %v", e.name, name, ever), func(t *testing.T) {
					t.Parallel()
					last := false // the run ended before its n-th call
					for n := 1 + (2*kind+again)%stride; !last; n += stride {
						w := newWorld(t)
						w.Publish("ns/img", "1.0", 1)
						number, run := e.start(w)
						w.disturb(func(i int) fakegithub.Fault {
							if i == n || ever && i > n {
								return fault
							}
							return fakegithub.Fault{}
						})
						run()
						last = w.disturb(nil) < n
						w.later()
						// If GitHub fails before a closed issue is opened
						// again, the sweep cannot find it: somebody has to edit
						// it again.
						unseen := e.name == "edited" && !w.github.Issue(number).Open && !strings.Contains(w.comment(number), "ns.img:2.0")
						w.happens("schedule", "", 0, nil)
						if unseen {
							w.happens("issues", "edited", number, nil)
						}
						w.wantDone(number, fmt.Sprintf("call %d", n), e.tags...)
						if t.Failed() {
							return
						}
					}
				})
			}
		}
	}
}

// wantDone checks that the issue has been answered, once. Without tags, the tag
// is 1.0.
func (w *world) wantDone(number int, when string, tags ...string) {
	w.T.Helper()
	if tags == nil {
		tags = []string{"1.0"}
	}
	if issue := w.github.Issue(number); w.refusedLabels() && len(issue.Labels) == 0 {
		// Closing without the label is better than staying open for ever.
		if issue.Open || issue.Reason != "completed" {
			w.T.Errorf("%s: open %v, reason %q; want it closed as completed", when, issue.Open, issue.Reason)
		}
	} else {
		w.wantIssue(number, false, "completed", "ferry/done")
	}
	if m, _ := ledger.ParseMarker(w.comment(number)); m.State != ledger.Done {
		w.T.Errorf("%s: the comment says %q", when, m.State)
	}
	for _, tag := range tags {
		if got := w.Target.Count("^PUT /v2/mirror/ns.img/manifests/" + tag); got != 1 {
			w.T.Errorf("%s: %s was pushed %d times", when, tag, got)
		}
		fakeworld.WantText(w.T, "the comment", w.comment(number), "ns.img:"+tag)
	}
	if w.T.Failed() {
		w.T.Logf("%s; GitHub was asked:", when)
		for _, r := range w.github.Requests() {
			w.T.Log(r)
		}
	}
}

// TestTwoRunsAtOnce runs a second run before every request of the first to
// GitHub, as when an issue is opened with a label and the workflow listens to
// both events.
func TestTwoRunsAtOnce(t *testing.T) {
	for _, second := range []string{"labeled", "reopened", "schedule"} {
		t.Run(second, func(t *testing.T) {
			t.Parallel()
			for n, calls := 1, 0; calls >= n-1; n++ {
				w := newWorld(t)
				w.Publish("ns/img", "1.0", 1)
				number := w.open(stranger, "please", "gcr.io/ns/img:1.0")
				var between sync.WaitGroup // the first run may end while this call is waiting
				w.disturb(func(i int) fakegithub.Fault {
					if i != n {
						return fakegithub.Fault{}
					}
					between.Add(1)
					defer between.Done()
					if second == "schedule" {
						w.happens("schedule", "", 0, nil)
					} else {
						w.happens("issues", second, number, nil)
					}
					return fakegithub.Fault{}
				})
				w.happens("issues", "opened", number, nil)
				between.Wait()
				calls = w.disturb(nil)
				w.wantDone(number, fmt.Sprintf("during call %d", n))
				if t.Failed() {
					return
				}
			}
		})
	}
}

// TestNewestRequestWins edits an issue while a run works on the old request.
// That run leaves the issue to the run that has read the new one.
func TestNewestRequestWins(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	w.Publish("ns/new", "2.0", 2)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	began, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	// All reads of the older run wait: what is late is read again after half a second,
	// and that run would end before the newer one has begun.
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/ns/img/blobs/", Times: -1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		once.Do(func() { close(began) })
		select {
		case <-release:
		case <-r.Context().Done():
		}
		return false
	}})
	ended := make(chan string)
	go func() {
		_, log := w.happens("issues", "opened", n, nil)
		ended <- log
	}()
	<-began
	for len(w.github.Issue(n).Comments) == 0 { // the older run says what it works on
		time.Sleep(time.Millisecond)
	}
	w.later()
	for m := (ledger.Marker{}); m.Alive.Before(w.clock()); m, _ = ledger.ParseMarker(w.comment(n)) {
		time.Sleep(time.Millisecond) // then it has nothing more to say, and no update of it comes late
	}
	w.github.Edit(n, "please", "gcr.io/ns/new:2.0")
	w.happens("issues", "edited", n, nil)
	answer := w.comment(n)
	fakeworld.WantText(t, "the answer", answer, "gcr.io/ns/new:2.0")
	close(release)
	fakeworld.WantText(t, "the log of the older run", <-ended, "the request is left")
	if w.comment(n) != answer {
		t.Errorf("the older run has spoken last: %s", w.comment(n))
	}
}

// TestRerun repeats a job that died: it need not wait until the silence proves
// that it is dead.
func TestRerun(t *testing.T) {
	w := newWorld(t)
	w.Environ["GITHUB_RUN_ID"] = "7"
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.disturb(func(i int) fakegithub.Fault { return fakegithub.Fault{Cut: i > 6} })
	w.happens("issues", "opened", n, nil)
	w.disturb(nil)
	w.happens("issues", "opened", n, nil)
	w.wantDone(n, "run again")
}

// TestKilledAnywhere stops a run at every request to a registry, as when a job
// is cancelled, and lets the sweep finish.
func TestKilledAnywhere(t *testing.T) {
	for n, calls := 1, 0; calls >= n-1; n++ {
		w := newWorld(t)
		w.Publish("ns/img", "1.0", 1)
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
		w.Source.Inject(fakeregistry.Fault{Match: ".", Times: -1, Do: stop})
		w.Target.Inject(fakeregistry.Fault{Match: ".", Times: -1, Do: stop})
		w.happensIn(ctx, "issues", "opened", number, nil)
		cancel()
		if m, _ := ledger.ParseMarker(w.comment(number)); m.State != ledger.Interrupted && m.State != ledger.Done {
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

// TestToldToStopAnywhere stops a run at every request to GitHub. If it still
// writes a comment, the comment says that it was stopped.
func TestToldToStopAnywhere(t *testing.T) {
	for n, calls := 1, 0; calls >= n-1; n++ {
		w := newWorld(t)
		w.Publish("ns/img", "1.0", 1)
		number := w.open(stranger, "please", "gcr.io/ns/img:1.0")
		ctx, cancel := context.WithCancel(t.Context())
		w.disturb(func(i int) fakegithub.Fault {
			if i == n {
				cancel()
			}
			return fakegithub.Fault{}
		})
		w.happensIn(ctx, "issues", "opened", number, nil)
		cancel()
		calls = w.disturb(nil)
		// A run that is stopped after the answer leaves the greeting to the sweep.
		if said := w.github.Issue(number).Comments; len(said) > 0 {
			if m, _ := ledger.ParseMarker(said[len(said)-1].Body); m.State != ledger.Interrupted && m.State != ledger.Done {
				t.Errorf("call %d: the comment says %q", n, m.State)
			}
		}
		w.later()
		w.happens("schedule", "", 0, nil)
		w.wantDone(number, fmt.Sprintf("call %d", n))
		if t.Failed() {
			return
		}
	}
}

// refusedLabels reports whether GitHub has refused a label.
func (w *world) refusedLabels() bool {
	return slices.ContainsFunc(w.github.Requests(), func(r fakegithub.Request) bool {
		return r.Status == http.StatusForbidden && strings.HasSuffix(r.Path, "/labels")
	})
}
