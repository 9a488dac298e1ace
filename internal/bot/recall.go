package bot

import (
	"context"
	"slices"

	"github.com/imageferry/ferry/internal/config"
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

// recall looks up the commands that had changed a request when an earlier run
// began to work on it and did not finish. The request is served in that form,
// with the rights that the authors of the commands still have.
func (s *actionRun) recall(ctx context.Context, j *job, before ledger.Marker) {
	text := ledger.Fingerprint(j.request)
	standings := map[string]*standing{}
	for _, said := range slices.Backward(j.talk.Commands()) {
		command, ok := request.ParseCommand(said.Body)
		if !ok {
			continue
		}
		changed := j.request
		changed.Images = slices.Clone(j.request.Images)
		change(&changed, command)
		changes := before.Request != text && j.text == "" && ledger.Fingerprint(changed) == before.Request
		refreshes := before.Refresh && command.Verb == request.Refresh
		approves := command.Verb == request.Approve && command.Fingerprint == text
		if !changes && !refreshes && !approves {
			continue
		}
		giver := standings[said.Author.Login]
		if giver == nil {
			const most = 5 // people who are asked about
			if len(standings) == most {
				return
			}
			who, err := s.hub.Standing(ctx, said.Author)
			giver = &standing{who: who, unknown: err}
			standings[said.Author.Login] = giver
		}
		collaborates := giver.unknown == nil && giver.who != config.Anyone
		if changes && (collaborates || said.Author.ID == j.issue.Author.ID) {
			j.request, j.text = changed, text
		}
		j.refresh = j.refresh || refreshes && collaborates
		if approves && collaborates && j.count.Asker == "" {
			j.count.Asker = giver.who
		}
	}
}
