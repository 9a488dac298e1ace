package doctor

import (
	"context"
	"errors"
)

// Hub is the repository on GitHub, as the token sees it.
type Hub interface {
	Settings(context.Context) (Settings, error)
	// Workflows are the states of the workflows by the paths of their files:
	// "active", or why not.
	Workflows(context.Context) (map[string]string, error)
	// Label creates Ferry's labels where they are missing. It fails if the
	// token may not write issues, even if none is missing.
	Label(context.Context) error
}

// Settings are the repository's.
type Settings struct {
	Issues, Private, Archived bool
}

// The errors of a Hub that the owner can cure.
var (
	ErrToken      = errors.New("the token is not valid")
	ErrPermission = errors.New("the token may not do this")
	ErrGone       = errors.New("there is no such repository")
)

// The workflows that Ferry comes with. A repository with others has written
// its own, whose states are its own business.
const (
	mirrorFile = ".github/workflows/mirror.yml"
	// SweepFile is that of the workflow that tries again.
	SweepFile = ".github/workflows/sweep.yml"
)

// active is the state of a workflow that is enabled.
const active = "active"

// SweepDisabled is the state of the workflow that tries again, if it is one of
// those by path and is not enabled; else it is empty.
func SweepDisabled(states map[string]string) string {
	if state := states[SweepFile]; state != active {
		return state
	}
	return ""
}

// repository looks at the repository that people ask.
func repository(ctx context.Context, hub Hub, readOnly bool) []Finding {
	if hub == nil {
		return []Finding{{Level: Note, Kind: HubNotAsked}}
	}
	settings, err := hub.Settings(ctx)
	if err != nil {
		return []Finding{trouble(err)}
	}
	if settings.Archived {
		return []Finding{{Level: Fault, Kind: Archived}}
	}
	var findings []Finding
	if settings.Private {
		findings = append(findings, Finding{Level: Note, Kind: PrivateHub})
	}
	if settings.Issues {
		findings = append(findings, Finding{Kind: IssuesOn})
	} else {
		findings = append(findings, Finding{Level: Fault, Kind: IssuesOff})
	}
	findings = append(findings, workflows(ctx, hub)...)
	if readOnly {
		return findings
	}
	switch err := hub.Label(ctx); {
	case err == nil:
		return append(findings, Finding{Kind: MayAnswer})
	case errors.Is(err, ErrPermission), errors.Is(err, ErrGone): // it was there when we asked for its settings
		return append(findings, Finding{Level: Fault, Kind: MayNotAnswer})
	default:
		return append(findings, trouble(err))
	}
}

func workflows(ctx context.Context, hub Hub) []Finding {
	states, err := hub.Workflows(ctx)
	switch {
	case errors.Is(err, ErrPermission), errors.Is(err, ErrGone):
		return []Finding{{Level: Note, Kind: WorkflowsHidden}}
	case err != nil:
		return []Finding{trouble(err)}
	}
	var findings []Finding
	if state, ok := states[mirrorFile]; ok && state != active {
		findings = append(findings, Finding{Level: Fault, Kind: MirrorOff, Workflow: mirrorFile})
	}
	if SweepDisabled(states) != "" {
		findings = append(findings, Finding{Level: Warning, Kind: SweepOff, Workflow: SweepFile})
	}
	if findings == nil {
		return []Finding{{Kind: WorkflowsOn}}
	}
	return findings
}

// trouble is the finding for a request that GitHub did not answer.
func trouble(err error) Finding {
	switch {
	case errors.Is(err, ErrToken):
		return Finding{Level: Fault, Kind: HubToken}
	case errors.Is(err, ErrPermission), errors.Is(err, ErrGone):
		return Finding{Level: Fault, Kind: HubGone}
	}
	return Finding{Level: Warning, Kind: HubDown}
}
