package request

import (
	_ "embed"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/imageferry/ferry/internal/texts"
)

// wordFile holds the lists of words of sentences by their names. A list has lines
// of words with "|" between them; a space beside a word is part of it.
//
//go:embed texts/words.json
var wordFile string

// The value is a pointer, as elsewhere, because sync.OnceValue is in the binary once
// for all pointers, but for each type of maps, 1 kB each.
var wordLists = sync.OnceValue(func() *map[string][]string {
	lists := map[string][]string{}
	_ = texts.Decode(wordFile, &lists) // a test reads it
	for name, lines := range lists {
		lists[name] = wordsIn(strings.Join(lines, "|"))
	}
	return &lists
})

// wordsIn returns the words of a list with "|" between them, which takes less
// space in the binary than a list of strings.
func wordsIn(list string) []string { return strings.Split(list, "|") }

// wordList is the name of a list of words.json, or a short list itself, with "|"
// between the words. The tables of lists are built when they are first needed,
// because most commands read no request.
type wordList string

// words returns the words of the list, which the caller must not change.
func (l wordList) words() []string {
	if words, named := (*wordLists())[string(l)]; named {
		return words
	}
	return wordsIn(string(l))
}

// wordSet is a look-up table of words. Goroutines that need it first at the same
// time may each build it.
type wordSet struct {
	list  wordList
	built atomic.Pointer[map[string]bool]
}

// has reports whether word is one of the words.
func (s *wordSet) has(word string) bool {
	built := s.built.Load()
	if built == nil {
		all := make(map[string]bool)
		for _, w := range s.list.words() {
			all[w] = true
		}
		built = &all
		s.built.Store(built)
	}
	return (*built)[word]
}
