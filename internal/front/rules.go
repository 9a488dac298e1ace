package front

import (
	"slices"

	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// Rules select the repositories that are served.
type Rules struct {
	Allowed []name.Pattern // empty for all
	Denied  []name.Pattern
}

// allow reports whether r is served.
func (l *Rules) allow(r reference.Repository) bool {
	if l == nil {
		return true
	}
	covered := func(patterns []name.Pattern) bool {
		return slices.ContainsFunc(patterns, func(p name.Pattern) bool { return p.Covers(r) })
	}
	return !covered(l.Denied) && (len(l.Allowed) == 0 || covered(l.Allowed))
}
