package bot

import (
	"context"
	"fmt"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/shards"
)

// join answers the request that jobs of this run have copied. What they have not
// copied, because they died or the plan is lost, is copied now.
func (s *actionRun) join(ctx context.Context) (int, error) {
	p, err := shards.Read(s.env.Getenv("FERRY_PLAN"))
	if err == nil {
		var got shards.Receipts
		got, err = p.Receipts(s.env.Getenv("FERRY_RECEIPTS"), func(format string, file ...any) { s.out.Print(fmt.Sprintf(format, file...)) })
		for i, r := range got {
			p.Images[i].Result.Receipt, p.Images[i].Result.Failure = r.Receipt, r.Failure
		}
	}
	if err != nil {
		s.log.Warn(err.Error())
		p = &shards.Plan{}
	}
	s.divided = p
	number := s.cfg.Issue
	if s.event.Issue != nil {
		number = s.event.Issue.Number
	}
	return s.serve(ctx, event.Issue{Number: number}, ledger.Swept)
}
