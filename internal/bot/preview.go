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
	in := report.Terminal{Language: s.owners()}
	var b strings.Builder
	say := func(heading, text string) { fmt.Fprintf(&b, "%s\n\n%s", in.Message(heading), text) }
	say("What is understood:", cmp.Or(in.Understood(j.request), in.Message("nothing: "+wiring.ErrNothing.Error())+"\n")+"\n")
	if len(j.plan.Steps)+len(j.plan.Refusals) > 0 {
		say("The plan, if the owner asks:", in.Copies(j.plan, nil)+"\n")
	}
	if asksNothing(j.issue, j.request) {
		b.WriteString(in.Message("The issue asks for no image. It gets no comment, and stays open.") + "\n")
		s.out.Print(b.String())
		return wiring.StatusDone, nil
	}
	answer := s.render(j)
	say("The comment:", answer.Comment)
	s.out.Print(b.String())
	if answer.State == ledger.Working {
		return wiring.StatusDone, nil
	}
	return status(answer), nil
}
