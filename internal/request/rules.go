package request

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// A rule evaluates one relation between title, body, neighbours and sentences.
// It changes verdicts on candidates, completes their images, and adds or removes
// flaws, nothing else; it depends only on the evidence, of which it gets a copy.
type rule struct {
	name  string
	apply func(*evidence)
}

// rules are the rules in the order in which they are applied. The comment on a row
// is its sentence in docs/shapes.md.
var rules = []rule{
	// says: a heading names an image only if nothing else does
	{"heading", headings},
	// says: an image that a sentence excludes is not requested elsewhere either; neither are the others if a sentence with an image says that they are not wanted
	{"excluded", excluded},
	// says: an image that is there already is requested if it is the only one, and a text that asks for images asks for it once more
	{"again", again},
	// says: if the only image is the name of an official one and the text around it is about something else, Ferry asks whether it is meant
	{"lone-name", loneName},
	// says: an image in a question is requested if the text is a request, and a sentence or its wording asks for images
	{"bid", questionsThatAsk},
	// says: an image behind words such as "I meant" replaces the one of the same name before them, and a version there the tag of the image whose name is in front of it, or of the only one
	{"correction", correct},
	// says: an image that a log reports as pulled, and the command that pulled it, count only if nothing else does; one of a list that it has pulled under another address is not requested, if it could not pull another one of the list
	{"log-done", logDone},
	// says: the images of a release are those that the text lists, if it lists several components, and one of this release
	{"listed-release", listedRelease},
	// says: images in sentences, commands and files of a text that tells about something else, and neither asks for an image nor says that one cannot be pulled, are not requested
	{"mention", mention},
	// says: an image in a clause that asks for nothing is only mentioned, if others stand in a list or in a clause that asks for them; so is one beside words such as "already have", "is gone" or "comes later", if another one is complete
	{"aside", asides},
	// says: an image that does not work, or is to be left as it is, according to its clause is not requested if another version of it is
	{"faulty", faulty},
	// says: an image below a line with only an arrow is the destination of the one above it
	{"arrow", arrows},
	// says: an image at a host of a private network, or "library/..." at an unknown host, is a copy: another image in the text is the source, which gets its tag; an official image there is that of Docker Hub if no other one is its source; an image whose path is a namespace and the path of another one with the same tag is a copy as well, even of one that a diff replaces, so is one without a tag that a sentence calls the place to copy another one to, or that has the name of it, one in a command, Dockerfile or log, if a sentence or list names one with the same name and tag, and one at the registry of an account in a cloud, if the text names one elsewhere with the same name and tag
	{"copy", copies},
	// says: if the text asks for an image and names none that counts, a name with a namespace in a sentence is meant
	{"only-mention", onlyMention},
	// says: a name without a namespace that no official image has is in the namespace that the text states for its list; Ferry asks if that is a word without a slash, unless a name begins with a part of it
	{"stated-namespace", intoSpaces},
	// says: an image at the beginning of a line is an item of the list to which the line above or below belongs, in spite of the remark behind it; so is one at the beginning of an item of a list of which another item is an image
	{"item", items},
	// says: versions alone on a line of the body are the tags of the only image if it has none
	{"lone-tag", loneTags},
	// says: a version that a line gives for all images is the tag of the images without one
	{"shared-tag", sharedTags},
	// says: an image in the body without a tag gets the tag in the title
	{"body-gets-tag", bodyGetsTags},
	// says: a tag that stands apart is that of the image without one whose name is in front of it, or of the only image, or those on one line, if a word announces the tag, or of all images, if a word says so or a line begins with tags of one series, or the text asks for images and names no other tag; otherwise Ferry asks
	{"apart-tag", apartTags},
	// says: Ferry asks about images without a tag if a sentence promises a version for later
	{"later-tag", laterTag},
	// says: a name of an official image with a tag in the body is meant, if the title asks for that image or for another one on the same line
	{"title-names", titleNames},
	// says: the images in the body count, unless the body only mentions them and the title is an image, or the title lists them and others
	{"title-or-body", titleOrBody},
	// says: a version in a sentence that adds something, or alone on a line, is one more tag of the only image before it, or of the one whose name is in front of it
	{"more-tags", moreOfThem},
	// says: a name without a registry and a tag inside a sentence is not requested if the text names an image with a tag, but not right beside it, and does not speak of the latest one
	{"untagged", untagged},
	// says: the name of the repository with the issue is not an image
	{"own-name", ownName},
	// says: a link, a word in a sentence, the address of a manifest in a log or an image without a tag there is only a mention if another reference to the same image is more complete
	{"says-less", saysLess},
	// says: a name and a tag that stand for others, such as "img:tag", are not meant if the text names another image
	{"sample", samples},
	// says: an image is not requested if the words beside it say so more than those beside the others; their weights were learned
	{"beside", unwantedBeside},
	// says: a tag such as "1.16.x" is that of a range: Ferry asks for one of its versions
	{"range", ranges},
	// says: Ferry asks about a bare word in a list of images
	{"list-item", listItems},
	// says: tags that the body announces are those of the only official image that the title names, or else the body, if a text that asks for images names none with a tag
	{"title-tags", titleTags},
	// says: a single word is an image on Docker Hub if nothing else is requested
	{"guess", guess},
}

// decide applies the rules.
func decide(e evidence) evidence {
	e = e.clone()
	for _, r := range rules {
		r.apply(&e)
	}
	return e
}

func headings(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.heading }) {
		return
	}
	for _, t := range e.texts() {
		all := append(t.with(taken), t.with(guessed)...)
		named := slices.ContainsFunc(all, func(c *candidate) bool {
			return !c.heading && (c.verdict == taken || isGuess(c.bareName()))
		})
		for _, c := range all {
			if named && c.heading {
				c.judge(dropped, "heading")
			}
		}
	}
}

