package request

import (
	"slices"
	"strings"
	"sync"
)

// marks are the lists of phrases of which a text has one. They are found in one pass,
// so that the lists that a line has nothing of, which are most, are not looked for one
// by one.
type marks uint64

// markedLists are the names of the lists that marks tell of, at most 64: those that
// are looked for in every line.
const markedLists = wordList("marked")

// markedWord is a phrase with the bit of its list.
type markedWord struct {
	text string
	list marks
}

// markTable has the phrases of markedLists by a hash of their first three bytes, and
// those that are shorter.
type markTable struct {
	by    [][]markedWord // 1 << 12
	short []markedWord
}

func markHash(a, b, c byte) uint32 {
	return (uint32(a)<<16 | uint32(b)<<8 | uint32(c)) * 2654435761 >> 20
}

var markedWords = sync.OnceValue(func() *markTable {
	t := &markTable{by: make([][]markedWord, 1<<12)}
	for _, name := range markedLists.words() {
		list, mark := wordList(name), markOf(wordList(name))
		for _, w := range list.words() {
			to := &t.short
			if len(w) > 2 {
				to = &t.by[markHash(w[0], w[1], w[2])]
			}
			*to = append(*to, markedWord{w, mark})
		}
	}
	return t
})

// marksOf returns the marks of a text in lower case.
func marksOf(text string) (found marks) {
	t := markedWords()
	for _, w := range t.short {
		if strings.Contains(text, w.text) {
			found |= w.list
		}
	}
	for i := 0; i+2 < len(text); i++ {
		for _, w := range t.by[(uint32(text[i])<<16|uint32(text[i+1])<<8|uint32(text[i+2]))*2654435761>>20] { // markHash
			if found&w.list == 0 && strings.HasPrefix(text[i:], w.text) {
				found |= w.list
			}
		}
	}
	return found
}

// markOf returns the bit of a list; 0 if it is not in markedLists.
func markOf(list wordList) marks {
	return 1 << uint(slices.Index(markedLists.words(), string(list)))
}

// has reports whether a list, which is in markedLists, has a phrase in the text.
func (m marks) has(p *phrases) bool { return m&p.table().mark != 0 }

// asks reports whether a text with these marks may ask politely for something.
func (m marks) asks() bool {
	return m.has(&polite) || m.has(&bids) || m.has(&foreignWishes) || m.has(&foreignModals)
}

// wishes reports whether a text with these marks may wish for something.
func (m marks) wishes() bool { return m.has(&wishes) || m.has(&foreignWishes) || m.has(&foreignModals) }
