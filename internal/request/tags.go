package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// Tags that stand apart from the images, in other sentences or lines.

// noteTags records the tags of a line that belong to none of its images.
func (s *scan) noteTags(u *spokenLine) {
	if u.on.has(&sames) && len(s.apart) < maxUses {
		s.apart = append(s.apart, u.sameTag())
	}
	s.letter = s.letter || u.asksForV()
	s.tagLater = s.tagLater || u.on.has(&laterTags)
	anyone := anyTags.in(u.said)
	for i := range u.toks {
		if len(s.apart) == maxUses {
			return
		}
		if u.toks[i].kind != asciiWord || u.isImage(i) {
			continue
		}
		announced, ok := u.isApart(i)
		if !ok || isAmount(u.toks, i) || leadsOn(u.toks, i) || u.toks[i].faulty || isOldVersionIn(u.said, u.toks[i].at) || u.isGiven(i) {
			continue
		}
		tag := u.apartTag(i, announced, anyone)
		tag.more, tag.elsewhere = u.addsLonger(i, s.apart)
		if n := len(s.apart) - 1; n >= 0 && !tag.more && !tag.elsewhere && s.apart[n].line == tag.line && versionOf(tag.tag) == s.apart[n].tag && tag.tag != s.apart[n].tag {
			s.apart = s.apart[:n] // "1.2, so 1.2-alpine"
		}
		s.apart = append(s.apart, tag)
	}
}

// sameTag returns the statement of a line that an image gets the tag of another one: "the
// same tag as b".
func (u *spokenLine) sameTag() apartTag {
	at := sames.index(u.said)
	_, of, _ := strings.Cut(u.said[at:], " as ")
	of, _, _ = strings.Cut(strings.TrimLeft(strings.TrimPrefix(of, "the "), "`"), " ")
	return apartTag{line: u.number, at: at, of: strings.Trim(of, ".,;:)`")}
}

// isApart reports whether the word at an index has the form of a tag, or is called one,
// and whether a word beside it announces it.
func (u *spokenLine) isApart(i int) (announced, ok bool) {
	word := u.word(i)
	next := i + 1
	if next+1 < len(u.toks) && thisOne.has(u.toks[next].text) {
		next++ // "main 那个 tag"
	}
	announced = i > 0 && isTagNoun(u.toks[i-1]) || next < len(u.toks) && isTagNoun(u.toks[next])
	if word == "" {
		return announced, false
	}
	if u.isToldTag(i, announced) {
		return true, true
	}
	return announced, looksLikeTag(word) || announced && isVersion(word)
}

// isToldTag reports whether a line says that the word at an index is a tag, whatever its
// form.
func (u *spokenLine) isToldTag(i int, announced bool) bool {
	word := u.word(i)
	channel := isChannel(word)
	announced = announced && !u.on.has(&faultWords)
	quoted := announced && u.toks[i].quoted && word != "latest" // "the `edge` tag"
	named := i > 1 && isCopula(u.toks[i-1]) && isTagNoun(u.toks[i-2]) &&
		(channel || strings.ContainsAny(word, "-._") || strings.Contains(u.toks[i-1].text, "叫")) // "the tag is jammy-slim"
	called := announced && channel && (u.endsPhrase(i) || u.toks[i+1].kind == otherWord) // "tag nonroot"
	return (quoted || named) && isTag(word) || called || isBesideLatest(u.toks, i)
}

// isCopula reports whether a word can stand between a word for tags and a tag.
func isCopula(t token) bool { return t.kind == otherWord || copulas.has(spoken(t)) }

// isGiven reports whether an image near the word at an index has it as its tag.
func (s *sentence) isGiven(i int) bool {
	tag := s.word(i)
	variant := tag + "-" // of "1.2 alpine"
	if i+1 < len(s.toks) {
		variant += s.word(i + 1)
	}
	from, to := s.near(i)
	return anyReading(s.reads[from:to], func(r reading) bool {
		for i := range r.images {
			given := r.images[i].Reference.Tag()
			if r.strength > bare && (given == tag || len(variant) > len(tag)+1 && strings.HasPrefix(given, variant)) {
				return true
			}
		}
		return false
	})
}

