package request

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Finding is what became of one word that was read as an image.
type Finding struct {
	// Line and Column are where it stands in the text as its author wrote it,
	// from 1; Line is 0 for the title. Column counts characters.
	Line, Column int
	// Written is the piece of the text: foreign text, at most 200 bytes.
	Written string
	// Reference is the canonical reference that it was read as.
	Reference string
	// Strength is how sure its form alone makes it an image, Place where it
	// stands, Needs how sure a word has to be there.
	Strength, Place, Needs string
	// Verdict is "taken", "guessed" (it would count if nothing else did),
	// "asked" or "dropped".
	Verdict string
	// Rules are the names of the rules that touched it, in order.
	Rules []string
}

// strengths and verdicts are their names.
var (
	strengths = [...]string{nothing: "nothing", bare: "bare", official: "official", path: "path", tagged: "tagged", certain: "certain", never: "never"}
	verdicts  = [...]string{taken: "taken", guessed: "guessed", asked: "asked", dropped: "dropped"}
)

// Explain reads in as Parse does and returns all candidates with what was
// decided about each and why, in order.
func Explain(in Input) []Finding {
	e, _ := understand(in)
	body, title := originalLines(in.Body), originalLines(in.Title)
	var findings []Finding
	for _, t := range e.texts() {
		for _, c := range t.candidates {
			line := ""
			switch {
			case c.line == 0:
				line = strings.Join(title, " ")
			case c.line <= len(body):
				line = body[c.line-1]
			}
			from, _ := spanOf(line, c.at, c.image.Written)
			findings = append(findings, Finding{
				Line: c.line, Column: 1 + utf8.RuneCountInString(line[:from]), Written: c.image.Written, Reference: c.image.Reference.String(),
				Strength: strengths[c.strength], Place: c.place.name, Needs: strengths[c.place.needs], Verdict: verdicts[c.verdict], Rules: c.reasons,
			})
		}
	}
	return findings
}

// originalLines are the lines of a text as its author wrote it, cut where
// normalise cuts them.
func originalLines(text string) []string {
	text = bound(text)
	var lines []string
	from := 0
	for i, r := range text {
		switch {
		case r == '\n', r == '\u2028', r == '\u2029', r == '\u0085', r == '\r' && !strings.HasPrefix(text[i+1:], "\n"):
			lines = append(lines, strings.TrimSuffix(text[from:i], "\r"))
			from = i + utf8.RuneLen(r)
		}
	}
	return append(lines, text[from:])
}

// spanOf is where a word of a normalised line stands in the line as it was
// written. A word that was put together from several pieces begins where its
// first piece does.
func spanOf(line string, at int, word string) (from, to int) {
	normal, offsets := traced(line)
	start := nearest(normal, word, at)
	for end := len(word); start < 0 && end > 0; {
		// Only a piece of it: "a/b" of "a/b:1" whose tag stands elsewhere.
		end = strings.LastIndexAny(word[:end], ":/@,.- ")
		if end > 0 {
			word = word[:end]
			start = nearest(normal, word, at)
		}
	}
	if start < 0 {
		start, word = len(normal)-len(strings.TrimLeft(normal, " ")), ""
	}
	return offsets[start], offsets[start+len(word)]
}

// nearest is where word stands in text, as near to at as possible; -1 for nowhere.
func nearest(text, word string, at int) int {
	best := -1
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 || word == "" {
			return best
		}
		if from += i; best < 0 || max(from-at, at-from) < max(best-at, at-best) {
			best = from
		}
		from++
	}
}

// traced is a line in normalised form with the offset in the line that each of
// its bytes, and its end, comes from.
func traced(line string) (normal string, offsets []int) {
	var b strings.Builder
	for i, r := range line {
		piece := normalise(line[i : i+max(1, utf8.RuneLen(r))])
		if r == utf8.RuneError {
			piece = ""
		}
		b.WriteString(piece)
		offsets = append(offsets, slices.Repeat([]int{i}, len(piece))...)
	}
	return b.String(), append(offsets, len(line))
}
