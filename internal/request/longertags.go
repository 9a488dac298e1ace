package request

import "strings"

// Longer tags of the version of another one: "1.2-debug" beside "1.2".

// versionOf returns a tag up to its first dash, without "v".
func versionOf(tag string) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(tag, "v"), "-")
	return version
}

// isLonger reports whether a tag is the version that another one is, and more.
func isLonger(tag, than string) bool {
	return beginsVersion(than, tag) && hasDigit(than)
}

// addsLonger reports whether the word at an index is a tag beside another one of its version
// in front of it, and not in place of that: a word such as "also" stands in between or right
// behind it, or both are in a list. before are the tags in front of it. elsewhere tells that
// another sentence speaks of it, or nothing in front of it.
func (u *spokenLine) addsLonger(i int, before []apartTag) (adds, elsewhere bool) {
	const most = 30 // words in between
	tag := u.word(i)
	version := versionOf(tag)
	n := i - 1
	least := max(0, i-most)
	for n >= least && versionOf(u.tagAt(n)) != version {
		n--
	}
	from := u.toks[least].at
	if n >= least {
		other := u.tagAt(n)
		if last := len(before) - 1; other != tag && !isLonger(tag, other) && last >= 0 && before[last].tag == other && before[last].line == u.number {
			return before[last].more, before[last].elsewhere // "1.2: 1.2-a and 1.2-b"
		}
		if onlyListMarks(u.toks[n+1 : i]) {
			return !isBracketed(u.written, u.toks[n], u.toks[i]), false
		}
		from = u.toks[n].end()
	}
	behind := strings.TrimLeft(u.behind(i), " )`")
	if end := strings.IndexAny(behind, ",;.("); end >= 0 {
		behind = behind[:end]
	}
	between := u.said[from:u.toks[i].at]
	_, rest, _ := strings.Cut(tag, "-")
	part, _, _ := strings.Cut(lower(rest), "-")
	announced := strings.Contains(u.said[:u.toks[i].at], part) || isBracketed(u.written, u.toks[max(0, i-1)], u.toks[i]) // "the debug one, 1.2-debug"
	elsewhere = strings.Contains(between, ". ") || !announced
	if said := between + " " + withoutDegree(behind) + " "; addings.in(said) || alsoThese.in(said) {
		return true, elsewhere
	}
	for k := n + 1; k < i; k++ {
		if !joins.has(u.word(k)) && !conjunctions.starts(u.said[u.toks[k].at:]) {
			continue
		}
		if k == n+1 || k == i-1 || u.toks[k-1].kind == separator || articles.has(u.word(k+1)) {
			return true, elsewhere
		}
	}
	return false, elsewhere
}

// tagAt returns the tag of the image at an index, or else the word.
func (s *sentence) tagAt(i int) string {
	if all := s.reads[i].images; len(all) > 0 && s.toks[i].kind == asciiWord {
		return all[len(all)-1].Reference.Tag()
	}
	return s.word(i)
}

// alsoThese are words that ask for one more beside addings, also inside of other words.
var alsoThese = phrases{list: "alsoThese"}

// beginsVersion reports whether a tag is the beginning of a longer one, with or without "v".
func beginsVersion(short, long string) bool {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(long, "v"), strings.TrimPrefix(short, "v"))
	return ok && rest != "" && strings.IndexByte(".-", rest[0]) >= 0
}

// asksForV reports whether a line says that the tags begin with "v": "there's a v in front".
// In Czech, "v" is a word of its own.
func (u *spokenLine) asksForV() bool {
	for i := range u.toks {
		t := &u.toks[i]
		if strings.TrimRight(t.text, ".,:)!") != "v" {
			continue
		}
		asks := t.quoted
		for n := max(0, i-2); n < min(i+2, len(u.toks)); n++ {
			word := u.word(n)
			switch {
			case notLetters.has(word), noLetters.in(word):
				return false
			case n == i-1 && letterBefore.has(word), n == i+1 && letterBehind.has(word), n >= i-1 && u.toks[n].kind == otherWord:
				asks = true
			}
		}
		if asks {
			return true
		}
	}
	return false
}

// Words beside the letter that tags begin with, and those that deny it.
var (
	letterBefore = wordSet{list: "letterBefore"}
	letterBehind = wordSet{list: "letterBehind"}
	notLetters   = wordSet{list: "notLetters"}
	noLetters    = phrases{list: "noLetters"}
)
