// Package selection selects tags of a repository: by name, glob, range of
// versions or regular expression, optionally only the newest, with exceptions.
// It does no I/O: the tags are an argument. docs/lists.md is the page for
// users.
//
// The result depends only on the set of tags and their text, not on their
// order.
package selection

import (
	"slices"
	"sort"
)

// Selection is a selection of tags. The zero value selects all.
type Selection struct {
	// Tags are named tags. A selection with named tags needs no list of the
	// repository's tags, and its other fields are ignored.
	Tags []string
	// Sets are alternatives: a tag must be in one of them. No sets select all
	// tags.
	Sets []Set
	// Variant must match the text after the numbers of a version; nil requires
	// that there is none. It applies to ranges of Ferry's dialect, as Moving
	// and Prereleases do.
	Variant *Pattern
	// Extract finds the version in a tag: its first group, or all that matches.
	// A tag without it is not a version. Nil takes the whole tag.
	Extract *Pattern
	// Moving includes versions with fewer than three numbers, such as "1.27",
	// which publishers move to newer images.
	Moving bool
	// Prereleases includes alpha, beta, rc and similar versions.
	Prereleases bool
	// Newest limits the result to the newest tags; 0 for no limit.
	Newest int
	// NewestPatchOf selects the newest tag of each of the newest minor versions
	// ("1.27"), this many; 0 for all tags.
	NewestPatchOf int
}

// Set is a set of tags: those in one of Ranges that match one of Allow and none
// of Deny. An empty list restricts nothing.
type Set struct {
	Ranges      []*Range
	Allow, Deny []Pattern
}

// Reason is the stable name of the reason why a tag is selected or not.
type Reason string

// The reasons. The first two are for selected tags.
const (
	Named      Reason = "named"        // the selection names it
	Matches    Reason = "matches"      // it matches the selection
	NoVersion  Reason = "no-version"   // it is not a version
	OutOfRange Reason = "out-of-range" // the version is not in a range
	OtherKind  Reason = "variant"      // it is another variant of the version
	Prerelease Reason = "prerelease"   // prereleases are not selected
	MovingTag  Reason = "moving"       // moving tags are not selected
	NoMatch    Reason = "no-match"     // it does not match a pattern
	Excepted   Reason = "excepted"     // it is an exception
	Older      Reason = "older"        // there are enough newer tags
	OlderPatch Reason = "older-patch"  // there is a newer tag of the same minor version
)

// Verdict is the result for one tag.
type Verdict struct {
	Tag    string
	Chosen bool
	Reason Reason
}

// Named returns the tags that the selection names, and reports whether it names
// all, so that it needs no list.
func (s Selection) Named() ([]string, bool) { return s.Tags, len(s.Tags) > 0 }

// Choose returns a verdict for each distinct tag: first the selected ones,
// newest first, then the others, in the same order.
func (s Selection) Choose(tags []string) []Verdict {
	if named, ok := s.Named(); ok {
		verdicts := make([]Verdict, len(named))
		for i, tag := range named {
			verdicts[i] = Verdict{tag, true, Named}
		}
		return verdicts
	}
	candidates := make([]candidate, 0, len(tags))
	known := make(map[string]bool, len(tags))
	for _, tag := range tags {
		if !known[tag] {
			known[tag] = true
			candidates = append(candidates, read(tag, s.Extract))
		}
	}
	sort.SliceStable(candidates, func(i, j int) bool { return candidates[j].compare(candidates[i]) < 0 })
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

// reason returns Matches if the tag is in the selection, before Newest and
// NewestPatchOf apply, else the reason why not. Of several sets, the last one
// gives the reason.
func (s Selection) reason(c candidate) Reason {
	reason := Matches
	for _, set := range s.Sets {
		if reason = set.reason(c, s); reason == Matches {
			break
		}
	}
	return reason
}

// reason returns Matches if the tag is in the set, else the reason why not.
func (t Set) reason(c candidate, s Selection) Reason {
	matches := func(p Pattern) bool { return p.Matches(c.tag) }
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
	case Ferry: // already parsed
	}
	switch {
	case !ok:
		return NoVersion
	case !r.holds(v, true):
		return OutOfRange
	case r.dialect == Ferry && (s.Variant == nil && v.variant != "" || s.Variant != nil && !s.Variant.Matches(v.variant)):
		return OtherKind
	case !r.holds(v, s.Prereleases):
		return Prerelease
	case r.dialect == Ferry && v.count < 3 && !s.Moving:
		return MovingTag
	}
	return Matches
}

// rank keeps only the newest of the candidates, which are sorted newest first.
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
