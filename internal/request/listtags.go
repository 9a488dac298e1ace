package request

import (
	"slices"
	"strings"
)

// Tags that a sentence gives to all images of a list, or to each its own.

// shareTag assigns a version to a list of images: one behind words that ask for something
// ("a/b and a/c, please copy 1.2"), that of the last image, and one in front of the list.
func (s *sentence) shareTag() {
	s.spreadTag()
	s.spreadNoun()
	const fewest = 3 // words in front of the version: two images and a mark
	for i := fewest; i < len(s.toks); i++ {
		if !s.isLoneVersion(i) || s.toks[i].faulty || hasOwner(s.toks, i) {
			continue
		}
		last, asks := s.listInFrontOf(i)
		if !asks {
			continue
		}
		if all := s.listOfOpen(last, s.word(i)); len(all) > 1 {
			s.giveAll(all, s.word(i))
		}
	}
}

// listInFrontOf returns the index of the last image in front of a version, or of the word
// behind which it would be, and whether a word in between asks for something.
func (s *sentence) listInFrontOf(version int) (last int, asks bool) {
	const most = 4 // words in between
	for last = version - 1; last > 0 && last >= version-most && !s.isImage(last); last-- {
		asks = asks || asksForAny(lower(s.toks[last].text)+" ") || genitives.has(s.toks[last].text)
	}
	return last, asks
}

// isLoneVersion reports whether the word at an index is a version that stands apart.
func (s *sentence) isLoneVersion(i int) bool {
	word := s.word(i)
	return s.toks[i].kind == asciiWord && isVersion(word) && strings.ContainsAny(word, ".-v") && len(s.reads[i].images) == 0
}

// spreadTag assigns a tag behind the last image of a list to all of it, if the
// sentence says so, or a comma or a word for tags is in between: "both a/b and a/c in
// version 1.2".
func (s *sentence) spreadTag() {
	const most = 3 // words up to the one for tags
	for i := 2; i+1 < len(s.toks); i++ {
		if !s.reads[i].joined() {
			continue
		}
		marked := s.on.has(&distributives) || s.toks[i+1].text == "," || strings.HasSuffix(s.toks[i].text, ":")
		if marked || anyToken(s.toks[i+1:min(len(s.toks), i+1+most)], isTagNoun) {
			tag := s.reads[i].images[0].Reference.Tag()
			s.giveAll(s.listOfOpen(i, tag), tag)
		}
	}
}

// spreadNoun assigns a tag to the list behind it, if a word for tags and a colon are in
// between: "the 1.2 tags: a/b, a/c".
func (s *sentence) spreadNoun() {
	for i := 0; i+3 < len(s.toks); i++ {
		noun := s.toks[i+1]
		if !s.isLoneVersion(i) || !isTagNoun(noun) || !strings.HasSuffix(noun.text, ":") {
			continue
		}
		last := i + 2
		for last+2 < len(s.toks) && isTagListMark(lower(s.toks[last+1].text)) && s.isOpen(last+2) {
			last += 2
		}
		if all := s.listOfOpen(last, s.word(i)); len(all) > 1 {
			s.giveAll(all, s.word(i))
		}
		i = last
	}
}

// giveAll assigns a tag to those of some images that have none.
func (s *sentence) giveAll(all []int, tag string) {
	for _, n := range all {
		if s.reads[n].untagged() {
			s.reads[n].give([]string{tag})
		}
	}
}

// genitives are words between images and a tag of theirs.
var genitives = wordSet{list: "の|的|의|要"}

// listOfOpen returns the images without a tag in a list that ends with the one at an
// index, which may have the given one; nil if another image is in the list.
func (s *sentence) listOfOpen(last int, tag string) (all []int) {
	for i := last; i >= 0 && len(all) < maxUses; i-- {
		switch {
		case isTagListMark(lower(s.toks[i].text)) || isJoiner(s.toks[i]):
		case i == last && s.reads[i].joined() && s.reads[i].images[0].Reference.Tag() == tag:
			all = append(all, i)
		case s.isImage(i) && !s.isOpen(i):
			return nil
		case !s.isOpen(i):
			return all
		case len(all) > 0 && all[len(all)-1] == i+1:
			return all // no mark in between
		default:
			all = append(all, i)
		}
	}
	return all
}

// tagPairs are a list of images without tags and a list of versions in one line.
type tagPairs struct {
	toks             []token
	images, versions []int // their indices
	written          []string
}

// pairTags returns the tags of the images in a list without tags, by their tokens, if a
// list of versions stands in the same line: each has its own, "a/b and a/c, 1.2 and
// 1.3", or all have all, "versions 1.2 and 1.3 of both". It is not sure if the line does
// not say which of both, and the versions differ only in their last numbers, or if each
// is said to have its own, and there are not as many.
func pairTags(toks []token, text string) (tags map[int][]string, sure bool) {
	p, ok := listsOf(toks)
	if !ok {
		return nil, false
	}
	each, sure, ok := p.distribute(lower(text))
	if !ok {
		return nil, false
	}
	tags = make(map[int][]string, len(p.images))
	for n, i := range p.images {
		if each {
			tags[i] = p.written
		} else {
			own := min(n, len(p.written)-1)
			tags[i] = p.written[own : own+1]
		}
	}
	return tags, sure
}

