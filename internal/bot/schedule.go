package bot

import (
	"context"
	"errors"
	"log/slog"
	"path"

	"github.com/imageferry/ferry/internal/doctor"
	"github.com/imageferry/ferry/internal/publish"
)

// disabledByGitHub is the state of a workflow whose schedule GitHub has
// disabled because the repository had no commit for 60 days. Any other state
// was set by a person, or is that of a fork that was never set up.
const disabledByGitHub = "disabled_inactivity"

// sweepIsOff reports whether nothing will retry temporary failures: the sweep's
// workflow is disabled, and the token may not enable it. It reports false if
// that is unknown.
func (s *actionRun) sweepIsOff(ctx context.Context) bool {
	if s.hub == nil || s.sweeps() || s.foreign() || ctx.Err() != nil {
		return false
	}
	workflows, err := s.hub.Workflows(ctx)
	if e, ok := errors.AsType[*publish.Error](err); ok && e.Code == publish.Permission {
		s.log.Warn("whether the workflow that retries is enabled is not known: in a private repository, the job needs the permission \"actions: read\"", "workflow", doctor.SweepFile)
		return false
	}
	if err != nil {
		s.log.Debug("whether the sweep is enabled is not known: " + err.Error())
		return false
	}
	states := map[string]string{}
	for _, w := range workflows {
		states[w.Path] = w.State
	}
	state := doctor.SweepDisabled(states)
	switch {
	case state == "":
		return false
	case state == disabledByGitHub && s.hub.EnableWorkflow(ctx, doctor.SweepFile) == nil:
		s.log.Warn("GitHub had disabled the workflow that retries, because the repository had no commit for 60 days: it has been enabled again", "workflow", doctor.SweepFile)
		return false
	}
	s.out.Annotate(slog.LevelWarn, "", "The workflow that retries is disabled: enable it at "+s.page("/actions/workflows/"+path.Base(doctor.SweepFile)))
	return true
}
