package request

import "strings"

// layout is how the lines of a text look.
type layout struct {
	filled      int    // lines with text
	fenced      int    // of them, lines in blocks of code
	first, last int    // the numbers of the first and the last of them
	opening     string // the text of the first
}

// note adds a line, of which said is the text in lower case.
func (y *layout) note(l line, said string) {
	if strings.TrimSpace(said) == "" {
		return
	}
	if y.filled++; y.filled == 1 {
		y.first, y.opening = l.number, l.text
	}
	y.last = l.number
	if l.fenced {
		y.fenced++
	}
}