// listsOf returns the list of images and the list of versions in a line, if it has one of
// both, and no other images.
func listsOf(toks []token) (p tagPairs, ok bool) {
	p.toks = toks
	for i, t := range toks {
		if t.kind != asciiWord {
			continue
		}
		switch word := trimWord(t.text); {
		case isListedVersion(word):
			p.versions = append(p.versions, i)
		case isPath(word):
			if strings.ContainsAny(word[strings.LastIndexByte(word, '/'):], ":@") || len(p.images) == maxUses {
				return p, false
			}
			p.images = append(p.images, i)
		}
	}
	if len(p.images) < 2 || len(p.versions) < 2 || len(p.versions) > maxUses {
		return p, false
	}
	if isAmount(toks, p.versions[len(p.versions)-1]) || !isListed(toks, p.images) || !isListed(toks, p.versions) {
		return p, false
	}
	for _, i := range p.versions {
		p.written = append(p.written, trimWord(toks[i].text))
	}
	return p, true
}

// isListedVersion reports whether a word in a list is a version and not a mere number.
func isListedVersion(word string) bool {
	if isVersion(word) {
		return strings.Contains(word, ".") || word[0] == 'v'
	}
	return strings.HasPrefix(word, "RELEASE.") && looksLikeTag(word)
}

// isPath reports whether a word has a slash inside, and is no address of a page.
func isPath(word string) bool {
	return len(word) > 2 && strings.Contains(strings.Trim(word, "/"), "/") && !strings.Contains(word, "://")
}

// distribute decides whether each image gets all versions or its own, and whether that is
// sure; ok is false if the versions are not said of the images.
func (p *tagPairs) distribute(said string) (each, sure, ok bool) {
	from, to := p.images[len(p.images)-1]+1, p.versions[0]
	ahead := to < p.images[0] // "1.2 and 1.3 of a/b and a/c"
	if ahead {
		from, to = p.versions[len(p.versions)-1]+1, p.images[0]
		if !ofMarks.has(spoken(p.toks[from])) {
			return false, false, false
		}
	}
	between := p.toks[from:to]
	same := len(p.images) == len(p.versions)
	switch {
	case respectives.in(said):
		return false, same, true
	case sharesAll(p.toks, from, to, max(p.images[len(p.images)-1], p.versions[len(p.versions)-1])):
		return true, true, true
	case ahead:
		return false, false, false
	case !same && anyToken(between, isTagNoun):
		// "a/b, a/c and a/d, tags 1.2 and 1.3", but not "used in charts of versions 1.2 and 1.3"
		return true, !anyToken(between, isProse), true
	case !same:
		return false, false, false
	case isOneSeries(p.written):
		both := p.images[0] > 0 && isForAll(p.toks, p.images[0]-1) // "both a/b and a/c, 1.2.3 and 1.2.4"
		return both, both, true
	}
	return false, true, true
}

// isProse reports whether a word between images and tags is of a sentence about something
// else.
func isProse(t token) bool {
	return t.kind == asciiWord && trimWord(t.text) != "" && !isTagNoun(t) && !isFiller(t.text)
}

// respectives are words that give the first of some images the first of some tags, and
// so on.
var respectives = phrases{list: "respectives"}

// sharesAll reports whether a word gives all images all tags: one of the four in front
// of the second of two lists, behind the last mark, or of the four behind it, up to a
// mark, thanks or the end of the sentence.
func sharesAll(toks []token, first, second, last int) bool {
	const most = 4 // words
	from := second
	for from > first && from > second-most && (toks[from-1].kind != separator || from > 1 && isTagNoun(toks[from-2])) {
		from--
	}
	if anyForAll(toks, from, second) {
		return true
	}
	behind := last + 1
	if behind < len(toks) && toks[behind].text == "," {
		behind++
	}
	to := behind
	for to < len(toks) && to < behind+most && toks[to].kind != separator && !strings.HasSuffix(toks[to-1].text, ".") && !thanking.in(spoken(toks[to])) {
		to++
	}
	return anyForAll(toks, behind, to)
}

// anyForAll reports whether one of the words between two indices is for all images or tags.
func anyForAll(toks []token, from, to int) bool {
	for i := from; i < to; i++ {
		if isForAll(toks, i) {
			return true
		}
	}
	return false
}

// isForAll reports whether the word at an index says that all images or tags are meant,
// and not all of something else: "for both", but not "for all clusters".
func isForAll(toks []token, i int) bool {
	word := spoken(toks[i])
	if toks[i].kind == otherWord {
		return distributives.in(word) || eachParts.in(word)
	}
	if !eachOnes.has(word) {
		return false
	}
	return i+1 == len(toks) || toks[i+1].kind != asciiWord || !isOtherThing(toks[i+1])
}

// isOtherThing reports whether a word behind "all" is for something else than images and
// tags.
func isOtherThing(t token) bool {
	word := spoken(t)
	switch {
	case isVersion(word), strings.Contains(word, "/"):
		return false
	case possessives.has(word):
		return true
	}
	return !sentenceWords.has(word) && !isTagNoun(t) && !tagMarks.has(word) && !courtesies.has(word) && !nouns.in(word)
}

// eachOnes are words beside a list of tags that all images get, eachParts the same
// inside of text in other scripts, beside distributives.
var (
	eachOnes  = wordSet{list: "eachOnes"}
	eachParts = phrases{list: "各|每|两个版本|兩個版本|两个标签|这两个|кажд|всех|모든"}
)

// isOneSeries reports whether versions differ only in their last number: "1.2.3" and
// "1.2.4".
func isOneSeries(versions []string) bool {
	series := func(version string) string {
		version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
		return version[:max(0, strings.LastIndexByte(version, '.'))]
	}
	return series(versions[0]) != "" && !slices.ContainsFunc(versions, func(v string) bool { return series(v) != series(versions[0]) })
}

// isListed reports whether only separators of a list are between some words.
func isListed(toks []token, words []int) bool {
	for n, i := range words[1:] {
		if !onlyListMarks(toks[words[n]+1 : i]) {
			return false
		}
	}
	return true
}
