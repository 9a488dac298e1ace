package report

import (
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/request"
)

// Considered shows, in English, each word that was read as an image: where it
// is in the text, the word and the image, the strength of the evidence and what
// the place requires, the verdict and the rules that led to it.
func Considered(findings []request.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		where := fmt.Sprintf("%d:%d", f.Line, f.Column)
		if f.Line == 0 {
			where = fmt.Sprintf("title:%d", f.Column)
		}
		fmt.Fprintf(&b, "%s: %s\n    %s: %s\n    %s in %s, which needs %s", where, plain(f.Written), f.Verdict, f.Reference, f.Strength, f.Place, f.Needs)
		if len(f.Rules) > 0 {
			fmt.Fprintf(&b, "; rules: %s", strings.Join(f.Rules, ", "))
		}
		b.WriteByte('\n')
	}
	return clean(b.String())
}
