package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// What a sentence says that it does not want: images, names, and the whole request.

// isExcluded reports whether a sentence, in lower case, excludes the image
// between two offsets.
func isExcluded(said string, from, to int) bool {
	return isHeaded(said, from) || isExcludedBefore(said, from) || isExcludedBehind(said, to)
}

// isHeaded reports whether unwantedHeads and a colon are in front of the image at an
// offset of a sentence, in lower case: "Not needed: a/b:1".
func isHeaded(said string, from int) bool {
	const most = 60 // bytes of the words
	if from < len(said) && said[from] == ':' {
		from++
	}
	head, ok := strings.CutSuffix(strings.TrimRight(said[max(0, from-most):from], " *_`"), ":")
	if head, remark, is := strings.Cut(head, " ("); is && strings.HasSuffix(remark, ")") {
		before, whole := unwanted.cut(head)
		return ok && whole && strings.Trim(before, " -*_`") == "" // "Not missing (so nothing to do):"
	}
	return ok && len(head) < most-1 && unwanted.end(strings.TrimRight(head, " *_`"))
}

// isExcludedBefore reports whether the words in front of an offset exclude the image
// there: "instead of a/b:1".
func isExcludedBefore(said string, from int) bool {
	const most = 60   // bytes of the words
	const fillers = 2 // of fillersBefore
	before := strings.TrimRight(said[max(0, from-most):from], " \"'`(*_[<:")
	bracketed := strings.HasSuffix(strings.TrimRight(said[:from], " `"), "(")
	if other, version, ok := cutLastWord(before); ok && bracketed && isVersion(version) {
		before = other // "instead of 22.04 (ubuntu:22.04)"
	}
	for range fillers + 1 {
		if _, ok := notBefore.cut(before); ok {
			return true
		}
		shorter, ok := fillersBefore.cut(before)
		if !ok {
			return false
		}
		before = strings.TrimRight(shorter, " \"'`(*_[<")
	}
	return false
}

// isExcludedBehind reports whether the words behind an offset exclude the image in
// front of it: "a/b:1 is not needed".
func isExcludedBehind(said string, to int) bool {
	const most = 60 // bytes of the words
	behind := strings.TrimLeft(said[to:min(len(said), to+most)], " \"'`)*_]>")
	if aside := strings.TrimLeft(behind, ",("); aside != behind {
		return isExcludedAside(strings.TrimLeft(aside, " "))
	}
	if isPutThere(behind) {
		return false
	}
	for range 2 {
		if notBehind.starts(behind) || dismissals.starts(behind) {
			return true
		}
		word, rest, _ := strings.Cut(behind, " ")
		if !fillersBehind.has(word) {
			return false
		}
		behind = strings.TrimLeft(rest, " ")
	}
	return false
}

// isExcludedAside is isExcludedBehind for what is behind a comma or in a bracket. In
// Chinese, that is said of what follows.
func isExcludedAside(aside string) bool {
	if isChinese(aside) {
		return false
	}
	return notBehind.starts(aside) || strings.HasPrefix(aside, "already") || strings.HasPrefix(aside, "no longer")
}

// isPutThere reports whether the text behind an image only says where to put it:
// "(put a/b:1) there, please".
func isPutThere(behind string) bool {
	rest, ok := strings.CutPrefix(behind, "there, ")
	word, _, _ := strings.Cut(rest, " ")
	return ok && courtesies.has(strings.Trim(word, ".,;!"))
}

// Words that exclude an image: directly before it, with fillers in between, and directly
// after it.
var (
	notBefore     = endings{list: "notBefore"}
	fillersBefore = endings{list: "fillersBefore"}
	notBehind     = phrases{list: "notBehind"}
	fillersBehind = wordSet{list: "fillersBehind"}
)

// isUnwanted reports whether the words above a list, or the remark behind them, say that
// what is in it is not wanted or there already: "Obsolete:", "Images of the package
// (these are in our registry already):".
func isUnwanted(h blockHead) bool {
	const most = 24 // bytes of words without a remark
	if h.is(&unwanted) {
		return true
	}
	said := h.remark
	if said == "" && len(h.words) <= most && !h.whole {
		said = h.words
	}
	return said != "" && (contrasts.in(said) || thereCells.starts(said) || unwanted.end(said)) && !hasWish(said) && !isPolite(said)
}