func excluded(e *evidence) {
	all := e.with(taken)
	left := len(all)
	for _, one := range e.body.without {
		for _, c := range calledBy(one.name, all) {
			if (c.place.stance != embedded || c.line != one.line && c.strength == certain) && c.verdict == taken && left > 1 {
				c.judge(dropped, "excluded") // "all of it, except b"
				left--
			}
		}
	}
	if only := e.body.onlyLine; only > 0 && slices.ContainsFunc(e.body.with(taken), func(c *candidate) bool { return c.line == only && !c.has(AssumedTag) }) {
		for _, c := range e.body.with(taken) {
			if c.line != only {
				c.judge(dropped, "excluded")
			}
		}
	}
	excludes := func(c *candidate) bool { return c.place == inExclusion && !c.has(AssumedTag) }
	if !e.any(excludes) {
		return
	}
	not := make(map[reference.Reference]bool)
	for _, c := range e.with(dropped) {
		if excludes(c) {
			not[c.image.Reference] = true
		}
	}
	for _, c := range e.with(taken) {
		if not[c.image.Reference] {
			c.judge(dropped, "excluded")
		}
	}
	for _, c := range e.title.with(taken) {
		same := func(b *candidate) bool { return b.image.Reference.Repository() == c.image.Reference.Repository() }
		if c.has(AssumedTag) && slices.ContainsFunc(e.body.with(dropped), func(b *candidate) bool { return excludes(b) && same(b) }) && !slices.ContainsFunc(e.body.with(taken), same) {
			c.judge(dropped, "excluded") // the title of "not a/b:1"
		}
	}
}

