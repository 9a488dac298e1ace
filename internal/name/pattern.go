package name

import (
	"errors"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Pattern matches a repository, or all repositories below a host or a path. The
// zero Pattern matches none.
type Pattern struct {
	base  string // canonical: a repository, or a host with or without a path
	below bool
}

// ParsePattern parses a repository, such as "docker.io/user/name", or a host or
// a path followed by "/*", such as "quay.io/*".
func ParsePattern(text string) (Pattern, error) {
	base, below := strings.CutSuffix(text, "/*")
	if !below {
		switch last := base[strings.LastIndexByte(base, '/')+1:]; {
		case strings.ContainsAny(last, ":@"):
			return Pattern{}, errors.New("a pattern has neither tag nor digest")
		case last == base && strings.Contains(base, "."): // otherwise docker.io/library/quay.io
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

// Covers reports whether the pattern matches r, or its canonical repository.
func (p Pattern) Covers(r reference.Repository) bool {
	canonical := Canonical(r).String()
	if p.below {
		return strings.HasPrefix(canonical, p.base+"/")
	}
	return p != Pattern{} && canonical == p.base
}

// String returns the canonical form of the pattern.
func (p Pattern) String() string {
	if p.below {
		return p.base + "/*"
	}
	return p.base
}
