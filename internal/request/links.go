package request

import (
	"strings"
)

// resolveLinks masks the address of Markdown's "[text](address)" if the text is
// an image, otherwise the text.
func resolveLinks(text string) string {
	if !strings.Contains(text, "](") {
		return text
	}
	var b strings.Builder
	open := -1
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[':
			open = i
		case ']':
			if open < from || i+1 >= len(text) || text[i+1] != '(' {
				continue
			}
			end := strings.IndexByte(text[i:], ')')
			if end < 0 {
				b.WriteString(text[from:])
				return b.String()
			}
			label, address := text[open+1:i], text[i+2:i+end]
			b.WriteString(text[from:open])
			if r := readWord(label); r.strength >= tagged && len(r.images) > 0 && !strings.Contains(label, "://") {
				b.WriteString(" " + label + strings.Repeat(" ", len(address)+3))
			} else {
				b.WriteString(strings.Repeat(" ", len(label)+3) + address + " ")
			}
			from = i + end + 1
			i = from - 1
			open = -1
		}
	}
	b.WriteString(text[from:])
	return b.String()
}
