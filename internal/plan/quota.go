package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Stock is what a target holds, and what it may hold.
type Stock struct {
	Target string // "host/namespace"
	// Repositories and Tags are the limits; zero for none.
	Repositories, Tags int
	// Held are the numbers of tags of the repositories, by their full names.
	Held map[string]int
}

// Count returns how many repositories and tags the target holds.
func (s Stock) Count() (repositories, tags int) {
	for _, n := range s.Held {
		tags += n
	}
	return len(s.Held), tags
}

// Scarce reports whether four fifths of a limit are used up.
func (s Stock) Scarce() bool {
	repositories, tags := s.Count()
	scarce := func(held, most int) bool { return most > 0 && held >= most*4/5 }
	return scarce(repositories, s.Repositories) || scarce(tags, s.Tags)
}

// Surplus is a limit that a destination would exceed: the number of repositories or
// of tags. Zero means that there is room.
type Surplus int

// Of reports whether a repository belongs to the target.
func (s Stock) Of(r reference.Repository) bool { return strings.HasPrefix(r.String(), s.Target+"/") }

// Within returns for each step and destination whether it fits into the stocks of
// the targets, in the order of the steps: what fits is reserved, and the rest is
// surplus. has reports whether a target has a tag; such a destination always fits.
// after are the stocks with what is reserved; the given ones are not changed.
// Signatures, and the tags of platforms at a registry without indexes, are not known
// before and do not count.
func Within(steps []Step, stocks []Stock, has func(reference.Reference) bool) (surplus [][]Surplus, after []Stock) {
	rooms := make([]room, len(stocks))
	for i, s := range stocks {
		rooms[i] = room{Stock: s, taken: map[reference.Reference]bool{}}
		rooms[i].Held = map[string]int{}
		maps.Copy(rooms[i].Held, s.Held)
		_, rooms[i].tags = s.Count()
	}
	surplus = make([][]Surplus, len(steps))
	for i, step := range steps {
		surplus[i] = make([]Surplus, len(step.Destinations))
		for k, d := range step.Destinations {
			if at := slices.IndexFunc(rooms, func(r room) bool { return r.Of(d.Mirror.Repository()) }); at >= 0 {
				surplus[i][k] = rooms[at].take(d, has)
			}
		}
	}
	for _, r := range rooms {
		after = append(after, r.Stock)
	}
	return surplus, after
}

// room is a stock to which the steps so far have been added.
type room struct {
	Stock
	tags  int // of all repositories
	taken map[reference.Reference]bool
}

// take reserves the tag of a destination, and its repository, if they are new.
func (r *room) take(d Destination, has func(reference.Reference) bool) Surplus {
	var fresh []reference.Reference
	for _, name := range []reference.Reference{d.Mirror, d.ByDigest} { // which of them is written is not known yet
		if !name.IsZero() && !r.taken[name] && !has(name) {
			fresh = append(fresh, name)
		}
	}
	if len(fresh) == 0 {
		return 0
	}
	repository := d.Mirror.Repository().String()
	_, held := r.Held[repository]
	switch {
	case !held && r.Repositories > 0 && len(r.Held) >= r.Repositories:
		return Surplus(r.Repositories)
	case r.Tags > 0 && r.tags+len(fresh) > r.Tags:
		return Surplus(r.Tags)
	}
	r.tags += len(fresh)
	r.Held[repository] += len(fresh)
	for _, name := range fresh {
		r.taken[name] = true
	}
	return 0
}
