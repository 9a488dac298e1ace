package bot

import (
	"context"
	"maps"
	"time"

	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/report"
)

// fill carries out the request and stores plan and results in the job. The
// greeting may be nil.
func (s *actionRun) fill(ctx context.Context, j *job, asker plan.Asker, g *greeting) error {
	var err error
	if j.plan, err = plan.Make(j.request, asker, s.cfg); err != nil {
		return err
	}
	if doubts := j.plan.Doubts(); len(doubts) > 0 {
		settled := plan.Settle(j.request, s.registries().Exist(ctx, doubts))
		j.settled = &settled
		if j.plan, err = plan.Make(settled, asker, s.cfg); err != nil {
			return err
		}
	}
	err = s.mirror(ctx, j, g)
	j.stocks = s.registries().Counted()
	if err == nil {
		j.locked = s.hidden(ctx, j.results)
	}
	if j.public != nil { // nobody has waited for them
		j.elsewhere = j.public.Answers()
		if s.divided != nil {
			maps.Copy(j.elsewhere, s.divided.Elsewhere)
		}
	}
	return err
}

// end returns the phase in which this run leaves a request that has been tried
// since then.
func (s *actionRun) end(ctx context.Context, since time.Time) report.Phase {
	switch {
	case s.now().Sub(since) > time.Duration(s.cfg.Limits.RetryHours)*time.Hour:
		return report.GivenUp
	case ctx.Err() != nil:
		return report.Interrupted
	}
	return report.Finished
}
