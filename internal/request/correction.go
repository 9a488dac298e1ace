package request

import (
	"strings"
)

// Sentences with which authors take back what they have written above.

// corrections are words with which authors take back what they have written;
// regrets do so if hardly anything but a version is beside them.
var (
	corrections = phrases{list: "corrections"}
	regrets     = phrases{list: "regrets"}
)

// noteCorrection notes that a sentence corrects what is before some word of it: "I meant
// 1.2", "not 1.1, but 1.2". More corrections than maxUses are not read: each looks at all
// images before it.
func (s *scan) noteCorrection(u *spokenLine) {
	at, old := -1, ""
	if u.on.has(&corrections) || u.on.has(&regrets) {
		at = s.correctionAt(u)
	}
	if at >= 0 {
		old = s.given(u.toks)
	}
	if excluded := u.excludedVersion(); excluded != "" {
		old = excluded
	}
	if (at >= 0 || old != "") && len(s.corrected) < maxUses {
		s.noteCorrected(u, at, old)
	}
}

// noteCorrected notes what the words of a sentence correct that takes something back from
// an offset on, or if that is -1, excludes an old version: with an image behind the offset,
// or a version, else with the last version in front of it.
func (s *scan) noteCorrected(u *spokenLine, at int, old string) {
	one := correction{line: u.number, old: old}
	for i, t := range u.toks {
		word := u.word(i)
		switch {
		case t.kind != asciiWord || word == old:
		case t.at >= at && u.isImage(i):
			s.corrected = append(s.corrected, correction{line: u.number, at: max(0, at), old: old})
			return
		case u.isWantedVersion(i):
			one.tag, one.of = word, u.wordsBefore(i)
			if t.at >= at {
				one.at = max(0, at)
				s.corrected = append(s.corrected, one)
				return
			}
		}
	}
	if one.tag != "" {
		s.corrected = append(s.corrected, one)
	}
}

// excludedVersion returns the last version that a sentence excludes; empty for none.
func (s *sentence) excludedVersion() (last string) {
	for i := range s.toks {
		if word := s.word(i); len(s.reads[i].images) == 0 && isVersion(word) && s.isExcluded(i) {
			last = word
		}
	}
	return last
}

// isWantedVersion reports whether the word at an index is a version, and neither that of
// another program nor one that is there.
func (s *sentence) isWantedVersion(i int) bool {
	if word := s.word(i); !isVersion(word) || !strings.ContainsAny(word, ".-") {
		return false
	}
	return s.ownerBefore(i).name != otherName && !isOldVersionIn(s.said, s.toks[i].at)
}

// wordsBefore returns the words in front of the one at an index that may be the name of
// its image.
func (s *sentence) wordsBefore(i int) (words []string) {
	const most = 6
	for _, t := range s.toks[max(0, i-most):i] {
		words = append(words, spoken(t))
	}
	return words
}

// correctionAt returns where a sentence begins to correct what is before it; -1 if it does
// not.
func (s *scan) correctionAt(u *spokenLine) int {
	at := corrections.index(u.said)
	if at >= 0 && isPassive(u.said[at:]) {
		at = -1 // "should be mirrored"
	}
	if at >= 0 || u.fenced || addsMore(u.said) {
		return at
	}
	at = regrets.index(u.said)
	if !anyReading(u.reads, func(r reading) bool { return r.isImage(official) }) {
		if len(u.toks) > 2*talk && s.given(u.toks) == "" {
			return -1
		}
	} else if !s.repeatsBehind(u, at) {
		return -1
	}
	return at
}

// isPassive reports whether a text from words such as "should be" on says what to do, and
// corrects nothing behind them: "should be mirrored".
func isPassive(said string) bool {
	_, rest, ok := strings.Cut(said, "should be ")
	word, _, _ := strings.Cut(rest, " ")
	return ok && strings.HasSuffix(word, "ed") && corrections.index(rest) < 0
}

// repeatsBehind reports whether a few words behind an offset stands another version
// of the only image in front of it, with or without its name.
func (s *scan) repeatsBehind(u *spokenLine, at int) bool {
	const most = 12 // words in between
	last := s.lastTaken()
	behind := 0
	for i, t := range u.toks {
		name := ""
		if u.reads[i].isImage(path) {
			name = u.reads[i].images[0].name()
		}
		switch word := u.word(i); {
		case t.at < at && name != "":
			last = name
		case t.at < at || last == "":
		case name != "":
			return name == last
		case isVersion(word) && strings.ContainsAny(word, ".-"):
			return !u.isExcluded(i)
		case behind == most:
			return false
		default:
			behind++
		}
	}
	return false
}

// lastTaken returns the name of the last image above; empty for none.
func (s *scan) lastTaken() string {
	for n := len(s.candidates) - 1; n >= 0; n-- {
		if c := &s.candidates[n]; c.verdict == taken && c.image.name() != "" {
			return c.image.name()
		}
	}
	return ""
}

// given returns the first word that is the tag of an image in front of it; empty
// if there is none.
func (s *scan) given(toks []token) string {
	for _, t := range toks {
		if word := trimWord(t.text); isVersion(word) && s.any(func(c *candidate) bool { return c.verdict == taken && c.image.Reference.Tag() == word }) {
			return word
		}
	}
	return ""
}
