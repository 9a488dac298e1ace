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

// maxRounds bounds how often a run begins anew since the issue was edited
// meanwhile. Later edits are left to their own runs.
const maxRounds = 3

// serve answers one issue, from the first look to its closing. What the caller
// knows of its text may be old: it is read again.
func (s *actionRun) serve(ctx context.Context, issue event.Issue, occasion ledger.Occasion) (int, error) {
	if s.dry {
		return s.preview(s.begin(job{}, issue))
	}
	if s.hub == nil { // without a token nobody can be told but the log
		return wiring.StatusUsage, s.faults
	}
	j := job{occasion: occasion}
	var author *standing
	var asking sync.WaitGroup
	if s.workable(s.read(issue)) {
		asking.Go(func() { author = s.lookUp(ctx, issue.Author) })
	}
	err := s.open(ctx, issue.Number, &j)
	asking.Wait()
	j.asker = author
	switch {
	case isGone(err):
		s.log.Info("nothing to do: the issue was deleted or moved", "issue", issue.Number)
		return wiring.StatusDone, nil
	case err != nil:
		return wiring.StatusFailed, err
	}
	if occasion == ledger.Asked && s.event.Action == "reopened" && !j.issue.Open {
		j.occasion = ledger.Changed // the event is an old one
	}
	if reason := s.notNow(j); reason != "" {
		s.log.Info("nothing to do: "+reason, "issue", issue.Number)
		return wiring.StatusDone, nil
	}
	return s.serveRounds(ctx, j)
}

// open reads an issue and what Ferry has said on it, as they stand now.
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

// notNow tells why an issue that was worth a look is none that Ferry serves,
// or nothing.
func (s *actionRun) notNow(j job) string {
	if reason := notOurs(j.issue, event.User{}); reason != "" {
		return reason
	}
	spoken := j.talk.Body() != ""
	switch {
	case j.occasion != ledger.Swept || spoken:
	case !j.issue.Open:
		return "it is closed"
	case s.foreign():
		// In somebody's own repository that uses the action most issues are about
		// other things: there the sweep takes up only what Ferry has spoken on.
		return "nobody has given it to Ferry"
	}
	return ""
}

// serveRounds serves an issue, and again if its text has changed meanwhile.
func (s *actionRun) serveRounds(ctx context.Context, j job) (int, error) {
	for round := 1; ; round++ {
		status, newer, err := s.serveOnce(ctx, &j, round < maxRounds)
		if newer == nil {
			return status, err
		}
		s.log.Info("the issue was edited meanwhile: it is served as it stands now", "issue", newer.Number)
		j = s.begin(j, *newer)
		j.occasion = ledger.Changed
	}
}

// serveOnce serves the text that was read last. If it has changed by the time
// of the answer, and that matters, there is none, but the newer issue.
func (s *actionRun) serveOnce(ctx context.Context, j *job, again bool) (status int, newer *event.Issue, err error) {
	j.before = j.talk.Body()
	before, spoken := ledger.ParseMarker(j.before)
	next := ledger.Next(ledger.Facts{
		Occasion: j.occasion, Spoken: spoken, Before: before, Trusted: before.SignedBy(s.key, j.issue.Number), Edited: j.talk.Edited(),
		Request: ledger.Fingerprint(j.request), Run: s.number(), Now: s.now(),
	})
	j.count = next
	switch next.Deed {
	case ledger.Leave:
		s.log.Info("nothing to do: another run is at it", "issue", j.issue.Number)
		return wiring.StatusDone, nil, nil
	case ledger.Conclude:
		s.log.Info("nothing to do: this request has its answer", "issue", j.issue.Number, "state", string(before.State))
		if !j.issue.Open && labelled(j.issue) {
			return wiring.StatusDone, nil, nil
		}
		return wiring.StatusDone, nil, j.talk.Finish(ctx, outcome(report.Report{
			Comment: j.before, State: before.State, Label: before.State.Label(), Close: before.State.CloseReason(),
		}))
	case ledger.Serve, ledger.GiveUp: // below: what cannot be worked on is answered first
	}
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
	status, failed := s.answer(ctx, j)
	return status, nil, errors.Join(err, failed)
}

// newer is the issue as it stands now if it asks for something else than what
// was read last. What can't be found out is no reason to keep silent.
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

// work does what is asked and fills in the answer. Meanwhile the greeting is
// on its way. The error is errLost if there is nothing to answer any more.
func (s *actionRun) work(ctx context.Context, j *job, asker plan.Asker, unknown error) error {
	working, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	g := s.greet(working, *j, leave)
	defer g.wait()
	if !j.issue.Open {
		g.start() // an issue that is closed is opened while it is worked on
	}
	if j.count.Tries > 1 || j.occasion == ledger.Swept {
		// What ends this run, as it may have ended another, is to be counted.
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