// apartTag returns the tag at an index. anyone is set if the line says that any tag will
// do.
func (u *spokenLine) apartTag(i int, announced, anyone bool) apartTag {
	owner := u.ownerBefore(i)
	if u.toks[i].wanted || anyone && !bounds.has(spoken(u.toks[max(0, i-1)])) {
		owner.name, announced = "", true
	} else if u.isOfOurs(i) {
		owner.name = otherName
	}
	opens := startsTags(u.toks[:i])
	return apartTag{
		line: u.number, at: u.toks[i].at, tag: u.word(i), of: owner.name,
		noun: announced || owner.called, announced: announced || owner.called || owner.beside,
		shared: u.number == 0 || distributives.in(u.said),
		adds:   u.adds(i),
		nested: u.indent() > 0 && opens,
		listed: opens && !u.hasOtherOwner(i),
		each:   sharesAll(u.toks, 0, i, i),
		paired: respectives.in(u.said),
	}
}

// isOfOurs reports whether a version is that of something of the author's: "release 1.2 of
// our product".
func (s *sentence) isOfOurs(i int) bool {
	return i+2 < len(s.toks) && ofMarks.has(spoken(s.toks[i+1])) && possessives.has(spoken(s.toks[i+2]))
}

// hasOtherOwner reports whether a word such as "of" behind a tag gives it to something
// else than all images.
func (s *sentence) hasOtherOwner(i int) bool {
	return i+2 < len(s.toks) && ofMarks.has(spoken(s.toks[i+1])) && !isForAll(s.toks, i+2)
}

// adds reports whether a line adds the tag at an index to what is before it: to the image
// in front of it, also by words behind a mark or right behind the tag, as in "a/b:1.2, also
// 1.1" and "a/b:1.2，1.1 也要", or to the lines above.
func (u *spokenLine) adds(i int) bool {
	const most = 24 // bytes of the words
	image := u.lastImage(i)
	if image < 0 {
		return addsMore(u.said)
	}
	end := u.toks[i].end()
	between := u.said[u.toks[image].end():u.toks[i].at]
	behind, _, _ := strings.Cut(u.said[end:min(len(u.said), end+most)], ",")
	switch {
	case len(u.old) > 0:
		return false
	case len(between) > 2*most, !strings.Contains(between, ","), isExcludedBehind(u.said, end):
		return isJoinedTo(between)
	}
	return isJoinedTo(between) || addings.in(" "+strings.TrimLeft(between, " ,")) || addings.in(withoutDegree(behind)+" ")
}

// withoutDegree returns words without a "too" in front of another one: "is too big".
func withoutDegree(said string) string { return strings.Replace(said, " too ", " ", 1) }

// isBesideLatest reports whether the word at an index is a version in a list with the
// latest tag, or that tag: "v1.2 and latest".
func isBesideLatest(toks []token, i int) bool {
	isLatest := func(n int) bool { return spoken(toks[n]) == "latest" }
	isPair := func(mark, n int) bool {
		return n >= 0 && n < len(toks) && isTagListMark(lower(toks[mark].text)) &&
			(isLatest(n) && looksLikeTag(trimWord(toks[i].text)) || isLatest(i) && looksLikeTag(trimWord(toks[n].text)))
	}
	return isPair(i-1, i-2) || isPair(i+1, i+2)
}

// startsTags reports whether only tags and words for tags are in front of a tag.
func startsTags(before []token) bool {
	return !anyToken(before, func(t token) bool {
		return !isTagListMark(lower(t.text)) && !isTagNoun(t) && !looksLikeTag(trimWord(t.text)) && t.kind != separator
	})
}

// leadsOn reports whether an arrow is between the version at an index and the one that
// replaces it.
func leadsOn(toks []token, i int) bool {
	return i+2 < len(toks) && toks[i+1].text == "->" && isVersion(trimWord(toks[i+2].text))
}

// isJoinedTo reports whether the text between an image and a tag, in lower case, says
// that the tag is one more: ", and the".
func isJoinedTo(between string) bool {
	return conjunctions.starts(strings.TrimLeft(between, " ,;`\"'"))
}

// bounds are words in front of a version that is only the end of a range.
var bounds = wordSet{list: "above|than|after|over|since|least|below|before|under|until|>|>="}

// laterTags are words of sentences that promise a version.
var laterTags = phrases{list: "laterTags"}

// copulas stand between a word for tags and a tag.
var copulas = wordSet{list: "is|=|ist|es|est|é|是|为|は|это"}

// addsMore reports whether a line, in lower case, adds something to the text
// before it.
func addsMore(said string) bool {
	_, rest, edited := strings.Cut(said, ": ") // "edit: and 1.2"
	return addings.in(" "+said+" ") || conjunctions.starts(strings.TrimLeft(said, " -*+(")) || edited && conjunctions.starts(rest)
}

