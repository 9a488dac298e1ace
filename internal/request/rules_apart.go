package request

import (
	"slices"
	"sort"
	"strings"
)

// apartTags: "a/b" in one line, "the tag is 1.2", "b 1.2" in another one.
func apartTags(e *evidence) {
	said := e.apartTags()
	if len(said) == 0 {
		return
	}
	all := e.body.with(taken)
	for _, c := range e.title.with(taken) {
		if !slices.ContainsFunc(all, func(b *candidate) bool { return sameImage(*c.image, *b.image) }) {
			all = append(all, c)
		}
	}
	switch {
	case len(all) == 0:
		newTag(e, said, e.body.with(dropped))
	case len(all) == 1 && all[0].doubted:
		nextTag(e, said, all[0])
	default:
		giveTags(e, said, all)
	}
}

// apartTags returns the tags that stand apart. A version in the title may be that of
// anything if a line of the body calls one a tag.
func (e *evidence) apartTags() []apartTag {
	said := append(slices.Clip(e.title.apart), e.body.apart...)
	if slices.ContainsFunc(said, func(tag apartTag) bool { return tag.line > 0 && tag.noun && tag.tag != "" }) {
		said = only(said, func(tag *apartTag) bool { return tag.line > 0 || tag.noun })
	}
	exact(said)
	return said
}

// nextTag gives the only image, which is there already according to its clause, the only
// tag that is said of it: "b has only 1.2, please add 1.3".
func nextTag(e *evidence, said []apartTag, there *candidate) {
	said = only(said, func(tag *apartTag) bool {
		return tag.line > 0 && tag.tag != "" && tag.of != "?" && !isSeries(tag.tag)
	})
	if len(said) != 1 {
		return
	}
	verdict := asked
	if said[0].of == "" || there.fits(said[0].of) > 0 || e.continues(said[0], there) {
		verdict = taken
	}
	there.withTags([]string{said[0].tag}, verdict)
}

// giveTags gives the images without a tag those that stand apart: each its own, then
// that of another image if the text says so, then those without a name in front.
func giveTags(e *evidence, said []apartTag, all []*candidate) {
	open := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return !c.has(AssumedTag) || c.place.stance == pasted && c.line > 0 })
	own, free := ownersOf(said, all, open)
	if len(free) == len(open) && len(open) == len(all) && len(own) == 0 && isOneLine(free) && free[0].paired {
		for n, c := range open {
			own[c] = []string{free[n].tag}
		}
		free = nil
	}
	narrow(said, all)
	var title, body []candidate
	give := func(c *candidate, tags []string, v verdict) {
		if more := c.withTags(tags, v); c.line > 0 {
			body = append(body, more...)
		} else {
			title = append(title, more...)
		}
	}
	theirs := verdictOnFree(e, free, all, open, len(own))
	for _, c := range open {
		give(c, own[c], taken)
	}
	for _, tag := range said {
		if tag.tag == "" {
			sameTag(all, open, tag)
		}
	}
	var tags []string
	for _, tag := range free {
		tags = append(tags, tag.tag)
	}
	for _, c := range open {
		if c.has(AssumedTag) {
			give(c, tags, theirs)
		}
	}
	e.title.add(title)
	e.body.add(body)
}

// verdictOnFree returns what becomes of the images without a tag that get the tags
// without a name in front: they are taken if no other image can be meant, and it is sure
// that the versions are tags.
func verdictOnFree(e *evidence, free []apartTag, all, open []*candidate, owned int) verdict {
	if len(free) == 0 {
		return asked
	}
	one := len(open)-owned == 1 && len(all) == 1
	called := isOneLine(free) && !slices.ContainsFunc(free, func(tag apartTag) bool {
		return tag.of != "" || !tag.announced && !tag.shared
	})
	shared := free[0].shared
	if len(free) > 1 {
		if len(free)*len(open) > MaxExpansion {
			return asked
		}
		sum := e.score()
		each := slices.ContainsFunc(free, func(tag apartTag) bool { return tag.each })
		shared = (each || areListed(free) && sum >= requests) && len(open) == len(all) && !free[0].paired
	}
	if (one || shared) && called || len(free) == 1 && len(open) == len(all) && free[0].isFree() && e.asks() && open[0].isBesideAll(open, free[0].line) {
		return taken
	}
	return asked
}

