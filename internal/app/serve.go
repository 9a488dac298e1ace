package app

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
)

const (
	// patience is how long a request that fails for passing reasons is tried
	// again by the sweep.
	patience = 48 * time.Hour
	// lastWord is the time for the comment after the job was told to stop: the
	// runner kills what is left after 10 seconds.
	lastWord = 8 * time.Second
	// alive is how long after the last edit of its comment a run may still be
	// at work: progress is shown every ten seconds, and what does not move for
	// minutes is given up.
	alive = 15 * time.Minute
)

// occasion tells why an issue is served.
type occasion int

const (
	ifNew occasion = iota // something happened to the issue; an answered request needs no second answer
	again                 // somebody wants it served again
	left                  // the sweep found it open; another run may be at it
)

// read is an issue as it is understood, before anything is done about it.
func (s *shift) read(issue event.Issue) report.Input {
	in := s.understand(request.Input{
		Title: issue.Title, Body: issue.Body, Templates: s.templates(),
		Repository: s.event.Repository.Owner + "/" + s.event.Repository.Name,
	})
	in.Issue, in.Title = issue.Number, issue.Title
	return in
}

// understand is the beginning of the answer to a text.
func (s *shift) understand(text request.Input) report.Input {
	in := s.blank()
	in.Request = request.Parse(text)
	in.Tries, in.Since = 1, s.began
	return in
}

// serve answers one issue, from the first look to its closing.
func (s *shift) serve(ctx context.Context, issue event.Issue, why occasion) (int, error) {
	in := s.read(issue)
	if s.dry {
		return s.preview(in)
	}
	if s.hub == nil { // without a token nobody can be told but the log
		return StatusUsage, s.faults
	}
	talk, err := s.hub.Open(ctx, issue.Number)
	if err != nil {
		return StatusFailed, err
	}
	// In somebody's own repository that uses the action most issues are about
	// other things: there the sweep takes up only what Ferry has spoken on.
	if why == left && s.env.Getenv("FERRY_ACTION_REPOSITORY") != "" && talk.Body() == "" {
		return StatusDone, nil
	}
	return s.serveOn(ctx, in, issue.Author, talk, why)
}

// serveOn goes on with an issue whose conversation has been looked up.
func (s *shift) serveOn(ctx context.Context, in report.Input, author event.User, talk *publish.Conversation, why occasion) (int, error) {
	before, ok := report.ParseMarker(talk.Body())
	in.Repeats = before.Repeats
	same := ok && before.Request == report.Fingerprint(in.Request)
	if ok && (why == again || !same && before.Request != "") {
		in.Repeats++
	}
	if same {
		if why == left && before.State == report.StateWorking && s.began.Sub(talk.Edited()) < alive {
			s.log.Info("nothing to do: another run is at it", "issue", in.Issue)
			return StatusDone, nil
		}
		if why != again && !before.State.Open() {
			s.log.Info("nothing to do: this request has its answer", "issue", in.Issue, "state", string(before.State))
			return StatusDone, s.settle(ctx, before.State, in.Issue, talk)
		}
		if before.State.Open() && !before.Since.IsZero() {
			in.Tries, in.Since = before.Tries+1, before.Since
		}
	}
	if len(s.faults) == 0 && len(in.Request.Images) > 0 {
		asker, err := s.greet(ctx, in, author, talk)
		if err != nil {
			return StatusFailed, err
		}
		if asker.Role == plan.Visitor {
			asker.Recent += in.Repeats // or one issue, edited for ever, would be a way around the limit
		}
		switch err := s.fill(ctx, &in, asker, talk); {
		case errors.Is(err, errWithdrawn):
			s.log.Info("stopped: " + err.Error())
			return StatusDone, nil
		case err != nil:
			return StatusFailed, err
		}
	}
	return s.answer(ctx, in, talk)
}

// settle makes true of the issue what its comment says: a run may have died
// between the two.
func (s *shift) settle(ctx context.Context, state report.State, number int, talk *publish.Conversation) error {
	issue, err := s.hub.Issue(ctx, number)
	if err != nil || !issue.Open {
		return err
	}
	return talk.Finish(ctx, outcome(report.Report{Comment: talk.Body(), State: state, Label: state.Label(), Close: state.CloseReason()}))
}

// greet says that the work has begun, and finds out who asks meanwhile. What it
// cannot say now the answer will make up for.
func (s *shift) greet(ctx context.Context, in report.Input, author event.User, talk *publish.Conversation) (plan.Asker, error) {
	in.Phase = report.Running
	var greeting sync.WaitGroup
	for _, say := range []func() error{
		func() error { return talk.Progress(ctx, report.Render(in).Comment) },
		func() error { return talk.React(ctx, publish.Eyes) },
	} {
		greeting.Go(func() {
			if err := say(); err != nil {
				s.log.Warn("greeting: " + err.Error())
			}
		})
	}
	asker, err := s.asker(ctx, author)
	greeting.Wait()
	return asker, err
}

// fill does what is asked and puts plan and results into the answer. talk shows
// how far things are; it may be nil.
func (s *shift) fill(ctx context.Context, in *report.Input, asker plan.Asker, talk *publish.Conversation) error {
	var err error
	if in.Plan, err = plan.Make(in.Request, asker, s.cfg); err != nil {
		return err
	}
	if in.Results, err = s.mirror(ctx, *in, talk); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		in.Phase = report.Interrupted
	case s.began.Sub(in.Since) > patience:
		in.Phase = report.GivenUp
	}
	return nil
}

// asker finds out what the policy wants to know of a person.
func (s *shift) asker(ctx context.Context, author event.User) (plan.Asker, error) {
	who, err := s.hub.Standing(ctx, author)
	if err != nil {
		return plan.Asker{}, err
	}
	switch who {
	case config.Owner:
		return plan.Asker{Role: plan.Owner}, nil
	case config.Collaborators:
		return plan.Asker{Role: plan.Collaborator}, nil
	}
	// One of them is the issue at hand.
	asked, err := s.hub.Asked(ctx, author.Login, s.began.Add(-24*time.Hour), s.cfg.Limits.RequestsPerDay+1)
	return plan.Asker{Role: plan.Visitor, Recent: max(asked-1, 0)}, err
}

// answer publishes what has become of the request, everywhere it is shown.
func (s *shift) answer(ctx context.Context, in report.Input, talk *publish.Conversation) (int, error) {
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
func (s *shift) hand(answer report.Report, commentURL string) error {
	annotate(s.out, answer.Annotations)
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
	o := publish.Outcome{Body: answer.Comment, Title: answer.Title, Add: []publish.Label{publish.Label(answer.Label)}}
	for _, l := range report.Labels() {
		if l != answer.Label {
			o.Remove = append(o.Remove, l.Name)
		}
	}
	o.State = publish.Open
	switch answer.Close {
	case report.Completed:
		o.State, o.Reaction = publish.Completed, publish.Rocket
	case report.NotPlanned:
		o.State, o.Reaction = publish.NotPlanned, publish.Confused
	}
	return o
}

// status is the exit status that an answer means.
func status(answer report.Report) int {
	switch {
	case answer.State == report.StateSetUp && answer.Outputs.Failed == 0: // nothing was tried
		return StatusUsage
	case answer.State == report.StateEmpty:
		return StatusNothing
	case answer.Outputs.Failed > 0 || answer.State != report.StateDone:
		return StatusFailed
	}
	return StatusDone
}
