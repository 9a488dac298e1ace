package request

import "strings"

// readLeftOver reads what has the form of a reference in lines that other passes
// took without a look at every word, and in masked ones. It is never asked for,
// but told: nothing is dropped in silence.
func (s *scan) readLeftOver() {
	for i, l := range s.lines {
		text, where := l.text, leftOver
		switch l.masked {
		case isThere:
			if s.spelled[i] {
				continue // readText saw every word
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

// readLeftWord makes a candidate of a word that is surely an image and is none yet.
func (s *scan) readLeftWord(l line, at int, word string, where *place) {
	r := s.readWord(word)
	if len(r.images) == 0 || r.strength < tagged || s.offered[r.images[0].Reference] {
		return
	}
	r.problem, r.platforms = nil, nil
	s.offer(l, at, r, where)
}
