package request

import "strings"

// readItems reads the list in requests of hub-mirror, '"hub-mirror": [', even
// with broken quotes and commas. A single word is an image; labels of the
// template's examples ("示例1:") are removed. Items of several words are left to
// later passes.
func (s *scan) readItems() {
	inside := false
	for i := range s.lines {
		l := &s.lines[i]
		before, items := "", l.text
		if !inside {
			open := itemsBegin(l.text)
			if open < 0 {
				continue
			}
			before, items = l.text[:open], l.text[open+1:]
		}
		items, after, closed := strings.Cut(items, "]")
		inside = !closed
		if !s.taken[i] && s.readItemLine(l, items) {
			s.lines[i].text = before + after
		}
	}
}

// itemsBegin returns the position of the bracket after the key of hub-mirror or
// of its fork hubsync; -1 if there is none.
func itemsBegin(text string) int {
	for _, key := range []string{"hub-mirror", "hubsync"} {
		at := strings.Index(lower(text), key)
		if at < 0 {
			continue
		}
		open := strings.IndexByte(text[at:], '[')
		if open >= 0 && strings.Trim(text[at+len(key):at+open], "\"' :") == "" {
			return at + open
		}
	}
	return -1
}

// readItemLine reads the items on one line. It returns false and accepts
// nothing if there is other text on the line.
func (s *scan) readItemLine(l *line, text string) bool {
	var items []reading
	for _, item := range strings.FieldsFunc(text, func(r rune) bool { return r == '"' || r == '\'' || r == ',' }) {
		if item = strings.TrimSpace(item); strings.Trim(item, "{}[]:") == "" {
			continue
		}
		item = strings.TrimSpace(item[len(exampleLabel(item)):])
		r := s.readWord(item)
		if r.strength < bare || len(r.images) != 1 || r.strength == bare && !isGuess(item) {
			return false
		}
		items = append(items, r)
	}
	for _, r := range items {
		s.offer(l, 0, r, inField)
	}
	return len(items) > 0
}

// exampleLabel returns the label of an example in hub-mirror's templates at the
// beginning of an item, "示例1:"; empty if there is none.
func exampleLabel(item string) string {
	label, _, ok := strings.Cut(item, ":")
	switch strings.TrimRight(label, "0123456789 ") {
	case "示例", "实例", "例", "格式", "镜像", "Example":
		if ok {
			return label + ":"
		}
	}
	return ""
}
