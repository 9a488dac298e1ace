package request

import (
	_ "embed"
	"math"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/texts"
)

// The wording of a text is its words, and the pairs of neighbours among them. Each has
// a weight, positive if texts that ask for images have it more often than others. The
// weights were learned from the texts of testdata/corpus by logistic regression; TestWording
// does that.

// wordingFile holds the words and pairs with commas between them, by their weights in
// tenths. The weight of the empty word is always added.
//
//go:embed texts/wording.json
var wordingFile string

const (
	// maxWording limits the weight of a wording: a text about another subject than
	// those of the corpus must not outweigh all signals.
	maxWording = 12
	// leastBid is the least weight with which a question is taken as a wish.
	leastBid = 5
	// maxWorded is how many bytes of a text count for its wording.
	maxWorded = 16 << 10
	// maxWordedWord is the longest of its words, in bytes.
	maxWordedWord = 24
)

var wordWeights = sync.OnceValue(func() *map[string]float64 {
	weights, lists := map[string]float64{}, map[string]string{}
	_ = texts.Decode(wordingFile, &lists) // a test reads it
	for tenths, words := range lists {
		weight, _ := strconv.Atoi(tenths)
		for _, word := range strings.Split(words, ",") {
			weights[word] = float64(weight) / 10
		}
	}
	return &weights
})

// weighWording returns the weight of the wording of a text in lower case: the sum of
// the weights of its words and pairs by the root of their number, so that long texts
// weigh no more than short ones.
func weighWording(text string) int {
	weights, seen, sum := *wordWeights(), map[string]bool{}, 0.0
	eachWord(text, func(word []byte) {
		if w, ok := weights[string(word)]; ok && !seen[string(word)] {
			seen[string(word)] = true
			sum += w
		}
	})
	sum = weights[""] + sum/math.Sqrt(float64(max(len(seen), 1)))
	return int(math.Round(max(-maxWording, min(maxWording, sum))))
}

// eachWord calls see with the words of a text in lower case, and with each pair of
// neighbours on a line, of which the ends are words, too. References, addresses and
// numbers are one word each, because it does not matter which they are. Han and Kana
// characters are words.
func eachWord(text string, see func(word []byte)) {
	text = text[:min(len(text), maxWorded)]
	pair := make([]byte, 0, 3*maxWordedWord)
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		text, pair = rest, append(pair[:0], '^')
		for line != "" {
			end := pieceEnd(line)
			word := wordOf(line[:end])
			line = line[end:]
			if word == "" {
				continue
			}
			first := len(pair) + 1
			pair = append(append(pair, ' '), word...)
			see(pair[first:])
			see(pair)
			pair = append(pair[:0], pair[first:]...)
		}
		see(append(pair, " $"...))
	}
}

// pieceEnd returns the end of the word with which a text begins; if none does, of the
// character.
func pieceEnd(text string) int {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r >= 0x2E80 && (r < 0xAC00 || r > 0xD7A3) || r < utf8.RuneSelf && !isAlnum(text[i]) && strings.IndexByte("._-/:@'+", text[i]) < 0 {
			if i == 0 {
				return size
			}
			return i
		}
		i += size
	}
	return len(text)
}

// wordOf returns the word that a piece of a text counts as; empty if it is none.
func wordOf(piece string) string {
	word := strings.Trim(piece, "._-/:@'+")
	switch {
	case word == "":
		return ""
	case len(word) == 1 && word[0] < utf8.RuneSelf && !isAlnum(word[0]):
		if strings.Contains("?!#`*>|", word) {
			return word
		}
		return ""
	case strings.Contains(word, "://"):
		return "<url>"
	case strings.Contains(word, "/"):
		return "<path>"
	case isDigit(word[0]), len(word) > 1 && word[0] == 'v' && isDigit(word[1]):
		return "<number>"
	case strings.ContainsAny(word, ".:@"):
		return "<name>"
	case len(word) > maxWordedWord:
		return "<long>"
	}
	return word
}
