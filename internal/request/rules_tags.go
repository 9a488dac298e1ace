package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// Rules for tags on other lines than their images. Those inside sentences are in
// rules_apart.go.

// loneTags: "bitnami/kafka" above "3.6.1".
func loneTags(e *evidence) {
	versions := e.body.versions
	if len(versions) == 0 {
		return
	}
	only := e.onlyUntagged()
	if only == nil || len(versions) > maxUses {
		return
	}
	var tagged []candidate
	given := map[string]bool{}
	for _, version := range versions {
		if given[version.tag] {
			continue
		}
		given[version.tag] = true
		c := *only
		if !c.giveTag(version.tag, JoinedLines) {
			return
		}
		c.judge(c.verdict, "lone-tag")
		tagged = append(tagged, c)
	}
	only.judge(dropped, "lone-tag")
	t := &e.body
	if only.line == 0 {
		t = &e.title
	}
	t.candidates = append(t.candidates, tagged...)
}

// onlyUntagged returns the image for versions alone on lines of the body: the only one of
// the text, in the title or on a line of its own, without a tag; nil if there is none. An
// image of the title that the body repeats is dropped.
func (e *evidence) onlyUntagged() *candidate {
	title, body := e.title.with(taken), e.body.with(taken)
	if len(title)+len(body) == 0 {
		title, body = e.title.with(guessed), e.body.with(guessed)
	}
	if len(title) == 1 && len(body) == 1 && title[0].ref() == body[0].ref() {
		title[0].judge(dropped, "lone-tag")
		title = nil
	}
	all := append(title, body...)
	if len(all) != 1 || len(body) == 1 && !body[0].isListed() || !all[0].lacksTag() {
		return nil
	}
	return all[0]
}

// listedTags: "Please mirror a/b in these tags:" above "- v1.2" and "- v1.3".
func listedTags(e *evidence) {
	for _, list := range e.body.tagLists {
		c := e.ownerOf(&list)
		if c == nil {
			continue
		}
		e.add(c.withTags(list.tags, taken, "listed-tags"))
		e.body.apart = only(e.body.apart, func(tag *apartTag) bool { return !slices.Contains(list.lines, tag.line) })
		var versions []sharedTag
		for _, tag := range e.body.versions {
			if !slices.Contains(list.lines, tag.line) {
				versions = append(versions, tag)
			}
		}
		e.body.versions = versions
	}
}

// ownerOf returns the image without a tag that gets the tags of a list; nil if none does,
// or several may.
func (e *evidence) ownerOf(list *tagList) *candidate {
	var above, last, title []*candidate
	for _, c := range e.with(taken) {
		switch {
		case !c.lacksTag() || c.isPasted() && c.line > 0:
		case c.line == 0:
			title = append(title, c)
		case c.line == list.above:
			above = append(above, c)
		case c.line < list.above:
			last = append(last, c)
		}
	}
	for _, all := range [][]*candidate{above, last, title} {
		if len(all) == 1 {
			return all[0]
		}
		if len(all) > 1 {
			return nil
		}
	}
	return nil
}

// sharedTags: "all at v1.2:" above a list.
func sharedTags(e *evidence) {
	if len(e.body.shared) == 0 && (len(e.title.shared) == 0 || e.body.callsTag()) {
		return // "the tag is 1.2" in the body says more than a version in the title
	}
	images := e.body.shared
	if len(images) == 0 {
		images = e.title.shared // "Image tag 1.2 for b" above "a/b"
	}
	title := e.title.shared
	if len(title) == 0 && len(e.body.with(taken)) == 0 {
		title = e.body.shared // "a/b" above "Tag: 1.2"
	}
	e.title.shareTag(title)
	e.body.shareTag(images)
}

// callsTag reports whether a line calls a word a tag, and gives no name for it.
func (t *text) callsTag() bool {
	return anyTag(t.apart, func(tag apartTag) bool { return tag.noun && tag.of == "" && tag.tag != "" })
}

// shareTag gives the images without a tag the only one that lines give for all images.
func (t *text) shareTag(shared []sharedTag) {
	if len(shared) != 1 {
		return
	}
	for _, c := range t.with(taken) {
		if c.lacksTag() && !c.isPasted() && c.giveTag(shared[0].tag) {
			c.judge(taken, "shared-tag")
		}
	}
}

