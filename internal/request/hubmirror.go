package request

import "strings"

// readItems reads the list of hub-mirror's requests, '"hub-mirror": [', however
// its quotes and commas are broken. What stands there alone is an image, be it
// a bare word; what the template's examples were labelled with ("示例1:") is
// taken off. Items of several words are left to the later passes.
func (s *scan) readItems() {
	inside := false
	for i, l := range s.lines {
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

// itemsBegin is where the bracket behind hub-mirror's key stands, or that of its
// fork hubsync; -1 if there is none.
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

// readItemLine reads the items on one line. It reports false and takes nothing
// if something else stands there too.
func (s *scan) readItemLine(l line, text string) bool {
	var items []reading
	for item := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '"' || r == '\'' || r == ',' }) {
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
		s.offer(l, 0, r, inKey)
	}
	return len(items) > 0
}

// exampleLabel is the label of an example in hub-mirror's templates at the
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