// again: "You mirrored a/b:1 last week. Can you copy it again?"
func again(e *evidence) {
	var only *candidate
	for _, t := range e.texts() {
		for i := range t.candidates {
			switch c := &t.candidates[i]; {
			case c.place == inExclusion && c.strength >= path && !c.has(AssumedTag) && (only == nil || only.image.Reference == c.image.Reference):
				only = cmp.Or(only, c)
			case c.verdict == taken, c.verdict == asked, c.place == inExclusion:
				return
			}
		}
	}
	if only == nil || len(e.title.flaws)+len(e.body.flaws) > 0 || !e.asks() || !asksOnceMore(e.body.said) && !asksOnceMore(e.title.said) {
		return
	}
	only.judge(taken, "again")
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

// calledBy returns the candidates that are called by a name; if none is, the only one
// that has it as a word of its name, unless it is that of an official image: "the
// sidecar" is "k8s-sidecar", but "redis" is not "redis-exporter".
func calledBy(name string, all []*candidate) []*candidate {
	var called, parts []*candidate
	for _, c := range all {
		switch own := c.image.name(); {
		case own == name:
			called = append(called, c)
		case slices.Contains(strings.Split(own, "-"), name):
			parts = append(parts, c)
		}
	}
	if len(called) == 0 && len(parts) == 1 && !known.IsOfficial(name) && !commonParts.has(name) {
		return parts
	}
	return called
}

// commonParts are words of names that say nothing alone: "the driver container".
var commonParts = wordSet{list: "commonParts"}

func loneName(e *evidence) {
	if !e.hasSubject() {
		return
	}
	all := e.with(taken)
	if len(all) != 1 || all[0].place != inLine || all[0].strength != official || !all[0].has(AssumedTag) || !all[0].has(AssumedLibrary) || len(e.body.versions) > 0 || slices.ContainsFunc(e.body.apart, func(tag apartTag) bool { return tag.noun && tag.of == "" }) {
		return
	}
	all[0].judge(asked, "lone-name")
}

// correct: "a/b:1.2, sorry, I meant 1.3".
func correct(e *evidence) {
	for _, mark := range append(slices.Clip(e.title.corrected), e.body.corrected...) {
		var before, behind []*candidate
		for _, c := range e.with(taken) {
			switch {
			case c.line < mark.line || c.line == mark.line && c.at < mark.at:
				before = append(before, c)
			case c.line == mark.line:
				behind = append(behind, c)
			}
		}
		if slices.ContainsFunc(before, func(c *candidate) bool { return !c.has(AssumedTag) }) {
			before = slices.DeleteFunc(before, func(c *candidate) bool { return c.has(AssumedTag) })
		}
		before = slices.DeleteFunc(before, func(c *candidate) bool { return mark.tag != "" && c.image.Reference.Tag() == mark.tag })
		best := 0
		for _, c := range before {
			best = max(best, mark.fits(c))
		}
		before = slices.DeleteFunc(before, func(c *candidate) bool { return mark.fits(c) < best }) // "b should be 1.3"
		one := !slices.ContainsFunc(before, func(c *candidate) bool {
			return !sameImage(*c.image, *before[0].image) && !sameImage(*before[0].image, *c.image)
		})
		for _, old := range before {
			switch {
			case len(behind) == 1 && behind[0].lacksSpace() && !old.isShort() && old.image.name() == behind[0].image.name():
				old.withTags([]string{behind[0].image.Reference.Tag()}, taken) // "sorry, b:1.3"
				behind[0].judge(dropped, "correction")
			case len(behind) > 0 && old.image.Reference != behind[0].image.Reference && (old.image.name() == behind[0].image.name() || one && len(behind) == 1 && isRenamed(old.image, behind[0].image)):
				old.judge(dropped, "correction")
			case len(behind) == 0 && (one && mark.old == "" || old.image.Reference.Tag() == mark.old):
				if ref, err := old.image.Reference.Repository().Tagged(mark.tag); err == nil {
					old.complete(old.image.named(ref))
					old.judge(taken, "correction")
				}
			}
		}
	}
}

// fits reports how well the words in front of the tag fit a candidate.
func (mark *correction) fits(c *candidate) (best int) {
	for _, word := range mark.of {
		best = max(best, c.fits(word))
	}
	return best
}

// titleTags: "rabbitmq with the UI" above "the tag is 3.12-management".
func titleTags(e *evidence) {
	if sum := e.score(); sum < requests || len(e.body.apart) == 0 || len(e.with(taken))+len(e.with(asked))+len(e.title.flaws)+len(e.body.flaws) > 0 || len(e.body.with(dropped)) > 0 {
		return
	}
	names := officialNames(e.in.Title)
	if len(names) == 0 {
		names = officialNames(e.body.said)
	}
	if len(names) != 1 {
		return
	}
	var found []candidate
	lines := map[int]bool{} // those with a word that is a tag
	for _, tag := range e.body.apart[:min(len(e.body.apart), maxUses)] {
		if tag.tag == "" || tag.of == "?" {
			continue
		}
		lines[tag.line] = lines[tag.line] || tag.noun || tag.announced || tag.shared || strings.Contains(tag.tag, "-")
		if r := readWord(names[0] + ":" + tag.tag); lines[tag.line] && len(r.images) == 1 {
			c := candidate{line: tag.line, at: tag.at, from: tag.at, strength: tagged, place: inSentence}
			c.complete(r.images[0], JoinedLines)
			c.judge(taken, "title-tags")
			found = append(found, c)
		}
	}
	e.body.add(found)
}

// officialNames returns the names of official images in a text.
func officialNames(text string) (names []string) {
	for _, t := range tokens(text) {
		if name := spoken(t); t.kind == asciiWord && known.IsOfficial(name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// isRenamed reports whether two images differ in the last component of the path only.
func isRenamed(a, b *Image) bool {
	first, second := a.Reference.Repository(), b.Reference.Repository()
	parent, _, _ := cutLast(first.Path())
	other, _, _ := cutLast(second.Path())
	return !a.has(AssumedTag) && a.Reference.Tag() == b.Reference.Tag() && first.Host() == second.Host() && parent == other
}

func logDone(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.place == inLogDone }) {
		return
	}
	all := e.with(taken)
	done := map[reference.Reference]bool{}
	var command *candidate // the last one
	for _, c := range all {
		switch c.place {
		case inCommand:
			command = c
		case inLogDone:
			done[c.image.Reference] = true
			if command != nil && command.image.Reference == c.image.Reference {
				command.judge(dropped, "log-done") // what the command has written
			}
			command = nil
		}
	}
	for _, c := range all {
		if c.place == inLog && done[c.image.Reference] {
			c.judge(dropped, "log-done") // "Unable to find image locally" above the pull of it
		}
	}
	all = e.with(taken)
	dropOthersDone(all)
	if slices.ContainsFunc(all, func(c *candidate) bool { return c.place != inLogDone }) {
		for _, c := range all {
			if c.place == inLogDone {
				c.judge(dropped, "log-done")
			}
		}
	}
}

// dropOthersDone drops the images of a list that a log reports as pulled under the same
// names elsewhere, if it says of another one of the list that it was not: "Pulled
// me.cn/x/pause:3.9" and "failed to pull me.cn/x/etcd:3.5" below both at registry.k8s.io.
func dropOthersDone(all []*candidate) {
	done, missing := map[string]bool{}, map[string]bool{} // names and tags
	for _, c := range all {
		done[c.called()] = done[c.called()] || c.place == inLogDone
		missing[c.called()] = missing[c.called()] || c.place == inLog
	}
	isListed := func(c *candidate) bool { return c.place == inLine && !c.has(AssumedTag) }
	if !slices.ContainsFunc(all, func(c *candidate) bool { return isListed(c) && missing[c.called()] && !done[c.called()] }) {
		return
	}
	for _, c := range all {
		if isListed(c) && done[c.called()] && !missing[c.called()] {
			c.judge(dropped, "log-done")
		}
	}
}

// questionsThatAsk: "Any chance of getting a/b:1 in there?"
func questionsThatAsk(e *evidence) {
	if !e.asks() {
		return
	}
	for _, c := range e.with(asked) {
		if c.place == inQuestion && c.strength >= path {
			c.judge(taken, "bid")
		}
	}
}

// listedRelease: "kubeadm config images list" above what it has printed.
func listedRelease(e *evidence) {
	listed := map[string]int{} // the components of each version
	components := 0
	for _, c := range e.with(taken) {
		if c.place == inLine && known.IsKubernetesComponent(c.image.name()) {
			listed[strings.TrimPrefix(c.image.Reference.Tag(), "v")]++
			components++
		}
	}
	for _, c := range e.with(taken) {
		if n := listed[strings.TrimLeft(c.image.Written, "v")]; c.place == inRelease && n > 0 && components > 1 {
			c.judge(dropped, "listed-release")
		}
	}
}

// mention: "We run a/b:1, and the dashboard is empty since the last update".
func mention(e *evidence) {
	sum := e.score()
	if sum >= requests {
		return
	}
	open := sum > mentions
	failed := sum > hopeless && !e.any(func(c *candidate) bool { return c.place == inLogDone }) && (e.title.lacks || e.body.lacks || e.title.fails || e.body.fails || e.title.question || e.body.question)
	for _, c := range slices.Concat(e.with(taken), e.with(guessed), e.with(asked)) {
		verdict := dropped
		if c.wished && (e.body.desire && e.body.question || e.body.wanted && sum > hopeless) || open && c.strength >= tagged && !c.has(AssumedTag) || (open || failed) && (c.place == inLog || e.body.pulls && (c.place == inCommand || c.place == inSpoken)) {
			verdict = asked
		}
		c.judge(verdict, "mention")
	}
	if len(e.with(asked)) == 0 {
		e.title.flaws, e.body.flaws = nil, nil // nothing is requested that could lack something
	}
}

// asides: "In the lab we had a/b:1." above "What we need: a/c:2", and "a/b:1 is
// gone" beside "a/c:2".
func asides(e *evidence) {
	all := e.with(taken)
	complete := func(c *candidate) bool { return c.strength >= path && !c.has(AssumedTag) && !c.doubted }
	if slices.ContainsFunc(all, complete) {
		for _, c := range all {
			if c.doubted {
				c.judge(dropped, "aside")
			}
		}
	}
	all = e.body.with(taken)
	if !slices.ContainsFunc(all, func(c *candidate) bool {
		return complete(c) && (c.place.stance == listed || c.place.stance == embedded && c.asks)
	}) {
		return
	}
	for _, c := range all {
		if c.place.stance == embedded && !c.asks && !c.opens {
			c.judge(dropped, "aside")
		}
	}
}

// untagged: "so that we can run a/pipeline" beside quay.io/a/c:1.
func untagged(e *evidence) {
	all := e.body.with(taken)
	if newestTag.in(e.body.said) || newestTag.in(e.title.said) || !slices.ContainsFunc(all, func(c *candidate) bool { return c.strength >= path && !c.has(AssumedTag) }) {
		return
	}
	for i, c := range all {
		if c.place.stance != embedded || c.strength != path || c.opens || !c.has(AssumedTag) || !c.has(AssumedHost) {
			continue
		}
		beside := slices.ContainsFunc(all[max(0, i-1):min(len(all), i+2)], func(other *candidate) bool {
			return other != c && other.line == c.line && !apartInLine(c, other)
		})
		if !beside {
			c.judge(dropped, "untagged")
		}
	}
}

// newestTag are words for the tag that is assumed.
var newestTag = phrases{list: "newestTag"}

// apartInLine reports whether too much stands between two images of a line for a list of
// both.
func apartInLine(a, b *candidate) bool {
	const most = 12 // bytes of a mark, and of words such as "and the"
	if b.at < a.at {
		a, b = b, a
	}
	return b.at-a.at-len(a.image.Written) > most
}

// copies: "quay.io/a/b:1" beside "harbor.lan/a/b:1".
func copies(e *evidence) {
	isCopy := func(c *candidate) bool {
		repository := c.image.Reference.Repository()
		return isPrivate(repository.Host()) || !known.IsRegistry(repository.Host()) && strings.HasPrefix(repository.Path(), "library/")
	}
	if e.in.List {
		return
	}
	e.dropNested()
	e.dropDestinations()
	dropOfAccounts(e.with(taken))
	dropPulled(e.with(taken))
	if !e.any(func(c *candidate) bool { return c.verdict == taken && isCopy(c) }) {
		return
	}
	sources := map[string]*candidate{} // by the last component of the path
	for _, t := range e.texts() {
		for i := range t.candidates {
			if c := &t.candidates[i]; !isCopy(c) && c.strength >= path && (c.verdict == taken || c.has(AssumedTag)) {
				if name := c.image.name(); sources[name] == nil || c.verdict == taken {
					sources[name] = c
				}
			}
		}
	}
	others := slices.ContainsFunc(e.with(taken), func(c *candidate) bool { return !isCopy(c) })
	for _, c := range e.with(taken) {
		if !isCopy(c) {
			continue
		}
		source := sources[c.image.name()]
		switch {
		case source != nil && source.verdict != taken && !c.has(AssumedTag):
			if ref, err := source.image.Reference.Repository().Tagged(c.image.Reference.Tag()); err == nil {
				source.complete(source.image.named(ref))
				source.judge(taken, "copy")
			}
			fallthrough
		case source != nil || others && c.place.stance != listed:
			c.judge(dropped, "copy")
		case strings.TrimPrefix(c.image.Reference.Repository().Path(), "library/") == c.image.name() && known.IsOfficial(c.image.name()):
			_, rest, _ := strings.Cut(c.image.Reference.String(), "/")
			if ref, err := reference.Parse(rest); err == nil {
				image := *c.image
				image.Reference = ref
				c.complete(image, UndidMirror)
				c.judge(taken, "copy")
			}
		}
	}
}

// dropNested drops images whose path is a namespace and the path of another image with
// the same tag, at another host or without one:
// "1234.dkr.ecr.eu-west-1.amazonaws.com/quay/a/b:1" beside "quay.io/a/b:1", which may be
// one that a diff replaces. If that image has no tag, and the namespace is its registry,
// it gets the tag.
func (e *evidence) dropNested() {
	sources := map[string]*candidate{} // by path, and tag if there is one
	for _, v := range []verdict{dropped, taken} {
		for _, c := range e.with(v) {
			if ref := c.image.Reference; c.strength < tagged || v == dropped && !c.isSpare() {
				continue
			} else if c.has(AssumedTag) {
				sources[ref.Repository().Path()] = c
			} else {
				sources[ref.Repository().Path()+":"+ref.Tag()] = c
			}
		}
	}
	for _, c := range e.with(taken) {
		if source := nestedIn(c, sources); source != nil {
			if source.has(AssumedTag) {
				source.withTags([]string{c.image.Reference.Tag()}, taken)
			} else if source.verdict == dropped {
				source.judge(taken, "copy")
			}
			c.judge(dropped, "copy")
		}
	}
}

// isSpare reports whether an image with a tag does not count only because a line of a
// diff removes it, or because its clause asks for nothing.
func (c *candidate) isSpare() bool {
	return !c.has(AssumedTag) && (c.place == maskedPlaces[isRemoved] || slices.Contains(c.reasons, "aside"))
}

// dropDestinations drops images without a tag at a registry that a sentence calls the
// destination of one with a tag: "copy a/b:1 to quay.io/me/mirror", or that have the
// name of one.
func (e *evidence) dropDestinations() {
	all, named := e.with(taken), map[string]bool{}
	for _, c := range all {
		if !c.has(AssumedTag) && c.strength >= path {
			named[c.image.name()] = true
		}
	}
	if len(named) == 0 {
		return
	}
	for _, c := range append(e.body.with(taken), e.body.with(asked)...) {
		if c.place.stance != embedded || !c.has(AssumedTag) || c.has(AssumedHost) {
			continue
		}
		before := strings.TrimRight(c.before, " \"'`*_([:")
		if _, to := destinationMarks.cut(before); to || named[c.image.name()] {
			c.judge(dropped, "copy")
		}
	}
}

// destinationMarks are words directly before the place to which images are copied.
var destinationMarks = endings{list: "destinationMarks"}

// nestedIn returns the image whose path is the rest of that of a candidate behind a
// namespace; nil if there is none.
func nestedIn(c *candidate, sources map[string]*candidate) *candidate {
	host, tag := c.image.Reference.Repository().Host(), c.image.Reference.Tag()
	space, rest, ok := strings.Cut(c.image.Reference.Repository().Path(), "/")
	for ok && strings.Contains(rest, "/") {
		if source := sources[rest+":"+tag]; source != nil && (source.image.Reference.Repository().Host() != host || c.has(AssumedHost)) {
			return source
		}
		if source := sources[rest]; source != nil {
			if from := source.image.Reference.Repository().Host(); space == from || known.ByShortName(space) == from {
				return source
			}
		}
		space, rest, ok = strings.Cut(rest, "/")
	}
	return nil
}

// dropOfAccounts drops images at registries of accounts in a cloud, to which the image
// with the same name and tag at another host is copied.
func dropOfAccounts(all []*candidate) {
	sources := map[string]bool{}
	isAccount := func(c *candidate) bool {
		r := known.Of(c.image.Reference.Repository().Host())
		return len(r.Domains) > 0 && (r.Cloud == known.Amazon || r.Cloud == known.Azure)
	}
	for _, c := range all {
		sources[c.called()] = sources[c.called()] || !isAccount(c) && c.strength >= path
	}
	for _, c := range all {
		if isAccount(c) && sources[c.called()] {
			c.judge(dropped, "copy")
		}
	}
}

// dropPulled drops images of commands, Dockerfiles and logs of which the text names another one
// with the same name and tag: "docker pull me.cn/x/b:1" above "the source is
// quay.io/a/b:1".
func dropPulled(all []*candidate) {
	named := map[string]reference.Reference{}
	for _, c := range all {
		if c.place.stance != pasted && c.place != inSpoken && c.strength >= tagged && !c.has(AssumedTag) {
			named[c.called()] = c.image.Reference
		}
	}
	for _, c := range all {
		source, ok := named[c.called()]
		if ok && source.Repository() != c.image.Reference.Repository() && (c.place == inCommand || c.place == inSpoken || c.place == inFrom || c.place == inLog || c.place == inLogLink) {
			c.judge(dropped, "copy")
		}
	}
}

// samples: "docker pull a/img:tag" above "a/b:1".
func samples(e *evidence) {
	all := e.with(taken)
	if !slices.ContainsFunc(all, func(c *candidate) bool { return !isSample(c.image.Reference) }) {
		return
	}
	for _, c := range all {
		if isSample(c.image.Reference) {
			c.judge(dropped, "sample")
		}
	}
}

// ranges: "a/b:1.16.x".
func ranges(e *evidence) {
	for _, c := range e.title.with(taken) {
		if c.has(AssumedTag) && slices.ContainsFunc(e.body.flaws, func(f flaw) bool {
			return f.problem.Code == AllTags && f.problem.Suggestion == c.image.Reference.String()
		}) {
			c.judge(dropped, "range") // "all tags of it"
		}
	}
	for _, t := range e.texts() {
		t.flaws = slices.Clip(t.flaws) // the evidence of others is not changed
		for _, c := range t.with(taken) {
			if !isSeries(c.image.Reference.Tag()) {
				continue
			}
			p := *allTags(c.image.Reference)
			p.Written, p.Line = c.image.Written, c.line
			t.flaws = append(t.flaws, flaw{line: c.line, at: c.at, problem: p})
			c.judge(dropped, "range")
		}
	}
}

// faulty: "a/b:1 crashes since yesterday. Please mirror a/b:2."
func faulty(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.faulty }) {
		return
	}
	all := e.with(taken)
	for _, c := range all {
		for _, other := range all {
			if c.faulty && !other.faulty && !other.has(AssumedTag) && other.image.Reference.Repository() == c.image.Reference.Repository() && other.image.Reference != c.image.Reference {
				c.judge(dropped, "faulty")
				break
			}
		}
	}
}

