package bot

import (
	"context"
	"slices"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/request"
)

// change applies a command to a request.
func change(r *request.Request, command request.Command) {
	r.Add(command.Images...)
	r.Archive = r.Archive || command.Verb == request.Archive
	if command.Verb == request.Platform {
		for i := range r.Images {
			r.Images[i].Platforms = command.Platforms
		}
		r.Platforms = command.Platforms
	}
}

// changeTo changes the request as a command on the issue says, if it then has
// the fingerprint. It reports whether it has. standings are those of people who
// have been looked up.
func (s *actionRun) changeTo(ctx context.Context, j *job, fingerprint string, standings map[string]*standing) bool {
	text := ledger.Fingerprint(j.request)
	if fingerprint == text {
		return true
	}
	commands := j.talk.Commands()
	for i := len(commands) - 1; i >= 0; i-- {
		said := commands[i]
		command, ok := request.ParseCommand(said.Body)
		if !ok {
			continue
		}
		changed := j.request
		changed.Images = slices.Clone(j.request.Images)
		change(&changed, command)
		if ledger.Fingerprint(changed) == fingerprint && (said.Author.ID == j.issue.Author.ID || s.collaborates(ctx, said.Author, standings) != "") {
			j.request, j.text = changed, text
			return true
		}
	}
	return false
}

// recall looks up the commands that had changed or admitted a request when an
// earlier run began to work on it and did not finish. The request is served in
// that form, with the rights that the authors of the commands still have.
func (s *actionRun) recall(ctx context.Context, j *job, before ledger.Marker) {
	standings := map[string]*standing{}
	s.changeTo(ctx, j, before.Request, standings)
	served := ledger.Fingerprint(j.request)
	commands := j.talk.Commands()
	for i := len(commands) - 1; i >= 0; i-- {
		said := commands[i]
		command, ok := request.ParseCommand(said.Body)
		switch {
		case !ok:
		case command.Verb == request.Refresh && before.Refresh && !j.refresh:
			j.refresh = s.collaborates(ctx, said.Author, standings) != ""
		case command.Verb == request.Approve && command.Fingerprint == served && j.count.Asker == "":
			j.count.Asker = s.collaborates(ctx, said.Author, standings)
		}
	}
}

// collaborates returns the relation of a person who has written a command, the
// owner's or a collaborator's; empty for others, for unknown ones, and if too
// many people were looked up.
func (s *actionRun) collaborates(ctx context.Context, author event.User, standings map[string]*standing) config.Who {
	known := standings[author.Login]
	if known == nil {
		const most = 5
		if len(standings) == most {
			return ""
		}
		who, err := s.hub.Standing(ctx, author)
		known = &standing{who: who, unknown: err}
		standings[author.Login] = known
	}
	if known.unknown != nil || known.who == config.Anyone {
		return ""
	}
	return known.who
}
