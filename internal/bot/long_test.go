package bot

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/ledger"
)

// longCopy begins a run whose only layer does not arrive until it is released.
type longCopy struct {
	*world
	issue   int
	release chan struct{}
	done    chan string // the log
	kill    context.CancelFunc
}

func begin(t *testing.T, ahead time.Duration) *longCopy {
	w := newWorld(t)
	w.ahead = ahead
	w.Publish("ns/img", "1.0", 1)
	c := &longCopy{world: w, release: make(chan struct{}), done: make(chan string, 1)}
	reading := make(chan struct{})
	w.Source.Inject(fakeregistry.Fault{Match: "^GET .*/ns/img/blobs/", Times: 1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		close(reading)
		select {
		case <-c.release:
		case <-r.Context().Done():
		}
		return false
	}})
	c.issue = w.open(stranger, "please", "gcr.io/ns/img:1.0")
	ctx, kill := context.WithCancel(t.Context())
	t.Cleanup(kill)
	c.kill = kill
	go func() {
		_, log := w.happensIn(ctx, "issues", "opened", c.issue, nil)
		c.done <- log
	}()
	select {
	case <-reading:
	case log := <-c.done:
		t.Fatalf("the run has not begun to copy: %s", log)
	}
	return c
}

// passes advances the clock by less than a run may be silent, and waits for the
// run's sign of life.
func (c *longCopy) passes(d time.Duration) {
	c.T.Helper()
	before := c.comment(c.issue)
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
	for c.comment(c.issue) == before {
		select {
		case log := <-c.done:
			c.T.Fatalf("the run has ended: %s", log)
		case <-c.T.Context().Done():
			c.T.Fatal("the run gives no sign of life")
		case <-time.After(time.Millisecond):
		}
	}
}

// TestLongCopies copies for five hours beside sweeps, late and repeated events,
// failures of GitHub and requests of others, also with a clock that is wrong. The
// run that copies is never taken for dead, and copies once.
func TestLongCopies(t *testing.T) {
	for _, ahead := range []time.Duration{0, 3 * time.Hour, -3 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			c := begin(t, ahead)
			run := func() int64 {
				m, _ := ledger.ParseMarker(c.comment(c.issue))
				return m.Run
			}
			first := run()
			c.disturb(func(n int) fakegithub.Fault {
				if n%7 == 0 {
					return fakegithub.Fault{Status: http.StatusBadGateway}
				}
				return fakegithub.Fault{}
			})
			c.Publish("ns/other", "1.0", 2)
			for step := range 25 {
				c.passes(12 * time.Minute)
				other := 0
				switch step % 5 {
				case 0:
					c.happens("issues", "opened", c.issue, nil) // once more
				case 1:
					other = c.open(sailor, "please", "gcr.io/ns/other:1.0") // its run is lost
				}
				c.happens("schedule", "", 0, nil)
				if got := run(); got != first {
					t.Fatalf("after %d steps, run %d works on it instead of %d", step, got, first)
				}
				if other != 0 {
					c.wantIssue(other, false, "completed", "ferry/done")
				}
			}
			close(c.release)
			<-c.done
			c.disturb(nil)
			c.wantIssue(c.issue, false, "completed", "ferry/done")
			if n := c.Target.Count("^PUT .*/ns.img/manifests/1.0"); n != 1 || run() != first {
				t.Errorf("the tag was written %d times, at last by run %d", n, run())
			}
		})
	}
}

// TestLongCopyThatDies kills the run after hours. A sweep takes the request over,
// but not before the run's silence is long enough.
func TestLongCopyThatDies(t *testing.T) {
	c := begin(t, 0)
	for range 15 {
		c.passes(12 * time.Minute)
	}
	c.disturb(func(int) fakegithub.Fault { return fakegithub.Fault{Cut: true} }) // nothing that it still says arrives
	c.kill()
	<-c.done
	c.disturb(nil)
	c.happens("schedule", "", 0, nil)
	if m, _ := ledger.ParseMarker(c.comment(c.issue)); m.State != ledger.Working {
		t.Errorf("the sweep has taken it over at once: %+v", m)
	}
	c.later()
	c.happens("schedule", "", 0, nil)
	c.wantIssue(c.issue, false, "completed", "ferry/done")
}

// TestLongCopyWhoseTextIsEdited edits the text after hours, with and without a run
// that notices. The newer text is served, and the older one is not answered.
func TestLongCopyWhoseTextIsEdited(t *testing.T) {
	for _, noticed := range []bool{true, false} {
		c := begin(t, 0)
		c.Publish("ns/other", "1.0", 2)
		for range 10 {
			c.passes(12 * time.Minute)
		}
		old := c.payload(c.issue)
		c.github.Edit(c.issue, "please", "gcr.io/ns/other:1.0")
		if noticed {
			c.happens("issues", "edited", c.issue, nil)
			c.happens("issues", "edited", c.issue, old) // a run that waited, with the old text
		}
		close(c.release)
		<-c.done
		c.wantIssue(c.issue, false, "completed", "ferry/done")
		if c.Mirrored("ns.other", "1.0") == "" {
			t.Errorf("noticed %v: the newer text is not served: %s", noticed, c.comment(c.issue))
		}
		m, _ := ledger.ParseMarker(c.comment(c.issue))
		c.later()
		c.happens("schedule", "", 0, nil)
		if now, _ := ledger.ParseMarker(c.comment(c.issue)); now.Request != m.Request {
			t.Errorf("noticed %v: the answer has changed: %s", noticed, c.comment(c.issue))
		}
	}
}
