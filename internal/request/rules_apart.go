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
		giveTags(e, said, leaders(said, all))
		for _, tag := range said {
			if tag.tag == "" {
				sameTag(e.with(taken), e.with(dropped), tag)
			}
		}
	}
}

// leaders returns the images that lines with the words for the same tag do not name without
// a tag; all, if there are none.
func leaders(said []apartTag, all []*candidate) []*candidate {
	follows := map[int]bool{}
	for _, tag := range said {
		follows[tag.line] = follows[tag.line] || tag.tag == ""
	}
	var first []*candidate
	for _, c := range all {
		if !c.lacksTag() || !follows[c.line] {
			first = append(first, c)
		}
	}
	if first == nil {
		return all
	}
	return first
}

// apartTags returns the tags that stand apart. A version in the title may be that of
// anything if a line of the body calls one a tag.
func (e *evidence) apartTags() []apartTag {
	said := append(slices.Clip(e.title.apart), e.body.apart...)
	if anyTag(said, func(tag apartTag) bool { return tag.line > 0 && tag.noun && tag.tag != "" }) {
		said = only(said, func(tag *apartTag) bool { return tag.line > 0 || tag.noun })
	}
	exact(said)
	return said
}

// nextTag gives the only image, which is there already according to its clause, the only
// tag that is said of it: "b has only 1.2, please add 1.3".
func nextTag(e *evidence, said []apartTag, there *candidate) {
	said = only(said, func(tag *apartTag) bool {
		return tag.line > 0 && tag.tag != "" && tag.of != otherName && !isSeries(tag.tag)
	})
	if len(said) != 1 {
		return
	}
	verdict := asked
	if said[0].of == "" || there.fits(said[0].of) > 0 || e.continues(said[0], there) {
		verdict = taken
	}
	there.withTags([]string{said[0].tag}, verdict, "apart-tag")
}

// giveTags gives the images without a tag those that stand apart: each its own, then
// that of another image if the text says so, then those without a name in front.
func giveTags(e *evidence, said []apartTag, all []*candidate) {
	open := slices.DeleteFunc(slices.Clone(all), func(c *candidate) bool { return !c.lacksTag() || c.isPasted() && c.line > 0 })
	for _, c := range all {
		for i := range said {
			if tag := &said[i]; tag.line == 0 && c.tag() == "v"+tag.tag {
				tag.tag = c.tag() // "longhorn 1.7" above "a/b:v1.7"
			}
		}
	}
	own, free := ownersOf(said, all, open)
	if len(own) == 0 && len(open) == len(all) && arePaired(free, open) {
		for n, c := range open {
			own[c] = []string{free[n].tag}
		}
		free = nil
	}
	narrow(said, all)
	verdict := verdictOnFree(e, free, all, open, len(own))
	var more []candidate
	for _, c := range open {
		more = append(more, c.withTags(own[c], taken, "apart-tag")...)
	}
	var tags []string
	for _, tag := range free {
		tags = append(tags, tag.tag)
	}
	for _, c := range open {
		if c.lacksTag() {
			more = append(more, c.withTags(tags, verdict, "apart-tag")...)
		}
	}
	e.add(more)
}

// arePaired reports whether there is one tag for each of some images, in their order,
// according to the line of the tags.
func arePaired(tags []apartTag, open []*candidate) bool {
	return len(tags) == len(open) && isOneLine(tags) && tags[0].paired
}

// verdictOnFree returns what becomes of the images without a tag that get the tags
// without a name in front: they are taken if no other image can be meant, and it is sure
// that the versions are tags.
func verdictOnFree(e *evidence, free []apartTag, all, open []*candidate, owned int) verdict {
	every := len(open) == len(all) // no image has a tag
	below := false                 // a version is alone below all images
	for _, version := range e.body.versions {
		below = below || every && len(free) == 1 && version.line == free[0].line && open[0].line == version.line-1 && open[len(open)-1].line == open[0].line
	}
	switch {
	case len(free) == 0, len(free) > 1 && len(free)*len(open) > MaxExpansion:
		return asked
	case areAnnounced(free) && (len(all) == 1 && len(open)-owned == 1 || e.areForAll(free, every)):
		return taken
	case len(free) == 1 && every && free[0].isFree() && e.asks() && open[0].isBesideAll(open, free[0].line):
		return taken
	case below:
		return taken // "a/b and a/c" above "1.2"
	}
	return asked
}

