package request

import (
	"strings"
	"unicode/utf8"
)

// Sentences about the whole text: whether it asks for images at all, or only
// mentions some.

// wantsImage reports whether a sentence, in lower case, with some images and
// other words asks for an image.
func wantsImage(said string, title bool, images, other int) bool {
	few := images > 0 && other <= talk // images with few other words
	if isPolite(said) {
		switch {
		case isAboutImage(said) && (images > 0 || isPolite(notImperative.without(said))):
			return true
		case others.in(said):
		case few, images > 0 && desires.in(said):
			return true
		case strings.HasSuffix(said, ":") && !questions.in(said): // "we need all of these:"
			return true
		}
	}
	if few && isThanked(said) {
		return true
	}
	return (images > 0 || title && strings.Contains(said, "image")) && orders.starts(afterCommitType(strings.TrimLeft(said, "# -*")))
}

// isThanked reports whether a sentence thanks for an image in advance.
func isThanked(said string) bool {
	_, thanked := thanks.cut(strings.TrimRight(said, " .!~,"))
	return thanked && !praises.in(said)
}

// thanks are words at the end of sentences that thank for an image in advance; thanked
// finds them anywhere.
var (
	thanks  = endings{list: "thanks"}
	thanked = phrases{list: "thanks"}
)

// praises are words of sentences that say that something works.
var praises = phrases{list: "praises"}

// desires are words of sentences in which authors say what they want.
var desires = phrases{list: "desires"}

// notImperative removes verbs that are nouns in sentences without an image: "the
// sync of images".
var notImperative = phrases{list: "notImperative"}

// orders are verbs at the beginning of sentences that ask for an image.
var orders = phrases{list: "orders"}

// Words of sentences that say that an image cannot be had: one of fetching, and
// one of the others. A network that is apart is no fault on its own.
var (
	fetching = phrases{list: "fetching"}
	failing  = phrases{list: "failing"}
	apart    = phrases{list: "apart"}
)

// absent are words that say so on their own.
var absent = phrases{list: "absent"}

// running are words of sentences about running containers, not about having
// their images.
var running = phrases{list: "running"}

// wordsOf returns about how many words of prose a line has: words that are no
// image, and pairs of characters in other scripts. Code, comments and headings
// have none.
func wordsOf(l *line, toks []token, reads []reading) int {
	const fewest = 3 // of a sentence
	switch {
	case l.fenced, looksLikeCode(l.text):
		return 0
	case len(toks) > 1 && reads != nil && len(reads[0].images) > 0 && isInBrackets(l.text, toks[0]):
		return 0 // an image with a remark
	}
	words := 0
	for i, t := range toks {
		switch {
		case t.kind == asciiWord && (reads == nil || len(reads[i].images) == 0 || reads[i].strength <= bare):
			words++
		case t.kind == otherWord && isChinese(t.text):
			words += utf8.RuneCountInString(t.text) / 2
		case t.kind == otherWord:
			words++
		}
	}
	if words < fewest {
		return 0
	}
	return words
}

// looksLikeCode reports whether a line is code, a comment, a heading or a row of a table.
func looksLikeCode(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(text, " "), "#") || strings.ContainsAny(text, "={}[]$;|<>") || strings.Contains(text, "   ")
}

// isInBrackets reports whether all that is behind the first word of a line is a remark:
// "a/b:1 (for the lab)".
func isInBrackets(text string, first token) bool {
	behind := text[min(len(text), first.at+len(first.text)):]
	return strings.HasPrefix(strings.TrimLeft(behind, "` "), "(") && strings.HasSuffix(text, ")")
}

// hostsOfNames removes the registries of references, which say nothing about
// pulling.
var hostsOfNames = phrases{list: "docker.io/|ghcr.io/|quay.io/|gcr.io/"}

// canItBe removes questions that look like failures.
var canItBe = phrases{list: "能不能|有没有"}

// readIntent notes what a line, in lower case, says about the whole text.
func (s *scan) readIntent(said string, on marks) {
	fails := on.has(&failing) && failing.in(canItBe.without(said))
	isolated := on.has(&apart)
	s.fails = s.fails || fails
	s.isolated = s.isolated || isolated
	s.running = s.running || on.has(&running)
	s.lacks = s.lacks || on.has(&absent) || (fails || isolated) && isAboutFetching(said)
}

// isAboutFetching reports whether a line that tells of a failure is about getting an image.
func isAboutFetching(said string) bool {
	return fetching.in(hostsOfNames.without(said)) && !strings.Contains(said, "am i missing")
}
