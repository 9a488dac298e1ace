package request

import "strings"

// readLeftOver finds references in lines that other passes accepted without
// examining every word, and in masked ones. They are never requested, but
// reported as left out.
func (s *scan) readLeftOver() {
	for i := range s.lines {
		l := &s.lines[i]
		text, where := l.text, leftOver
		switch l.masked {
		case isThere:
			if s.spelled[i] {
				continue // readText examined every word
			}
		case isTemplate, isVariable:
			continue
		default:
			text, where = l.hidden, maskedPlaces[l.masked]
		}
		if !strings.ContainsAny(text, "/") || len(s.candidates) > 4*MaxImages || s.full() {
			continue
		}
		for from := 0; from < len(text); from++ {
			end := from
			for end < len(text) && wordBytes[text[end]] {
				end++
			}
			word := text[from:end]
			if slash := strings.IndexByte(word, '/'); slash > 0 && slash < len(word)-1 && strings.ContainsAny(word, ".:@") {
				s.readLeftWord(l, from, word, where)
			}
			from = end
		}
	}
}

// readLeftWord makes a candidate of a word that is certainly an image and is
// not a candidate yet.
func (s *scan) readLeftWord(l *line, at int, word string, where *place) {
	r := s.readWord(word)
	if len(r.images) == 0 || r.strength < tagged || s.offered[r.images[0].Reference] {
		return
	}
	r.problem, r.platforms = nil, nil
	s.offer(l, at, r, where)
}
