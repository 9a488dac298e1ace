package report

import (
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/request"
)

// Considered shows what became of every word that was read as an image, one a
// line: its place in the text, the word and what it was read as, how sure it is
// and what its place needs, the verdict and the rules behind it. It is for
// whoever looks into a request, and in English.
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
