package app

import (
	"context"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
)

// commentEvent obeys a command in a comment. Commands are for whoever opened
// the issue and for those who may write to the repository.
func (s *shift) commentEvent(ctx context.Context) (int, error) {
	e := s.event
	command, ok := request.ParseCommand(e.Comment.Body)
	if e.Action != "created" || !ok {
		s.log.Info("nothing to do: the comment is no command")
		return StatusDone, nil
	}
	if reason := notOurs(*e.Issue, e.Sender); reason != "" {
		s.log.Info("nothing to do: " + reason)
		return StatusDone, nil
	}
	if s.dry || s.hub == nil {
		s.log.Info("the comment asks for: " + string(command.Verb))
		return StatusDone, nil
	}
	talk, err := s.hub.Open(ctx, e.Issue.Number)
	if err != nil {
		return StatusFailed, err
	}
	asker, err := s.asker(ctx, e.Comment.Author)
	if err != nil {
		return StatusFailed, err
	}
	if e.Comment.Author.ID != e.Issue.Author.ID && asker.Role < plan.Collaborator {
		s.log.Info("nothing to do: the command is not from the issue's author or a collaborator")
		return StatusDone, talk.ReactTo(ctx, e.Comment.ID, publish.Confused)
	}
	if err := talk.ReactTo(ctx, e.Comment.ID, publish.Eyes); err != nil {
		return StatusFailed, err
	}
	return s.obey(ctx, command, *e.Issue, asker, talk)
}

// obey does what a command asks for, as a wish of whoever gives it: with a
// command the owner lets a stranger's request through.
func (s *shift) obey(ctx context.Context, command request.Command, issue event.Issue, asker plan.Asker, talk *publish.Conversation) (int, error) {
	switch command.Verb {
	case request.Cancel:
		in := s.read(issue)
		in.Phase, in.Before = report.Withdrawn, talk.Body()
		if before, ok := report.ParseMarker(in.Before); ok {
			in.Repeats = before.Repeats
		}
		return s.answer(ctx, in, talk)
	case request.Help:
		help := report.WithHelp(talk.Body(), issue.Number, s.languageOf(issue))
		return StatusDone, talk.Finish(ctx, publish.Outcome{Body: help})
	case request.Platform:
		in := s.read(issue)
		for i := range in.Request.Images {
			in.Request.Images[i].Platforms = command.Platforms
		}
		in.Request.Platforms = command.Platforms
		return s.serveOn(ctx, job{in: in, closed: !issue.Open, asker: asker, talk: talk, why: again})
	}
	return s.serveOn(ctx, job{in: s.read(issue), closed: !issue.Open, asker: asker, talk: talk, why: again})
}

// languageOf is the language in which to speak on the issue.
func (s *shift) languageOf(issue event.Issue) string {
	if s.cfg.Language != "auto" {
		return s.cfg.Language
	}
	if s.read(issue).Request.Chinese {
		return "zh"
	}
	return "en"
}
