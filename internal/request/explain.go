package request

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Finding is a word that was read as an image, with the decision about it.
type Finding struct {
	// Line and Column are its position in the original text, from 1; Line is 0
	// for the title. Column counts characters.
	Line, Column int
	// Written is the piece of the text: foreign text, at most 200 bytes.
	Written string
	// Reference is the canonical reference that it was read as.
	Reference string
	// Strength is how strong the evidence of its form is, Place its place,
	// Needs the strength that the place requires.
	Strength, Place, Needs string
	// Verdict is "taken", "guessed" (counts if nothing else does), "asked" or
	// "dropped".
	Verdict string
	// Rules are the names of the rules that applied to it, in order.
	Rules []string
}

// Explanation tells how Parse decided.
type Explanation struct {
	// Findings are all candidates, in the order of the text.
	Findings []Finding
	// Score is the sum of the weights of the signals and of the wording, before the
	// rules. A text with a score of 0 or more asks for images.
	Score int
	// Signals are the signals of the text, with their weights. Marks are those of
	// its wording, at most 10, that weigh most.
	Signals, Marks []Weight
	// Wording is the weight of the wording.
	Wording int
}

// strengths and verdicts are their names.
var (
	strengths = [...]string{nothing: "nothing", bare: "bare", official: "official", path: "path", tagged: "tagged", certain: "certain", never: "never"}
	verdicts  = [...]string{taken: "taken", guessed: "guessed", asked: "asked", dropped: "dropped"}
)

// Explain parses in like Parse and returns why it decided so.
func Explain(in Input) Explanation {
	gathered, _ := gather(in)
	e := decide(gathered)
	lines := append([]string{strings.Join(originalLines(in.Title), " ")}, originalLines(in.Body)...)
	var findings []Finding
	for _, t := range e.texts() {
		number, line, normal, offsets := -1, "", "", []int(nil)
		for i := range t.candidates {
			c := &t.candidates[i]
			if c.line != number {
				if number, line = c.line, ""; number < len(lines) {
					line = lines[number]
				}
				normal, offsets = traced(line)
			}
			from := offsets[startOf(normal, c.from, c.image.Written)]
			findings = append(findings, c.finding(1+utf8.RuneCountInString(line[:from])))
		}
	}
	x := Explanation{Findings: findings, Score: gathered.score(), Wording: e.wording}
	for _, one := range gathered.given() {
		x.Signals = append(x.Signals, Weight{one.name, float64(one.weight)})
	}
	if e.isWorded() {
		x.Marks = heaviestMarks(&gathered.title, &gathered.body)
	}
	return x
}

// finding describes a candidate at a column.
func (c *candidate) finding(column int) Finding {
	return Finding{
		Line:      c.line,
		Column:    column,
		Written:   c.image.Written,
		Reference: c.ref().String(),
		Strength:  strengths[c.strength],
		Place:     c.place.name,
		Needs:     strengths[c.place.needs],
		Verdict:   verdicts[c.verdict],
		Rules:     c.reasons,
	}
}

// originalLines returns the lines of the original text, split like normalise
// splits them.
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

// startOf returns the offset of a word in a normalised line. A word that was joined
// from several pieces begins at the first one.
func startOf(normal string, at int, word string) int {
	start := nearest(normal, word, at)
	for end := len(word); start < 0 && end > 0; {
		// Only a part of it: "a/b" of "a/b:1" whose tag is elsewhere.
		end = strings.LastIndexAny(word[:end], ":/@,.- ")
		if end > 0 {
			word = word[:end]
			start = nearest(normal, word, at)
		}
	}
	if start < 0 {
		return max(min(at, len(normal)), len(normal)-len(strings.TrimLeft(normal, " "))) // a variable, or parts of a name
	}
	return start
}

// nearest returns the occurrence of word in text that is nearest to at; -1 if
// there is none.
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

// traced returns a normalised line with the offsets in the original line of
// each of its bytes and of its end.
func traced(line string) (normal string, offsets []int) {
	var b strings.Builder
	for i := 0; i < len(line); {
		_, size := utf8.DecodeRuneInString(line[i:])
		piece := normalise(line[i : i+size])
		b.WriteString(piece)
		offsets = append(offsets, slices.Repeat([]int{i}, len(piece))...)
		i += size
	}
	return b.String(), append(offsets, len(line))
}
