package request

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// markEntries marks the lines that have to name an image: all lines of a list,
// or in an issue from a form, which begins with a heading, those of its fields
// for images.
func markEntries(lines []line, list bool) {
	form, field := false, list
	for i := range lines {
		label, heading := strings.CutPrefix(lines[i].text, "### ")
		switch {
		case lines[i].text == "" || list && !heading:
		case heading && (form || !anyLine(lines[:i], func(l line) bool { return l.text != "" })):
			form, field = true, partOf(label) == namePart
			continue
		case !form:
			return
		}
		lines[i].entry = field
	}
}

// thanking are words of lines that name no image and need no answer.
var thanking = phrases{list: "thanking"}

// noteEntry records a line that has to name an image and does not.
func (s *scan) noteEntry(u *spokenLine) {
	if !u.entry || u.needsNoImage() || s.isCourtesy(u) {
		return
	}
	about := &u.about
	s.entries = append(s.entries, entry{
		line: u.number, written: clip(strings.TrimSpace(u.text)), suggestion: nearby(u.toks, u.reads),
		version: about.images+about.bare == 0 && about.foreign == 0 && about.other == len(versionsOf(u.toks)),
	})
}

// needsNoImage reports whether a line that has to name an image is the empty answer of a
// form, a label, or has only filler words.
func (u *spokenLine) needsNoImage() bool {
	about := &u.about
	if strings.Trim(lower(u.text), "_* ") == "no response" {
		return true
	}
	if strings.HasSuffix(u.text, ":") && len(u.toks) > 1 && (about.images == 0 || about.bare+about.other == 0) {
		return true
	}
	return about.plain && about.images+about.bare+about.other == 0 && !isEmptyEntry(u.written, u.toks)
}

// isCourtesy reports whether a line without an image asks for something or thanks, in
// words of sentences only.
func (s *scan) isCourtesy(u *spokenLine) bool {
	said := lower(u.text)
	if u.about.images > 0 || !hasWish(said) && !isPolite(said) && !thanking.in(said) {
		return false
	}
	return !slices.ContainsFunc(s.odd, func(i int) bool { return !sentenceWords.has(spoken(u.toks[i])) })
}

// addEntry records a line that has to name an image and does not.
func (s *scan) addEntry(l *line) {
	if l.entry {
		s.entries = append(s.entries, entry{line: l.number, written: clip(strings.TrimSpace(l.text))})
	}
}

// noteUnheard records the lines that have to name an image, if they are a quoted
// word, a command that pulls nothing, or a blank to fill in.
func (s *scan) noteUnheard() {
	for i := range s.lines {
		l := &s.lines[i]
		if !l.entry {
			continue
		}
		quoted, isQuote := strings.CutPrefix(strings.TrimLeft(l.hidden, " "), ">")
		words := strings.Fields(cmp.Or(l.text, quoted))
		switch n := len(words); {
		case n == 0:
		case l.masked == isQuoted && isQuote && n == 1 && hasLetter(quoted):
			s.entries = append(s.entries, entry{line: l.number, written: clip(words[0])})
		case l.masked == isThere && (n <= 3 && lower(words[n-1]) == "pull" || isBlank(l.text)) && (len(s.entries) == 0 || s.entries[len(s.entries)-1].line != l.number):
			s.addEntry(l)
		}
	}
}

// isBlank reports whether a line is a blank that has to be filled in, not an
// element of HTML: "<image>", "{{ image }}".
func isBlank(text string) bool {
	text = strings.TrimSpace(maskTags(text))
	return strings.HasPrefix(text, "<") && strings.HasSuffix(text, ">") && !strings.ContainsAny(text[1:len(text)-1], "<>/?!") ||
		strings.HasPrefix(text, "{{") && strings.HasSuffix(text, "}}")
}

// isMarked reports whether a line consists of a word in brackets.
func isMarked(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") && hasLetter(text)
}

// isEmptyEntry reports whether a line that has to name an image has only marks,
// but not those of Markdown, or only a word that belongs to images, or a
// variable: "latest", "<image>".
func isEmptyEntry(text string, toks []token) bool {
	only, words := "", 0
	for i := range toks {
		if trimWord(toks[i].text) != "" {
			only = toks[i].text
			words++
		}
	}
	if words == 0 {
		return strings.Trim(text, "-=*_|#~`.:+ ") != ""
	}
	return words == 1 && (loneWords.has(lower(trimWord(only))) || strings.ContainsAny(only, "<{$"))
}

// loneWords are fillers that are no line of a list on their own.
var loneWords = wordSet{list: "loneWords"}

// listsImages reports whether a line with images and other names, but without other
// words, is a list rather than a sentence.
func (u *spokenLine) listsImages() bool {
	if u.about.images == 0 || u.about.other+u.about.foreign > 0 {
		return false
	}
	if anyToken(u.toks, func(t token) bool { return isOfSentence(t) || strings.HasSuffix(t.text, ":") }) {
		return false
	}
	return anyReading(u.reads, func(r reading) bool { return r.strength >= tagged }) ||
		anyToken(u.toks, func(t token) bool { return t.kind == separator })
}

// sentenceWords are words of sentences, beside which other words are no names.
var sentenceWords = wordSet{list: "sentenceWords"}

// noteWords records the words on a line that has to name images which belong to
// none of them: in a part of the line that is no sentence, or says nothing else.
func (s *scan) noteWords(u *spokenLine, finds []*candidate) {
	if !u.entry || isUnknownCommand(u.text) {
		return
	}
	for from := 0; from < len(u.toks); {
		to := from
		for to < len(u.toks) && !endsPart(u.toks[to]) {
			to++
		}
		if !anyToken(u.toks[from:to], isOfSentence) {
			s.noteOddWords(u, from, to, finds)
		}
		from = to + 1
	}
}

