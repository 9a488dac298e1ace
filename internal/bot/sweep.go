package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sort"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/wiring"
)

const (
	// sweepMost is how many open issues one sweep lists, in pages of a hundred.
	sweepMost = 3000
	// sweepTime is what the workflow gives a sweep, less what the last answer takes.
	sweepTime = 100 * time.Minute
	// minShare is the least of it that one issue gets.
	minShare = 20 * time.Minute
	// sweepBack is for how long a closed issue is looked after: sweeps come every
	// two hours, and GitHub has outages.
	sweepBack = 26 * time.Hour
	// leftFor is how long an issue waits before any run takes it up: the sweep
	// comes before, unless GitHub has switched its schedule off.
	leftFor = 5 * time.Hour
)

// sweep finishes what was left open: requests whose run died, was stopped, or
// failed for a reason that passes, and those that no run ever saw; and what
// was edited after its answer without a run that noticed. Each gets a share of
// the time, and what the budget does not cover is left to the next sweep.
func (s *actionRun) sweep(ctx context.Context) (int, error) {
	if s.hub == nil {
		return s.checkSetUp()
	}
	issues, err := s.unfinished(ctx)
	if err != nil {
		return wiring.StatusFailed, err
	}
	end := time.Now().Add(sweepTime)
	worst := wiring.StatusDone
	var faults []error
	for i, issue := range issues {
		if ctx.Err() != nil || !s.hub.Room() || time.Now().After(end) {
			s.log.Info("the rest is left to the next sweep", "issues", len(issues)-i)
			break
		}
		share := max(time.Until(end)/time.Duration(len(issues)-i), minShare)
		status, err := s.serveWithin(ctx, share, issue, "")
		worst, faults = max(worst, status), append(faults, err)
	}
	return worst, errors.Join(faults...)
}

// serveWithin serves an issue for as long as its share of the time. What is not
// done by then goes on at the next sweep.
func (s *actionRun) serveWithin(ctx context.Context, share time.Duration, issue publish.Issue, note string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	defer s.out.Group(fmt.Sprintf("issue #%d%s", issue.Number, note))()
	return contained(func() (int, error) { return s.serve(ctx, issue.Issue, ledger.Swept) })
}

// contained runs f and returns a panic of it as an error, so that one text that
// Ferry has a fault with, which nobody has answered yet and which is therefore
// first again in the next sweep, keeps no other issue from its turn.
func contained(f func() (int, error)) (status int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			status, err = wiring.StatusFailed, fmt.Errorf("a fault in Ferry: %v\n%s", cause, debug.Stack())
		}
	}()
	return f()
}

// unfinished are the issues that the sweep looks at, in the order in which it
// does: those that were tried less often first, and of them the oldest, so that
// one that ends every run keeps no other from its turn; then those that were
// touched after they were closed.
func (s *actionRun) unfinished(ctx context.Context) ([]publish.Issue, error) {
	var open []publish.Issue
	var err error
	for _, label := range s.labels() {
		issues, failed := s.hub.OpenIssues(ctx, label, sweepMost)
		err = errors.Join(err, failed)
		open = append(open, issues...)
	}
	if len(open) > 1 {
		// What Ferry has not spoken on for so long has waited longer than all others.
		since := s.now().Add(-time.Duration(s.cfg.Limits.RetryHours)*time.Hour - ledger.Day)
		spoken, unknown := s.hub.Spoken(ctx, since)
		if unknown != nil {
			s.log.Info("the oldest come first: " + unknown.Error())
		}
		tries := func(i publish.Issue) int {
			m, _ := ledger.ParseMarker(spoken[i.Number])
			return m.Tries
		}
		sort.SliceStable(open, func(i, j int) bool {
			a, b := open[i], open[j]
			return cmp.Or(cmp.Compare(tries(a), tries(b)), a.Created.Compare(b.Created)) < 0
		})
	}
	closed, failed := s.hub.ClosedIssues(ctx, s.now().Add(-sweepBack), 200)
	closed = slices.DeleteFunc(closed, func(i publish.Issue) bool {
		const own = 2 * time.Minute // closing is nearly the last thing that Ferry does to an issue
		return i.Updated.Sub(i.Closed) < own && labelled(i.Issue)
	})
	seen := map[int]bool{}
	return slices.DeleteFunc(append(open, closed...), func(i publish.Issue) bool {
		if seen[i.Number] || notOurs(i.Issue, i.Author) != "" {
			return true
		}
		seen[i.Number] = true
		return false
	}), errors.Join(err, failed)
}

// labels are those that an open issue that the sweep looks at bears one of;
// empty stands for any or none. In a repository that is about something else
// an issue that bears none of Ferry's is not Ferry's.
func (s *actionRun) labels() []string {
	if !s.foreign() {
		return []string{""}
	}
	var names []string
	for _, label := range ledger.Labels() {
		names = append(names, label.Name)
	}
	return names
}

// finishLeftover serves one request that has been waiting for longer than the
// sweep lets any wait: GitHub switches schedules off in repositories without
// commits. What goes wrong is left to the next run.
func (s *actionRun) finishLeftover(ctx context.Context) {
	if s.hub == nil || s.dry || ctx.Err() != nil || !s.hub.Room() || len(s.faults) > 0 {
		return
	}
	for _, state := range []ledger.State{ledger.Retry, ledger.Working} {
		issues, err := s.hub.OpenIssues(ctx, state.Label().Name, 100)
		if err != nil {
			return
		}
		for _, issue := range issues {
			if issue.Number == s.event.Issue.Number || s.now().Sub(issue.Updated) < leftFor || notOurs(issue.Issue, issue.Author) != "" {
				continue
			}
			if _, err := s.serveWithin(ctx, minShare, issue, ", which the sweep has left"); err != nil {
				s.log.Info("a leftover: " + err.Error())
			}
			return
		}
	}
}
