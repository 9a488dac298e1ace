package name

import (
	"errors"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Pattern is a repository, or all repositories below a host or a path. The zero
// Pattern covers none.
type Pattern struct {
	base  string // canonical: of a repository, or a host, with a path or without
	below bool
}

// ParsePattern reads a repository, such as "docker.io/user/name", or "/*" after
// a host or a path, such as "quay.io/*".
func ParsePattern(text string) (Pattern, error) {
	base, below := strings.CutSuffix(text, "/*")
	if !below {
		switch last := base[strings.LastIndexByte(base, '/')+1:]; {
		case strings.ContainsAny(last, ":@"):
			return Pattern{}, errors.New("a pattern has neither tag nor digest")
		case last == base && strings.Contains(base, "."): // else docker.io/library/quay.io
			return Pattern{}, errors.New("a host needs /* after it")
		}
	}
	suffix := ""
	if below {
		suffix = "/x/x" // makes it a repository; two components keep "library/" out
	}
	ref, err := reference.Parse(base + suffix)
	if err != nil {
		return Pattern{}, err
	}
	return Pattern{strings.TrimSuffix(Canonical(ref.Repository()).String(), suffix), below}, nil
}

// Covers reports whether r, or the repository that is the same by definition,
// is one of the pattern's.
func (p Pattern) Covers(r reference.Repository) bool {
	canonical := Canonical(r).String()
	if p.below {
		return strings.HasPrefix(canonical, p.base+"/")
	}
	return p != Pattern{} && canonical == p.base
}

// String is the pattern in its canonical form.
func (p Pattern) String() string {
	if p.below {
		return p.base + "/*"
	}
	return p.base
}
