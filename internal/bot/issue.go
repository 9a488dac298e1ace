package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// maxRounds is how often a run begins again because the issue was edited in the
// meantime. Later edits are left to their own runs.
const maxRounds = 3

// serve answers one issue, from reading to closing. The caller's copy of the
// text may be old, so it is read again.
func (s *actionRun) serve(ctx context.Context, issue event.Issue, occasion ledger.Occasion) (int, error) {
	if s.dry {
		return s.preview(s.begin(job{}, issue))
	}
	if s.hub == nil { // without a token only the log can report
		return wiring.StatusUsage, s.faults
	}
	j := job{occasion: occasion}
	var author *standing
	var asking sync.WaitGroup
	// A sweep mostly sees requests that are answered or were admitted before,
	// for which nobody needs to be looked up.
	read := s.read(issue)
	if occasion != ledger.Swept && s.workable(read) {
		asking.Go(func() { author = s.lookUp(ctx, issue.Author) })
		asking.Go(func() { s.learnTongue(ctx, read) })
	}
	err := s.open(ctx, issue.Number, &j)
	asking.Wait()
	j.asker = author
	switch {
	case isGone(err):
		s.log.Info("nothing to do: the issue was deleted or moved, or the repository was renamed, and its next run serves it", "issue", issue.Number)
		return wiring.StatusDone, nil
	case err != nil:
		return wiring.StatusFailed, err
	}
	if occasion == ledger.Asked && s.event.Action == "reopened" && !j.issue.Open {
		j.occasion = ledger.Changed // the event is old
	}
	if reason := s.notNow(j); reason != "" {
		s.log.Info("nothing to do: "+reason, "issue", issue.Number)
		return wiring.StatusDone, nil
	}
	return s.serveRounds(ctx, j)
}

// open reads the current issue and Ferry's comment on it.
func (s *actionRun) open(ctx context.Context, number int, j *job) error {
	var reading sync.WaitGroup
	var now publish.Issue
	var unread error
	reading.Go(func() { now, unread = s.hub.Issue(ctx, number) })
	var err error
	j.talk, err = s.hub.Open(ctx, number)
	reading.Wait()
	if err := errors.Join(unread, err); err != nil {
		return err
	}
	*j = s.begin(*j, now.Issue)
	return nil
}

// notNow returns why an issue is not to be served after all, or an empty
// string.
func (s *actionRun) notNow(j job) string {
	if reason := notOurs(j.issue, event.User{}); reason != "" {
		return reason
	}
	spoken := j.talk.Body() != ""
	switch {
	case !spoken && s.cfg.Issue == 0 && asksNothing(j.issue, j.request):
		return "it asks for no image"
	case j.occasion != ledger.Swept || spoken:
	case !j.issue.Open:
		return "it is closed"
	case s.foreign():
		// In a repository that uses the action, most issues have other
		// purposes: the sweep only continues those on which Ferry has
		// commented.
		return "Ferry has not commented on it"
	}
	return ""
}

// serveRounds serves an issue, and again if its text has changed in the
// meantime.
func (s *actionRun) serveRounds(ctx context.Context, j job) (int, error) {
	for round := 1; ; round++ {
		status, newer, err := s.serveOnce(ctx, &j, round < maxRounds)
		if newer == nil {
			return status, err
		}
		s.log.Info("the issue was edited in the meantime: its current text is served", "issue", newer.Number)
		j = s.begin(j, *newer)
		j.occasion = ledger.Changed
	}
}