// isOneLine reports whether tags are on one line.
func isOneLine(tags []apartTag) bool {
	return !slices.ContainsFunc(tags, func(tag apartTag) bool { return tag.line != tags[0].line })
}

// areListed reports whether a line begins with a list of tags that differ only in their
// last numbers: "versions 1.2.3 and 1.2.4".
func areListed(tags []apartTag) bool {
	var versions []string
	for _, tag := range tags {
		if versions = append(versions, tag.tag); !tag.listed {
			return false
		}
	}
	return isOneSeries(versions)
}

// exact replaces a version in the title by the only one in the body that tells more:
// "OpenProject 14.6" above "everybody asks for 14.6.1".
func exact(said []apartTag) {
	for i := range said {
		more := only(said, func(tag *apartTag) bool {
			return said[i].line == 0 && tag.line > 0 && strings.HasPrefix(tag.tag, said[i].tag+".")
		})
		if len(more) == 1 {
			said[i].tag = more[0].tag
		}
	}
}

// only returns the tags for which keep is true.
func only(tags []apartTag, keep func(*apartTag) bool) (kept []apartTag) {
	for i := range tags {
		if keep(&tags[i]) {
			kept = append(kept, tags[i])
		}
	}
	return kept
}

// newTag requests the only excluded image with the only tag that is announced:
// "already mirrored: a/b:1.2", "new tag: 1.3". Otherwise, Ferry asks about it.
func newTag(e *evidence, said []apartTag, all []*candidate) {
	if len(said) != 1 || said[0].of == "?" || len(all) != 1 || all[0].place != inExclusion || all[0].strength < path {
		return
	}
	verdict := asked // "a/b:1.2 works fine, k3s 1.3 too. Add that?"
	if said[0].announced && said[0].of == "" && said[0].line != all[0].line || e.continues(said[0], all[0]) {
		verdict = taken
	} else if sum := e.score(); sum < requests {
		return
	}
	all[0].withTags([]string{said[0].tag}, verdict)
}

// continues reports whether a text asks for a tag that differs only by its numbers
// from that of an image that is there, and no name is right in front of the tag:
// "a/b:1.2 works fine, the new one is 1.3. Add that too?"
func (e *evidence) continues(said apartTag, there *candidate) bool {
	return said.isFree() && (there.has(AssumedTag) || isSameForm(said.tag, there.image.Reference.Tag())) && e.asks()
}

// isFree reports whether no name is right in front of a tag.
func (tag *apartTag) isFree() bool { return tag.of == "" || !tag.noun }

// isBesideAll reports whether an image is the only one, or the first of those on one
// line, which is that of a tag.
func (c *candidate) isBesideAll(all []*candidate, tag int) bool {
	return len(all) == 1 || c.line == tag && all[len(all)-1].line == tag
}

// ownersOf returns the tags of the open candidates by the names in front of them,
// and the tags that have none in front.
func ownersOf(said []apartTag, all, open []*candidate) (own map[*candidate][]string, free []apartTag) {
	own = map[*candidate][]string{}
	for _, tag := range said {
		best := 0
		for _, c := range all {
			best = max(best, c.fits(tag.of))
		}
		switch {
		case tag.tag == "":
		case best == 0 && tag.of == "" && tag.noun && behindOpen(tag, all) != nil:
			c := behindOpen(tag, all)
			own[c] = append(own[c], tag.tag)
		case best == 0 && tag.of == "" && above(tag, said, open) != nil:
			c := above(tag, said, open)
			own[c] = append(own[c], tag.tag)
		case best > 0:
			for _, c := range open {
				if fits := c.fits(tag.of); (fits == best || fits > 0 && tag.line == 0) && !slices.Contains(own[c], tag.tag) {
					own[c] = append(own[c], tag.tag)
				}
			}
		case (tag.of == "" || tag.of != "?" && (tag.noun || !isVersion(tag.tag) || tag.line == 0)) && !slices.ContainsFunc(all, func(c *candidate) bool { return c.image.Reference.Tag() == tag.tag && !c.has(AssumedTag) }):
			free = append(free, tag)
		}
	}
	return own, free
}

