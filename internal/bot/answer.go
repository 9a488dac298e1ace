package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// lastWord is the time for the comment after the job was stopped. The runner
// kills the process after 10 seconds.
const lastWord = 8 * time.Second

// answer publishes the answer in all its places. The final answer is a new
// comment, because GitHub notifies people of new comments, but not of edits.
func (s *actionRun) answer(ctx context.Context, j *job) (int, error) {
	answer := s.render(*j)
	if answer.State == ledger.Retry && s.sweepIsOff(ctx) {
		j.sweepOff = true
		answer = s.render(*j)
	}
	if answer.Archive != "" {
		j.sent.Archives = 1
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
		s.log.Info("no answer: the issue was deleted or moved", "issue", j.issue.Number)
		err = nil
	}
	mute, bare := j.talk.Without()
	if mute != nil {
		s.log.Warn("GitHub refuses comments on this issue: the answer is in the summary of this run", "issue", j.issue.Number, "error", mute)
	}
	if bare != nil {
		s.log.Warn("the issue lacks a label", "issue", j.issue.Number, "error", bare)
	}
	return issueStatus(answer), errors.Join(err, s.hand(answer, j.talk.URL()))
}

// hand writes annotations, summary and outputs.
func (s *actionRun) hand(answer report.Report, commentURL string) error {
	wiring.Annotate(s.out, answer.Annotations)
	err := s.out.Summary(answer.Summary)
	release := ""
	if s.cfg.Archives.Release {
		release = "true"
	}
	for _, output := range []struct{ name, value string }{
		{"images", answer.Outputs.Images},
		{"succeeded", strconv.Itoa(answer.Outputs.Succeeded)},
		{"failed", strconv.Itoa(answer.Outputs.Failed)},
		{"comment-url", commentURL},
		{"archive", answer.Archive},
		{"archive-max-size", strconv.FormatInt(s.cfg.Archives.Bytes, 10)},
		{"archive-days", strconv.Itoa(s.cfg.Archives.Days)},
		{"archive-release", release},
	} {
		err = errors.Join(err, s.out.Output(output.name, output.value))
	}
	return err
}

// outcome converts the answer to the types of package publish.
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

// issueStatus returns the exit status of a run that answers an issue. GitHub
// mails the owner about failed runs, so only problems that the owner has to fix
// are failures. All others are reported in the issue.
func issueStatus(answer report.Report) int {
	if answer.State == ledger.SetUp {
		return status(answer)
	}
	return wiring.StatusDone
}

// status returns the exit status of a run that was started for its images.
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

// handOver gives the rest of a request to other jobs of this run: the plan comes first,
// then the comment, so that no other run begins, and then the output that starts them.
func (s *actionRun) handOver(ctx context.Context, j *job) error {
	j.phase = report.Running
	j.division.Marker = s.marker(*j)
	if err := j.division.Write(s.env.Getenv("FERRY_PLAN")); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	o := outcome(s.render(*j))
	if o.Yields = j.issue.Open; o.Yields {
		o.State = "" // without a comment it would be closed, and then nobody answers
	}
	if err := j.talk.Finish(ctx, o); err != nil {
		return err
	}
	return s.out.Output("shards", j.division.Numbers())
}