// noteOddWords records those of the words between two indices that belong to none of the
// images of the line.
func (s *scan) noteOddWords(u *spokenLine, from, to int, finds []*candidate) {
	for i := from; i < to; i++ {
		word := u.word(i)
		if s.isOdd(u, i) && !isTagOf(finds, word) {
			s.entries = append(s.entries, entry{
				line: u.number, at: u.toks[i].at, word: true, written: clip(word), version: isVersion(word), suggestion: nearby(u.toks[i:i+1], u.reads[i:i+1]),
			})
		}
	}
}

// endsPart reports whether a word or mark separates the parts of a line.
func endsPart(t token) bool {
	switch {
	case t.kind == separator:
		return true
	case t.kind == otherWord:
		return isFiller(t.text) || furthers.starts(t.text)
	}
	switch lower(t.text) {
	case "and", "or", "plus", "also", "&", "+", "/":
		return true
	}
	return false
}

// furthers begin the words before one more image.
var furthers = phrases{list: "还|也|另"}

// isOfSentence reports whether a word makes a part of a line a sentence.
func isOfSentence(t token) bool {
	return t.kind == otherWord || sentenceWords.has(spoken(t))
}

// isOdd reports whether the word at an index is not read as an image, a tag or a
// platform, and is no label, setting, size or remark either.
func (s *scan) isOdd(u *spokenLine, i int) bool {
	t, r := &u.toks[i], &u.reads[i]
	word := u.word(i)
	switch {
	case word == "" || strings.HasPrefix(t.text, "-") || strings.HasPrefix(t.text, "@") || strings.Contains(word, "="):
		return false
	case isDigit(word[0]) && strings.HasSuffix(word, "B"):
		return false // a size
	case isDigits(word) && strings.HasPrefix(u.written[t.end():], ")"):
		return false // the number of an item
	case i+1 < len(u.toks) && (strings.HasSuffix(t.text, ":") && u.reads[i+1].strength >= official || u.toks[i+1].text == "="):
		return false // a label
	case r.problem != nil && len(r.images) == 0:
		return u.where != inLine && r.strength < u.where.needs // or else it was answered
	case anyReading(u.reads, func(r reading) bool { return r.problem != nil && strings.Contains(r.problem.Written, t.text) }):
		return false
	case strings.LastIndexByte(u.written[:t.at], '(') > strings.LastIndexByte(u.written[:t.at], ')'):
		return false // a remark
	}
	return slices.Contains(s.odd, i) && r.strength <= bare || r.strength > bare && len(r.images) > 0
}

// isTagOf reports whether a word is the tag of one of the images on its line.
func isTagOf(finds []*candidate, word string) bool {
	return slices.ContainsFunc(finds, func(c *candidate) bool { return c.image.Reference.Tag() == word })
}

// completeName returns what to write for a line or word that is a name alone:
// the official image of which it is a misspelling, or the name with the parts
// that it lacks; empty for other text.
func completeName(written string) string {
	name := trimWord(strings.Trim(written, "[]|>` "))
	r := readWord(name)
	if r.strength == official && r.untagged() {
		return r.images[0].Reference.String()
	}
	if r.strength != bare || len(r.images) != 1 || !r.untagged() || strings.ContainsAny(name, " :@") || loneWords.has(name) || isFiller(name) {
		return ""
	}
	if near := known.NearOfficial(name); near != "" {
		return canonical(near)
	}
	return "OWNER/" + lower(name) + ":TAG"
}

// nearby returns the image that a line with other words may mean: the only one,
// or one whose name goes on after a space.
func nearby(toks []token, reads []reading) string {
	var found string
	for i, r := range reads {
		switch {
		case r.strength < official || len(r.images) == 0:
			continue
		case found != "":
			return ""
		case i+1 < len(toks) && reads[i+1].strength == bare:
			return joinedName(toks[i], toks[i+1], r)
		}
		found = r.images[0].Reference.String()
	}
	return found
}

// joinedName returns the image whose name has a space where it should have a
// hyphen: "quay.io/prometheus/node exporter:1". It is empty if the first word
// has no namespace, because any two words could be joined then.
func joinedName(first, second token, r reading) string {
	if !strings.Contains(first.text, "/") || !r.untagged() {
		return ""
	}
	joined := readWord(trimWord(first.text) + "-" + trimWord(second.text))
	if len(joined.images) != 1 {
		return ""
	}
	return joined.images[0].Reference.String()
}

// splitNames finds names that are split by a space in a line of images: the
// second word, of which Docker Hub has no official image, is not an image on its own.
// In a line that has to name an image, it needs no tag.
func (u *spokenLine) splitNames() {
	if !u.about.plain && (!u.entry || u.about.other+u.about.foreign > 0) {
		return
	}
	for i := 0; i+1 < len(u.toks); i++ {
		first, second := &u.reads[i], &u.reads[i+1]
		if !first.isOpen() || !isLooseName(second, u.toks[i+1]) {
			continue
		}
		if second.images[0].has(AssumedTag) && (!u.entry || !strings.Contains(u.toks[i].text, "/")) {
			continue
		}
		p := Problem{Code: Ambiguous, Written: clip(u.toks[i].text + " " + u.toks[i+1].text), Suggestion: joinedName(u.toks[i], u.toks[i+1], *first)}
		*first, *second = reading{strength: certain, problem: &p}, reading{}
	}
}

// isLooseName reports whether a word is a name without a namespace that no official image
// has.
func isLooseName(r *reading, t token) bool {
	return len(r.images) == 1 && r.images[0].has(AssumedLibrary) && !strings.Contains(t.text, "/") && !known.IsOfficial(r.images[0].name())
}