// behindOpen returns the image without a tag behind which a tag stands in the same
// line, with no other image in between; nil if there is none.
func behindOpen(tag apartTag, all []*candidate) (last *candidate) {
	for _, c := range all {
		if c.line == tag.line && c.line > 0 && c.at < tag.at {
			last = c
		}
	}
	if last == nil || !last.has(AssumedTag) || last.place.stance == pasted {
		return nil
	}
	return last
}

// above returns the image without a tag on the line above a tag that is indented, or
// above such lines; nil if there is none.
func above(tag apartTag, said []apartTag, open []*candidate) *candidate {
	nested := map[int]bool{}
	for i := range said {
		nested[said[i].line] = said[i].nested && said[i].of == ""
	}
	line := tag.line
	for nested[line] {
		line--
	}
	for _, c := range open {
		if c.line == line && line < tag.line {
			return c
		}
	}
	return nil
}

// narrow replaces the tags of images by more exact ones on the same line.
func narrow(said []apartTag, all []*candidate) {
	for _, c := range all {
		for _, tag := range said {
			if tag.line == c.line && tag.of != "?" && (isNarrower(tag.tag, c.image.Reference.Tag()) || tag.noun && c.has(RemovedSpace) && tag.tag == "v"+c.image.Reference.Tag()) {
				c.withTags([]string{tag.tag}, taken)
			}
		}
	}
}

// isNarrower reports whether a tag tells more than another one: "16.3-alpine" than
// "16".
func isNarrower(tag, than string) bool {
	rest, ok := strings.CutPrefix(tag, than)
	return ok && isDigits(than) && rest != "" && strings.IndexByte(".-", rest[0]) >= 0
}

// sameTag gives the images of a line the tag of another one: "a/b:1, a/c in the same
// version". That is the one with the name, or else the last one before them.
func sameTag(all, open []*candidate, same apartTag) {
	for _, c := range open {
		if c.line != same.line || !c.has(AssumedTag) {
			continue
		}
		from := -1
		for n, other := range all {
			if fits := other.fits(same.of); !other.has(AssumedTag) && (fits > 0 || from < 0 || all[from].fits(same.of) == 0 && (other.line < c.line || other.line == c.line && other.at < c.at)) {
				from = n
			}
		}
		if from >= 0 {
			c.withTags([]string{all[from].image.Reference.Tag()}, taken)
			if all[from].place == inLog && all[from].image.name() == c.image.name() {
				all[from].judge(dropped, "copy") // "the original is a/b, same tag"
			}
		}
	}
}

// withTags completes a candidate by the first of some tags, and returns candidates
// for the others; a question has only one.
func (c *candidate) withTags(tags []string, v verdict) (more []candidate) {
	from := *c
	for n, tag := range tags {
		ref, err := from.image.Reference.Repository().Tagged(tag)
		if err != nil || n > 0 && v != taken {
			continue
		}
		one := from
		one.complete(one.image.named(ref), JoinedLines)
		one.judge(v, "apart-tag")
		if n == 0 {
			*c = one
		} else {
			more = append(more, one)
		}
	}
	return more
}

// add adds candidates in the order of the text.
func (t *text) add(more []candidate) {
	if len(more) == 0 {
		return
	}
	t.candidates = append(slices.Clip(t.candidates), more...)
	sort.SliceStable(t.candidates, func(i, j int) bool {
		a, b := &t.candidates[i], &t.candidates[j]
		return a.line < b.line || a.line == b.line && a.at < b.at
	})
}