// areAnnounced reports whether a line says of all versions on it that they are tags, and
// names no image.
func areAnnounced(tags []apartTag) bool {
	return isOneLine(tags) && !anyTag(tags, func(tag apartTag) bool {
		return tag.of != "" || !tag.announced && !tag.shared
	})
}

// areForAll reports whether tags are for all images: one according to its line, several
// also if a line begins with a list of them in a text that asks for images. Several are
// not added to the tags that images have; every tells that none has one.
func (e *evidence) areForAll(tags []apartTag, every bool) bool {
	if len(tags) == 1 {
		return tags[0].shared
	}
	if !every || tags[0].paired {
		return false
	}
	each := anyTag(tags, func(tag apartTag) bool { return tag.each })
	return each || areListed(tags) && e.isRequest()
}

// isOneLine reports whether tags are on one line.
func isOneLine(tags []apartTag) bool {
	return !anyTag(tags, func(tag apartTag) bool { return tag.line != tags[0].line })
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

// anyTag reports whether one of some tags satisfies is.
func anyTag(tags []apartTag, is func(apartTag) bool) (found bool) {
	for i := range tags {
		found = found || is(tags[i])
	}
	return found
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
// "already mirrored: a/b:1.2", "new tag: 1.3". Otherwise, a text that asks for images is
// asked about it: "a/b:1.2 works fine, k3s 1.3 too. Add that?"
func newTag(e *evidence, said []apartTag, all []*candidate) {
	if len(said) != 1 || len(all) != 1 || all[0].strength < path {
		return
	}
	tag, there := &said[0], all[0]
	switch {
	case there.place == inSentence:
		if tag.noun && tag.isFree() && tag.line == there.line && there.lacksTag() && len(there.reasons) == 0 && e.isRequest() {
			there.withTags([]string{tag.tag}, taken, "apart-tag") // "a/b, the tag is edge"
		}
	case there.place != inExclusion:
	case tag.of == otherName:
	case tag.announced && tag.of == "" && tag.line != there.line, e.continues(*tag, there):
		there.withTags([]string{tag.tag}, taken, "apart-tag")
	case e.isRequest():
		there.withTags([]string{tag.tag}, asked, "apart-tag")
	}
}

// continues reports whether a text asks for a tag that differs only by its numbers
// from that of an image that is there, and no name is right in front of the tag:
// "a/b:1.2 works fine, the new one is 1.3. Add that too?"
func (e *evidence) continues(said apartTag, there *candidate) bool {
	return said.isFree() && (there.lacksTag() || isSameForm(said.tag, there.tag())) && e.asks()
}

// isFree reports whether no name is right in front of a tag.
func (tag *apartTag) isFree() bool { return tag.of == "" || !tag.noun }

// isBesideAll reports whether an image is the only one, or the first of those on one
// line, which is that of a tag.
func (c *candidate) isBesideAll(all []*candidate, tag int) bool {
	return len(all) == 1 || c.line == tag && all[len(all)-1].line == tag
}

// ownersOf returns the tags of the open candidates by the names in front of them or
// by their places, and the tags that have no owner.
func ownersOf(said []apartTag, all, open []*candidate) (own map[*candidate][]string, free []apartTag) {
	own = map[*candidate][]string{}
	for _, tag := range said {
		if tag.tag == "" {
			continue
		}
		best := 0
		for _, c := range all {
			best = max(best, c.fits(tag.of))
		}
		owner := besideTag(tag, said, all, open)
		switch {
		case owner != nil:
			own[owner] = append(own[owner], tag.tag)
		case best > 0:
			for _, c := range open {
				fits := c.fits(tag.of)
				if (fits == best || fits > 0 && tag.line == 0) && !slices.Contains(own[c], tag.tag) {
					own[c] = append(own[c], tag.tag)
				}
			}
		case tag.mayBeOfAny() && !slices.ContainsFunc(all, func(c *candidate) bool { return c.tag() == tag.tag && !c.lacksTag() }):
			free = append(free, tag)
		}
	}
	return own, free
}

// mayBeOfAny reports whether a tag that is not that of an image of the text by its name may
// be the tag of one: a version behind a name is that of something else.
func (tag *apartTag) mayBeOfAny() bool {
	switch tag.of {
	case "":
		return true
	case otherName:
		return false
	}
	return tag.noun || tag.line == 0 || !isVersion(tag.tag)
}

// besideTag returns the image that has a tag without a name by its place; nil if there is
// none.
func besideTag(tag apartTag, said []apartTag, all, open []*candidate) *candidate {
	if tag.of != "" {
		return nil
	}
	if tag.noun {
		if c := behindOpen(tag, all); c != nil {
			return c
		}
	}
	return above(tag, said, open)
}

// behindOpen returns the image without a tag behind which a tag stands in the same
// line, with no other image in between; nil if there is none.
func behindOpen(tag apartTag, all []*candidate) (last *candidate) {
	for _, c := range all {
		if c.line == tag.line && c.line > 0 && c.at < tag.at {
			last = c
		}
	}
	if last == nil || !last.lacksTag() || last.isPasted() {
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
			if tag.line == c.line && tag.of != otherName && tag.isExactly(c) {
				c.withTags([]string{tag.tag}, taken, "apart-tag")
			}
		}
	}
}

// isExactly reports whether a tag is that of an image as it is written: "16.3-alpine", or
// "v16" behind "b 16".
func (tag *apartTag) isExactly(c *candidate) bool {
	return isNarrower(tag.tag, c.tag()) || tag.noun && c.has(RemovedSpace) && tag.tag == "v"+c.tag()
}

// isNarrower reports whether a tag tells more than another one: "16.3-alpine" than
// "16".
func isNarrower(tag, than string) bool {
	rest, ok := strings.CutPrefix(tag, than)
	return ok && isDigits(than) && rest != "" && strings.IndexByte(".-", rest[0]) >= 0
}

// sameTag gives the images of a line the tag of another one, also those that were dropped
// as words of a sentence: "a/b:1, a/c in the same version".
func sameTag(all, mentioned []*candidate, same apartTag) {
	for _, c := range append(slices.Clip(all), mentioned...) {
		if c.line != same.line || !c.lacksTag() || c.isPasted() || c.verdict != taken && (c.strength < path || !c.isMentioned()) {
			continue
		}
		from := originOf(c, all, same.of)
		if from == nil {
			continue
		}
		c.withTags([]string{from.tag()}, taken, "apart-tag")
		if from.place == inLog && from.image.name() == c.image.name() {
			from.judge(dropped, "copy") // "the original is a/b, same tag"
		}
	}
}

// originOf returns the image whose tag another one gets: the last one with the name, or
// else the last one before it, or else the first one; nil if none has a tag.
func originOf(c *candidate, all []*candidate, name string) (from *candidate) {
	for _, other := range all {
		switch {
		case other.lacksTag():
		case from == nil, other.fits(name) > 0, from.fits(name) == 0 && other.isBefore(c.line, c.at):
			from = other
		}
	}
	return from
}

// withTags completes a candidate by the first of some tags, on behalf of a rule, and
// returns candidates for the others; a question has only one.
func (c *candidate) withTags(tags []string, v verdict, rule string) (more []candidate) {
	from := *c
	for n, tag := range tags {
		one := from
		if n > 0 && v != taken || !one.giveTag(tag, JoinedLines) {
			continue
		}
		one.judge(v, rule)
		if n == 0 {
			*c = one
		} else {
			more = append(more, one)
		}
	}
	return more
}

// add adds candidates of the title and the body.
func (e *evidence) add(more []candidate) {
	var title, body []candidate
	for _, c := range more {
		if c.line > 0 {
			body = append(body, c)
		} else {
			title = append(title, c)
		}
	}
	e.title.add(title)
	e.body.add(body)
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
