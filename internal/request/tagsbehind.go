package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// Tags that stand behind an image as words of their own: "a/b 1.2", "a/b : 1.2", "a/b:1.2,
// 1.3".

// joinTag reads "REPOSITORY TAG", "REPOSITORY : TAG" and "REPOSITORY (TAG)", as
// in tables and with typing errors, as one reference. It returns the index of
// its last token.
func (s *sentence) joinTag(r *reading, i int) (last int) {
	if i+1 >= len(s.toks) || !r.untagged() {
		return i
	}
	t, ok := s.tagBehind(i)
	if !ok {
		if isNamespaceWord(s.word(i)) {
			*r = reading{} // "Quay (quay.io/me): tag 1.2"
		}
		return i
	}
	if i > 0 && spoken(s.toks[i-1]) == "chart" && r.images[0].has(AssumedHost) && isVersion(t.tag) {
		*r = reading{strength: certain, problem: &Problem{Code: Ambiguous, Written: clip(s.toks[i].text), Suggestion: r.images[0].Reference.String()}}
		return t.at // the version of a Helm chart
	}
	if s.isNoTag(&t) || !s.isTagBehind(&t, r.strength >= path) || strings.HasSuffix(t.tag, "-"+r.images[0].name()) {
		return i // "the variant alpine (1.2-alpine)"
	}
	t.joinVariant(s)
	joined, ok := r.withTag(t.tag)
	if !ok {
		return i
	}
	if r.strength < path && !t.marked && !t.apart {
		joined.strength = path // "centos 8" in a story is what somebody's machine runs
	}
	*r = joined
	return t.at
}

// tagBehind is a word behind an image that may be its tag.
type tagBehind struct {
	word      token
	at        int // its index
	tag       string
	marked    bool // a colon or an equals sign is in front of it
	apart     bool // other words or marks are in front of it
	announced bool // by a word for tags
}

// tagBehind returns the word behind the image at an index that may be its tag. It is not
// ok if a colon is in front of a sentence about tags.
func (s *sentence) tagBehind(i int) (t tagBehind, ok bool) {
	before, announced := s.skipToTag(i)
	t = tagBehind{word: s.toks[before+1], at: before + 1, announced: announced}
	if strings.Trim(t.word.text, ":@") == "" && t.at+1 < len(s.toks) {
		t.at++
		if t.word = s.toks[t.at]; tagNouns.has(lower(t.word.text)) {
			return t, false
		}
		t.word.text = ":" + t.word.text
	}
	for _, name := range []string{"tag=", "version=", "ver=", "tag:", "version:"} {
		if value, ok := strings.CutPrefix(lower(t.word.text), name); ok && value != "" {
			t.word.text = ":" + t.word.text[len(name):]
		}
	}
	t.tag = strings.TrimRight(strings.TrimLeft(t.word.text, ":"), "?!") // "could you mirror b 1.2?"
	t.marked, t.apart = strings.HasPrefix(t.word.text, ":"), t.at > i+1
	return t, true
}

// skipToTag returns the index of the last word between an image and what may be its tag,
// that of the image if there is none, and whether one of them announces the tag.
func (s *sentence) skipToTag(i int) (last int, announced bool) {
	const most = 3 // words, apart from those in front of a word for tags
	if at := nounBehind(s.toks, i); at > i+1 {
		i, announced = at, true
	}
	if i+3 < len(s.toks) && s.toks[i+1].kind == otherWord && looksLikeTag(s.word(i+2)) && isTagNoun(s.toks[i+3]) {
		i++ // "b imajının 1.2 sürümünü"
	}
	for skipped := 0; skipped < most && i+2 < len(s.toks); skipped++ {
		word := s.toks[i+1].text
		if !tagWordsBetween.has(word) && !tagNouns.has(lower(strings.TrimRight(word, ":"))) {
			break
		}
		i++
		announced = announced || tagNouns.has(lower(strings.Trim(word, ":.")))
	}
	return i, announced
}

// isNoTag reports whether a word behind an image is certainly something else than its tag.
func (s *sentence) isNoTag(t *tagBehind) bool {
	switch {
	case t.word.kind != asciiWord, t.tag == "", t.word.faulty, httpErrors.has(t.tag):
		return true
	case t.marked && startsUpper(t.tag) && !hasDigit(t.tag):
		return true // "TASK [a/b : Install]"
	}
	return hasOwner(s.toks, t.at)
}