// arrows: "quay.io/a/b:1", an arrow, and "me.io/b:1", each on a line.
func arrows(e *evidence) {
	all := e.body.with(taken)
	for i := 1; i < len(all); i++ {
		if a, b := all[i-1], all[i]; slices.Contains(e.body.arrows, b.line-1) && a.line == b.line-2 {
			b.judge(dropped, "arrow")
		}
	}
}

// onlyMention: "Someone needs a/b" above "please put it on the mirror".
func onlyMention(e *evidence) {
	if sum := e.score(); sum <= requests || !e.title.wanted && !e.body.wanted || len(e.title.flaws)+len(e.body.flaws)+len(e.with(asked)) > 0 || e.any(func(c *candidate) bool { return c.verdict == taken || c.verdict == guessed && isGuess(c.bareName()) }) {
		return
	}
	for _, c := range e.body.with(dropped) {
		if c.place == inSentence && c.strength >= path && len(c.reasons) == 0 {
			c.judge(taken, "only-mention")
		}
	}
}

// intoSpaces: "all from goharbor/:" above "harbor-core".
func intoSpaces(e *evidence) {
	t, spaces := &e.body, e.body.spaces
	if len(spaces) == 0 {
		spaces = e.title.spaces
	}
	if len(spaces) == 0 {
		return
	}
	others, officials, moved := false, false, false
	for _, c := range t.with(taken) {
		others = others || !c.lacksSpace()
		officials = officials || c.isShort() && !c.lacksSpace()
	}
	spaces = slices.Clone(spaces)
	for i := range spaces {
		one := &spaces[i]
		one.sure = one.sure || slices.ContainsFunc(t.candidates, func(c candidate) bool { return c.lacksSpace() && alludes(one.space, c.bareName()) })
	}
	spaces = slices.DeleteFunc(spaces, func(one statedIn) bool { return !one.sure && !one.named })
	for i := range t.candidates {
		c := &t.candidates[i]
		in, verdict := spaceOf(spaces, c.line)
		switch {
		case c.verdict == dropped || c.heading || in.space == "" || !in.sure && officials:
		case states(spaces, c.line, c.at):
		case c.lacksSpace() && (c.verdict != guessed || !others && !c.has(Lowered)):
			moved = c.moveInto(in, verdict) || moved
		}
	}
	if !moved {
		return
	}
	t.flaws = slices.DeleteFunc(slices.Clone(t.flaws), func(f flaw) bool { return states(spaces, f.line, f.at) })
	for _, c := range t.with(taken) {
		if in, _ := spaceOf(spaces, c.line); states(spaces, c.line, c.at) {
			c.judge(dropped, "stated-namespace")
		} else if c.isShort() && in.line < c.line {
			c.moveInto(in, asked) // "redis:7" below "all from bitnami/:"
		}
	}
	for _, c := range t.with(asked) {
		if slices.Contains(c.reasons, "stated-namespace") && len(e.notes) < MaxImages {
			e.notes = append(e.notes, Problem{Code: Ambiguous, Written: c.image.Written, Line: c.line, Suggestion: c.image.Reference.String()})
		}
	}
}

