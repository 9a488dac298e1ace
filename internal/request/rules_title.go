package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Rules for texts whose title and body both name images.

// titleNames: "Mirror redis and postgres" above "redis 7.4, postgres 17, memcached 1.6".
func titleNames(e *evidence) {
	named := map[reference.Repository][]*candidate{} // names with tags in sentences of the body
	for _, b := range e.body.with(dropped) {
		if b.isMentioned() && !b.lacksTag() {
			named[b.repository()] = append(named[b.repository()], b)
		}
	}
	lines := map[int]bool{} // those with an image of the title
	for _, c := range e.title.with(taken) {
		for _, b := range named[c.repository()] {
			if c.lacksTag() || isLonger(b.tag(), c.tag()) {
				lines[b.line] = true
				c.judge(dropped, "title-names")
			}
		}
	}
	for _, b := range e.body.with(dropped) {
		if lines[b.line] && b.isMentioned() && !b.lacksTag() && b.strength >= path {
			b.judge(taken, "title-names")
		}
	}
}

// titleOrBody: a title that contradicts the body is reported.
func titleOrBody(e *evidence) {
	title, body := e.title.with(taken), e.body.with(taken)
	if len(title) == 0 || len(body) == 0 || listsMore(title, body) {
		return
	}
	isImage := slices.ContainsFunc(title, (*candidate).standsAlone)
	if e.body.also {
		title = dropRepeated(title, body)
		if len(title) == 0 || slices.ContainsFunc(title, (*candidate).isRequested) {
			return
		}
	}
	loser := title
	switch {
	case !isImage:
	case isContradicted(title, body):
		loser = body
	default:
		e.noteTitle(title, body)
	}
	for _, c := range loser {
		c.judge(dropped, "title-or-body")
	}
}

// listsMore reports whether the title is a list of images with their tags, some of which
// the body names, and the body no others.
func listsMore(title, body []*candidate) bool {
	if len(title) <= len(body) || slices.ContainsFunc(title, func(c *candidate) bool { return c.isSpoken() || c.lacksTag() }) {
		return false
	}
	return !slices.ContainsFunc(body, func(b *candidate) bool {
		return !slices.ContainsFunc(title, func(c *candidate) bool { return c.ref() == b.ref() })
	})
}

// standsAlone reports whether a candidate stands in no sentence.
func (c *candidate) standsAlone() bool { return !c.isSpoken() }

// isRequested reports whether a candidate of the title is asked for itself, and not only
// the subject of the text.
func (c *candidate) isRequested() bool {
	return c.standsAlone() || c.wished || c.strength >= tagged && !c.lacksTag()
}

// dropRepeated drops the images of the title that the body names better, and returns the
// others.
func dropRepeated(title, body []*candidate) (left []*candidate) {
	for _, c := range title {
		if c.lacksHost() && (c.lacksTag() || c.has(RemovedSpace)) && c.isIn(body) {
			c.judge(dropped, "title-or-body")
		} else {
			left = append(left, c)
		}
	}
	return left
}

// isIn reports whether one of the images of the body is that of a candidate.
func (c *candidate) isIn(body []*candidate) bool {
	return slices.ContainsFunc(body, func(b *candidate) bool { return sameImage(*c.image, *b.image) })
}

// isContradicted reports whether the body only mentions other images than the title.
func isContradicted(title, body []*candidate) bool {
	return !slices.ContainsFunc(title, func(c *candidate) bool { return c.isIn(body) }) &&
		!slices.ContainsFunc(body, func(c *candidate) bool { return c.standsAlone() || c.wished })
}

// noteTitle notes the first image of the title that the body does not name.
func (e *evidence) noteTitle(title, body []*candidate) {
	for _, c := range title {
		if c.standsAlone() && c.place != inRelease && !c.isIn(body) {
			e.note(Problem{Code: TitleIgnored, Written: clip(e.in.Title), Suggestion: c.ref().String()})
			return
		}
	}
}