// addings are words of such lines, conjunctions those at their beginning.
var (
	addings      = phrases{list: "addings"}
	conjunctions = phrases{list: "conjunctions"}
)

// possessives are words behind "of" in front of what is no image.
var possessives = wordSet{list: "our|my|their|its|your"}

// functionWords are words of sentences in front of a tag, and no names.
var functionWords = wordSet{list: "functionWords"}

// sames are words that give an image the tag of another one.
var sames = phrases{list: "sames"}

// isTagNoun reports whether a word announces a tag, or is part of a phrase that
// does.
func isTagNoun(t token) bool {
	word := spoken(t)
	return tagNouns.has(word) || t.kind == otherWord && nounStems.in(word)
}

// nounStems are the beginnings of such words in languages that inflect them.
var nounStems = phrases{list: "nounStems"}

// isAmount reports whether the word at an index is a number of something, or the
// version since which something happens.
func isAmount(toks []token, i int) bool {
	if i+1 == len(toks) {
		return false
	}
	word := spoken(toks[i+1])
	if momentMarks.starts(word) {
		return true // "升级到 1.2 之后" tells when something happened
	}
	return amounts.has(strings.TrimSuffix(word, "s")) || units.has(word)
}

// momentMarks are words behind a version or a date that say when something happened.
var momentMarks = phrases{list: "之后|以后|后|开始|之前|以前"}

// amounts are what numbers count.
var amounts = wordSet{list: "amounts"}

// tagOwner is what the words in front of a tag say of whose it is.
type tagOwner struct {
	name   string // in lower case; empty for none
	beside bool   // only words about tags are in between
	called bool   // only words of a sentence are between it and a word for tags: "the tag for us is 1.2"
}

// ownerBefore returns the owner that the words in front of the tag at an index name.
func (s *sentence) ownerBefore(i int) tagOwner {
	const most = 5    // words in between
	beside := true    // only words about tags so far
	noun := false     // one of them is a word for tags
	otherTag := false // one of them is another tag
	for n := i - 1; n >= max(0, i-most); n-- {
		t := s.toks[n]
		word := spoken(t)
		switch {
		case t.text == ";" || strings.HasSuffix(t.text, ".") && n < i-1:
			return tagOwner{called: noun}
		case otherTag && t.kind == otherWord && ownersBefore.in(word):
			return tagOwner{} // "目前 1.1, 1.2 改了 API"
		case n < i-1 && known.ByShortName(word) == reference.DockerHub && word != "docker":
			if n > 0 && spoken(s.toks[n-1]) == "docker" {
				n-- // "what Docker Hub has as 1.2"
			}
		case environments.has(word), owners.has(word) && (n == i-1 || !sentenceWords.has(word)):
			return tagOwner{name: otherName}
		case isTagNoun(t):
			noun = true
		case noun && (articles.has(word) || rightTags.has(word)):
			return tagOwner{beside: true, called: true} // "of a/b. The tag is 1.2"
		case s.isAboutTags(n):
		case t.kind == otherWord:
			return tagOwner{name: otherName}
		case looksLikeTag(s.word(n)), isBesideLatest(s.toks, n):
			otherTag = true
		case isOfProse(word):
			beside = false
		case hasLetter(word):
			name, _ := cutTag(word)
			_, name, _ = cutLast(name)
			return tagOwner{name: name, beside: beside}
		}
	}
	return tagOwner{beside: beside && (noun || i == 0), called: noun}
}

// isAboutTags reports whether the word at an index only belongs to the tag behind it: a
// mark, an article, "version".
func (s *sentence) isAboutTags(i int) bool {
	t := &s.toks[i]
	word := spoken(*t)
	switch {
	case t.kind == separator, tagMarks.has(word), isFiller(t.text), articles.has(word):
		return true
	case t.kind == otherWord && (!ownersBefore.in(word) || i > 0 && looksLikeTag(s.word(i-1))):
		return true
	}
	return decoration.has(word) && !sentenceWords.has(word)
}

// isOfProse reports whether a word in front of a tag is one of a sentence, and no name.
func isOfProse(word string) bool {
	return sentenceWords.has(word) || courtesies.has(word) || functionWords.has(word) || addings.in(" "+word+" ")
}

// rightTags are words in front of a word for tags that say that it is the one to take.
var rightTags = wordSet{list: "new|right|exact|needed|required|wanted|correct|desired"}