// states reports whether one of the namespaces is at this place.
func states(spaces []statedIn, line, at int) bool {
	return slices.ContainsFunc(spaces, func(one statedIn) bool { return one.line == line && one.at == at })
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
	r := readWord(in.space + "/" + name + ":" + c.image.Reference.Tag())
	if len(r.images) != 1 || c.image.Reference.HasDigest() || !in.sure && c.has(AssumedTag) && !strings.Contains(name, "-") {
		return false
	}
	if !in.sure {
		v = asked
	}
	image := *c.image
	image.Reference = r.images[0].Reference
	image.Assumptions = slices.DeleteFunc(slices.Clone(image.Assumptions), func(a Assumption) bool { return a == AssumedLibrary || a == AssumedHost })
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
			lists[c.list] = lists[c.list] || c.list > 0 && (c.opens || c.place.stance == listed)
		}
		for i := range t.candidates {
			c := &t.candidates[i]
			if !c.leads || c.doubted || c.verdict != dropped || c.place != inSentence || c.strength < official || len(c.reasons) > 0 {
				continue
			}
			beside := lists[c.list]
			for n := max(0, i-1); n < min(len(t.candidates), i+2); n++ {
				other := &t.candidates[n]
				beside = beside || n != i && other.verdict == taken && other.line >= c.line-1 && other.line <= c.line+1
			}
			if beside {
				c.judge(taken, "item")
			}
		}
	}
}

