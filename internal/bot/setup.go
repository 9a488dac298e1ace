package bot

import (
	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/wiring"
)

// checkSetUp handles events that request nothing, above all a push: the summary
// lists what a fresh fork still has to set up, as far as that is known without
// any requests. "ferry doctor" checks more.
func (s *actionRun) checkSetUp() (int, error) {
	if s.event.Kind == event.Dispatch {
		s.log.Warn(`no image or issue was given: set the input "images" or "issue"; the workflow "doctor" checks the set-up`)
		return wiring.StatusNothing, nil
	}
	return wiring.StatusDone, wiring.Tell(s.out, report.Checkup{
		Language: s.cfg.OwnersLanguage(), Repository: s.page(""), Findings: doctor.Configuration(s.cfg, s.faults),
	})
}
