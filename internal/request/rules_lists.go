package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// Rules for images in lists, and below headings.

// headings: "# a/b:1" above "a/c:2".
func headings(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.heading }) {
		return
	}
	for _, t := range e.texts() {
		all := append(t.with(taken), t.with(guessed)...)
		if !slices.ContainsFunc(all, func(c *candidate) bool { return !c.heading && c.mayCount() }) {
			continue
		}
		for _, c := range all {
			if c.heading {
				c.judge(dropped, "heading")
			}
		}
	}
}

// listedRelease: "kubeadm config images list" above what it has printed.
func listedRelease(e *evidence) {
	listed := map[string]bool{} // the versions of components
	components := 0
	for _, c := range e.with(taken) {
		if c.place == inLine && known.IsKubernetesComponent(c.image.name()) {
			listed[strings.TrimPrefix(c.tag(), "v")] = true
			components++
		}
	}
	if components < 2 {
		return
	}
	for _, c := range e.with(taken) {
		if c.place == inRelease && listed[strings.TrimLeft(c.image.Written, "v")] {
			c.judge(dropped, "listed-release")
		}
	}
}

// intoSpaces: "all from goharbor/:" above "harbor-core".
func intoSpaces(e *evidence) {
	t := &e.body
	stated := t.spaces
	if len(stated) == 0 {
		stated = e.title.spaces
	}
	if len(stated) == 0 {
		return
	}
	spaces := t.likelySpaces(stated)
	if !t.moveInto(spaces) {
		return
	}
	// The words that are namespaces are neither problems nor images.
	var flaws []flaw
	for i := range t.flaws {
		if f := &t.flaws[i]; !states(spaces, f.line, f.at) {
			flaws = append(flaws, *f)
		}
	}
	t.flaws = flaws
	for _, c := range t.with(taken) {
		if in, _ := spaceOf(spaces, c.line); states(spaces, c.line, c.at) {
			c.judge(dropped, "stated-namespace")
		} else if c.isShort() && t.hasMoved(c.line) {
			c.moveInto(in, taken) // "a-b:1 and redis:7, both from bitnami/"
		} else if c.isShort() && in.line < c.line {
			c.moveInto(in, asked) // "redis:7" below "all from bitnami/:"
		}
	}
	for _, c := range t.with(asked) {
		if c.judgedBy("stated-namespace") {
			e.note(Problem{Code: Ambiguous, Written: c.image.Written, Line: c.line, Suggestion: c.ref().String()})
		}
	}
}

// hasMoved reports whether an image on a line was moved into a namespace.
func (t *text) hasMoved(line int) bool {
	return slices.ContainsFunc(t.with(taken), func(c *candidate) bool { return c.line == line && c.judgedBy("stated-namespace") })
}

// likelySpaces returns the namespaces that a word or the names in the text confirm.
func (t *text) likelySpaces(stated []statedIn) []statedIn {
	var spaces []statedIn
	for _, one := range stated {
		one.sure = one.sure || t.any(func(c *candidate) bool { return c.lacksSpace() && alludes(one.space, c.bareName()) })
		if one.sure || one.named {
			spaces = append(spaces, one)
		}
	}
	return spaces
}

// moveInto moves the names without a namespace into those stated for their lists, and
// reports whether there are some. A namespace in doubt is none beside official images.
func (t *text) moveInto(spaces []statedIn) (moved bool) {
	others, officials := false, false
	for _, c := range t.with(taken) {
		others = others || !c.lacksSpace()
		officials = officials || c.isShort() && !c.lacksSpace()
	}
	for i := range t.candidates {
		c := &t.candidates[i]
		in, verdict := spaceOf(spaces, c.line)
		switch {
		case in.space == "", !in.sure && officials:
		case c.verdict == dropped, c.heading, !c.lacksSpace():
		case states(spaces, c.line, c.at):
		case c.verdict == guessed && (others || c.has(Lowered)): // a word of a sentence
		default:
			moved = c.moveInto(in, verdict) || moved
		}
	}
	return moved
}

// states reports whether one of the namespaces is at this place.
func states(spaces []statedIn, line, at int) bool {
	for i := range spaces {
		if spaces[i].line == line && spaces[i].at == at {
			return true
		}
	}
	return false
}