// bodyGetsTags: "a/b:v1" above a link to the page of a/b.
func bodyGetsTags(e *evidence) {
	tags := make(map[reference.Repository]reference.Reference)
	for _, c := range e.title.with(taken) {
		if !c.lacksTag() {
			tags[c.repository()] = c.ref()
		}
	}
	if len(tags) == 0 {
		return
	}
	for _, c := range e.body.with(taken) {
		if ref, ok := tags[c.repository()]; ok && c.lacksTag() {
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
		if c.lacksTag() {
			c.judge(asked, "later-tag")
		}
	}
}

// moreOfThem: "a/b:1.2" above "also 1.3".
func moreOfThem(e *evidence) {
	for _, t := range e.texts() {
		for _, tag := range t.moreTags() {
			last := lastBefore(e.with(taken), tag)
			if last == nil {
				continue
			}
			one := *last
			if one.giveTag(tag.tag, JoinedLines) {
				one.line, one.at, one.from = tag.line, tag.at, tag.at
				one.judge(taken, "more-tags")
				t.add([]candidate{one})
			}
		}
	}
}

// moreTags returns the tags of a text that may be more tags of the image before them.
func (t *text) moreTags() []apartTag {
	tags := only(t.apart, func(tag *apartTag) bool { return tag.tag != "" && tag.adds })
	for _, version := range t.versions[:min(len(t.versions), maxUses)] {
		if looksLikeTag(version.tag) {
			tags = append(tags, apartTag{tag: version.tag, line: version.line})
		}
	}
	return tags
}

// lastBefore returns the last of the images before a tag with the name in front of it, if
// all those are of one repository and have other tags, and none is a digest; otherwise nil.
// A version that nothing adds is on the line below.
func lastBefore(all []*candidate, tag apartTag) *candidate {
	var last *candidate
	for _, c := range all {
		if !c.isBefore(tag.line, tag.at) || tag.of != "" && c.fits(tag.of) == 0 {
			continue
		}
		switch {
		case c.lacksTag(), c.tag() == tag.tag, c.ref().HasDigest():
			return nil
		case last != nil && c.repository() != last.repository():
			return nil
		}
		last = c
	}
	if last == nil || !tag.adds && last.line != tag.line-1 {
		return nil
	}
	return last
}

// ranges: "a/b:1.16.x".
func ranges(e *evidence) {
	e.dropIfAllTags()
	for _, t := range e.texts() {
		t.flaws = slices.Clip(t.flaws) // the evidence of others is not changed
		for _, c := range t.with(taken) {
			if !isSeries(c.tag()) {
				continue
			}
			p := *allTags(c.ref())
			p.Written, p.Line = c.image.Written, c.line
			t.flaws = append(t.flaws, flaw{line: c.line, at: c.at, problem: p})
			c.judge(dropped, "range")
		}
	}
}

// dropIfAllTags: "a/b" above "all tags of a/b".
func (e *evidence) dropIfAllTags() {
	all := map[string]bool{}
	for i := range e.body.flaws {
		p := &e.body.flaws[i].problem
		all[p.Suggestion] = all[p.Suggestion] || p.Code == AllTags
	}
	for _, c := range e.title.with(taken) {
		if c.lacksTag() && all[c.ref().String()] {
			c.judge(dropped, "range")
		}
	}
}

// titleTags: "rabbitmq with the UI" above "the tag is 3.12-management".
func titleTags(e *evidence) {
	if len(e.body.apart) == 0 || e.namesAny() || !e.isRequest() {
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
		if tag.tag == "" || tag.of == otherName {
			continue
		}
		lines[tag.line] = lines[tag.line] || tag.isCertain()
		if r := readWord(names[0] + ":" + tag.tag); lines[tag.line] && len(r.images) == 1 {
			c := candidate{line: tag.line, at: tag.at, from: tag.at, strength: tagged, place: inSentence}
			c.complete(r.images[0], JoinedLines)
			c.judge(taken, "title-tags")
			found = append(found, c)
		}
	}
	e.body.add(found)
}

// namesAny reports whether the text names an image that counts or is in question, or its
// body one that does not count, or there is a problem with it.
func (e *evidence) namesAny() bool {
	return e.isFlawed() || len(e.with(taken))+len(e.with(asked))+len(e.body.with(dropped)) > 0
}

// isCertain reports whether a word is a tag and not the version of something.
func (tag *apartTag) isCertain() bool {
	return tag.noun || tag.announced || tag.shared || strings.Contains(tag.tag, "-")
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
