package request

import "strings"

// sentence is a line of text, or a part of one, as words.
type sentence struct {
	written string    // the text of the whole line, with links resolved
	said    string    // the same in lower case
	on      marks     // the lists of phrases that are in it
	toks    []token   // the words and marks
	reads   []reading // what each of them was read as
}

// maxApart is how many words apart two may stand that a sentence says something of
// together; it keeps the time linear.
const maxApart = 64

// near returns the range of the words near the one at an index.
func (s *sentence) near(i int) (from, to int) {
	return max(0, i-maxApart), min(len(s.toks), i+maxApart)
}

// part returns the sentence with the words between two indices only.
func (s *sentence) part(from, to int) sentence {
	return sentence{written: s.written, said: s.said, on: s.on, toks: s.toks[from:to], reads: s.reads[from:to]}
}

// word returns the word at an index without the marks around it.
func (s *sentence) word(i int) string { return trimWord(s.toks[i].text) }

// isImage reports whether the word at an index is certainly an image.
func (s *sentence) isImage(i int) bool { return s.reads[i].isImage(official) }

// isOpen reports whether the word at an index is certainly an image, and has no tag.
func (s *sentence) isOpen(i int) bool { return s.reads[i].isOpen() }

// behind returns what is said behind the word at an index.
func (s *sentence) behind(i int) string { return s.said[s.toks[i].end():] }

// isExcluded reports whether the sentence excludes the word at an index.
func (s *sentence) isExcluded(i int) bool {
	return isExcluded(s.said, s.toks[i].at, s.toks[i].end())
}

// joinedEnd returns the offset behind the word at an index, or behind the tag that
// stands apart from it.
func (s *sentence) joinedEnd(i int) int {
	const most = 4 // words up to the tag
	if !s.reads[i].joined() {
		return s.toks[i].end()
	}
	tag := s.reads[i].images[0].Reference.Tag()
	for _, t := range s.toks[i+1 : min(len(s.toks), i+1+most)] {
		if strings.TrimLeft(trimWord(t.text), ":") == tag {
			return t.end()
		}
	}
	return s.toks[i].end()
}

// lastImage returns the index of the last image in front of a word and near it; -1 if
// there is none.
func (s *sentence) lastImage(i int) int {
	for n := i - 1; n >= max(0, i-maxApart); n-- {
		if s.isImage(n) {
			return n
		}
	}
	return -1
}

// onlyListMarks reports whether the words between two others are marks of a list.
func onlyListMarks(between []token) bool {
	for _, t := range between {
		if !isTagListMark(lower(t.text)) {
			return false
		}
	}
	return true
}

// isJoiner reports whether a word joins two others that share a statement: "and".
func isJoiner(t token) bool { return joins.has(lower(t.text)) }

// joins are words between two images that share a statement.
var joins = wordSet{list: "joins"}
