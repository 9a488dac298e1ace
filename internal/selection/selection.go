// Package selection chooses tags of a repository: by name, glob, range of
// versions or regular expression, the newest of them, without some. It is pure:
// the tags are an argument. docs/lists.md is the page for users.
//
// A choice depends on the set of tags alone, not on their order, and on what each
// tag's text says.
package selection

import (
	"slices"
	"sort"
)

// Selection says which tags are meant. The zero value means all.
type Selection struct {
	// Tags are these very tags. A selection that has them needs no list of the
	// repository's tags, and nothing else of it counts.
	Tags []string
	// Sets are alternatives: a tag counts that one of them chooses. None choose all.
	Sets []Set
	// Variant is what must follow the numbers of a version; nil for nothing. It
	// counts for ranges of Ferry's dialect, as Moving and Prereleases do.
	Variant *Pattern
	// Moving includes versions with fewer than three numbers, such as "1.27",
	// which publishers move to newer images.
	Moving bool
	// Prereleases includes alpha, beta, rc and the like.
	Prereleases bool
	// Newest is how many to choose, the newest ones; 0 for all.
	Newest int
	// NewestPatchOf is of how many minor versions ("1.27"), the newest ones, the
	// newest is chosen; 0 for all.
	NewestPatchOf int
}

// Set is a set of tags: those in one of Ranges, which match one of Allow, and none
// of Deny. An empty list restricts nothing.
type Set struct {
	Ranges      []*Range
	Allow, Deny []Pattern
}

// Reason is the stable name of a reason why a tag is chosen or not.
type Reason string

// The reasons. The first two are those of tags that are chosen.
const (
	Named      Reason = "named"        // by its very name
	Matches    Reason = "matches"      // it is what was asked for
	NoVersion  Reason = "no-version"   // it cannot be read as a version
	OutOfRange Reason = "out-of-range" // the version is in no range
	OtherKind  Reason = "variant"      // it is another variant of the version
	Prerelease Reason = "prerelease"   // prereleases were not asked for
	MovingTag  Reason = "moving"       // moving tags were not asked for
	NoMatch    Reason = "no-match"     // it matches no pattern
	Excepted   Reason = "excepted"     // it is excepted
	Older      Reason = "older"        // there are newer ones enough
	OlderPatch Reason = "older-patch"  // there is a newer one of the same minor version
)

// Verdict is what becomes of one tag.
type Verdict struct {
	Tag    string
	Chosen bool
	Reason Reason
}

// Named returns the tags that the selection names, and whether it needs no list.
func (s Selection) Named() ([]string, bool) { return s.Tags, len(s.Tags) > 0 }

// Choose gives a verdict on each tag, none twice: first those that are chosen, the
// newest first, then the others, in the same order.
func (s Selection) Choose(tags []string) []Verdict {
	if named, ok := s.Named(); ok {
		verdicts := make([]Verdict, len(named))
		for i, tag := range named {
			verdicts[i] = Verdict{tag, true, Named}
		}
		return verdicts
	}
	candidates := make([]candidate, len(tags))
	for i, tag := range tags {
		candidates[i] = read(tag)
	}
	sort.SliceStable(candidates, func(i, j int) bool { return candidates[j].compare(candidates[i]) < 0 })
	candidates = slices.Compact(candidates)
	reasons := make([]Reason, len(candidates))
	for i, c := range candidates {
		reasons[i] = s.reason(c)
	}
	s.rank(candidates, reasons)
	verdicts := make([]Verdict, 0, len(candidates))
	for _, chosen := range []bool{true, false} {
		for i, c := range candidates {
			if (reasons[i] == Matches) == chosen {
				verdicts = append(verdicts, Verdict{c.tag, chosen, reasons[i]})
			}
		}
	}
	return verdicts
}

// reason is Matches if the tag alone is what is meant, else why not. Of several
// sets the last one says why.
func (s Selection) reason(c candidate) Reason {
	reason := Matches
	for _, set := range s.Sets {
		if reason = set.reason(c, s); reason == Matches {
			break
		}
	}
	return reason
}

// reason is Matches if the set has the tag, else why not.
func (t Set) reason(c candidate, s Selection) Reason {
	matches := func(p Pattern) bool { return p.matches(c.tag) }
	reason := Matches
	for _, r := range t.Ranges {
		if reason = r.reason(c, s); reason == Matches {
			break
		}
	}
	switch {
	case reason != Matches:
		return reason
	case len(t.Allow) > 0 && !slices.ContainsFunc(t.Allow, matches):
		return NoMatch
	case slices.ContainsFunc(t.Deny, matches):
		return Excepted
	}
	return Matches
}

func (r *Range) reason(c candidate, s Selection) Reason {
	v, ok := c.version, c.isVersion
	switch r.dialect {
	case Regsync:
		v, ok := readRegsync(c.tag)
		switch {
		case !ok:
			return NoVersion
		case r.holdsRegsync(v):
			return Matches
		}
		return OutOfRange
	case Masterminds:
		v, ok = readMasterminds(c.tag)
	case Ferry: // read already
	}
	switch {
	case !ok:
		return NoVersion
	case !r.holds(v, true):
		return OutOfRange
	case r.dialect == Ferry && (s.Variant == nil && v.variant != "" || s.Variant != nil && !s.Variant.matches(v.variant)):
		return OtherKind
	case !r.holds(v, s.Prereleases):
		return Prerelease
	case r.dialect == Ferry && v.count < 3 && !s.Moving:
		return MovingTag
	}
	return Matches
}

// rank leaves only the newest of the candidates, which are in order, newest first.
func (s Selection) rank(candidates []candidate, reasons []Reason) {
	var last version
	minors, newest := 0, 0
	for i, c := range candidates {
		if reasons[i] != Matches {
			continue
		}
		if s.NewestPatchOf > 0 {
			switch {
			case !c.isVersion:
				reasons[i] = NoVersion
			case minors > 0 && c.sameMinor(last):
				reasons[i] = OlderPatch
			case minors == s.NewestPatchOf:
				reasons[i] = Older
			}
			if reasons[i] != Matches {
				continue
			}
			last = c.version
			minors++
		}
		if s.Newest > 0 && newest == s.Newest {
			reasons[i] = Older
			continue
		}
		newest++
	}
}
