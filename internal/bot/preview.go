package bot

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// preview prints the plan and the comment without carrying them out. No
// permission is looked up: the plan is the one for the owner.
func (s *actionRun) preview(j job) (int, error) {
	if s.workable(j.request) {
		var err error
		if j.plan, err = plan.Make(j.request, plan.Asker{Role: plan.Owner}, s.cfg); err != nil {
			return wiring.StatusUsage, err
		}
		j.phase = report.Running
	}
	var b strings.Builder
	fmt.Fprintf(&b, "What is understood:\n\n%s\n", cmp.Or(report.Terminal{}.Understood(j.request), "nothing: "+wiring.ErrNothing.Error()+"\n"))
	if len(j.plan.Steps)+len(j.plan.Refusals) > 0 {
		fmt.Fprintf(&b, "The plan, if the owner asks:\n\n%s\n", report.Terminal{}.Copies(j.plan, nil))
	}
	if asksNothing(j.issue, j.request) {
		b.WriteString("The issue asks for no image. It gets no comment, and stays open.\n")
		s.out.Print(b.String())
		return wiring.StatusDone, nil
	}
	answer := s.render(j)
	fmt.Fprintf(&b, "The comment:\n\n%s", answer.Comment)
	s.out.Print(b.String())
	if answer.State == ledger.Working {
		return wiring.StatusDone, nil
	}
	return status(answer), nil
}
