package report

import (
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/request"
)

// Considered shows each word that was read as an image: where it is in the text,
// the word and the image, the strength of the evidence and what the place
// requires, the verdict and the rules that led to it. Strengths, places and rules
// have the names of docs/shapes.md.
func (t Terminal) Considered(findings []request.Finding) string {
	words := t.language().Terminal.Considered
	var b strings.Builder
	for _, f := range findings {
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