// unwantedHeads exclude the list that follows them; unwanted are the same before a colon.
const unwantedHeads = wordList("unwantedHeads")

var unwanted = endings{list: unwantedHeads}

// exceptThese are words of a sentence about all images but its own, which are not wanted.
var exceptThese = phrases{list: "exceptThese"}

// exclude marks the images of a sentence that it excludes or replaces by others.
func (u *spokenLine) exclude() {
	u.not = make([]bool, len(u.toks))
	last := -1      // the image in front
	listed := false // it is in a list with a head that excludes it
	begins := true  // the images so far are a list at the beginning of the sentence
	for i := range u.toks {
		if !u.isImage(i) {
			continue
		}
		replaced := u.isReplaced(i)
		u.replaced = u.replaced || replaced
		listed = isHeaded(u.said, u.toks[i].at) || listed && onlyListMarks(u.toks[last+1:i])
		u.not[i] = listed || replaced || u.isNotMeant(i)
		if u.not[i] && strings.HasPrefix(strings.TrimLeft(u.said[u.joinedEnd(i):], "`"), ")") {
			u.excludeInBracket(i)
		}
		if last >= 0 {
			u.shareExclusion(last, i, begins)
			begins = begins && onlyListMarks(u.toks[last+1:i])
		} else {
			begins = i == 0
		}
		last = i
	}
	if u.on.has(&dismissals) {
		u.dismiss()
	}
}

// excludeInBracket excludes the images of a list in brackets that ends with the one at
// an index: "the others (a/b:1, a/c:1) are not needed".
func (u *spokenLine) excludeInBracket(end int) {
	from := end
	for from > 0 && (u.isImage(from-1) || isTagListMark(lower(u.toks[from-1].text))) {
		from--
	}
	for n := from; n <= end && strings.HasSuffix(strings.TrimRight(u.said[:u.toks[from].at], "`"), "("); n++ {
		u.not[n] = u.isImage(n)
	}
}

// isNotMeant reports whether the sentence says that the image at an index is not wanted,
// or only there now. What is said of a version that a newer one has replaced already is
// not said of the newer one.
func (u *spokenLine) isNotMeant(i int) bool {
	at, end := u.toks[i].at, u.joinedEnd(i)
	r := &u.reads[i]
	if u.on.has(&models) && r.images[0].has(AssumedHost) && r.untagged() {
		return true // a model
	}
	if _, newer := u.old[i]; !newer && isExcluded(u.said, at, end) {
		return true
	}
	return isInUse(u.said, at, end) && u.hasOtherTag(i)
}

// models are sources of models, whose names look like those of images.
var models = phrases{list: "models"}

// shareExclusion excludes an image that a word such as "or" joins to an excluded one. If
// begins is set, the images up to the first one are a list: a word behind the second one
// is said of all of them.
func (u *spokenLine) shareExclusion(first, second int, begins bool) {
	if first+2 != second || !isJoiner(u.toks[first+1]) {
		return
	}
	if u.not[first] {
		u.not[second] = true
		return
	}
	bracket := strings.HasPrefix(strings.TrimLeft(u.said[u.joinedEnd(second):], " `"), "(")
	if !u.not[second] || !begins || bracket {
		return
	}
	for n := range first + 1 {
		u.not[n] = len(u.reads[n].images) > 0 // "a/b:1 and a/c:2 are not needed"
	}
}

// inUse are words that describe the current version when another one is
// requested: before the image, and after it.
var (
	inUseBefore = endings{list: "inUseBefore"}
	inUseBehind = phrases{list: "inUseBehind"}
)

func isInUse(said string, from, to int) bool {
	_, before := inUseBefore.cut(strings.TrimRight(said[:from], " \"'`"))
	return before || inUseBehind.starts(strings.TrimLeft(said[to:], " \"'`"))
}

// hasOtherTag reports whether another word of the sentence is the same
// repository with another tag.
func (s *sentence) hasOtherTag(i int) bool {
	own := s.reads[i].images[0].Reference
	from, to := s.near(i)
	for n := from; n < to; n++ {
		if n == i || len(s.reads[n].images) == 0 {
			continue
		}
		if other := s.reads[n].images[0].Reference; other != own && other.Repository() == own.Repository() {
			return true
		}
	}
	return false
}