// loneTags: "bitnami/kafka" above "3.6.1".
func loneTags(e *evidence) {
	if len(e.body.versions) == 0 {
		return
	}
	versions, title, body := e.body.versions, e.title.with(taken), e.body.with(taken)
	if len(title) == 0 && len(body) == 0 {
		title, body = e.title.with(guessed), e.body.with(guessed)
	}
	if len(title) == 1 && len(body) == 1 && title[0].image.Reference == body[0].image.Reference {
		title[0].judge(dropped, "lone-tag") // the same image twice
		title = nil
	}
	if len(title) == 0 && len(body) == 1 && body[0].place.stance == listed {
		title = body
	} else if len(body) > 0 {
		return
	}
	if len(title) != 1 || len(versions) == 0 || len(versions) > maxUses || !title[0].has(AssumedTag) {
		return
	}
	var tagged []candidate
	for i, version := range versions {
		ref, err := title[0].image.Reference.Repository().Tagged(version.tag)
		if err != nil {
			return
		}
		if slices.ContainsFunc(versions[:i], func(v sharedTag) bool { return v.tag == version.tag }) {
			continue
		}
		c := *title[0]
		c.complete(c.image.named(ref), JoinedLines)
		c.judge(c.verdict, "lone-tag")
		tagged = append(tagged, c)
	}
	title[0].judge(dropped, "lone-tag")
	if t := &e.title; title[0].line == 0 {
		t.candidates = append(t.candidates, tagged...)
	} else {
		e.body.candidates = append(e.body.candidates, tagged...)
	}
}

// sharedTags: "all at v1.2:" above a list.
func sharedTags(e *evidence) {
	if len(e.title.shared)+len(e.body.shared) == 0 || len(e.body.shared) == 0 && slices.ContainsFunc(e.body.apart, func(tag apartTag) bool { return tag.noun && tag.of == "" && tag.tag != "" }) {
		return // "the tag is 1.2" in the body says more than a version in the title
	}
	for _, t := range e.texts() {
		shared := t.shared
		if len(shared) == 0 {
			shared = e.title.shared // "Image tag 1.2 for b" above "a/b"
		}
		if t == &e.title && len(shared) == 0 && len(e.body.with(taken)) == 0 {
			shared = e.body.shared // "a/b" above "Tag: 1.2"
		}
		if len(shared) != 1 {
			continue
		}
		for _, c := range t.with(taken) {
			if ref, err := c.image.Reference.Repository().Tagged(shared[0].tag); err == nil && c.has(AssumedTag) && c.place.stance != pasted {
				c.complete(c.image.named(ref))
				c.judge(taken, "shared-tag")
			}
		}
	}
}

// bodyGetsTags: "a/b:v1" above a link to the page of a/b.
func bodyGetsTags(e *evidence) {
	if len(e.title.candidates) == 0 {
		return
	}
	tags := make(map[reference.Repository]reference.Reference)
	for _, c := range e.title.with(taken) {
		if !c.has(AssumedTag) {
			tags[c.image.Reference.Repository()] = c.image.Reference
		}
	}
	for _, c := range e.body.with(taken) {
		if ref, ok := tags[c.image.Reference.Repository()]; ok && c.has(AssumedTag) {
			c.complete(c.image.named(ref))
			c.judge(taken, "body-gets-tag")
		}
	}
}

