package request

import (
	"strings"
	"unicode/utf8"
)

// What the part of a sentence beside an image says of it: that the author asks for it,
// or that it is there already or not meant.

// noteClauses notes which candidates of a line, in lower case, stand in a clause
// that asks for something or tells what the image is. An item of a list does.
func noteClauses(all []candidate, said string, on marks, item bool) {
	for n, from := 0, 0; n < len(all) && from < len(said); {
		next := partEnd(said, from)
		clause := strings.TrimSpace(said[from:next])
		var doubts []int
		if on.has(&contrasts) && n < len(all) && all[n].at < next {
			doubts = contrasts.find(said, from, next)
		}
		asks := item || n < len(all) && all[n].at < next && (on.has(&nouns) && nouns.in(clause) || on.has(&foreignNouns) && foreignNouns.in(clause) || on.wishes() && hasWish(clause) || on.asks() && isPolite(clause) || addsMore(clause) || on.has(&orders) && orders.starts(clause))
		for ; n < len(all) && all[n].at < next; n++ {
			all[n].asks = asks || n > 0 && all[n-1].place == inExclusion && all[n-1].at >= from // "not a/b:1, but a/b:2"
			if item && all[n].asks {
				// "- a/b:1 (already there)"
				all[n].doubted = thereCells.starts(strings.TrimLeft(said[min(next, all[n].at+len(all[n].image.Written)):next], " -–—(,:*`✅✓✔☑"))
			} else {
				all[n].doubted = isDoubted(said, from, next, all, n, doubts)
			}
		}
		from = next
	}
}

// isDoubted reports whether the words beside a candidate, in the part of a line
// between two offsets, say that it is there already, gone, or not meant. doubts are
// where such words are.
func isDoubted(said string, from, next int, all []candidate, n int, doubts []int) bool {
	at := min(all[n].at, next)
	end := min(at+len(all[n].image.Written), next)
	if tag := lower(all[n].image.Reference.Tag()); all[n].has(RemovedSpace) {
		if apart := strings.Index(said[at:next], tag); apart > 0 {
			end = at + apart + len(tag)
		}
	}
	if n > 0 {
		from = max(from, min(at, all[n-1].at+len(all[n-1].image.Written)))
	}
	if comma := strings.LastIndexByte(said[from:at], ','); comma >= 0 {
		from += comma
	}
	if n+1 < len(all) && all[n+1].at < next && all[n+1].at > end {
		next = all[n+1].at
		if needing.in(said[end:next]) && strings.Trim(said[from:at], " ,`\"'*") == "" && all[n].has(AssumedTag) && all[n].has(AssumedHost) {
			return true
		}
		next = end + max(0, strings.LastIndexByte(said[end:next], ','))
	}
	if len(doubts) == 0 {
		return false
	}
	return contrasts.within(said, doubts, from, from+len(beforeVersion(said[from:at]))) || contrasts.within(said, doubts, at, end) || contrasts.within(said, doubts, end, end+len(beforeVersion(said[end:next])))
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
		if said[i] == ';' || endsSentence(said, from, i) {
			return i + 1
		}
	}
	return len(said)
}

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
