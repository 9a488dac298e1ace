package bot

import (
	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
)

// job is one issue to be served.
type job struct {
	issue    event.Issue // as it was read last
	in       report.Input
	occasion ledger.Occasion
	asker    *standing // of whoever asks; nil until it was looked up
	refresh  bool      // a collaborator's command is to look for tags that have moved
	talk     *publish.Conversation
}

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
	in.Tries, in.Since = 1, s.now()
	return in
}

// standing is what the policy wants to know of a person.
type standing struct {
	who     config.Who
	opened  []ledger.Opened // what a visitor asked for lately
	unknown error           // why it could not be found out
}
