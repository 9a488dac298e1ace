package bot

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

const (
	// lastWord is the time for the comment after the job was told to stop: the
	// runner kills what is left after 10 seconds.
	lastWord = 8 * time.Second
	// alive is how long after the last edit of its comment a run may still be
	// at work: progress is shown every ten seconds, and what does not move for
	// minutes is given up. Who asks for the work to be done again has reason to
	// think that nobody is at it, but not if it has just been heard of.
	alive, heard = 15 * time.Minute, time.Minute
)

// occasion tells why an issue is served.
type occasion int

const (
	ifNew occasion = iota // something happened to the issue; an answered request needs no second answer
	again                 // somebody wants it served again
	left                  // the sweep found it open; another run may be at it
)

// read is an issue as it is understood, before anything is done about it.
func (s *actionRun) read(issue event.Issue) report.Input {
	in := s.understand(request.Input{
		Title: issue.Title, Body: issue.Body, Templates: s.templates(),
		Repository: s.event.Repository.Owner + "/" + s.event.Repository.Name,
	})
	in.Issue, in.Title = issue.Number, issue.Title
	return in
}

// understand is the beginning of the answer to a text.
func (s *actionRun) understand(text request.Input) report.Input {
	in := s.blank()
	in.Request = request.Parse(text)
	in.Tries, in.Since = 1, s.began
	return in
}

// serve answers one issue, from the first look to its closing.
func (s *actionRun) serve(ctx context.Context, issue event.Issue, why occasion) (int, error) {
	in := s.read(issue)
	if s.dry {
		return s.preview(in)
	}
	if s.hub == nil { // without a token nobody can be told but the log
		return wiring.StatusUsage, s.faults
	}
	j := job{in: in, closed: !issue.Open, why: why}
	var asking sync.WaitGroup
	if s.workable(in) {
		asking.Go(func() { s.lookUp(ctx, issue.Author, &j) })
	}
	var err error
	j.talk, err = s.hub.Open(ctx, issue.Number)
	asking.Wait()
	if err != nil {
		return wiring.StatusFailed, err
	}
	// In somebody's own repository that uses the action most issues are about
	// other things: there the sweep takes up only what Ferry has spoken on.
	if why == left && s.env.Getenv("FERRY_ACTION_REPOSITORY") != "" && j.talk.Body() == "" {
		return wiring.StatusDone, nil
	}
	return s.serveOn(ctx, j)
}

// job is one issue to be served.
type job struct {
	in      report.Input
	closed  bool            // the issue is
	asked   []publish.Issue // what a visitor asked for lately
	unknown error           // why it could not be found out who asks
	begun   bool            // it was let in before, and is not judged again
	refresh bool            // the command is to look for tags that have moved
	talk    *publish.Conversation
	why     occasion
}

// resume goes on with a request where an earlier run has left it.
func (j *job) resume(before ledger.Marker) {
	if before.State != ledger.SetUp && !before.Since.IsZero() { // to wait for the owner is not to try
		j.in.Tries, j.in.Since = before.Tries+1, before.Since
	}
	if j.why != again && before.Asker != "" {
		j.begun, j.unknown, j.in.Asker = true, nil, before.Asker
	}
}

// workable reports whether there is anything to copy, and a place for it.
func (s *actionRun) workable(in report.Input) bool {
	return len(s.faults) == 0 && len(in.Request.Images) > 0
}

// serveOn goes on with an issue whose conversation has been looked up.
func (s *actionRun) serveOn(ctx context.Context, j job) (int, error) {
	in, talk := &j.in, j.talk
	in.Before = talk.Body()
	before, ok := ledger.ParseMarker(in.Before)
	in.Repeats = before.Repeats
	if s.began.Sub(in.Repeats.From) >= day {
		in.Repeats = ledger.Repeats{From: s.began}
	}
	same := ok && before.Request == ledger.Fingerprint(in.Request)
	if ok && (j.why == again || !same && before.Request != "") {
		in.Repeats.Times++
	}
	if same {
		quiet := alive
		if j.why == again {
			quiet = heard
		}
		if before.State == ledger.Working && before.Run != in.Run && s.began.Sub(talk.Edited()) < quiet {
			s.log.Info("nothing to do: another run is at it", "issue", in.Issue)
			return wiring.StatusDone, nil
		}
		if j.why != again && !before.State.Open() {
			s.log.Info("nothing to do: this request has its answer", "issue", in.Issue, "state", string(before.State))
			return wiring.StatusDone, s.settle(ctx, before.State, in.Issue, talk)
		}
		if before.State.Open() {
			j.resume(before)
		}
	}
	if s.workable(*in) {
		err := s.carry(ctx, &j)
		if errors.Is(err, errLeft) {
			s.log.Info(err.Error(), "issue", in.Issue)
			return wiring.StatusDone, nil
		}
		status, failed := s.answer(ctx, *in, talk)
		return status, errors.Join(err, failed)
	}
	return s.answer(ctx, *in, talk)
}

