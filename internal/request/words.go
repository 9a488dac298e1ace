package request

import (
	_ "embed"
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/texts"
)

// wordFile holds the lists of words of sentences by their names. A list has lines
// of words with "|" between them; a space beside a word is part of it.
//
//go:embed texts/words.json
var wordFile string

var wordLists = sync.OnceValue(func() map[string][]string {
	lists := map[string][]string{}
	_ = texts.Decode(wordFile, &lists) // a test reads it
	return lists
})

// listOf returns a function for the words of a list.
func listOf(list string) func() []string {
	return sync.OnceValue(func() []string { return wordsIn(strings.Join(wordLists()[list], "|")) })
}
