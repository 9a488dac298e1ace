package request

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// Rules for images that the text takes back: it excludes or corrects them, or says that
// they are there already or do not work.

// excluded: "mirror all of these, except a/b".
func excluded(e *evidence) {
	e.dropNamedOut()
	e.keepOnlyLine()
	if e.any((*candidate).isExcluded) {
		e.dropExcludedElsewhere()
		e.dropExcludedTitle()
	}
}

// dropNamedOut drops the images whose names a sentence excludes, unless none would be left.
func (e *evidence) dropNamedOut() {
	all := e.with(taken)
	left := len(all)
	names := e.body.without
	if allBut.in(e.title.said) {
		names = append(slices.Clip(names), e.title.without...)
	}
	for _, one := range names {
		for _, c := range calledBy(one.name, all) {
			if left > 1 && c.verdict == taken && one.mayMean(c) {
				c.judge(dropped, "excluded") // "all of it, except b"
				left--
			}
		}
	}
}

// allBut are words of a title in front of the only images that are not wanted.
var allBut = phrases{list: "all but|everything but|except|außer|sauf|кроме|除了"}

// mayMean reports whether a name that a sentence excludes can be that of an image: one
// that another sentence names in full, or that stands in no sentence.
func (one withoutName) mayMean(c *candidate) bool {
	return !c.isSpoken() || c.line != one.line && c.strength == certain
}

// calledBy returns the candidates that are called by a name; if none is, the only one
// that has it as a word of its name, the last one if it is that of an official image: "the
// sidecar" is "k8s-sidecar", "redis" is "mirrored-redis", but not "redis-exporter".
func calledBy(name string, all []*candidate) []*candidate {
	var called, parts []*candidate
	for _, c := range all {
		switch own := c.image.name(); {
		case own == name:
			called = append(called, c)
		case strings.HasSuffix(own, "-"+name), !known.IsOfficial(name) && slices.Contains(strings.Split(own, "-"), name):
			parts = append(parts, c)
		}
	}
	if len(called) == 0 && len(parts) == 1 && !commonParts.has(name) {
		return parts
	}
	return called
}

// commonParts are words of names that say nothing alone: "the driver container".
var commonParts = wordSet{list: "commonParts"}

// keepOnlyLine: "I need a/b:1, ignore the rest".
func (e *evidence) keepOnlyLine() {
	all, only := e.body.with(taken), e.body.onlyLine
	if only == 0 || !slices.ContainsFunc(all, func(c *candidate) bool { return c.line == only && !c.lacksTag() }) {
		return
	}
	for _, c := range all {
		if c.line != only {
			c.judge(dropped, "excluded")
		}
	}
}

// isExcluded reports whether a sentence excludes an image with its tag.
func (c *candidate) isExcluded() bool { return c.place == inExclusion && !c.lacksTag() }

// dropExcludedElsewhere drops excluded images where other lines name them.
func (e *evidence) dropExcludedElsewhere() {
	not := make(map[reference.Reference]bool)
	for _, c := range e.with(dropped) {
		if c.isExcluded() {
			not[c.ref()] = true
		}
	}
	for _, c := range e.with(taken) {
		if not[c.ref()] {
			c.judge(dropped, "excluded")
		}
	}
}

// dropExcludedTitle drops the title of "not a/b:1", unless the body wants another a/b.
func (e *evidence) dropExcludedTitle() {
	for _, c := range e.title.with(taken) {
		if !c.lacksTag() {
			continue
		}
		isSame := func(b *candidate) bool { return b.repository() == c.repository() }
		isNot := func(b *candidate) bool { return b.isExcluded() && isSame(b) }
		if slices.ContainsFunc(e.body.with(dropped), isNot) && !slices.ContainsFunc(e.body.with(taken), isSame) {
			c.judge(dropped, "excluded")
		}
	}
}

// again: "You mirrored a/b:1 last week. Can you copy it again?"
func again(e *evidence) {
	if !asksOnceMore(e.body.said) && !asksOnceMore(e.title.said) {
		return
	}
	if only := e.onlyExcluded(); only != nil && !e.isFlawed() && e.asks() {
		only.judge(taken, "again")
	}
}

// onlyExcluded returns the image with a tag that sentences exclude, if the text names no
// other one; otherwise nil.
func (e *evidence) onlyExcluded() (only *candidate) {
	for _, t := range e.texts() {
		for i := range t.candidates {
			switch c := &t.candidates[i]; {
			case c.isExcluded() && c.strength >= path && (only == nil || only.ref() == c.ref()):
				only = cmp.Or(only, c)
			case c.verdict == taken, c.verdict == asked, c.place == inExclusion:
				return nil
			}
		}
	}
	return only
}

// asksOnceMore reports whether a part of a sentence in a text, in lower case, asks for a
// copy once more.
func asksOnceMore(said string) bool {
	for line := range strings.SplitSeq(said, "\n") {
		for line != "" {
			end := partEnd(line, 0)
			if onceMore.in(line[:end]) && copying.in(line[:end]) {
				return true
			}
			line = line[end:]
		}
	}
	return false
}

// onceMore are words for what is done another time, copying those for copying.
var (
	onceMore = phrases{list: "onceMore"}
	copying  = phrases{list: "copying"}
)

