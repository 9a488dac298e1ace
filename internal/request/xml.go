package request

import "strings"

// readElements reads what stands between the tags of an XML file with an element
// on each line, as the templates of Unraid have it: "<Repository>a/b</Repository>".
func (s *scan) readElements() {
	s.rest(func(i int, l *line) {
		text := strings.TrimSpace(l.text)
		if !strings.HasPrefix(text, "<") || !strings.HasSuffix(text, ">") {
			return
		}
		name, rest, ok := strings.Cut(text[1:], ">")
		value, closing, closed := strings.Cut(rest, "</")
		tag, _, _ := strings.Cut(name, " ")
		switch {
		case strings.HasPrefix(name, "?"), strings.HasPrefix(name, "/") && isIdentifier(name[1:]), ok && rest == "" && isElement(tag):
			s.taken[i] = isElement(strings.TrimLeft(tag, "/?"))
		case ok && closed && closing == tag+">" && isElement(tag):
			s.taken[i] = true
			if _, p := sideOf(tag); p == namePart && !strings.EqualFold(tag, "name") {
				s.offer(l, l.indent()+1+len(name)+1, s.readWord(value), inKey)
			}
		}
	})
}

// isElement reports whether a name could be that of an element that is not HTML's.
func isElement(name string) bool {
	return isIdentifier(name) && !htmlTags.has(strings.ToLower(name))
}
