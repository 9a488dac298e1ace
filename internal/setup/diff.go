package setup

import (
	"fmt"
	"strings"
)

// around is how many unchanged lines a diff shows around changes.
const around = 3

// row is a line of a diff: unchanged (' '), removed ('-') or added ('+').
type row struct {
	kind byte
	text string
}

// Diff returns the change as a unified diff.
func (c Change) Diff() string {
	old := "/" + c.Path
	if c.Before == nil {
		old = "/dev/null"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ /%s\n", old, c.Path)
	rows := c.rows()
	was, is := 0, 0 // lines before the row at from
	for from := 0; from < len(rows); {
		// A hunk ends before twice the around of unchanged lines.
		first, last := -1, -1
		for i := from; i < len(rows) && (last < 0 || i <= last+2*around+1); i++ {
			if rows[i].kind != ' ' {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		if first < 0 {
			break
		}
		start := max(first-around, from)
		end := min(last+around+1, len(rows))
		was, is = was+start-from, is+start-from // these rows are unchanged
		removed, added := 0, 0
		var hunk strings.Builder
		for _, r := range rows[start:end] {
			if r.kind != '+' {
				removed++
			}
			if r.kind != '-' {
				added++
			}
			hunk.WriteByte(r.kind)
			hunk.WriteString(r.text)
			if !strings.HasSuffix(r.text, "\n") {
				hunk.WriteString("\n\\ No newline at end of file\n")
			}
		}
		fmt.Fprintf(&out, "@@ -%s +%s @@\n%s", span(was, removed), span(is, added), hunk.String())
		was, is, from = was+removed, is+added, end
	}
	return out.String()
}

// span returns the range of lines of a hunk. An empty one is after a line.
func span(before, lines int) string {
	if lines > 0 {
		before++
	}
	return fmt.Sprintf("%d,%d", before, lines)
}

// rows returns the lines of the file before and after the insertions.
func (c Change) rows() []row {
	var rows []row
	rest := c.Insertions
	at := 0
	for line := range strings.Lines(string(c.Before) + "\x00") {
		end := at + len(line)
		if end > len(c.Before) { // the last line, which may be empty
			line = line[:len(line)-1]
		}
		var here []Insertion
		for len(rest) > 0 && rest[0].At < end {
			here, rest = append(here, Insertion{rest[0].At - at, rest[0].Text}), rest[1:]
		}
		at = end
		text := string(insert([]byte(line), here))
		added, unchanged := strings.CutSuffix(text, line)
		if unchanged = unchanged && (added == "" || line != "" && strings.HasSuffix(added, "\n")); !unchanged {
			added = text
			if line != "" {
				rows = append(rows, row{'-', line})
			}
		}
		for more := range strings.Lines(added) {
			rows = append(rows, row{'+', more})
		}
		if unchanged && line != "" {
			rows = append(rows, row{' ', line})
		}
	}
	return rows
}
