package request

import (
	"strings"
	"unicode/utf8"
)

// What the part of a sentence beside an image says of it: that the author asks for it,
// or that it is there already or not meant.

// clause is a part of a line, in lower case, between two offsets.
type clause struct {
	said     string
	from, to int
	doubts   []int // where words are that say that an image is there already, gone, or not meant
}

// noteClauses notes which candidates of a line, in lower case, stand in a clause
// that asks for something or tells what the image is. An item of a list does.
func noteClauses(all []candidate, said string, on marks, item bool) {
	n := 0
	for from := 0; n < len(all) && from < len(said); {
		c := clause{said: said, from: from, to: partEnd(said, from)}
		if all[n].at < c.to {
			n = c.note(all, n, on, item)
		}
		from = c.to
	}
}

// note notes what the clause says of its candidates, of which the first one has an index,
// and returns the index behind the last one.
func (c *clause) note(all []candidate, n int, on marks, item bool) (next int) {
	if on.has(&contrasts) {
		c.doubts = contrasts.find(c.said, c.from, c.to)
	}
	asks := item || asksInClause(strings.TrimSpace(c.said[c.from:c.to]), on)
	for ; n < len(all) && all[n].at < c.to; n++ {
		one := &all[n]
		one.asks = asks || n > 0 && all[n-1].place == inExclusion && all[n-1].at >= c.from // "not a/b:1, but a/b:2"
		if item && one.asks {
			one.doubted = c.isThere(one)
		} else {
			one.doubted = c.isDoubted(all, n)
		}
	}
	return n
}

// asksInClause reports whether a clause asks for something or tells what an image is.
func asksInClause(said string, on marks) bool {
	switch {
	case on.has(&nouns) && nouns.in(said), on.has(&foreignNouns) && foreignNouns.in(said):
		return true // "the image a/b:1"
	case on.wishes() && hasWish(said), on.asks() && isPolite(said), addsMore(said):
		return true
	}
	return on.has(&orders) && orders.starts(said)
}

// isThere reports whether the remark behind an item of a list says that it is there
// already: "- a/b:1 (already there)".
func (c *clause) isThere(one *candidate) bool {
	behind := c.said[min(c.to, one.at+len(one.image.Written)):c.to]
	return thereCells.starts(strings.TrimLeft(behind, " -–—(,:*`✅✓✔☑"))
}

// isDoubted reports whether the words beside a candidate say that it is there already,
// gone, or not meant: those up to a comma in front of it, and up to the next candidate.
func (c *clause) isDoubted(all []candidate, n int) bool {
	from, next := c.from, c.to
	at, end := all[n].at, c.endOf(&all[n])
	if n > 0 {
		from = max(from, min(at, all[n-1].at+len(all[n-1].image.Written)))
	}
	if comma := strings.LastIndexByte(c.said[from:at], ','); comma >= 0 {
		from += comma
	}
	if n+1 < len(all) && all[n+1].at < c.to && all[n+1].at > end {
		next = all[n+1].at
		first := strings.Trim(c.said[from:at], " ,`\"'*") == ""
		if first && all[n].has(AssumedTag) && all[n].has(AssumedHost) && needing.in(c.said[end:next]) {
			return true
		}
		next = end + max(0, strings.LastIndexByte(c.said[end:next], ','))
	}
	if len(c.doubts) == 0 {
		return false
	}
	before, behind := beforeVersion(c.said[from:at]), beforeVersion(c.said[end:next])
	return contrasts.within(c.said, c.doubts, from, from+len(before)) ||
		contrasts.within(c.said, c.doubts, at, end) ||
		contrasts.within(c.said, c.doubts, end, end+len(behind))
}

// endOf returns the offset behind a candidate, or behind the tag that stands apart from it.
func (c *clause) endOf(one *candidate) int {
	if one.has(RemovedSpace) {
		tag := lower(one.image.Reference.Tag())
		if apart := strings.Index(c.said[one.at:c.to], tag); apart > 0 {
			return one.at + apart + len(tag)
		}
	}
	return min(one.at+len(one.image.Written), c.to)
}

// beforeVersion returns a text up to the first version in it: what is behind that is
// said of it.
func beforeVersion(text string) string {
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && (isAlnum(text[i]) || text[i] == '.') {
			i++
		}
		if word := strings.TrimRight(text[from:i], "."); strings.Contains(word, ".") && isVersion(word) {
			return text[:from]
		}
	}
	return text
}

// needing are words between what needs an image, which begins the clause, and the image.
var needing = phrases{list: "needing"}

// isRemarked reports whether the comment on a line says that its image is there
// already or not needed.
func isRemarked(text string) bool {
	_, remark, ok := strings.Cut(text, " #")
	remark = lower(strings.TrimLeft(remark, "# "))
	return ok && (contrasts.in(remark) || thereCells.starts(remark))
}

// contrasts are words beside an image that is not asked for.
var contrasts = phrases{list: "contrasts"}

// partEnd is sentenceEnd for parts of sentences between semicolons.
func partEnd(said string, from int) int {
	for i := from; i < len(said); i++ {
		if isPartEnd(said, from, i) {
			return i + 1
		}
	}
	return len(said)
}

// isPartEnd is endsSentence for parts of sentences between semicolons.
func isPartEnd(said string, from, i int) bool { return said[i] == ';' || endsSentence(said, from, i) }

// nouns are what English and Chinese call images.
var nouns = phrases{list: "nouns"}

// sentenceEnd returns the end of the sentence of a text that begins at an offset.
func sentenceEnd(said string, from int) int {
	for i := from; i < len(said); i++ {
		if endsSentence(said, from, i) {
			return i + 1
		}
	}
	return len(said)
}

// endsSentence reports whether the sentence that begins at an offset ends with the
// byte at another one. A full stop behind one letter is that of "i.e.".
func endsSentence(said string, from, i int) bool {
	switch c := said[i]; c {
	case '.':
		return i+1 < len(said) && said[i+1] == ' ' && i > from+1 && (isDigit(said[i-1]) || isAlnum(said[i-2]) || i > from+2 && said[i-1] >= utf8.RuneSelf && said[i-3] != ' ')
	case '!', '?':
		return i+1 == len(said) || !isAlnum(said[i+1])
	}
	return strings.HasPrefix(said[i:], "。")
}

// isRemark reports whether the text behind an image is a remark about it.
func isRemark(text string) bool {
	return text != "" && strings.IndexByte("(-#", text[0]) >= 0 || sames.starts(text)
}