// isTagBehind reports whether a word behind an image is its tag, by its form and by the
// words beside it. named tells that the image has a slash.
func (s *sentence) isTagBehind(t *tagBehind, named bool) bool {
	switch {
	case t.marked, isVersion(t.tag), t.tag == "latest", (t.apart || named) && looksLikeTag(t.tag):
		return true
	case !isPlainTag(t.tag):
		return false
	case t.announced && isTag(t.tag):
		return true
	case t.at+1 < len(s.toks) && (named || s.toks[t.at-1].text == "的") && s.isCalledBehind(t):
		return true // "a/b 的 bookworm 标签"
	case named && s.toks[t.at-1].kind == otherWord && isChannel(t.tag) && (s.endsPhrase(t.at) || isTagListMark(s.toks[t.at+1].text)):
		return true // "a/b 的 stable"
	}
	return isTag(t.tag) && hasDigit(t.tag) && isBracketed(s.written, s.toks[t.at-1], t.word)
}

// isCalledBehind reports whether the words behind a word call it a tag: "java21 这个 tag".
func (s *sentence) isCalledBehind(t *tagBehind) bool {
	next := t.at + 1
	if tagNames.has(lower(s.toks[next].text)) {
		return s.toks[next-1].text == "的" || s.toks[t.at-1].text == "的" || isTag(t.tag) && s.endsPhrase(next)
	}
	return thisOne.has(s.toks[next].text) && next+1 < len(s.toks) && isTagNoun(s.toks[next+1])
}

// isChannel reports whether a word is a tag without a version: "nonroot", "cu124-slim".
func isChannel(word string) bool {
	first, last, dash := strings.Cut(word, "-")
	return channels.has(first) && (!dash || channels.has(last)) || dash && hasDigit(first) && (channels.has(last) || isVariant(last))
}

// channels are tags that have no version, thisOne words between one and a word for tags.
var (
	channels = wordSet{list: "stable|main|master|edge|nightly|beta|dev|develop|canary|debug|nonroot|testing|lts|mainline|rolling|cuda|rocm"}
	thisOne  = wordSet{list: "这个|那个|這個|那個|的|라는|という"}
)

// joinVariant adds the words for a variant behind a version to it: "redis 7.2 alpine". The
// name of an image with a tag of its own is none.
func (t *tagBehind) joinVariant(s *sentence) {
	for n := t.at + 1; n < len(s.toks) && isVersion(t.tag) && !t.marked; n++ {
		word := s.word(n)
		if s.written[s.toks[n-1].at+len(s.word(n-1)):s.toks[n].at] != " " || !isVariant(word) || n+1 < len(s.toks) && isVersion(s.word(n+1)) {
			return
		}
		t.tag, t.at = t.tag+"-"+word, n
	}
}

// isVariant reports whether a word, or each of its parts, is the end of tags of variants.
func isVariant(word string) bool {
	for _, part := range strings.Split(word, "-") {
		if !variants.has(part) {
			return false
		}
	}
	return true
}

// variants are the ends of tags of the variants of a version.
var variants = wordSet{list: "alpine|slim|fpm|bookworm|bullseye|trixie|jammy|noble|jre|jdk|rootless|distroless|management|apache"}

// withTag returns the reading of an untagged image with a tag that stands apart.
func (r *reading) withTag(tag string) (joined reading, ok bool) {
	image := &r.images[0]
	name := strings.TrimRight(image.Written, ":")
	link := strings.Contains(name, "://")
	if link {
		name = r.repository().String()
	}
	joined = readWord(name + ":" + tag)
	if len(joined.images) != 1 || joined.repository() != r.repository() {
		return joined, false
	}
	one := &joined.images[0]
	if link {
		one.Written = clip(image.Written + " " + tag)
	}
	one.Assumptions = append(one.Assumptions, RemovedSpace)
	one.Platforms = image.Platforms
	return joined, true
}

// moreTags reads further tags of the same repository after the first: "a/b:v1,
// v2", "a/b 的 v1 和 v2". It returns the index of the last token.
func (s *sentence) moreTags(r *reading, i int) (last int) {
	if len(r.images) != 1 || r.images[0].Reference.Tag() == "" || r.images[0].Reference.HasDigest() || i+1 >= len(s.toks) {
		return i
	}
	if latestMarks.has(s.toks[i+1].text) {
		r.images[0] = r.images[0].named(r.images[0].Reference)
	}
	first := r.images[0]
	if at := alsoAs(s.toks, i); at > 0 && isVersion(s.word(at)) && r.addTag(&first, s.word(at), s.toks[at].text) {
		i = at
	}
	for last = i; ; {
		mark := s.remarkEnd(last) + 1
		if mark+1 >= len(s.toks) || !isTagListMark(s.toks[mark].text) && !latestMarks.has(s.toks[mark].text) {
			break
		}
		tag, ok := s.nextTag(&first, mark-1, mark+1)
		if !ok || !r.addTag(&first, tag, tag) {
			break
		}
		last = mark + 1
	}
	return last
}