// correct: "a/b:1.2, sorry, I meant 1.3".
func correct(e *evidence) {
	for _, mark := range append(slices.Clip(e.title.corrected), e.body.corrected...) {
		before, behind := mark.divide(e.with(taken))
		wrong := mark.choose(before)
		alone := !slices.ContainsFunc(wrong, func(c *candidate) bool {
			return !sameImage(*c.image, *wrong[0].image) && !sameImage(*wrong[0].image, *c.image)
		})
		for _, old := range wrong {
			if len(behind) > 0 {
				replaceBy(old, behind, alone)
			} else if old.tag() == mark.old || alone && mark.old == "" {
				mark.giveTo(old)
			}
		}
	}
}

// divide returns the images before a correction, and those behind it in its line.
func (mark *correction) divide(all []*candidate) (before, behind []*candidate) {
	for _, c := range all {
		if c.isBefore(mark.line, mark.at) {
			before = append(before, c)
		} else if c.line == mark.line {
			behind = append(behind, c)
		}
	}
	return before, behind
}

// choose returns those of the images before a correction that may be corrected: those
// with a tag, if there are any, of which the name stands in front of the correct one:
// "b should be 1.3".
func (mark *correction) choose(before []*candidate) []*candidate {
	if slices.ContainsFunc(before, func(c *candidate) bool { return !c.lacksTag() }) {
		before = slices.DeleteFunc(before, (*candidate).lacksTag)
	}
	if mark.tag != "" {
		before = slices.DeleteFunc(before, func(c *candidate) bool { return c.tag() == mark.tag })
	}
	best := 0
	for _, c := range before {
		best = max(best, mark.fits(c))
	}
	return slices.DeleteFunc(before, func(c *candidate) bool { return mark.fits(c) < best })
}

// fits reports how well the words in front of the tag fit a candidate.
func (mark *correction) fits(c *candidate) (best int) {
	for _, word := range mark.of {
		best = max(best, c.fits(word))
	}
	return best
}

// giveTo replaces the tag of an image by the correct one.
func (mark *correction) giveTo(old *candidate) {
	if old.giveTag(mark.tag) {
		old.judge(taken, "correction")
	}
}

// replaceBy drops an image for the ones behind a correction, if they are meant instead.
// alone tells that no other image stands before it.
func replaceBy(old *candidate, behind []*candidate, alone bool) {
	right := behind[0]
	called := old.image.name() == right.image.name()
	switch {
	case called && len(behind) == 1 && right.lacksSpace() && !old.isShort(): // "sorry, b:1.3"
		old.withTags([]string{right.tag()}, taken, "apart-tag")
		right.judge(dropped, "correction")
	case old.ref() == right.ref():
	case called, alone && len(behind) == 1 && isRenamed(old.image, right.image):
		old.judge(dropped, "correction")
	}
}

// isRenamed reports whether two images differ in the last component of the path only.
func isRenamed(a, b *Image) bool {
	first, second := a.Reference.Repository(), b.Reference.Repository()
	parent, _, _ := cutLast(first.Path())
	other, _, _ := cutLast(second.Path())
	return !a.has(AssumedTag) && a.Reference.Tag() == b.Reference.Tag() && first.Host() == second.Host() && parent == other
}

// faulty: "a/b:1 crashes since yesterday. Please mirror a/b:2."
func faulty(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.faulty }) {
		return
	}
	all := e.with(taken)
	for _, c := range all {
		isBetter := func(other *candidate) bool {
			return !other.faulty && !other.lacksTag() && other.repository() == c.repository() && other.ref() != c.ref()
		}
		if c.faulty && slices.ContainsFunc(all, isBetter) {
			c.judge(dropped, "faulty")
		}
	}
}

// logDone: "Status: Downloaded newer image for a/b:1".
func logDone(e *evidence) {
	if !e.any((*candidate).isDone) {
		return
	}
	dropRepeatedDone(e.with(taken))
	dropOthersDone(e.with(taken))
	all := e.with(taken)
	if !slices.ContainsFunc(all, func(c *candidate) bool { return !c.isDone() }) {
		return
	}
	for _, c := range all {
		if c.isDone() {
			c.judge(dropped, "log-done")
		}
	}
}

// isDone reports whether a log says that an image is present.
func (c *candidate) isDone() bool { return c.place == inLogDone }

// dropRepeatedDone drops commands of which the log below says that they have pulled their
// image, and what else the log tells of that image: "Unable to find image locally".
func dropRepeatedDone(all []*candidate) {
	done := map[reference.Reference]bool{}
	var command *candidate // the last one
	for _, c := range all {
		switch c.place {
		case inCommand:
			command = c
		case inLogDone:
			done[c.ref()] = true
			if command != nil && command.ref() == c.ref() {
				command.judge(dropped, "log-done")
			}
			command = nil
		}
	}
	for _, c := range all {
		if c.place == inLog && done[c.ref()] {
			c.judge(dropped, "log-done")
		}
	}
}

// dropOthersDone drops the images of a list that a log reports as pulled under the same
// names elsewhere, if it says of another one of the list that it was not: "Pulled
// me.cn/x/pause:3.9" and "failed to pull me.cn/x/etcd:3.5" below both at registry.k8s.io.
func dropOthersDone(all []*candidate) {
	done, missing := map[string]bool{}, map[string]bool{} // names and tags
	for _, c := range all {
		done[c.called()] = done[c.called()] || c.isDone()
		missing[c.called()] = missing[c.called()] || c.place == inLog
	}
	isIn := func(c *candidate, some, not map[string]bool) bool {
		return c.place == inLine && !c.lacksTag() && some[c.called()] && !not[c.called()]
	}
	if !slices.ContainsFunc(all, func(c *candidate) bool { return isIn(c, missing, done) }) {
		return
	}
	for _, c := range all {
		if isIn(c, done, missing) {
			c.judge(dropped, "log-done")
		}
	}
}
