package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/ledger"
)

// WithHelp returns the comment with the list of commands added at its end. If
// the comment is empty, the result is the list alone; if it has the list, it is
// returned unchanged. Only the issue and the language of in are used. The
// result has at most MaxComment bytes if Render made the comment.
func WithHelp(comment string, in Input) string {
	l := speak(in.Language, in.Request, in.Owners)
	lines := []md{"**" + l.Headings.Commands + "**\n"}
	for _, c := range l.Help {
		lines = append(lines, "- `"+c.Command+"` "+c.Does)
	}
	help := string(join(lines, "\n")) + "\n"
	switch {
	case comment == "":
		return ledger.Marker{Issue: in.Issue, State: ledger.Empty}.String() + "\n" + help
	case strings.Contains(comment, help):
		return comment
	}
	return strings.TrimRight(comment, "\n") + "\n\n" + help
}
