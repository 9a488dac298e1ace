package report

import (
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/request"
)

// Considered shows why a text was understood as it was: its score, the weights that make
// it, and each word that was read as an image: where it is in the text,
// the word and the image, the strength of the evidence and what the place
// requires, the verdict and the rules that led to it. Strengths, places and rules
// have the names of docs/shapes.md.
func (t Terminal) Considered(x request.Explanation) string {
	words := t.language().Terminal.Considered
	var b strings.Builder
	fmt.Fprintf(&b, words.Score, x.Score)
	fmt.Fprintf(&b, "    %s%s\n", words.Signals, weights(x.Signals))
	fmt.Fprintf(&b, "    "+words.Wording+"%s\n", x.Wording, weights(x.Marks))
	for _, f := range x.Findings {
		line := fmt.Sprint(f.Line)
		if f.Line == 0 {
			line = words.Title
		}
		fmt.Fprintf(&b, "%s:%d: %s\n    %s: %s\n    ", line, f.Column, plain(f.Written), words.Verdicts.of(f.Verdict), f.Reference)
		fmt.Fprintf(&b, words.Why, f.Strength, f.Place, f.Needs)
		if len(f.Rules) > 0 {
			b.WriteString(words.Rules + strings.Join(f.Rules, ", "))
		}
		b.WriteByte('\n')
	}
	return clean(b.String())
}

// weights returns names with their weights: '"wish" 5, "told" -2'.
func weights(all []request.Weight) string {
	var b strings.Builder
	for i, w := range all {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s %g", plain(w.Name), w.Weight)
	}
	return b.String()
}