// sameImage reports whether the title's image a adds nothing to the body's
// image b: they are equal, or a is b without the tag.
func sameImage(a, b Image) bool {
	first, second := a.Reference.Repository(), b.Reference.Repository()
	switch tag := a.Reference.Tag(); {
	case a.Reference == b.Reference:
		return true
	case a.has(AssumedTag):
		return isPartOf(first, second, a.has(AssumedHost))
	case first == second && beginsVersion(tag, b.Reference.Tag()):
		return true // "MySQL 8.4" above "mysql:8.4.2"
	case !a.has(AssumedHost) || tag != b.Reference.Tag():
		return false
	}
	if a.has(AssumedLibrary) && a.has(RemovedSpace) && a.name() == b.name() {
		return true // "Spark 3.5.1" above "apache/spark:3.5.1"
	}
	return first.Path() == second.Path()
}

// isPartOf reports whether a name without a tag is another one or a part of it. anywhere
// tells that no registry is given.
func isPartOf(name, whole reference.Repository, anywhere bool) bool {
	if name == whole || strings.HasPrefix(whole.String(), name.String()+"/") {
		return true // "gcr.io/a/b" above "gcr.io/a/b/c:1"
	}
	// "[image-mirror] nginx" above "quay.io/nginx/nginx-ingress:3.4"
	return anywhere && strings.Contains("/"+whole.Path(), "/"+strings.TrimPrefix(name.Path(), "library/"))
}

// titleVersions: "mysql" above "8.0 and 8.4, please".
func titleVersions(e *evidence) {
	names := officialNames(e.in.Title)
	if len(names) != 1 || !e.isRequest() || e.isFlawed() || e.any(func(c *candidate) bool { return c.strength >= path }) {
		return
	}
	var found []candidate
	for _, t := range e.body.versionsFirst() {
		if r := readWord(names[0] + ":" + trimWord(t.text)); len(r.images) == 1 {
			c := candidate{line: e.body.layout.first, at: t.at, from: t.at, strength: tagged, place: inSentence}
			c.complete(r.images[0], JoinedLines)
			c.judge(taken, "title-versions")
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		return
	}
	for _, c := range append(e.with(taken), e.with(asked)...) {
		c.judge(dropped, "title-versions")
	}
	e.body.add(found)
}

// versionsFirst returns the versions with which a text begins, behind a few words. A number
// alone may be anything.
func (t *text) versionsFirst() (versions []token) {
	const (
		most    = 4   // words in front of them
		longest = 200 // bytes of the line that count
	)
	opening := t.layout.opening
	dotted, ended, words := false, false, 0
	for _, t := range tokens(opening[:min(len(opening), longest)]) {
		word := trimWord(t.text)
		switch {
		case len(versions) > 0 && ended:
			return versions
		case t.kind == asciiWord && (isVersion(word) || isCodeName(word) || word == "latest" && len(versions) > 0):
			versions = append(versions, t)
			dotted = dotted || strings.ContainsAny(word, ".-") || words == 0 && !isVersion(word)
			ended = strings.HasSuffix(t.text, ".")
		case isTagListMark(t.text) || t.kind == separator:
		case len(versions) == 0 && words < most && t.kind == asciiWord && !hasDigit(word) && !origins.has(lower(word)):
			words++
		case len(versions) > 0 && isCodeName(trimWord(versions[0].text)) && !isFiller(t.text):
			return nil // "focal is too old"
		case dotted || len(versions) > 1:
			return versions
		default:
			return nil
		}
	}
	if !dotted && len(versions) < 2 {
		return nil
	}
	return versions
}

// isCodeName reports whether a word is that of a release of a distribution, or begins so:
// "bookworm-slim".
func isCodeName(word string) bool {
	name, _, _ := strings.Cut(word, "-")
	return codeNames.has(name)
}

// codeNames are those of the releases of Debian and Ubuntu.
var codeNames = wordSet{list: "bullseye|bookworm|trixie|focal|jammy|noble"}