// carry does what is asked and fills in the answer. Meanwhile the greeting is
// on its way. The error is errLeft if there is nothing to answer any more.
func (s *actionRun) carry(ctx context.Context, j *job) error {
	in := &j.in
	working, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	var greeting sync.WaitGroup
	defer greeting.Wait()
	ready := s.greet(working, &greeting, *j, leave)
	err := j.unknown
	if err == nil {
		err = s.fill(working, in, s.asker(*j), j.talk, ready)
	}
	greeting.Wait()
	if cause := context.Cause(working); errors.Is(cause, errLeft) {
		return cause
	}
	in.Phase = s.end(ctx, in.Since)
	switch {
	case err == nil:
		return s.overtaken(ctx, *in, j.talk)
	case ctx.Err() != nil:
		in.Plan.Refused = &failure.Error{Code: failure.Cancelled, Err: err}
		return nil
	}
	in.Plan.Refused = &failure.Error{Code: failure.Internal, Err: err}
	return err
}

// end is how the work of this run ends on a request that is tried since then.
func (s *actionRun) end(ctx context.Context, since time.Time) report.Phase {
	switch {
	case s.began.Sub(since) > time.Duration(s.cfg.Limits.RetryHours)*time.Hour:
		return report.GivenUp
	case ctx.Err() != nil:
		return report.Interrupted
	}
	return report.Finished
}

// settle makes true of the issue what its comment says: a run may have died
// between the two.
func (s *actionRun) settle(ctx context.Context, state ledger.State, number int, talk *publish.Conversation) error {
	issue, err := s.hub.Issue(ctx, number)
	if err != nil || !issue.Open {
		return err
	}
	return talk.Finish(ctx, outcome(report.Report{Comment: talk.Body(), State: state, Label: state.Label(), Close: state.CloseReason()}))
}

// greet says that the work has begun, while the registries are being asked. The
// channel is closed when it is sure that no other run has begun with the same.
// What the greeting cannot say now the answer will make up for.
func (s *actionRun) greet(ctx context.Context, greeting *sync.WaitGroup, j job, leave context.CancelCauseFunc) <-chan struct{} {
	in, talk := j.in, j.talk
	in.Phase = report.Running
	ready := make(chan struct{})
	say := func(what func() error) {
		greeting.Go(func() {
			if err := what(); err != nil && ctx.Err() == nil {
				s.log.Info("greeting: " + err.Error())
			}
		})
	}
	say(func() error { return talk.React(ctx, publish.Eyes) })
	say(func() error {
		defer close(ready)
		var failed error
		if j.closed {
			failed = talk.Reopen(ctx)
		}
		err := talk.Progress(ctx, report.Render(in).Comment)
		if !errors.Is(err, publish.ErrBeaten) {
			return errors.Join(failed, err)
		}
		if err := overtakenBy(talk.Body(), in); err != nil {
			leave(err)
		}
		return failed
	})
	return ready
}

// fill does what is asked and puts plan and results into the answer. talk shows
// how far things are, and ready tells when bytes may move; both may be nil.
func (s *actionRun) fill(ctx context.Context, in *report.Input, asker plan.Asker, talk *publish.Conversation, ready <-chan struct{}) error {
	var err error
	if in.Plan, err = plan.Make(in.Request, asker, s.cfg); err != nil {
		return err
	}
	if in.Results, err = s.mirror(ctx, *in, talk, ready); err != nil {
		return err
	}
	in.Locked = s.locked(ctx, in.Results)
	return nil
}

// answer publishes what has become of the request, everywhere it is shown.
func (s *actionRun) answer(ctx context.Context, in report.Input, talk *publish.Conversation) (int, error) {
	answer := report.Render(in)
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastWord)
		defer cancel()
	}
	err := talk.Finish(ctx, outcome(answer))
	return status(answer), errors.Join(err, s.hand(answer, talk.URL()))
}

// hand gives the answer to the runner: annotations, summary, outputs.
func (s *actionRun) hand(answer report.Report, commentURL string) error {
	wiring.Annotate(s.out, answer.Annotations)
	err := s.out.Summary(answer.Summary)
	for _, output := range []struct{ name, value string }{
		{"images", answer.Outputs.Images},
		{"succeeded", strconv.Itoa(answer.Outputs.Succeeded)},
		{"failed", strconv.Itoa(answer.Outputs.Failed)},
		{"comment-url", commentURL},
	} {
		err = errors.Join(err, s.out.Output(output.name, output.value))
	}
	return err
}

// outcome is the answer in the terms of GitHub.
func outcome(answer report.Report) publish.Outcome {
	o := publish.Outcome{Body: answer.Comment, Title: answer.Title, Add: []ledger.Label{answer.Label}}
	for _, l := range ledger.Labels() {
		if l != answer.Label {
			o.Remove = append(o.Remove, l.Name)
		}
	}
	o.State = publish.Open
	switch answer.Close {
	case ledger.Completed:
		o.State, o.Reaction = publish.Completed, publish.Rocket
	case ledger.NotPlanned:
		o.State, o.Reaction = publish.NotPlanned, publish.Confused
	}
	return o
}

// status is the exit status that an answer means.
func status(answer report.Report) int {
	switch {
	case answer.State == ledger.SetUp && answer.Outputs.Failed == 0: // nothing was tried
		return wiring.StatusUsage
	case answer.State == ledger.Empty:
		return wiring.StatusNothing
	case answer.Outputs.Failed > 0 || answer.State != ledger.Done:
		return wiring.StatusFailed
	}
	return wiring.StatusDone
}
