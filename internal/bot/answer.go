package bot

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// lastWord is the time for the comment after the job was told to stop: the
// runner kills what is left after 10 seconds.
const lastWord = 8 * time.Second

// answer publishes what has become of the request, everywhere it is shown. The
// last word is a comment of its own: GitHub tells people of new comments, and
// not of what an old one says by now.
func (s *actionRun) answer(ctx context.Context, j *job) (int, error) {
	answer := s.render(*j)
	if answer.State == ledger.Retry && s.sweepIsOff(ctx) {
		j.sweepOff = true
		answer = s.render(*j)
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lastWord)
		defer cancel()
	}
	o := outcome(answer)
	if answer.State != ledger.Withdrawn {
		o.Anew, o.Yields = !answer.State.Open(), j.issue.Open
	}
	err := j.talk.Finish(ctx, o)
	if isGone(err) {
		s.log.Info("nobody is answered: the issue was deleted or moved", "issue", j.issue.Number)
		err = nil
	}
	if j.talk.Mute() {
		s.log.Warn("nobody can comment on the issue, which is locked or has too many comments: the answer is in the summary of this run", "issue", j.issue.Number)
	}
	return issueStatus(answer), errors.Join(err, s.hand(answer, j.talk.URL()))
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
	switch answer.Close {
	case ledger.StayOpen:
		o.State = publish.Open
	case ledger.Completed:
		o.State, o.Reaction = publish.Completed, publish.Rocket
	case ledger.NotPlanned:
		o.State, o.Reaction = publish.NotPlanned, publish.Confused
	}
	return o
}

// issueStatus is the exit status of a run that answers an issue. A failed run
// is a mail to the owner, so that only what the owner has to set right is one:
// a request that waits, or that cannot be met, is told to whoever asked.
func issueStatus(answer report.Report) int {
	if answer.State == ledger.SetUp {
		return status(answer)
	}
	return wiring.StatusDone
}

// status is the exit status of a run that somebody started for its images.
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
