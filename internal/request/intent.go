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
	if isPolite(said) && (isAboutImage(said) && (images > 0 || isPolite(notImperative.without(said))) || images > 0 && (other <= talk || desires.in(said)) && !others.in(said)) {
		return true
	}
	if isPolite(said) && strings.HasSuffix(said, ":") && !others.in(said) && !questions.in(said) {
		return true // "we need all of these:"
	}
	if _, thanked := thanks.cut(strings.TrimRight(said, " .!~,")); thanked && images > 0 && other <= talk && !praises.in(said) {
		return true
	}
	return (images > 0 || title && strings.Contains(said, "image")) && orders.starts(afterCommitType(strings.TrimLeft(said, "# -*")))
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
	if l.fenced || strings.HasPrefix(strings.TrimLeft(l.text, " "), "#") || strings.ContainsAny(l.text, "={}[]$;|<>") || strings.Contains(l.text, "   ") {
		return 0
	}
	if len(toks) > 1 && reads != nil && len(reads[0].images) > 0 && strings.HasSuffix(l.text, ")") && strings.HasPrefix(strings.TrimLeft(l.text[min(len(l.text), toks[0].at+len(toks[0].text)):], "` "), "(") {
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

// hostsOfNames removes the registries of references, which say nothing about
// pulling.
var hostsOfNames = phrases{list: "docker.io/|ghcr.io/|quay.io/|gcr.io/"}

// canItBe removes questions that look like failures.
var canItBe = phrases{list: "能不能|有没有"}

// readIntent notes what a line, in lower case, says about the whole text.
func (s *scan) readIntent(said string, on marks) {
	fails := on.has(&failing) && failing.in(canItBe.without(said))
	isolated := on.has(&apart)
	s.fails, s.isolated = s.fails || fails, s.isolated || isolated
	s.lacks = s.lacks || (fails || isolated) && fetching.in(hostsOfNames.without(said)) && !strings.Contains(said, "am i missing") || on.has(&absent)
	s.running = s.running || on.has(&running)
}
