package bot

import (
	"context"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/plan"
)

// lookUp finds out what the policy wants to know of a person.
func (s *actionRun) lookUp(ctx context.Context, author event.User) *standing {
	who, err := s.hub.Standing(ctx, author)
	if err != nil {
		return &standing{unknown: err}
	}
	if who != config.Anyone {
		return &standing{who: who}
	}
	asked, err := s.hub.Asked(ctx, author.Login, s.now().Add(-ledger.Day), s.cfg.Limits.RequestsPerDay+1)
	if err != nil {
		return &standing{unknown: err}
	}
	known := &standing{who: who}
	for _, i := range asked {
		// What was served counts, whatever its text says by now.
		request := labelled(i.Issue) || !s.elsewhere() && notOurs(i.Issue, i.Author) == ""
		known.opened = append(known.opened, ledger.Opened{Number: i.Number, Created: i.Created, Request: request})
	}
	return known
}

// asker is whose wish the request is. letIn is what that person was when an
// earlier run let the request in; it is not judged again.
func (s *actionRun) asker(ctx context.Context, j *job, letIn config.Who) (plan.Asker, error) {
	if letIn == "" {
		if j.asker == nil {
			j.asker = s.lookUp(ctx, j.issue.Author)
		}
		if j.asker.unknown != nil {
			return plan.Asker{}, j.asker.unknown
		}
		j.who = j.asker.who
	} else {
		j.who = letIn
	}
	switch {
	case j.who == config.Owner:
		return plan.Asker{Role: plan.Owner, Refresh: j.refresh}, nil
	case j.who == config.Collaborators:
		return plan.Asker{Role: plan.Collaborator, Refresh: j.refresh}, nil
	case letIn != "":
		return plan.Asker{}, nil
	}
	recent := ledger.Recent(j.asker.opened, j.issue.Number, j.count.Repeats, s.now())
	return plan.Asker{Recent: recent, Refresh: j.refresh}, nil
}
