package doctor

import (
	"context"
	"errors"
)

// Hub is the repository on GitHub, as seen with the token.
type Hub interface {
	Settings(context.Context) (Settings, error)
	// Workflows returns the states of the workflows by the paths of their
	// files: "active", or why not.
	Workflows(context.Context) (map[string]string, error)
	// Label creates Ferry's missing labels. It fails if the token may not write
	// issues, even if no label is missing.
	Label(context.Context) error
}

// Settings are the settings of the repository.
type Settings struct {
	Issues, Private, Archived bool
	Catalog                   bool // there is a branch with the catalog
	Pages                     bool // GitHub Pages publishes a site
}

// The errors of a Hub that the owner can fix.
var (
	ErrToken      = errors.New("the token is not valid")
	ErrPermission = errors.New("the token may not do this")
	ErrGone       = errors.New("there is no such repository")
)

// RefusedError is a refusal of a Hub for another reason, which GitHub's message
// gives.
type RefusedError struct {
	Said string
	Err  error
}

// Error returns the message of the wrapped error.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *RefusedError) Unwrap() error { return e.Err }

// The workflows that Ferry comes with. The states of other workflows are not
// checked.
const (
	mirrorFile = ".github/workflows/mirror.yml"
	// SweepFile is the workflow that retries.
	SweepFile = ".github/workflows/sweep.yml"
)

// active is the state of an enabled workflow.
const active = "active"

// SweepDisabled returns the state of the workflow that retries, if it exists
// and is not enabled; otherwise it returns an empty string.
func SweepDisabled(states map[string]string) string {
	if state := states[SweepFile]; state != active {
		return state
	}
	return ""
}

// repository examines the repository in which people make requests.
func repository(ctx context.Context, hub Hub, readOnly bool) []*Finding {
	if hub == nil {
		return []*Finding{{Level: Note, Kind: HubNotAsked}}
	}
	settings, err := hub.Settings(ctx)
	if err != nil {
		return []*Finding{trouble(err)}
	}
	if settings.Archived {
		return []*Finding{{Level: Fault, Kind: Archived}}
	}
	var findings []*Finding
	if settings.Private {
		findings = append(findings, &Finding{Level: Note, Kind: PrivateHub})
	}
	if settings.Issues {
		findings = append(findings, &Finding{Kind: IssuesOn})
	} else {
		findings = append(findings, &Finding{Level: Fault, Kind: IssuesOff})
	}
	findings = append(findings, workflows(ctx, hub)...)
	if settings.Catalog && settings.Pages {
		findings = append(findings, &Finding{Kind: CatalogOn})
	} else if settings.Catalog {
		findings = append(findings, &Finding{Level: Note, Kind: CatalogOff})
	}
	if readOnly {
		return findings
	}
	switch err := hub.Label(ctx); {
	case err == nil:
		return append(findings, &Finding{Kind: MayAnswer})
	case errors.Is(err, ErrPermission), errors.Is(err, ErrGone): // the repository was there when its settings were read
		return append(findings, &Finding{Level: Fault, Kind: MayNotAnswer})
	default:
		return append(findings, trouble(err))
	}
}

func workflows(ctx context.Context, hub Hub) []*Finding {
	states, err := hub.Workflows(ctx)
	switch {
	case errors.Is(err, ErrPermission), errors.Is(err, ErrGone):
		return []*Finding{{Level: Note, Kind: WorkflowsHidden}}
	case err != nil:
		return []*Finding{trouble(err)}
	}
	var findings []*Finding
	if state, ok := states[mirrorFile]; ok && state != active {
		findings = append(findings, &Finding{Level: Fault, Kind: MirrorOff, Workflow: mirrorFile})
	}
	if SweepDisabled(states) != "" {
		findings = append(findings, &Finding{Level: Warning, Kind: SweepOff, Workflow: SweepFile})
	}
	if findings == nil {
		return []*Finding{{Kind: WorkflowsOn}}
	}
	return findings
}

// trouble is the finding for a request that GitHub did not answer.
func trouble(err error) *Finding {
	refused, ok := errors.AsType[*RefusedError](err)
	switch {
	case ok:
		return &Finding{Level: Fault, Kind: HubRefuses, Said: refused.Said}
	case errors.Is(err, ErrToken):
		return &Finding{Level: Fault, Kind: HubToken}
	case errors.Is(err, ErrPermission), errors.Is(err, ErrGone):
		return &Finding{Level: Fault, Kind: HubGone}
	}
	return &Finding{Level: Warning, Kind: HubDown}
}
