package request

import "strings"

// cutComments takes HTML comments out and keeps the number of lines. One that
// is never closed reaches to the end, as browsers have it.
func cutComments(text string) string {
	if !strings.Contains(text, "<!--") {
		return text
	}
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(text, "<!--")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		inside, rest, closed := strings.Cut(after, "-->")
		b.WriteString(strings.Repeat("\n", strings.Count(inside, "\n")))
		if !closed {
			return b.String()
		}
		text = rest
	}
}
