package bot

import (
	"context"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/plan"
)

// day is what the limit on requests a day is about.
const day = 24 * time.Hour

// lookUp finds out what the policy wants to know of a person.
func (s *actionRun) lookUp(ctx context.Context, author event.User, j *job) {
	j.in.Asker, j.unknown = s.hub.Standing(ctx, author)
	if j.unknown == nil && j.in.Asker == config.Anyone {
		j.asked, j.unknown = s.hub.Asked(ctx, author.Login, s.began.Add(-day), s.cfg.Limits.RequestsPerDay+1)
	}
	if j.unknown != nil {
		j.in.Asker = ""
	}
}

// asker is whose wish it is.
func (s *actionRun) asker(j job) plan.Asker {
	switch {
	case j.in.Asker == config.Owner:
		return plan.Asker{Role: plan.Owner, Refresh: j.refresh}
	case j.in.Asker == config.Collaborators:
		return plan.Asker{Role: plan.Collaborator, Refresh: j.refresh}
	case j.begun:
		return plan.Asker{}
	}
	// What the issue at hand was edited and repeated counts, or one issue, edited
	// for ever, would be a way around the limit. What was opened after it does not:
	// of all that somebody asks for at once the first are served.
	repeats := j.in.Repeats.Times
	recent := max(repeats-1, 0)
	for _, i := range j.asked {
		switch {
		case notOurs(i.Issue, i.Author) != "":
		case i.Number == j.in.Issue && (repeats == 0 || i.Created.Before(s.began.Add(-day))):
		case i.Number <= j.in.Issue || repeats > 0:
			recent++
		}
	}
	return plan.Asker{Recent: recent}
}
