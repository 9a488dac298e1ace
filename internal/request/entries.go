package request

import (
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
		case heading && (form || !slices.ContainsFunc(lines[:i], func(l line) bool { return l.text != "" })):
			form, field = true, partOf(label) == namePart
			continue
		case !form:
			return
		}
		lines[i].entry = field
	}
}

// thanking are words of lines that name no image and need no answer.
var thanking = newPhrases(wordsIn("谢|感谢|辛苦|你好|您好|大佬|thank|thx|hello")...)

// noteEntry records a line that has to name an image and does not.
func (s *scan) noteEntry(l line, toks []token, reads []reading, about sentence) {
	said, names := lower(l.text), about.images+about.bare+about.other
	switch {
	case !l.entry || strings.Trim(said, "_* ") == "no response" || about.plain && names == 0 || strings.HasSuffix(l.text, ":"):
	case names == 0 && (hasWish(said) || isPolite(said) || thanking.in(said)):
	default:
		s.entries = append(s.entries, entry{
			line: l.number, written: clip(strings.TrimSpace(l.text)), suggestion: nearby(toks, reads),
			version: about.images+about.bare == 0 && about.foreign == 0 && about.other == len(versionsOf(toks)),
		})
	}
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
// second word, of which Docker Hub has no official image, is no image by itself.
// In a line that has to name an image, it needs no tag.
func splitNames(l line, toks []token, reads []reading, about sentence) {
	if !about.plain && (!l.entry || about.other+about.foreign > 0) {
		return
	}
	for i := 0; i+1 < len(toks); i++ {
		first, second := reads[i], reads[i+1]
		if !first.untagged() || first.strength < official || len(second.images) != 1 || !second.images[0].has(AssumedLibrary) ||
			second.images[0].has(AssumedTag) && (!l.entry || !strings.Contains(toks[i].text, "/")) || strings.Contains(toks[i+1].text, "/") || known.IsOfficial(second.images[0].name()) {
			continue
		}
		p := Problem{Code: Ambiguous, Written: clip(toks[i].text + " " + toks[i+1].text), Suggestion: joinedName(toks[i], toks[i+1], first)}
		reads[i], reads[i+1] = reading{strength: certain, problem: &p}, reading{}
	}
}

// name returns the last component of the image's path.
func (i *Image) name() string {
	_, name, _ := cutLast(i.Reference.Repository().Path())
	return name
}
