package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/ledger"
)

// WithHelp is the comment with the list of commands at its end. An empty
// comment becomes one that has nothing else; one that has the list already
// stays as it is. Of in, it is the issue and the language that matter. The result
// is no longer than MaxComment if the comment was made by Render.
func WithHelp(comment string, in Input) string {
	l := speak(in.Language, in.Request, in.Owners)
	lines := []md{"**" + l.headings.commands + "**\n"}
	for _, c := range l.help {
		lines = append(lines, "- `"+c.command+"` "+c.does)
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