// laterTag: "Please mirror a/b, I will tell you the version later."
func laterTag(e *evidence) {
	if !e.title.tagLater && !e.body.tagLater {
		return
	}
	for _, c := range append(e.with(taken), e.with(guessed)...) {
		if c.has(AssumedTag) {
			c.judge(asked, "later-tag")
		}
	}
}

// titleNames: "Mirror redis and postgres" above "redis 7.4, postgres 17, memcached 1.6".
func titleNames(e *evidence) {
	lines := map[int]bool{}
	for _, c := range e.title.with(taken) {
		if !c.has(AssumedTag) {
			continue
		}
		for _, b := range e.body.with(dropped) {
			if b.place == inSentence && len(b.reasons) == 0 && !b.has(AssumedTag) && b.image.Reference.Repository() == c.image.Reference.Repository() {
				lines[b.line] = true
				c.judge(dropped, "title-names")
			}
		}
	}
	for _, b := range e.body.with(dropped) {
		if lines[b.line] && b.place == inSentence && len(b.reasons) == 0 && !b.has(AssumedTag) && b.strength >= path {
			b.judge(taken, "title-names")
		}
	}
}

// titleOrBody: a title that contradicts the body is reported.
func titleOrBody(e *evidence) {
	if len(e.title.candidates) == 0 {
		return
	}
	title, body := e.title.with(taken), e.body.with(taken)
	if len(title) == 0 || len(body) == 0 {
		return
	}
	inBody := func(c *candidate) bool {
		return slices.ContainsFunc(body, func(b *candidate) bool { return sameImage(*c.image, *b.image) })
	}
	standsAlone := func(c *candidate) bool { return c.place.stance != embedded }
	isImage := slices.ContainsFunc(title, standsAlone)
	isIn := func(all []*candidate, one *candidate) bool {
		return slices.ContainsFunc(all, func(c *candidate) bool { return c.image.Reference == one.image.Reference })
	}
	if len(title) > len(body) && !slices.ContainsFunc(title, func(c *candidate) bool { return !standsAlone(c) || c.has(AssumedTag) }) && !slices.ContainsFunc(body, func(b *candidate) bool { return !isIn(title, b) }) {
		return // the body has some images of the list in the title
	}
	loser := title
	if e.body.also {
		title = slices.DeleteFunc(title, func(c *candidate) bool {
			less := (c.has(AssumedTag) || c.has(RemovedSpace)) && c.has(AssumedHost) && inBody(c)
			if less {
				c.judge(dropped, "title-or-body")
			}
			return less
		})
		if len(title) == 0 {
			return
		}
	}
	switch {
	case e.body.also && slices.ContainsFunc(title, func(c *candidate) bool {
		return standsAlone(c) || c.wished || c.strength >= tagged && !c.has(AssumedTag)
	}):
		return
	case isImage && !slices.ContainsFunc(title, inBody) && !slices.ContainsFunc(body, func(c *candidate) bool { return standsAlone(c) || c.wished }):
		loser = body
	case isImage:
		if at := slices.IndexFunc(title, func(c *candidate) bool { return standsAlone(c) && !inBody(c) && c.place != inRelease }); at >= 0 {
			e.notes = append(e.notes, Problem{Code: TitleIgnored, Written: clip(e.in.Title), Suggestion: title[at].image.Reference.String()})
		}
	}
	for _, c := range loser {
		c.judge(dropped, "title-or-body")
	}
}

// sameImage reports whether the title's image a adds nothing to the body's
// image b: they are equal, or a is b without the tag.
func sameImage(a, b Image) bool {
	if a.Reference == b.Reference {
		return true
	}
	vague := a.has(AssumedTag)
	if vague && strings.HasPrefix(b.Reference.Repository().String(), a.Reference.Repository().String()+"/") {
		return true // "gcr.io/a/b" above "gcr.io/a/b/c:1"
	}
	if vague && a.has(AssumedHost) {
		// "[image-mirror] nginx" above "quay.io/nginx/nginx-ingress:3.4".
		path, name := b.Reference.Repository().Path(), a.Reference.Repository().Path()
		return strings.Contains("/"+path, "/"+strings.TrimPrefix(name, "library/"))
	}
	if rest, ok := strings.CutPrefix(strings.TrimPrefix(b.Reference.Tag(), "v"), strings.TrimPrefix(a.Reference.Tag(), "v")); ok && rest != "" && strings.IndexByte(".-", rest[0]) >= 0 && a.Reference.Repository() == b.Reference.Repository() {
		return true // "MySQL 8.4" above "mysql:8.4.2"
	}
	if a.has(AssumedHost) && a.Reference.Tag() == b.Reference.Tag() && (a.Reference.Repository().Path() == b.Reference.Repository().Path() || a.has(AssumedLibrary) && a.has(RemovedSpace) && a.name() == b.name()) {
		return true // "Spark 3.5.1" above "apache/spark:3.5.1"
	}
	return vague && a.Reference.Repository() == b.Reference.Repository()
}

func ownName(e *evidence) {
	if e.in.Repository == "" {
		return
	}
	for _, c := range e.with(taken) {
		if isOwn(e.in.Repository, c.image.Reference) {
			c.judge(dropped, "own-name")
		}
	}
}