// remarkEnd returns the index of the last word of the remark in brackets behind the word
// at an index, and the index itself if there is none: "`a/b:v1` (pinned) and `edge`".
func (s *sentence) remarkEnd(i int) int {
	const most = 5 // words of the remark
	if i+1 == len(s.toks) || strings.TrimLeft(s.written[s.toks[i].end():s.toks[i+1].at], " `*") != "(" {
		return i
	}
	for n := i + 1; n < min(len(s.toks)-1, i+1+most); n++ {
		if s.written[s.toks[n].end()] == ')' {
			return n
		}
	}
	return i
}

// addTag adds an image with another tag than the first one, and reports whether that is
// valid.
func (r *reading) addTag(first *Image, tag, written string) bool {
	ref, err := first.Reference.Repository().Tagged(tag)
	if err != nil {
		return false
	}
	image := *first
	image.Reference, image.Written = ref, clip(first.Written+", "+written)
	r.images = append(r.images, image)
	return true
}

// nextTag returns the word at an index of a list of tags if it is one more tag of the
// first image, of which the list has the one at last as well.
func (s *sentence) nextTag(first *Image, last, i int) (tag string, ok bool) {
	if hasOwner(s.toks, i) || isAmount(s.toks, i) || s.toks[i-1].text == "," && isExcludedBehind(s.said, s.toks[i].end()) {
		return "", false
	}
	word := s.word(i)
	if again, ok := strings.CutPrefix(word, first.name()+":"); ok {
		return again, true // "gcr.io/a/b:v1, b:v2"
	}
	return word, s.toks[i].kind == asciiWord && s.isNextTag(first.Reference.Tag(), last, i)
}

// isNextTag reports whether the word at an index is one more tag behind the one at last,
// by its form and by the words beside it.
func (s *sentence) isNextTag(first string, last, i int) bool {
	word := s.word(i)
	switch {
	case isVersion(word) && strings.Contains(word, "."):
		return true
	case looksLikeTag(word) && (isVersion(word) || strings.Contains(word, first) || last > 0 && isTagNoun(s.toks[last-1])):
		return true
	case isChannel(word) && isChannel(first) && s.endsPhrase(i):
		return true
	case continuesMajors(s.toks, i, first), isSameForm(word, first) && isPlainTag(word):
		return true
	case s.toks[i].quoted && isTag(word), word == "latest" && s.endsPhrase(i):
		return true
	}
	return isTag(word) && (endsInTags(s.toks[i+1:]) || closesBracket(s.written, s.toks[last], s.toks[i]) || insideKey(s.toks, last, i))
}

// endsPhrase reports whether the word at an index is the last one of its phrase.
func (s *sentence) endsPhrase(i int) bool {
	return i+1 == len(s.toks) || s.toks[i+1].kind == separator || strings.HasSuffix(s.toks[i].text, ".") || isFiller(s.toks[i+1].text)
}

// continuesMajors reports whether the word at an index continues a list of major
// versions, and does not count what follows: "redis 6, 7", not "redis:6, 2 nodes".
func continuesMajors(toks []token, i int, tag string) bool {
	return isDigits(tag) && isDigits(trimWord(toks[i].text)) && len(toks[i].text) <= len(tag)+1 && (toks[i-1].text != "," || toks[i].at > toks[i-1].at+1) &&
		(i+1 == len(toks) || toks[i+1].kind == separator || isTagListMark(toks[i+1].text) || isFiller(toks[i+1].text))
}

// alsoAs is the index of the word behind "also" or "also as", if that stands right
// behind toks[i]; 0 for none.
func alsoAs(toks []token, i int) int {
	at := i + 1
	if at+1 >= len(toks) || toks[at].text != "also" && toks[at].text != "plus" {
		return 0
	}
	if at++; toks[at].text == "as" && at+1 < len(toks) {
		at++
	}
	return at
}

// insideKey reports whether the words from one to another are in one quoted key:
// "a/b:v1,latest": "target".
func insideKey(toks []token, from, to int) bool {
	group := toks[from].group
	if group == 0 || toks[to].group != group {
		return false
	}
	for to+1 < len(toks) && toks[to+1].group == group {
		to++
	}
	return toks[to].key
}

