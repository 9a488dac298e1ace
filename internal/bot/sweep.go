package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sort"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/wiring"
)

const (
	// sweepMost is how many open issues one sweep lists, in pages of a hundred.
	sweepMost = 3000
	// sweepTime is the workflow's time limit for a sweep, less the time of the
	// last answer.
	sweepTime = 100 * time.Minute
	// sweepBudget is how many requests a sweep sends to GitHub in an hour, of the
	// 1,000 that all runs of the repository have.
	sweepBudget = 800
	// minShare is the least of it for one issue.
	minShare = 20 * time.Minute
	// sweepBack is how long a closed issue is still checked: sweeps run every
	// two hours, and GitHub has outages.
	sweepBack = 26 * time.Hour
	// leftFor is how long an issue waits before any run continues it. The sweep
	// comes earlier, unless GitHub has disabled its schedule.
	leftFor = 5 * time.Hour
)

// sweep continues open requests: those whose run died, was stopped, or failed
// temporarily, those that no run ever saw, and those edited after the answer
// without a run that noticed. Each gets a share of the time; requests beyond
// the budget are left to the next sweep.
func (s *actionRun) sweep(ctx context.Context) (int, error) {
	if s.hub == nil {
		return s.checkSetUp()
	}
	issues, err := s.unfinished(ctx)
	if err != nil {
		return wiring.StatusFailed, err
	}
	end := s.now().Add(sweepTime)
	worst := wiring.StatusDone
	var faults []error
	for i, issue := range issues {
		left := end.Sub(s.now())
		if ctx.Err() != nil || left <= 0 || !s.room(ctx, left-minShare) {
			s.log.Info("the rest is left to the next sweep", "issues", len(issues)-i)
			break
		}
		share := max(left/time.Duration(len(issues)-i), minShare)
		status, err := s.serveWithin(ctx, share, issue, "")
		worst, faults = max(worst, status), append(faults, err)
	}
	return worst, errors.Join(faults...)
}

// room reports whether GitHub allows the requests of another answer. Where runners
// are free it waits for the next hour, if there is time for that: after an outage
// everybody would be answered only days later.
func (s *actionRun) room(ctx context.Context, most time.Duration) bool {
	if s.event.Repository.Private {
		return s.hub.Room()
	}
	return s.hub.AwaitRoom(ctx, most)
}

// serveWithin serves an issue within its share of the time. The next sweep
// continues unfinished work.
func (s *actionRun) serveWithin(ctx context.Context, share time.Duration, issue publish.Issue, note string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	defer s.out.Group(fmt.Sprintf("issue #%d%s", issue.Number, note))()
	return contained(func() (int, error) { return s.serve(ctx, issue.Issue, ledger.Swept) })
}

// contained runs f and returns a panic as an error. An issue that makes Ferry
// panic stays unanswered and is first again in the next sweep, so it must not
// stop the others.
func contained(f func() (int, error)) (status int, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			status, err = wiring.StatusFailed, fmt.Errorf("a fault in Ferry: %v\n%s", cause, debug.Stack())
		}
	}()
	return f()
}

// unfinished returns the issues for the sweep in order: first those tried least
// often, and of them the oldest, so that an issue that ends every run does not
// delay the others; then those updated after they were closed.
func (s *actionRun) unfinished(ctx context.Context) ([]publish.Issue, error) {
	var open []publish.Issue
	var err error
	for _, label := range s.labels() {
		issues, failed := s.hub.OpenIssues(ctx, label, sweepMost)
		err = errors.Join(err, failed)
		open = append(open, issues...)
	}
	if len(open) > 1 || s.foreign() {
		// An issue without a comment of Ferry for so long has waited longer
		// than all others.
		since := s.now().Add(-time.Duration(s.cfg.Limits.RetryHours)*time.Hour - ledger.Day)
		spoken, unknown := s.hub.Spoken(ctx, since)
		if unknown != nil {
			s.log.Info("the oldest come first: " + unknown.Error())
		}
		if s.foreign() {
			open = append(open, s.unlabelled(ctx, spoken)...)
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
	for _, i := range closed {
		const own = 2 * time.Minute // closing is nearly Ferry's last change to an issue
		if i.Updated.Sub(i.Closed) >= own || !labelled(i.Issue) {
			open = append(open, i)
		}
	}
	seen := map[int]bool{}
	asking := open[:0]
	for _, i := range open {
		if !seen[i.Number] && notOurs(i.Issue, i.Author) == "" && !asksNothing(i.Issue, s.read(i.Issue)) {
			seen[i.Number] = true
			asking = append(asking, i)
		}
	}
	return asking, errors.Join(err, failed)
}

// unlabelled returns the issues without a label of Ferry's on which Ferry has begun
// to work: a run may have ended between its comment and its label.
func (s *actionRun) unlabelled(ctx context.Context, spoken map[int]string) []publish.Issue {
	var found []publish.Issue
	for number, body := range spoken {
		if m, ok := ledger.ParseMarker(body); !ok || !m.State.Open() {
			continue
		}
		if issue, err := s.hub.Issue(ctx, number); err == nil && issue.Open && !labelled(issue.Issue) {
			found = append(found, issue)
		}
	}
	return found
}

// labels returns the labels of open issues that the sweep checks; empty means
// any issue. In a repository with another purpose, only issues with a label of
// Ferry's are checked.
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

// finishLeftover continues one request that has waited longer than the sweep
// would let it: GitHub disables schedules in repositories without commits.
// Errors are left to the next run.
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
