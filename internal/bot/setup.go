package bot

import (
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// checkSetUp is for events that ask for nothing, a push above all: it says in
// the summary what a fresh fork still has to set up, as far as that shows
// without asking anybody. "ferry doctor" asks.
func (s *actionRun) checkSetUp() (int, error) {
	if s.event.Kind == event.Dispatch {
		s.log.Warn(`nothing was asked for: fill in the input "images" or "issue"; the workflow "doctor" checks the set-up`)
		return wiring.StatusNothing, nil
	}
	return wiring.StatusDone, wiring.Tell(s.out, report.Checkup{
		Language: s.cfg.OwnersLanguage(), Repository: s.page(""), Findings: doctor.Configuration(s.cfg, s.faults),
	})
}