// closesBracket reports whether the first of two words opens a bracket that the second
// one closes.
func closesBracket(text string, first, second token) bool {
	end := second.at + len(second.text)
	return first.at > 0 && end < len(text) && strings.HasSuffix(strings.TrimRight(text[:first.at], "`"), "(") && strings.HasPrefix(strings.TrimLeft(text[end:], "`"), ")")
}

// nounBehind returns the index of a word for tags that stands behind the name at
// toks[i], with a few words in between that are no names: "a/b in der Version 1.2".
func nounBehind(toks []token, i int) int {
	const most = 3 // words in between
	for n := i + 1; n < min(len(toks)-1, i+2+most); n++ {
		switch t := toks[n]; {
		case tagNouns.has(spoken(t)):
			return n
		case t.kind == asciiWord && (len(t.text) > 4 || !isLetters(t.text) || known.IsOfficial(t.text)), t.kind == separator && t.text != ",":
			return 0
		}
	}
	return 0
}

// versionsOf returns the version numbers among the words of a line.
func versionsOf(toks []token) []string {
	var versions []string
	for _, t := range toks {
		if w := trimWord(t.text); t.kind == asciiWord && isVersion(w) && strings.Contains(w, ".") {
			versions = append(versions, w)
		}
	}
	return versions
}

// calledTags are the words of a list that the word behind it calls tags: "latest
// 和 hostmode 两个标签".
func calledTags(toks []token) []string {
	var tags []string
	for i, t := range toks {
		word := trimWord(t.text)
		if t.kind != asciiWord || len(word) < 2 || strings.ContainsAny(word, "/:@") {
			continue
		}
		if n := len(tags); n > 0 && !isTagListMark(toks[i-1].text) {
			return nil
		}
		tags = append(tags, word)
		if i+1 == len(toks) || !isTagListMark(toks[i+1].text) {
			if len(tags) < 2 || len(tags) > maxUses || !endsInTags(toks[i+1:]) || !slices.ContainsFunc(tags, isTag) {
				return nil
			}
			return tags
		}
	}
	return nil
}

// formTags are the words of the first list of words that differ only by their numbers, and
// have a mark that names of hosts and programs rarely have: "java_8 and java_17".
func formTags(toks []token) []string {
	for i, t := range toks {
		first := trimWord(t.text)
		if !strings.Contains(first, "_") || !isTag(first) {
			continue
		}
		tags := []string{first}
		for _, next := range toks[i+1 : min(len(toks), i+maxUses)] {
			if word := trimWord(next.text); isSameForm(word, first) {
				tags = append(tags, word)
			} else if !isTagListMark(lower(next.text)) {
				break
			}
		}
		if len(tags) > 1 {
			return tags
		}
	}
	return nil
}

// endsInTags reports whether the text after a word calls it a tag: "v1、beta 三个
// tag".
func endsInTags(toks []token) bool {
	for _, t := range toks[:min(len(toks), 3)] {
		if word := lower(t.text); strings.Contains(word, "tag") || strings.Contains(word, "标签") || strings.Contains(word, "版本") || strings.Contains(word, "version") {
			return true
		}
	}
	return false
}

// isPlainTag reports whether a word could be a tag and is not the name of an
// image.
func isPlainTag(word string) bool {
	return len(word) > 1 && !strings.ContainsAny(word, "/:@") && hasLetter(word)
}

// isBracketed reports whether the second of two words is alone in brackets
// behind the first.
func isBracketed(text string, first, second token) bool {
	from, end := min(first.at+len(first.text), second.at), second.at+len(second.text)
	return strings.TrimLeft(text[from:second.at], " `*") == "(" && end < len(text) && text[end] == ')'
}

// tagListMarks are separators between tags of one repository, beside "|".
var tagListMarks = wordSet{list: "tagListMarks"}

func isTagListMark(word string) bool { return word == "|" || tagListMarks.has(word) }

// latestMarks are tagListMarks after the word for the latest tag.
var latestMarks = wordSet{list: "latestMarks"}

// tagWordsBetween are words between a repository and its tag.
var tagWordsBetween = wordSet{list: "tagWordsBetween"}

// tagNouns are words that only announce a tag.
var tagNouns = wordSet{list: "tagNouns"}

// tagNames are words after a tag in a sentence: "的 bookworm 标签".
var tagNames = wordSet{list: "tagNames"}

// httpErrors are numbers behind an image that registries answer.
var httpErrors = wordSet{list: "401|403|404|429|500|502|503|504"}