func saysLess(e *evidence) {
	if !e.any(canSayLess) {
		return
	}
	tagged, told := map[reference.Repository]bool{}, map[reference.Repository]bool{} // told in a sentence
	hosted, named, moved := map[string]bool{}, map[string]bool{}, map[string]bool{}
	beside := map[string]bool{}              // lines and names of images with a tag
	longer := map[string]bool{}              // references with the beginnings of tags
	other := map[reference.Repository]bool{} // images that are no manifests
	all := e.with(taken)
	for _, c := range all {
		repository := c.image.Reference.Repository()
		if !c.has(AssumedTag) {
			tagged[repository] = true
			told[repository] = told[repository] || c.place.stance == embedded
			beside[limit(c.line)+c.image.name()] = true
		}
		if !c.has(AssumedHost) {
			hosted[repository.Path()] = true
			moved[repository.Path()+":"+c.image.Reference.Tag()] = repository.Host() != reference.DockerHub
			named[c.called()] = true
		}
		if !c.has(RemovedSpace) {
			addBeginnings(longer, c.image.Reference)
		}
		other[repository] = other[repository] || !isManifest(c)
	}
	open := e.namesInQuestion()
	for _, c := range all {
		repository, spoken := c.image.Reference.Repository(), c.place.stance == embedded
		if c.line == 0 && c.has(AssumedTag) && open[c.image.name()] {
			c.judge(dropped, "says-less") // "vault" above the question about hashicorp/vault:1.16
		}
		if c.has(AssumedTag) && ((c.has(ReadLink) || spoken || c.place == inSyncKey) && tagged[repository] || (c.place == inKey || c.place == inLog) && told[repository] || c.has(AssumedHost) && spoken && hosted[repository.Path()]) {
			c.judge(dropped, "says-less")
		}
		if c.has(AssumedTag) && c.has(AssumedHost) && c.has(AssumedLibrary) && beside[limit(c.line)+c.image.name()] {
			c.judge(dropped, "says-less") // "RabbitMQ (rabbitmq:3.13)"
		}
		if c.has(RemovedSpace) && spoken && longer[repository.String()+":"+c.image.Reference.Tag()] {
			c.judge(dropped, "says-less") // "tracking python 3.11" beside python:3.11-slim
		}
		if c.has(AssumedHost) && !c.has(AssumedTag) && c.place.stance != listed && moved[repository.Path()+":"+c.image.Reference.Tag()] {
			c.judge(dropped, "says-less") // the same image without its registry
		}
		if isManifest(c) && other[repository] {
			c.judge(dropped, "says-less") // the manifest behind the tag that the log is about
		}
		if c.has(AssumedHost) && c.has(AssumedLibrary) && (spoken || !known.IsOfficial(c.bareName())) && named[c.bareName()+":"+c.image.Reference.Tag()] {
			c.judge(dropped, "says-less") // the name without a tag
		}
	}
}

// canSayLess reports whether other references can say more than a candidate.
func canSayLess(c *candidate) bool {
	return c.has(AssumedTag) || c.has(AssumedHost) || c.has(RemovedSpace) || isManifest(c)
}

// namesInQuestion returns the names of images about whose tag Ferry asks.
func (e *evidence) namesInQuestion() map[string]bool {
	open := map[string]bool{}
	for _, c := range e.with(asked) {
		open[c.image.name()] = open[c.image.name()] || !c.has(AssumedTag)
	}
	return open
}

// addBeginnings adds a reference with each of the beginnings that its tag has before a
// full stop or a hyphen.
func addBeginnings(set map[string]bool, ref reference.Reference) {
	tag := ref.Tag()
	for i := range len(tag) {
		if tag[i] == '.' || tag[i] == '-' {
			set[ref.Repository().String()+":"+tag[:i]] = true
		}
	}
}

// isManifest reports whether a candidate is the address of a manifest.
func isManifest(c *candidate) bool { return strings.Contains(c.image.Written, "/manifests/") }

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
			if c.verdict != guessed || !isGuess(c.bareName()) || c.has(Lowered) || c.strength != bare {
				continue
			}
			above := i > 0 && c.line-lines[i-1].line <= 1 && (lines[i-1].verdict == taken || lines[i-1].asked())
			below := i+1 < len(lines) && lines[i+1].line-c.line <= 1 && lines[i+1].verdict == taken
			heading := below && !above && strings.Contains(lines[i+1].image.Reference.Repository().Path(), c.bareName())
			if (above || below) && !heading {
				c.judge(dropped, "list-item")
				if len(e.notes) == MaxImages {
					return
				}
				e.notes = append(e.notes, Problem{Code: Unread, Written: c.image.Written, Line: c.line, Suggestion: completeName(c.image.Written)}) // no official image has this name
			}
		}
	}
}

// asked reports whether the author is to be asked about the candidate as an
// item of a list.
func (c *candidate) asked() bool { return slices.Contains(c.reasons, "list-item") }

// guess accepts words of the title, or otherwise words on their own line. A
// word with capital letters is part of a sentence, unless it is alone.
func guess(e *evidence) {
	if !e.any(func(c *candidate) bool { return c.verdict == guessed }) {
		return
	}
	guesses, lone := e.title.with(guessed), !e.title.prose && !e.body.prose
	if e.body.words > talk || e.body.doubt {
		guesses = nil
	}
	if len(guesses) == 0 {
		guesses, lone = e.body.with(guessed), false
	}
	counts := !e.any((*candidate).isLeft) && len(e.with(taken)) == 0 && len(e.with(asked)) == 0 && len(e.title.flaws)+len(e.body.flaws) == 0
	for n, c := range guesses {
		switch {
		case e.title.models || e.body.models:
			c.judge(dropped, "guess")
		case !counts || n >= MaxExpansion:
		case gluedVersion(c.bareName()) != "":
			c.judge(asked, "guess")
		case c.has(Lowered) && !lone: // part of a sentence
		case isGuess(c.bareName()) && c.strength == bare && (e.hasSubject() || e.body.words > 0 && !e.title.wish && !e.body.wish) && (c.line > 0 || !e.body.names()):
			c.judge(asked, "guess") // the text has another subject
		case isGuess(c.bareName()) && (!c.has(Lowered) || lone):
			c.complete(*c.image, Guessed)
			c.judge(taken, "guess")
		}
	}
}
