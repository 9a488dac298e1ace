package request

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"math/bits"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/texts"
)

// The wording of a text is its words, the pairs of neighbours among them, and its
// layout. Each of these marks has a weight, positive if texts that ask for images have it
// more often than others with the same signals. The weights were learned from the texts of
// testdata/corpus by logistic regression; TestWording does that.

// wordingFile holds the marks and their weights. The weight of the empty mark is always
// added.
//
//go:embed texts/wording.json
var wordingFile string

const (
	// maxWording limits the weight of a wording: a text about another subject than
	// those of the corpus must not outweigh all signals.
	maxWording = 40
	// maxWorded is how many bytes of a text count for its wording.
	maxWorded = 16 << 10
	// maxWordedWord is the longest of its words, in bytes.
	maxWordedWord = 24
)

// markWeights are the weights of the marks, in tenths.
var markWeights = sync.OnceValue(func() *map[string]int { return readWeights(wordingFile) })

// weightFile is a file of weights. It has the marks in order, and the weights in halves in
// the same order, with commas between them. A mark begins with a digit of shares, which
// tells how many bytes it begins with are those of the mark before it.
type weightFile struct{ Marks, Weights string }

// shares are the digits of weightFile, which limit what a mark leaves out.
const shares = "0123456789abcdefghijklmnopqrstuvwxyz"

// readWeights returns the weights of a file in tenths.
func readWeights(file string) *map[string]int {
	var packed weightFile
	_ = texts.Decode(file, &packed) // a test reads it
	weights := map[string]int{}
	mark, halves := "", strings.Split(packed.Weights, ",")
	for i, rest := range strings.Split(packed.Marks, ",") {
		mark = mark[:strings.IndexByte(shares, rest[0])] + rest[1:]
		weight, _ := strconv.Atoi(halves[i])
		weights[mark] = 5 * weight
	}
	return &weights
}

// Weight is the weight of a signal or of a mark of the wording. It is positive if it
// shows a request.
type Weight struct {
	Name   string
	Weight float64
}

// weighWording returns the weight of the wording of a text: the sum of the weights of its
// marks by a root of their number, so that long texts weigh little more than short ones.
func weighWording(title, body *text) int {
	sum, marks := 0, weighedMarks(title, body)
	for _, tenths := range marks {
		sum += tenths
	}
	weight := (float64((*markWeights())[""]) + float64(sum)*shareOfMark(len(marks))) / 10
	return int(math.Round(max(-maxWording, min(maxWording, weight))))
}

// weighedMarks returns the marks of the wording of a text that have a weight, with it in
// tenths.
func weighedMarks(title, body *text) map[string]int {
	weights, marks := *markWeights(), map[string]int{}
	eachMark(title, body, func(mark []byte) {
		if w, ok := weights[string(mark)]; ok {
			marks[string(mark)] = w
		}
	})
	return marks
}

// heaviestMarks returns the marks of the wording of a text that weigh most, with their
// shares in its weight.
func heaviestMarks(title, body *text) []Weight {
	const most = 10
	var all []Weight
	marks := weighedMarks(title, body)
	for mark, tenths := range marks {
		all = append(all, Weight{mark, math.Round(float64(tenths)*shareOfMark(len(marks))) / 10})
	}
	sort.SliceStable(all, func(i, j int) bool {
		a, b := math.Abs(all[i].Weight), math.Abs(all[j].Weight)
		return a > b || a == b && all[i].Name < all[j].Name
	})
	return all[:min(len(all), most)]
}

// shareOfMark returns how much of its weight each of a number of marks has.
func shareOfMark(marks int) float64 { return math.Pow(float64(max(marks, 1)), -0.2) }

// eachMark calls see with all marks of the wording of a text, some of them more than
// once: the words of title and body, their beginnings behind "~", and their pairs, those of
// the title once more behind "=" and those of the last line behind "$", because people often
// end with what they ask for; the places of images, and the layout.
func eachMark(title, body *text, see func(mark []byte)) {
	var buffer []byte
	behind := func(prefix byte, word []byte) {
		buffer = append(append(buffer[:0], prefix), word...)
		see(buffer)
	}
	words := func(word []byte) {
		see(word)
		if n := stemEnd(word); n < len(word) {
			behind('~', word[:n])
		}
	}
	eachWord(title.said, words)
	eachWord(title.said, func(word []byte) { behind('=', word) })
	eachWord(body.talk, words)
	talk := strings.TrimSpace(body.talk)
	eachWord(talk[strings.LastIndexByte(talk, '\n')+1:], func(word []byte) { behind('$', word) })
	mark := func(name string, n int) { see(fmt.Appendf(nil, "%s:%d", name, n)) }
	images, lists, first, last := 0, 0, false, false
	for _, t := range []*text{title, body} {
		for i := range t.candidates {
			c := &t.candidates[i]
			if c.line == 0 {
				mark("="+c.place.name, int(c.strength))
			} else {
				mark(c.place.name, int(c.strength))
			}
			if c.strength < path {
				continue
			}
			images++
			if c.place.stance == listed {
				lists++
			}
			first, last = first || c.line == body.layout.first, last || c.line == body.layout.last
		}
	}
	mark("images", bits.Len(uint(images)))
	if lists > 0 {
		mark("lists", lists/images)
	}
	y := &body.layout
	mark("lines", bits.Len(uint(y.filled)))
	mark("told", bits.Len(uint(title.told+body.told)))
	mark("fenced", 4*y.fenced/max(y.filled, 1))
	if first {
		mark("first", 1)
	}
	if last {
		mark("last", 1)
	}
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

// stemEnd returns the end of the beginning that a word of a text shares with its other
// forms, which many languages have; the end of the word if it is short, or no word.
func stemEnd(word []byte) int {
	const runes = 5
	if bytes.ContainsAny(word, " <") {
		return len(word)
	}
	end := 0
	for range runes {
		_, size := utf8.DecodeRune(word[end:])
		end += size
	}
	return end
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
