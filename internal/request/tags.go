package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// Tags that stand apart from the images, in other sentences or lines.

// noteTags records the tags of a line that belong to none of its images.
func (s *scan) noteTags(l *line, toks []token, reads []reading, old map[int]reading, said string, on marks) {
	given := func(at int, tag string) bool {
		return slices.ContainsFunc(reads[max(0, at-maxApart):min(len(reads), at+maxApart)], func(r reading) bool {
			return r.strength > bare && slices.ContainsFunc(r.images, func(i Image) bool { return i.Reference.Tag() == tag })
		})
	}
	if on.has(&sames) && len(s.apart) < maxUses {
		at := sames.index(said)
		_, of, _ := strings.Cut(said[at:], " as ")
		of, _, _ = strings.Cut(strings.TrimLeft(strings.TrimPrefix(of, "the "), "`"), " ")
		s.apart = append(s.apart, apartTag{line: l.number, at: at, of: strings.Trim(of, ".,;:)`")})
	}
	s.tagLater = s.tagLater || on.has(&laterTags)
	one := anyTags.in(said)
	for i, t := range toks {
		if len(s.apart) == maxUses || t.kind != asciiWord || len(reads[i].images) > 0 && reads[i].strength > bare {
			continue
		}
		word := trimWord(t.text)
		announced := i > 0 && isTagNoun(toks[i-1]) || i+1 < len(toks) && isTagNoun(toks[i+1])
		told := i > 1 && (copulas.has(spoken(toks[i-1])) || toks[i-1].kind == otherWord) && isTagNoun(toks[i-2]) && isTag(word) && strings.ContainsAny(word, "-._") // "the tag is jammy-slim"
		told = told || announced && t.quoted && isTag(word) && word != "latest" && !on.has(&faultWords)                                                             // "the `edge` tag"
		told = told || isBesideLatest(toks, i)
		if announced = announced || told; word == "" || !looksLikeTag(word) && !told && (!announced || !isVersion(word)) || isAmount(toks, i) || leadsOn(toks, i) || t.faulty || isOldVersionIn(said, t.at) || given(i, word) {
			continue
		}
		of, beside, called := nameBefore(toks, i)
		if t.wanted || one && !bounds.has(spoken(toks[max(0, i-1)])) {
			of, announced = "", true
		} else if i+2 < len(toks) && ofMarks.has(spoken(toks[i+1])) && possessives.has(spoken(toks[i+2])) {
			of = "?" // "release 1.2 of our product"
		}
		adds := addsMore(said)
		if image := (&sentence{toks: toks, reads: reads}).lastImage(i); image >= 0 {
			adds = len(old) == 0 && isJoinedTo(said[toks[image].at+len(toks[image].text):t.at])
		}
		opens := startsTags(toks[:i])
		listed := opens && (i+2 >= len(toks) || !ofMarks.has(spoken(toks[i+1])) || isForAll(toks, i+2))
		s.apart = append(s.apart, apartTag{
			line: l.number, at: t.at, tag: word, of: of, noun: announced || called, announced: announced || called || beside, shared: l.number == 0 || distributives.in(said),
			adds: adds, nested: l.indent() > 0 && opens, listed: listed, each: sharesAll(toks, 0, i, i), paired: respectives.in(said),
		})
	}
}

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
	return !slices.ContainsFunc(before, func(t token) bool {
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

// nameBefore returns the name in front of the word at an index, in lower case,
// whether only words about tags are in between, and whether only words of a sentence
// are between it and a word for tags: "the tag for us is 1.2". The name is empty for
// none, and no name if the tag belongs to something else.
func nameBefore(toks []token, i int) (name string, beside, called bool) {
	const most = 5 // words in between
	beside = true
	noun, other := false, false
	for n := i - 1; n >= max(0, i-most); n-- {
		t := toks[n]
		word := spoken(t)
		switch {
		case t.text == ";" || strings.HasSuffix(t.text, ".") && n < i-1:
			return "", false, noun
		case other && t.kind == otherWord && ownersBefore.in(word):
			return "", false, false // "目前 1.1, 1.2 改了 API"
		case n < i-1 && known.ByShortName(word) == reference.DockerHub && word != "docker":
			if n > 0 && spoken(toks[n-1]) == "docker" {
				n-- // "what Docker Hub has as 1.2"
			}
		case owners.has(word) && (n == i-1 || !sentenceWords.has(word)) || environments.has(word):
			return "?", false, false
		case isTagNoun(t):
			noun = true
		case noun && (articles.has(word) || rightTags.has(word)):
			return "", true, true // "of a/b. The tag is 1.2"
		case tagMarks.has(word), t.kind == separator, t.kind == otherWord && (n > 0 && looksLikeTag(trimWord(toks[n-1].text)) || !ownersBefore.in(word)), isFiller(t.text), articles.has(word), decoration.has(word) && !sentenceWords.has(word):
		case t.kind == otherWord:
			return "?", false, false
		case looksLikeTag(trimWord(t.text)), isBesideLatest(toks, n):
			other = true
		case sentenceWords.has(word) || courtesies.has(word) || functionWords.has(word) || addings.in(" "+word+" "):
			beside = false
		case hasLetter(word):
			name, _ := cutTag(word)
			_, name, _ = cutLast(name)
			return name, beside, false
		}
	}
	return "", beside && (noun || i == 0), noun
}

// rightTags are words in front of a word for tags that say that it is the one to take.
var rightTags = wordSet{list: "new|right|exact|needed|required|wanted|correct|desired"}
