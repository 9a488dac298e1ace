package bot

import (
	"context"
	"errors"
	"fmt"

	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// sweepMost is how many open issues one sweep looks at: two requests each stay
// far below the thousand an hour that GitHub allows.
const sweepMost = 200

// sweep finishes what was left open: requests whose run died, was stopped, or
// failed for a reason that passes, and those that no run ever saw. The oldest
// come first; what the budget does not cover is left to the next sweep.
func (s *actionRun) sweep(ctx context.Context) (int, error) {
	if s.hub == nil {
		return s.checkSetUp()
	}
	issues, err := s.hub.OpenIssues(ctx, sweepMost)
	if err != nil {
		return wiring.StatusFailed, err
	}
	worst := wiring.StatusDone
	var faults []error
	for _, issue := range issues {
		if ctx.Err() != nil || !s.hub.Room() {
			s.log.Info("the rest is left to the next sweep", "issue", issue.Number)
			break
		}
		if notOurs(issue.Issue, issue.Author) != "" {
			continue
		}
		end := s.out.Group(fmt.Sprintf("issue #%d", issue.Number))
		status, err := s.serve(ctx, issue.Issue, left)
		end()
		if err != nil {
			faults = append(faults, err)
		}
		// A request that names no image has got its answer: nothing is wrong with the sweep.
		if status != wiring.StatusNothing {
			worst = max(worst, status)
		}
	}
	return worst, errors.Join(faults...)
}

// serveInput mirrors what the input "images" names. Whoever may start the
// workflow may write to the repository, so the policy on who may ask is met.
func (s *actionRun) serveInput(ctx context.Context, text string) (int, error) {
	in := s.understand(request.Input{Body: text})
	if s.dry {
		return s.preview(in)
	}
	if len(s.faults) == 0 && len(in.Request.Images) > 0 {
		if err := s.fill(ctx, &in, plan.Asker{Role: plan.Owner}, nil, nil); err != nil {
			return wiring.StatusFailed, err
		}
		in.Phase = s.end(ctx, in.Since)
	}
	answer := report.Render(in)
	return status(answer), s.hand(answer, "")
}
