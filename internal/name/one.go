package name

import (
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// oneRepository is the repository below the namespace that has all images in
	// profile one.
	oneRepository = "mirrors"
	// joint is between the flat name and the tag. A flat name has no two dots in a row,
	// and a tag does not begin with a dot.
	joint = ".."
)

// join returns the name in profile one of a repository's mirror, by the tag that
// mirrorTag has made. The flat name is shortened to what the tag leaves. It is ErrTag if
// registries would read the whole as a reference to another image, and ErrLong if too
// little is left.
func (s *Scheme) join(r reference.Repository, tag string) (path, joined string, err error) {
	in := s.beside(tag)
	if _, ok := in.whole(r); !ok && in.rules.Longest < minRoom {
		return "", "", ErrLong
	}
	joined = in.path(r) + joint + tag
	if referrerTag.MatchString(joined) {
		return "", "", ErrTag
	}
	return oneRepository, joined, nil
}

// beside returns the scheme of flat names that fit into a tag of profile one, beside a
// tag of the source.
func (s *Scheme) beside(tag string) *Scheme {
	in := *s
	in.target.Profile = Flat
	in.rules = known.Names{Longest: max(reference.MaxTag-len(joint)-len(tag), 1)}
	return &in
}
