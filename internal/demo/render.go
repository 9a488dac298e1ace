package demo

import (
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

var (
	comment   = &pattern.Regexp{Text: `(?s)<!--.*?-->\n?`}
	details   = &pattern.Regexp{Text: `(?s)<details><summary>(.*?)</summary>.*?</details>\n*`}
	tag       = &pattern.Regexp{Text: `</?[a-z]+[^>]*>`}
	anchor    = &pattern.Regexp{Text: `\[([^\]]*)\]\([^)]*\)`}
	codeFence = &pattern.Regexp{Text: "(?s)```\\w*\n(.*?)```\n*"}
)

// rendered returns a comment in plain text as a person sees it on the page:
// folded parts are one line, code is indented, and markup and link targets are
// removed.
func rendered(markdown string) string {
	text := comment.Compiled().ReplaceAllString(markdown, "")
	text = details.Compiled().ReplaceAllString(text, "▸ $1\n")
	var b strings.Builder
	end := 0
	for _, at := range codeFence.Compiled().FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(unmarked(text[end:at[0]]))
		for line := range strings.Lines(text[at[2]:at[3]]) {
			b.WriteString("    " + line)
		}
		b.WriteString("\n")
		end = at[1]
	}
	b.WriteString(unmarked(text[end:]))
	return strings.TrimSpace(b.String()) + "\n"
}

func unmarked(text string) string {
	text = anchor.Compiled().ReplaceAllString(tag.Compiled().ReplaceAllString(text, ""), "$1")
	return strings.NewReplacer("**", "", "`", "").Replace(text)
}
