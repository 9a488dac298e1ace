package bot

import (
	"context"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/plan"
)

// lookUp returns what the policy needs to know about a person.
func (s *actionRun) lookUp(ctx context.Context, author event.User) *standing {
	who, err := s.hub.Standing(ctx, author)
	if err != nil && ctx.Err() == nil && s.cfg.Requests == config.Anyone {
		// The token may not ask, or GitHub fails. Nobody needs a role here,
		// except to be free of the limits.
		s.log.Info("the requester's role is not known: the limits for everybody apply", "error", err)
		err = nil
	}
	if err != nil {
		return &standing{unknown: err}
	}
	if who != config.Anyone {
		return &standing{who: who}
	}
	return s.asked(ctx, author)
}

// asked returns what a visitor has requested in the last 24 hours.
func (s *actionRun) asked(ctx context.Context, author event.User) *standing {
	asked, err := s.hub.Asked(ctx, author.Login, s.now().Add(-ledger.Day), s.cfg.Limits.RequestsPerDay+1)
	if err != nil {
		return &standing{unknown: err}
	}
	known := &standing{who: config.Anyone}
	for _, i := range asked {
		// Answered requests count, whatever their current text.
		request := labelled(i.Issue) || !s.foreign() && notOurs(i.Issue, i.Author) == ""
		if labelled(i.Issue) {
			known.served = append(known.served, i.Number)
		}
		known.opened = append(known.opened, ledger.Opened{Number: i.Number, Created: i.Created, Request: request})
	}
	return known
}

// asker returns who makes the request. letIn is the relation under which an
// earlier run admitted it; it is not checked again.
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
	}
	if j.asker == nil || j.asker.who != config.Anyone { // another day has begun, and its count
		if j.asker = s.asked(ctx, j.issue.Author); j.asker.unknown != nil {
			return plan.Asker{}, j.asker.unknown
		}
	}
	used, err := s.used(ctx, j)
	if err != nil {
		return plan.Asker{}, err
	}
	asker := plan.Asker{Bytes: used.Bytes, Repositories: used.Repositories, Archives: used.Archives, Refresh: j.refresh}
	if letIn == "" {
		asker.Recent = ledger.Recent(j.asker.opened, j.issue.Number, used.Repeats, s.now())
	}
	return asker, nil
}

// used returns what the requester has used of the daily limits, from the
// markers of that person's answered issues.
func (s *actionRun) used(ctx context.Context, j *job) (ledger.Usage, error) {
	var others []ledger.Usage
	for _, number := range j.asker.served {
		if number == j.issue.Number {
			continue
		}
		talk, err := s.hub.Open(ctx, number)
		switch {
		case isGone(err):
		case err != nil:
			return ledger.Usage{}, err
		default:
			m, _ := ledger.ParseMarker(talk.Body())
			others = append(others, m.Used)
		}
	}
	return j.count.Used.Add(others, s.now()), nil
}
