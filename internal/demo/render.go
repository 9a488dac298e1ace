package demo

import (
	"regexp"
	"strings"
)

var (
	comment   = regexp.MustCompile(`(?s)<!--.*?-->\n?`)
	details   = regexp.MustCompile(`(?s)<details><summary>(.*?)</summary>.*?</details>\n*`)
	tag       = regexp.MustCompile(`</?[a-z]+[^>]*>`)
	anchor    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	codeFence = regexp.MustCompile("(?s)```\\w*\n(.*?)```\n*")
)

// rendered returns a comment in plain text as a person sees it on the page:
// folded parts are one line, code is indented, and markup and link targets are
// removed.
func rendered(markdown string) string {
	text := comment.ReplaceAllString(markdown, "")
	text = details.ReplaceAllString(text, "▸ $1\n")
	var b strings.Builder
	end := 0
	for _, at := range codeFence.FindAllStringSubmatchIndex(text, -1) {
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
	text = anchor.ReplaceAllString(tag.ReplaceAllString(text, ""), "$1")
	return strings.NewReplacer("**", "", "`", "").Replace(text)
}
