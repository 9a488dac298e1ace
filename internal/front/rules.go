package front

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// Rules tell which repositories are served. The patterns are those of the policy
// file: a repository, or all below a host or a path by "/*".
type Rules struct {
	Allowed []string // empty for all
	Denied  []string
}

// allow reports whether r is served.
func (l *Rules) allow(r reference.Repository) bool {
	if l == nil {
		return true
	}
	canonical := name.Canonical(r).String()
	named := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			below, all := strings.CutSuffix(pattern, "*")
			return canonical == pattern || all && strings.HasPrefix(canonical, below)
		})
	}
	return !named(l.Denied) && (len(l.Allowed) == 0 || named(l.Allowed))
}