// serveOnce serves the text that was read last. If the request has changed
// before the answer, it returns the newer issue instead of answering.
func (s *actionRun) serveOnce(ctx context.Context, j *job, again bool) (status int, newer *event.Issue, err error) {
	j.before = j.talk.Body()
	before, spoken := ledger.ParseMarker(j.before)
	next := ledger.Next(ledger.Facts{
		Occasion: j.occasion, Spoken: spoken, Before: before, Trusted: before.SignedBy(s.key, j.issue.Number), Edited: j.talk.Edited(),
		Request: ledger.Fingerprint(j.request), Run: s.number(), Now: s.now(),
	})
	j.count = next
	if j.let.of == ledger.Fingerprint(j.request) {
		j.count.Asker = j.let.who
	}
	switch next.Deed {
	case ledger.Leave:
		s.log.Info("nothing to do: another run is working on it", "issue", j.issue.Number)
		return wiring.StatusDone, nil, nil
	case ledger.Conclude:
		s.log.Info("nothing to do: the request has been answered", "issue", j.issue.Number, "state", string(before.State))
		if !j.issue.Open && labelled(j.issue) {
			return wiring.StatusDone, nil, nil
		}
		return wiring.StatusDone, nil, j.talk.Finish(ctx, outcome(report.Report{
			Comment: j.before, State: before.State, Label: before.State.Label(), Close: before.State.CloseReason(),
		}))
	case ledger.Serve, ledger.GiveUp: // below: requests that cannot be worked on are answered first
	}
	s.learnTongue(ctx, j.request)
	if !s.workable(j.request) {
		status, err = s.answer(ctx, j)
		return status, nil, err
	}
	if next.Deed == ledger.GiveUp {
		j.phase, j.who = report.GivenUp, next.Asker
		j.plan.Refused = &failure.Error{Code: failure.Internal, Err: fmt.Errorf("%d runs ended without a word while they worked on it", next.Lost)}
		status, err = s.answer(ctx, j)
		return status, nil, err
	}
	if s.divided != nil && before.Run == s.number() { // of its jobs only what they have sent counts
		j.count.Used.Bytes = max(j.count.Used.Bytes-before.Reserved.Bytes, 0)
		j.count.Used.Repositories = max(j.count.Used.Repositories-before.Reserved.Repositories, 0)
	}
	if next.Recall {
		s.recall(ctx, j, before)
	}
	asker, unknown := s.asker(ctx, j, j.count.Asker)
	err = s.work(ctx, j, asker, unknown)
	if errors.Is(err, errLost) {
		s.log.Info(err.Error(), "issue", j.issue.Number)
		return wiring.StatusDone, nil, nil
	}
	if again && ctx.Err() == nil {
		if newer := s.newer(ctx, j); newer != nil {
			return 0, newer, nil
		}
	}
	if j.division != nil && err == nil && ctx.Err() == nil {
		return wiring.StatusDone, nil, s.handOver(ctx, j)
	}
	status, failed := s.answer(ctx, j)
	return status, nil, errors.Join(err, failed)
}

// newer returns the current issue if its request differs from the one read
// last. If it cannot be read, the answer is posted anyway.
func (s *actionRun) newer(ctx context.Context, j *job) *event.Issue {
	now, err := s.hub.Issue(ctx, j.issue.Number)
	if err != nil || now.Title == j.issue.Title && now.Body == j.issue.Body {
		return nil
	}
	if ledger.Fingerprint(s.read(now.Issue)) == ledger.Fingerprint(s.read(j.issue)) {
		return nil
	}
	return &now.Issue
}

// work carries out the request and fills in the answer, while the greeting is
// being written. The error is errLost if there is nothing to answer any more.
func (s *actionRun) work(ctx context.Context, j *job, asker plan.Asker, unknown error) error {
	working, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	g := s.greet(working, *j, leave)
	defer g.wait()
	if !j.issue.Open {
		g.start() // a closed issue is opened while it is worked on
	}
	if j.count.Tries > 1 || j.occasion == ledger.Swept {
		// The request may end this run, as it may have ended others, so the
		// attempt must be recorded first.
		g.start()
		<-g.ready
	}
	err := unknown
	if err == nil {
		err = s.fill(working, j, asker, g)
	}
	g.wait()
	if cause := context.Cause(working); errors.Is(cause, errLost) {
		return cause
	}
	j.phase = s.end(ctx, j.count.Since)
	switch {
	case err == nil:
		return s.lost(ctx, *j)
	case ctx.Err() != nil:
		j.plan.Refused = &failure.Error{Code: failure.Cancelled, Err: err}
		return nil
	}
	j.plan.Refused = &failure.Error{Code: failure.Internal, Err: err}
	return err
}