// spaceOf returns the last of the namespaces that lines up to this one state, otherwise
// the only one; an empty one if there is none. Two on one line are in doubt.
func spaceOf(spaces []statedIn, line int) (in statedIn, v verdict) {
	for _, one := range spaces {
		if one.line <= line {
			_, old, _ := cutLast(in.space)
			_, word, _ := cutLast(one.space)
			if in.space == "" || one.line != in.line {
				v = taken
			} else if word != old {
				v = asked
			}
			in = one
		}
	}
	if in.space == "" && len(spaces) == 1 {
		in = spaces[0]
	}
	return in, v
}

// moveInto gives a candidate a namespace and a verdict, and reports whether it could. If
// the namespace is not sure, Ferry asks, and does not move a plain word without a tag.
func (c *candidate) moveInto(in statedIn, v verdict) bool {
	name := c.bareName()
	if c.ref().HasDigest() || !in.sure && c.lacksTag() && !strings.Contains(name, "-") {
		return false
	}
	r := readWord(in.space + "/" + name + ":" + c.tag())
	if len(r.images) != 1 {
		return false
	}
	if !in.sure {
		v = asked
	}
	image := *c.image
	image.Reference = r.images[0].Reference
	image.Assumptions = image.without(AssumedLibrary, AssumedHost)
	c.complete(image, Expanded)
	c.strength = certain
	c.judge(v, "stated-namespace")
	return true
}

// items: "grafana/loki - for the logs" below "grafana/tempo:2.5".
func items(e *evidence) {
	for _, t := range e.texts() {
		lists := map[int]bool{} // those with an image
		for _, c := range t.with(taken) {
			if c.list > 0 && (c.opens || c.isListed()) {
				lists[c.list] = true
			}
		}
		for i := range t.candidates {
			if c := &t.candidates[i]; c.mayBeItem() && (lists[c.list] || t.isNextToImage(i)) {
				c.judge(taken, "item")
			}
		}
	}
}

// mayBeItem reports whether a candidate begins a line that goes on with a remark, other
// than that it is not needed, and was dropped only because it stands in a sentence.
func (c *candidate) mayBeItem() bool {
	return c.leads && !c.doubted && !dismissals.in(c.behind) && c.isMentioned() && c.strength >= official
}

// isNextToImage reports whether the candidate before or behind the one at an index is an
// image on the line above, below or with it.
func (t *text) isNextToImage(i int) bool {
	for _, n := range []int{i - 1, i + 1} {
		if n < 0 || n == len(t.candidates) {
			continue
		}
		c, other := &t.candidates[i], &t.candidates[n]
		if other.verdict == taken && max(c.line-other.line, other.line-c.line) <= 1 {
			return true
		}
	}
	return false
}

// listItems: "immich" below "nginx:1.27" is not a comment. A word with which
// the names below it begin is their heading.
func listItems(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.verdict == guessed }) {
		return
	}
	for _, t := range e.texts() {
		var lines []*candidate
		for i := range t.candidates {
			if c := &t.candidates[i]; c.place == inLine && (c.verdict == taken || c.verdict == guessed) {
				lines = append(lines, c)
			}
		}
		for i, c := range lines {
			if c.isBareWord() && isAmongImages(lines, i) {
				c.judge(dropped, "list-item")
				e.note(Problem{Code: Unread, Written: c.image.Written, Line: c.line, Suggestion: completeName(c.image.Written)})
			}
		}
	}
}

// isBareWord reports whether a candidate is a word in lower case that may be a name, but
// that no official image has.
func (c *candidate) isBareWord() bool {
	return c.verdict == guessed && c.strength == bare && isGuess(c.bareName()) && !c.has(Lowered)
}

// isAmongImages reports whether the candidate at an index is next to an image of a list,
// or to another such word, and is not the heading of the images below it.
func isAmongImages(lines []*candidate, i int) bool {
	c, above, below := lines[i], false, false
	if i > 0 {
		before := lines[i-1]
		above = c.line-before.line <= 1 && (before.verdict == taken || before.judgedBy("list-item"))
	}
	if i+1 < len(lines) {
		next := lines[i+1]
		below = next.line-c.line <= 1 && next.verdict == taken
		if below && !above && strings.Contains(next.repository().Path(), c.bareName()) {
			return false
		}
	}
	return above || below
}
