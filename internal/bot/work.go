package bot

import (
	"context"
	"time"

	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/report"
)

// fill does what is asked and puts plan and results into the answer. talk shows
// how far things are, after the greeting; both may be nil.
func (s *actionRun) fill(ctx context.Context, in *report.Input, asker plan.Asker, talk *publish.Conversation, g *greeting) error {
	var err error
	if in.Plan, err = plan.Make(in.Request, asker, s.cfg); err != nil {
		return err
	}
	if in.Results, err = s.mirror(ctx, *in, talk, g); err != nil {
		return err
	}
	in.Locked = s.hidden(ctx, in.Results)
	return nil
}

// end is how the work of this run ends on a request that is tried since then.
func (s *actionRun) end(ctx context.Context, since time.Time) report.Phase {
	switch {
	case s.now().Sub(since) > time.Duration(s.cfg.Limits.RetryHours)*time.Hour:
		return report.GivenUp
	case ctx.Err() != nil:
		return report.Interrupted
	}
	return report.Finished
}
