package bot

import (
	"context"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// commentEvent executes a command in a comment. Commands are for the author of
// the issue and for people with write access.
func (s *actionRun) commentEvent(ctx context.Context) (int, error) {
	e := s.event
	command, ok := request.ParseCommand(e.Comment.Body)
	if e.Action != "created" || !ok {
		s.log.Info("nothing to do: the comment is not a command")
		return wiring.StatusDone, nil
	}
	if reason := notOurs(*e.Issue, e.Sender); reason != "" {
		s.log.Info("nothing to do: " + reason)
		return wiring.StatusDone, nil
	}
	if s.dry || s.hub == nil {
		s.log.Info("command: " + string(command.Verb))
		return wiring.StatusDone, nil
	}
	// Anybody may comment; a comment without permission takes one request.
	giver := s.lookUp(ctx, e.Comment.Author)
	theirs := e.Comment.Author.ID == e.Issue.Author.ID
	switch {
	case theirs:
	case giver.unknown != nil:
		return wiring.StatusFailed, giver.unknown
	case giver.who == config.Anyone:
		s.log.Info("nothing to do: the command is not from the issue's author or a collaborator")
		return wiring.StatusDone, nil
	}
	j := job{occasion: ledger.Asked}
	switch err := s.open(ctx, e.Issue.Number, &j); {
	case isGone(err):
		s.log.Info("nothing to do: the issue was deleted or moved")
		return wiring.StatusDone, nil
	case err != nil:
		return wiring.StatusFailed, err
	}
	if theirs {
		j.asker = giver
	}
	reaction := publish.Eyes
	if command.Verb == request.Approve && !s.approve(ctx, &j, giver, command.Fingerprint) {
		reaction = publish.Confused
	}
	if err := j.talk.ReactTo(ctx, e.Comment.ID, reaction); err != nil {
		s.log.Info("greeting: " + err.Error())
	}
	return s.execute(ctx, command, giver, j)
}

// approve admits a request with the rights of the collaborator who approves it,
// if it is one that Ferry's answer has shown: that of the issue's text, or of the
// text and a command. It reports whether that is so.
func (s *actionRun) approve(ctx context.Context, j *job, giver *standing, fingerprint string) bool {
	if giver.who != config.Owner && giver.who != config.Collaborators {
		s.log.Info("only the owner and collaborators may approve a request")
		return false
	}
	if !s.changeTo(ctx, j, fingerprint, map[string]*standing{}) {
		s.log.Info("the request has changed since it was approved")
		return false
	}
	j.let = approval{fingerprint, giver.who}
	return true
}

// execute executes a command with the rights of the author of the issue: commands
// of others give no further rights, except for an approval.
func (s *actionRun) execute(ctx context.Context, command request.Command, giver *standing, j job) (int, error) {
	if j.text == "" {
		j.text = ledger.Fingerprint(j.request)
	}
	s.learnTongue(ctx, j.request)
	switch command.Verb {
	case request.Cancel:
		j.phase, j.before = report.Withdrawn, j.talk.Body()
		if before, ok := ledger.ParseMarker(j.before); ok {
			j.count.Used = before.Used
		}
		return s.answer(ctx, &j)
	case request.Help:
		help := report.WithHelp(j.talk.Body(), s.answerTo(j))
		return wiring.StatusDone, j.talk.Finish(ctx, publish.Outcome{Body: help})
	case request.Refresh:
		j.refresh = giver.who == config.Owner || giver.who == config.Collaborators
	case request.Add, request.Platform, request.Archive:
		change(&j.request, command)
	case request.Retry, request.Approve: // repeat the request unchanged
	}
	return s.serveRounds(ctx, j)
}