// dismiss excludes the images of which a sentence says somewhere that they are not
// needed, part by part.
func (u *spokenLine) dismiss() {
	for i, from := 0, 0; from < len(u.said); {
		next := partEnd(u.said, from)
		var images []int
		for ; i < len(u.toks) && u.toks[i].at < next; i++ {
			if u.reads[i].isImage(path) {
				images = append(images, i)
			} else if len(u.reads[i].platforms) > 0 {
				return // the platform may be what is not needed
			}
		}
		u.dismissAmong(images, from, next)
		from = next
	}
}

// dismissAmong excludes the images of a part of a sentence between two offsets that are
// not needed: the only one, or the one in front of the words that say so. The last words
// before a comma concern the next image.
func (u *spokenLine) dismissAmong(images []int, from, to int) {
	for n, i := range images {
		begin, end := min(u.toks[i].end(), to), to
		switch {
		case len(images) == 1:
			begin = from
		case n+1 < len(images):
			next := images[n+1]
			if u.not[next] {
				continue
			}
			end = begin + max(0, strings.LastIndexByte(u.said[begin:max(begin, u.toks[next].at)], ','))
		}
		behind := min(u.toks[i].end(), end)
		if others := otherOnes.index(u.said[behind:end]); others >= 0 {
			end = behind + others // "only a/b:1, the others are not needed"
		}
		u.not[i] = u.not[i] || dismissals.in(u.said[min(begin, end):end]) && (u.reads[i].untagged() || !u.dismissesOther(i, end))
	}
}

// dismissesOther reports whether the sentence excludes a name or a version between the
// image at an index and an offset: "a/b:1.2, the 1.1 is not needed".
func (u *spokenLine) dismissesOther(image, end int) bool {
	for i, from := image+1, u.joinedEnd(image); i < len(u.toks) && u.toks[i].at < end; i++ {
		word := u.word(i)
		named := isVersion(word) && strings.Contains(word, ".") || u.isName(i) && (known.IsOfficial(word) || strings.Contains(word, "-"))
		if named && u.toks[i].at >= from && u.isExcluded(i) {
			return true
		}
	}
	return false
}

// dismissals are words for an image that is not needed, otherOnes those for other images
// than the one in front of them.
var (
	dismissals = phrases{list: "dismissals"}
	otherOnes  = phrases{list: "otherOnes"}
)

// noteWithout notes the names without a tag that a sentence excludes, and those that a
// word such as "and" joins to them; if it begins with a list of names and excludes one,
// those in front of it too.
func (s *scan) noteWithout(u *spokenLine) {
	begins := true // the list at the beginning of the sentence has not ended
	last := -3     // the last name that is excluded
	for i, t := range u.toks {
		if !u.isName(i) {
			begins = begins && (isTagListMark(lower(t.text)) || isJoiner(t))
			continue
		}
		joined := last == i-2 && isJoiner(u.toks[i-1])
		if !joined && !u.isExcluded(i) {
			continue
		}
		last = i
		for n := i; n >= 0 && (n == i || begins) && len(s.without) < maxUses; n-- {
			if u.isName(n) {
				s.without = append(s.without, withoutName{u.reads[n].images[0].name(), u.number})
			}
		}
		begins = false
	}
}

// isName reports whether the word at an index can be the name of an image, without a
// namespace or a tag.
func (s *sentence) isName(i int) bool {
	return s.reads[i].strength <= official && s.reads[i].untagged()
}

// withdraws reports whether a line without images, in lower case, takes the whole
// request back.
func withdraws(said string, toks []token) bool {
	const most = 16 // words of such a line
	if len(toks) > most || strings.HasSuffix(said, ":") || anyToken(toks, isAboutTag) || announcesPlatform(said) {
		return false
	}
	said = strings.TrimLeft(said, " -*#[(【>")
	if _, rest, ok := strings.Cut(said, ": "); ok && (withdrawals.starts(rest) || withdrawalEnds.in(rest)) {
		return true // "Edit: never mind"
	}
	return withdrawals.starts(said) || withdrawalEnds.in(said)
}

// isAboutTag reports whether a word is a tag or the noun for one.
func isAboutTag(t token) bool { return looksLikeTag(trimWord(t.text)) || tagNouns.has(spoken(t)) }

// withdrawals are beginnings of lines that take a request back, withdrawalEnds
// words anywhere in them.
var (
	withdrawals    = phrases{list: "withdrawals"}
	withdrawalEnds = phrases{list: "withdrawalEnds"}
)
