package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// Statements of a sentence about an image in it: that it is not meant, and its
// tag.

// notBefore are words directly before an image that is not meant.
var notBefore = endings{list: "notBefore"}

// notBehind are words directly after an image that is not meant.
var notBehind = phrases{list: "notBehind"}

// unwantedHeads exclude the list that follows them.
const unwantedHeads = wordList("unwantedHeads")

// exceptThese are words of a sentence about all images but its own, which are not wanted.
var exceptThese = phrases{list: "exceptThese"}

// Words that select one of the images of a sentence.
var (
	onlyFirst = phrases{list: "onlyFirst"}
	onlyLast  = phrases{list: "onlyLast"}
)

// unwanted are unwantedHeads before a colon.
var unwanted = endings{list: unwantedHeads}

// fillersBefore are words between one of notBefore and the image.
var fillersBefore = endings{list: "fillersBefore"}

// fillersBehind are words between an image and one of notBehind.
var fillersBehind = wordSet{list: "fillersBehind"}

// isExcluded reports whether a sentence, in lower case, excludes the image
// between two offsets.
func isExcluded(said string, from, to int) bool {
	const most = 60 // relevant bytes on either side
	if isHeaded(said, from) {
		return true
	}
	before := said[max(0, from-most):from]
	before = strings.TrimRight(before, " \"'`(*_[<:")
	if other, version, ok := cutLastWord(before); ok && isVersion(version) && strings.HasSuffix(strings.TrimRight(said[:from], " `"), "(") {
		before = other // "instead of 22.04 (ubuntu:22.04)"
	}
	for range 3 {
		if _, ok := notBefore.cut(before); ok {
			return true
		}
		shorter, ok := fillersBefore.cut(before)
		if !ok {
			break
		}
		before = strings.TrimRight(shorter, " \"'`(*_[<")
	}
	behind := strings.TrimLeft(said[to:min(len(said), to+most)], " \"'`)*_]>")
	if rest := strings.TrimLeft(behind, ",("); rest != behind {
		behind = strings.TrimLeft(rest, " ")
		return !isChinese(behind) && (notBehind.starts(behind) || strings.HasPrefix(behind, "already") || strings.HasPrefix(behind, "no longer"))
	}
	if rest, ok := strings.CutPrefix(behind, "there, "); ok {
		if word, _, _ := strings.Cut(rest, " "); courtesies.has(strings.Trim(word, ".,;!")) {
			return false // "put a/b:1 there, please"
		}
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

// isHeaded reports whether unwantedHeads and a colon are in front of the image at an
// offset of a sentence, in lower case: "Not needed: a/b:1".
func isHeaded(said string, from int) bool {
	const most = 60 // bytes of the words
	if from < len(said) && said[from] == ':' {
		from++
	}
	head, ok := strings.CutSuffix(strings.TrimRight(said[max(0, from-most):from], " *_`"), ":")
	return ok && len(head) < most-1 && unwanted.end(strings.TrimRight(head, " *_`"))
}

// noPlatform are words before a platform that is not wanted, platformNouns those
// between it and a verb behind it.
var (
	noPlatform    = endings{list: "noPlatform"}
	platformNouns = phrases{list: "platformNouns"}
)

// denyPlatforms removes the platforms from the readings of a sentence, in lower
// case, that it does not want: "arm64 only, no amd64 needed", "x86 的不用".
func denyPlatforms(toks []token, reads []reading, said string) {
	var last []int // the platforms of a list that the verb may follow
	from, not := 0, false
	for i, t := range toks {
		if len(reads[i].platforms) == 0 || len(reads[i].images) > 0 {
			continue
		}
		to := min(t.at+len(t.text), len(said))
		behind := said[to:]
		n := i + 1
		for n < len(toks) && len(reads[n].platforms) == 0 && toks[n].kind != separator {
			n++
		}
		if n < len(toks) {
			behind = said[to:max(to, toks[n].at)]
		}
		before := strings.Trim(said[min(from, t.at):t.at], " \"'`*/+&.")
		if from == 0 || before != "" && before != "," && !joins.has(before) {
			_, no := noPlatform.cut(before)
			last, not = nil, no || isExcluded(before, len(before), len(before))
		} else if verb := strings.Trim(behind, " `."); before == "," && verb != "" && !joins.has(verb) {
			not = false // "no arm64, amd64 is enough"
			if !strings.HasPrefix(verb, "都") {
				last = nil
			}
		}
		last = append(last, i)
		if denied := isExcluded(platformNouns.without(behind), 0, 0); denied && (n == len(toks) || len(reads[n].platforms) == 0) {
			for _, i := range last {
				reads[i].platforms = nil // "arm64 和 s390x 都不要"
			}
		}
		if from = to; not {
			reads[i].platforms = nil
		}
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

// maxApart is how many words apart two may stand that a sentence says something of
// together; it keeps the time linear.
const maxApart = 64

// hasOtherTag reports whether another word of the sentence is the same
// repository with another tag.
func hasOtherTag(reads []reading, i int) bool {
	for n := max(0, i-maxApart); n < min(len(reads), i+maxApart); n++ {
		r := reads[n]
		if n != i && len(r.images) > 0 && r.images[0].Reference.Repository() == reads[i].images[0].Reference.Repository() && r.images[0].Reference != reads[i].images[0].Reference {
			return true
		}
	}
	return false
}

// models are sources of models, whose names look like those of images.
var models = phrases{list: "models"}

// joins are words between two images that share a statement.
var joins = wordSet{list: "joins"}

// exclude marks the words of a sentence, in lower case, that it excludes, and
// reports whether one of them is replaced by another. Images joined to an
// excluded one by "or" are excluded too, and so is the list behind a head such as "not
// needed:". What a sentence says of a version that another one has replaced already, as
// old tells, is not said of that.
func exclude(toks []token, reads []reading, said string, on marks, old map[int]reading) (not []bool, replaced bool) {
	not = make([]bool, len(toks))
	about := on.has(&models)
	last, listed := -1, false // the last image, and whether it is of a list with a head that excludes it
	begins := true            // the images so far are a list at the beginning of the sentence
	for i, t := range toks {
		if len(reads[i].images) == 0 || reads[i].strength < official {
			continue
		}
		end := min(endOf(toks, reads, i), len(said))
		model := about && reads[i].images[0].has(AssumedHost) && reads[i].untagged()
		by := isReplaced(toks, reads, i, said)
		replaced = replaced || by
		_, newer := old[i]
		not[i] = by || model || !newer && isExcluded(said, t.at, end) || isInUse(said, t.at, end) && hasOtherTag(reads, i)
		if listed = isHeaded(said, t.at) || listed && isListed(toks, []int{last, i}); listed {
			not[i] = true
		}
		if last >= 0 && last+2 == i && joins.has(lower(toks[last+1].text)) {
			if not[last] {
				not[i] = true
			} else if not[i] && begins && !strings.HasPrefix(strings.TrimLeft(said[end:], " `"), "(") {
				for n := range last + 1 {
					not[n] = len(reads[n].images) > 0 // "a/b:1 and a/c:2 are not needed"
				}
			}
		}
		begins = begins && (last < 0 && i == 0 || last >= 0 && isListed(toks, []int{last, i}))
		last = i
	}
	if on.has(&dismissals) {
		dismiss(toks, reads, said, not)
	}
	return not, replaced
}

// noteWithout notes the names without a tag that a sentence, in lower case, excludes,
// and those that a word such as "and" joins to them; if it begins with a list of names
// and excludes one, those in front of it too.
func (s *scan) noteWithout(l *line, toks []token, reads []reading, said string) {
	isName := func(i int) bool {
		return len(reads[i].images) > 0 && reads[i].untagged() && reads[i].strength <= official
	}
	begins := true // the list at the beginning of the sentence has not ended
	last := -3     // the last name that is excluded
	for i, t := range toks {
		if !isName(i) {
			begins = begins && (isTagListMark(lower(t.text)) || joins.has(lower(t.text)))
			continue
		}
		if (last != i-2 || !joins.has(lower(toks[i-1].text))) && !isExcluded(said, t.at, min(t.at+len(t.text), len(said))) {
			continue
		}
		last = i
		for n := i; n >= 0 && (n == i || begins) && len(s.without) < maxUses; n-- {
			if isName(n) {
				s.without = append(s.without, withoutName{reads[n].images[0].name(), l.number})
			}
		}
		begins = false
	}
}

// endOf returns the offset behind the word at an index, or behind the tag that stands
// apart from it.
func endOf(toks []token, reads []reading, i int) int {
	const most = 4 // words up to the tag
	if reads[i].joined() {
		for _, t := range toks[i+1 : min(len(toks), i+1+most)] {
			if strings.TrimLeft(trimWord(t.text), ":") == reads[i].images[0].Reference.Tag() {
				return t.at + len(t.text)
			}
		}
	}
	return toks[i].at + len(toks[i].text)
}

// dismiss excludes the images of which a sentence, in lower case, says somewhere
// that they are not needed: the only one of its part of the sentence, or the one in
// front of such words. The last words before a comma concern the next image.
func dismiss(toks []token, reads []reading, said string, not []bool) {
	isImage := func(i int) bool { return len(reads[i].images) > 0 && reads[i].strength >= path }
	for i, from := 0, 0; from < len(said); {
		next, images := partEnd(said, from), []int(nil)
		for ; i < len(toks) && toks[i].at < next; i++ {
			if len(reads[i].platforms) > 0 && !isImage(i) {
				return // the platform may be what is not needed
			} else if isImage(i) {
				images = append(images, i)
			}
		}
		for n, at := range images {
			begin, end := min(toks[at].at+len(toks[at].text), next), next
			if len(images) == 1 {
				begin = from
			} else if n+1 < len(images) {
				if not[images[n+1]] {
					continue
				}
				end = begin + max(0, strings.LastIndexByte(said[begin:max(begin, toks[images[n+1]].at)], ','))
			}
			behind := min(toks[at].at+len(toks[at].text), end)
			if rest := otherOnes.index(said[behind:end]); rest >= 0 {
				end = behind + rest // "only a/b:1, the others are not needed"
			}
			not[at] = not[at] || dismissals.in(said[min(begin, end):end])
		}
		from = next
	}
}

// otherOnes are words for other images than the one in front of them.
var otherOnes = phrases{list: "otherOnes"}

// dismissals are words for an image that is not needed.
var dismissals = phrases{list: "dismissals"}

// withdraws reports whether a line without images, in lower case, takes the whole
// request back.
func withdraws(said string, toks []token) bool {
	const most = 16 // words of such a line
	if len(toks) > most || strings.HasSuffix(said, ":") || slices.ContainsFunc(toks, func(t token) bool { return looksLikeTag(trimWord(t.text)) || tagNouns.has(spoken(t)) }) || announcesPlatform(said) {
		return false
	}
	said = strings.TrimLeft(said, " -*#[(【>")
	if _, rest, ok := strings.Cut(said, ": "); ok && (withdrawals.starts(rest) || withdrawalEnds.in(rest)) {
		return true // "Edit: never mind"
	}
	return withdrawals.starts(said) || withdrawalEnds.in(said)
}

// withdrawals are beginnings of lines that take a request back, withdrawalEnds
// words anywhere in them.
var (
	withdrawals    = phrases{list: "withdrawals"}
	withdrawalEnds = phrases{list: "withdrawalEnds"}
)

// distributives are words that assign one tag to several images.
var distributives = phrases{list: "distributives"}

// tagMarks are words that announce a tag in a sentence.
var tagMarks = wordSet{list: "tagMarks"}

// ofMarks are words between a version and its image.
var ofMarks = wordSet{list: "ofMarks"}

// shareMarks are words in front of a tag that several images share.
var shareMarks = wordSet{list: "shareMarks"}

// clauseEnd returns the end of the part of a line that begins at a token: a
// semicolon ends it in front of the last image. The tags in one part are not those of
// images in another.
func clauseEnd(toks []token, from, last int) int {
	for i := from; i < last; i++ {
		if toks[i].text == ";" {
			return i + 1
		}
	}
	return len(toks)
}

// saidTags returns the indices of words that are versions of an image: those
// announced by a word for tags, or following another version.
func saidTags(toks []token, reads []reading) []int {
	var found []int
	for i, t := range toks {
		word := trimWord(t.text)
		if t.kind != asciiWord || len(reads[i].images) > 0 && reads[i].strength > bare {
			continue
		}
		if n := len(found); n > 0 && found[n-1] == i-2 && isTagListMark(lower(toks[i-1].text)) && isTag(word) && strings.ContainsAny(word, "0123456789") {
			found = append(found, i) // "1.2, slim-1.2"
			continue
		}
		before := i - 1
		for before >= 0 && toks[before].kind == separator {
			before--
		}
		noun := before >= 0 && isTag(word) && isPlainTag(word) && (tagNouns.has(spoken(toks[before])) ||
			strings.ContainsAny(word, "0123456789") && shareMarks.has(spoken(toks[before])))
		if !noun && (!isVersion(word) || !strings.ContainsAny(word, ".-") && word[0] != 'v') {
			continue
		}
		announced := before >= 0 && (tagMarks.has(spoken(toks[before])) || len(found) > 0 && found[len(found)-1] == before ||
			len(found) > 0 && before > 0 && found[len(found)-1] <= before-1 && isTagListMark(toks[before].text) && slices.Contains(found[max(0, len(found)-2):], before-1))
		announced = announced || noun || t.wanted || before >= 0 && distributives.in(spoken(toks[before])) || !isOthers(toks, reads, i)
		owner := ownerOf(toks, i)
		of := owner > 0 && reads[owner].untagged()
		if announced && (owner == 0 || toks[owner].kind != asciiWord) || of {
			found = append(found, i)
		}
	}
	return found
}

// owners are words that own a version directly after them, in addition to
// official images.
var owners = wordSet{list: "owners"}

// ownersBefore are the same at the end of a Chinese phrase.
var ownersBefore = phrases{list: "ownersBefore"}

// isOthers reports whether a version belongs to something else than an image
// before it in the same sentence.
func isOthers(toks []token, reads []reading, i int) bool {
	before := toks[max(0, i-1)]
	word := spoken(before)
	switch {
	case i == 0 || before.kind == otherWord && ownersBefore.in(word):
		return true
	case before.kind == asciiWord && !tagMarks.has(word) && (owners.has(word) || startsUpper(before.text) || known.IsOfficial(word)):
		return true
	}
	for n := i - 1; n >= max(0, i-maxApart); n-- {
		if reads[n].untagged() && reads[n].strength >= path {
			return false
		}
		if len(reads[n].images) > 0 && reads[n].strength >= path || strings.HasSuffix(toks[n].text, ".") || strings.Contains(toks[n].text, "。") || toks[n].text == ";" {
			return true
		}
	}
	return true
}

// joinSaidTags assigns tags in the sentence to images without one: "version 1.2
// of a/b", "a/b and c/d, both at 1.2". It returns the tag for images in other
// lines, if the sentence itself names no image.
func joinSaidTags(toks []token, reads []reading, said string, title bool) (shared string) {
	for i, t := range toks {
		if word := trimWord(t.text); t.kind == asciiWord && isVersion(word) && strings.Contains(word, ".") && i > 0 && len(reads[i].images) == 0 && !isTaken(toks, reads, i) && len(reads[i-1].images) > 0 && reads[i-1].strength == bare && strings.Contains(toks[i-1].text, "-") {
			giveOwner(toks, reads, i) // "b 1.2 (quay.io/a/b)"
		}
	}
	tags := slices.DeleteFunc(saidTags(toks, reads), func(i int) bool { return toks[i].faulty || isTaken(toks, reads, i) || isOldVersionIn(said, toks[i].at) })
	if len(tags) == 0 {
		return ""
	}
	if len(tags) == 1 {
		tagComponents(toks, reads, trimWord(toks[tags[0]].text))
	}
	tags = slices.DeleteFunc(tags, func(i int) bool { return giveOwner(toks, reads, i) })
	if len(tags) == 0 {
		return ""
	}
	var open []int
	images := 0
	for i, r := range reads {
		if len(r.images) > 0 && r.strength >= official {
			images++
			if r.untagged() && (r.strength > official || !strings.HasSuffix(toks[i].text, ".") || i > tags[0]) {
				open = append(open, i) // not "the rebuild storm. We want 1.2"
			}
		}
	}
	versions := make([]string, len(tags))
	for n, i := range tags {
		versions[n] = trimWord(toks[i].text)
	}
	if len(tags) == 1 && len(open) == 1 {
		versions = listedUpTo(toks, reads, tags[0])
	}
	switch {
	case len(tags) == len(open) && len(open) == images && images > 1 && isPaired(toks, reads, open, tags): // "a/b 의 1.2 버전과 c/d 의 1.3 버전"
		for n, i := range open {
			reads[i].give(versions[n : n+1])
		}
		return ""
	case images == 0 && len(tags) == 1 && len(listedUpTo(toks, reads, tags[0])) == 1 && (title || distributives.in(said) || strings.HasSuffix(strings.TrimRight(said, " *_"), ":")):
		return versions[0]
	}
	for _, i := range taggedBy(toks, reads, said, tags, open, images) {
		reads[i].give(versions)
	}
	return ""
}

// taggedBy returns which of the open images, those without a tag, have the tags in a
// sentence with a number of images.
func taggedBy(toks []token, reads []reading, said string, tags, open []int, images int) []int {
	if len(open) == 0 {
		return nil
	}
	first, last := tags[0], tags[len(tags)-1]
	isList := len(open) > 1 && len(open) == images
	switch {
	case len(open) == 1 && images == 1,
		len(open) == 1 && isRightBehind(toks, reads, open[0], first),
		len(open) == 1 && first < open[0] && (open[0] == last+1 || open[0] == ownerOf(toks, last)):
		return open
	case len(tags) > 1:
		return nil
	case len(open) > 1 && distributives.in(said),
		isList && first > open[len(open)-1] && isTagNoun(toks[first-1]) && isListed(toks, open), // "a/b, a/c - tag 1.2"
		isList && first < open[0] && strings.HasSuffix(toks[first].text, ":"):                   // "tag 1.2: a/b, c/d"
		return open
	case first < open[0] && images > 1:
		n := 1 // "version 1.2, image a/b, and c/d:3", but "version 1.2 of a/b and of c/d"
		for n < len(open) && isJoined(toks, open[n-1], open[n]) {
			n++
		}
		return open[:n]
	}
	return nil
}

// shareTag assigns a version behind words that ask for something to the list of images
// in front of these: "a/b and a/c, please copy 1.2".
func shareTag(toks []token, reads []reading, on marks) {
	spreadTag(toks, reads, on.has(&distributives))
	spreadNoun(toks, reads)
	const most = 4 // words that ask
	for i := 3; i < len(toks); i++ {
		word := trimWord(toks[i].text)
		if toks[i].kind != asciiWord || toks[i].faulty || !isVersion(word) || !strings.ContainsAny(word, ".-v") || len(reads[i].images) > 0 || hasOwner(toks, i) {
			continue
		}
		last, asks := i-1, false
		for ; last > 0 && last >= i-most && (len(reads[last].images) == 0 || reads[last].strength <= bare); last-- {
			said := lower(toks[last].text) + " "
			asks = asks || asksForAny(said) || genitives.has(toks[last].text)
		}
		all := listOfOpen(toks, reads, last, word)
		if !asks || len(all) < 2 {
			continue
		}
		giveAll(reads, all, word)
	}
}

// spreadTag assigns a tag behind the last image of a list to all of it, if the
// sentence says so, which each tells, or a comma or a word for tags is in between: "both
// a/b and a/c in version 1.2".
func spreadTag(toks []token, reads []reading, each bool) {
	for i := 2; i+1 < len(toks); i++ {
		if !reads[i].joined() || !each && toks[i+1].text != "," && !strings.HasSuffix(toks[i].text, ":") && !slices.ContainsFunc(toks[i+1:min(len(toks), i+4)], isTagNoun) {
			continue
		}
		tag := reads[i].images[0].Reference.Tag()
		giveAll(reads, listOfOpen(toks, reads, i, tag), tag)
	}
}

// spreadNoun assigns a tag to the list behind it, if a word for tags and a colon are in
// between: "the 1.2 tags: a/b, a/c".
func spreadNoun(toks []token, reads []reading) {
	for i := 0; i+3 < len(toks); i++ {
		word := trimWord(toks[i].text)
		if toks[i].kind != asciiWord || !isVersion(word) || !strings.ContainsAny(word, ".-v") || len(reads[i].images) > 0 || !isTagNoun(toks[i+1]) || !strings.HasSuffix(toks[i+1].text, ":") {
			continue
		}
		last := i + 2
		for last+2 < len(toks) && isTagListMark(lower(toks[last+1].text)) && reads[last+2].untagged() && reads[last+2].strength >= official {
			last += 2
		}
		if all := listOfOpen(toks, reads, last, word); len(all) > 1 {
			giveAll(reads, all, word)
		}
		i = last
	}
}

// joined reports whether a reading is one image with a tag that stands apart.
func (r *reading) joined() bool {
	return len(r.images) == 1 && r.images[0].has(RemovedSpace) && !r.images[0].has(AssumedTag)
}

// giveAll assigns a tag to those of some images that have none.
func giveAll(reads []reading, all []int, tag string) {
	for _, n := range all {
		if reads[n].untagged() {
			reads[n].give([]string{tag})
		}
	}
}

// genitives are words between images and a tag of theirs.
var genitives = wordSet{list: "の|的|의|要"}

// listOfOpen returns the images without a tag in a list that ends with the one at an
// index, which may have the given one; nil if another image is in the list.
func listOfOpen(toks []token, reads []reading, last int, tag string) (all []int) {
	for i := last; i >= 0 && len(all) < maxUses; i-- {
		switch {
		case isTagListMark(lower(toks[i].text)) || joins.has(lower(toks[i].text)):
		case i == last && reads[i].joined() && reads[i].images[0].Reference.Tag() == tag:
			all = append(all, i)
		case !reads[i].untagged() || reads[i].strength < official:
			if len(reads[i].images) > 0 && reads[i].strength > bare {
				return nil
			}
			return all
		case len(all) > 0 && all[len(all)-1] == i+1:
			return all // no mark in between
		default:
			all = append(all, i)
		}
	}
	return all
}

// isJoined reports whether a word such as "and" joins two images of a sentence, and
// no more than an article or "of" stands behind it.
func isJoined(toks []token, first, second int) bool {
	if second > first+3 || first+1 >= second || !joins.has(lower(toks[first+1].text)) && toks[first+1].text != "," {
		return false
	}
	for i := first + 2; i < second; i++ {
		if word := spoken(toks[i]); !ofMarks.has(word) && !articles.has(word) {
			return false
		}
	}
	return true
}

// isPaired reports whether each of the versions stands a few words behind the
// image at the same position of a list.
func isPaired(toks []token, reads []reading, images, tags []int) bool {
	for n, i := range images {
		if !isRightBehind(toks, reads, i, tags[n]) {
			return false
		}
	}
	return true
}

// hasRange reports whether a sentence wants all versions between two: "all
// versions from 1.27 to 1.31".
func hasRange(toks []token, said string) bool {
	for i := 2; i < len(toks); i++ {
		if rangeMarks.has(spoken(toks[i-1])) && isVersion(trimWord(toks[i].text)) && isVersion(trimWord(toks[i-2].text)) {
			return distributives.in(said)
		}
	}
	return false
}

// rangeMarks are words between the first and the last of several versions.
var rangeMarks = wordSet{list: "rangeMarks"}

// isOldVersionIn reports whether a sentence says that the version at an offset
// is the existing or an excluded one.
func isOldVersionIn(said string, at int) bool {
	before := strings.TrimRight(said[:min(at, len(said))], " \"'`(*:")
	_, excluded := notBefore.cut(before)
	_, used := inUseBefore.cut(before)
	end := at
	for end < len(said) && said[end] != ' ' && said[end] < 0x80 && strings.IndexByte(",()", said[end]) < 0 {
		end++
	}
	behind := strings.TrimLeft(said[end:], " `(")
	_, reason := reasons.cut(before)
	return excluded || used || reason || notBehind.starts(behind) || faults.starts(behind) || subjects.starts(behind) || contrasts.starts(behind)
}

// reasons are words in front of a version that is why another one is wanted; subjects
// are words behind one that is not that of an image, but needs one.
var (
	reasons  = endings{list: "reasons"}
	subjects = phrases{list: "默认用|默认使用|默认是|defaults to |之后|以上|及以上|配套|in mirror)|in the mirror)|mirrored)|current)|present)|there)|old)|现有)|已有)"}
)

// faults are words behind a version that is not wanted.
var faults = phrases{list: "faults"}

// give replaces the assumed tag of a reading by tags that stand apart.
func (r *reading) give(tags []string) {
	var all []Image
	for _, tag := range tags {
		if ref, err := r.images[0].Reference.Repository().Tagged(tag); err == nil {
			image := r.images[0].named(ref)
			image.Assumptions = append(image.Assumptions, RemovedSpace)
			all = append(all, image)
		}
	}
	if len(all) > 0 {
		r.images, r.strength = all, max(r.strength, tagged)
	}
}

// giveOwner assigns a version to the image that the words beside it name once
// more, and reports whether there is one: "a/b and a/c, 1.2 for b, c 1.3".
func giveOwner(toks []token, reads []reading, tag int) bool {
	owner := ownerOf(toks, tag)
	if owner == 0 && tag > 0 && toks[tag-1].kind == asciiWord {
		owner = tag - 1
	} else if owner == 0 {
		return false
	}
	name, all := spoken(toks[owner]), []int(nil)
	if name == "" || len(reads[owner].images) > 0 && reads[owner].strength > official {
		name = ""
	}
	for i := max(0, owner-maxApart); i < min(len(reads), owner+maxApart); i++ {
		r := &reads[i]
		if !r.untagged() || r.strength < official || i == owner && name != "" {
			continue
		}
		path := r.images[0].Reference.Repository().Path()
		_, last, _ := cutLast(path)
		same := last == name || strings.HasSuffix(last, "-"+name) || strings.HasPrefix(last, name+"-")
		if name == "" {
			same = len(reads[owner].images) > 0 && path == reads[owner].images[0].Reference.Repository().Path()
		}
		if !same {
			continue
		}
		if len(all) > 0 && reads[all[0]].images[0].Reference.Repository() != r.images[0].Reference.Repository() {
			return false
		}
		all = append(all, i)
	}
	if len(all) == 0 || name == "" && len(all) == 1 && owner == all[0] && !namesOthers(reads, owner) {
		return false
	}
	tags := listedUpTo(toks, reads, tag)
	for _, i := range all {
		reads[i].give(tags)
	}
	if name != "" {
		reads[owner] = reading{}
	}
	for i := owner + 1; i < min(len(toks), owner+maxUses); i++ {
		if reads[i].untagged() && reads[i].strength >= official && isJoined(toks, owner, i) {
			reads[i].give(tags) // "1.2 of a/b and of a/c"
			owner = i
		}
	}
	return true
}

// listedUpTo returns the versions of the list of which the last one is at an index:
// "1.1, 1.2 and 1.3 of a/b".
func listedUpTo(toks []token, reads []reading, last int) []string {
	tags := []string{trimWord(toks[last].text)}
	isMark := func(i int) bool {
		word := lower(toks[i].text)
		return isTagListMark(word) || joins.has(word) || word == "as" || word == "well"
	}
	for i := last - 1; i > 0 && isMark(i) && len(tags) < maxUses; i-- {
		if isMark(i - 1) {
			continue // ", and"
		}
		i--
		word := trimWord(toks[i].text)
		if !isVersion(word) || !strings.ContainsAny(word, ".-") || toks[i].faulty || len(reads[i].images) > 0 {
			break
		}
		tags = append(tags, word)
	}
	slices.Reverse(tags)
	return tags
}

// namesOthers reports whether a sentence names other images without a tag near the
// one at an index.
func namesOthers(reads []reading, i int) bool {
	for n := max(0, i-maxApart); n < min(len(reads), i+maxApart); n++ {
		if r := &reads[n]; n != i && r.untagged() && r.strength >= official {
			return true
		}
	}
	return false
}

// hasOwner reports whether a version belongs to the image behind it: "1.2 for
// a/b".
func hasOwner(toks []token, i int) bool {
	owner := ownerOf(toks, i)
	return owner > 0 && (strings.Contains(toks[owner].text, "/") || known.IsOfficial(spoken(toks[owner])) || shareMarks.has(spoken(toks[owner])))
}

// pairTags returns the tags of the images in a list without tags, by their tokens, if a
// list of versions stands in the same line: each has its own, "a/b and a/c, 1.2 and
// 1.3", or all have all, "versions 1.2 and 1.3 of both". It is not sure if the line does
// not say which of both, and the versions differ only in their last numbers, or if each
// is said to have its own, and there are not as many.
func pairTags(toks []token, text string) (tags map[int][]string, sure bool) {
	var images, versions []int
	for i, t := range toks {
		word := trimWord(t.text)
		switch {
		case t.kind != asciiWord:
		case isVersion(word) && (strings.Contains(word, ".") || word[0] == 'v'), strings.HasPrefix(word, "RELEASE.") && looksLikeTag(word):
			versions = append(versions, i)
		case len(word) > 2 && strings.Count(word, "/")+strings.Count(word, ".") > 0 && strings.Contains(strings.Trim(word, "/"), "/") && !strings.Contains(word, "://"):
			if strings.ContainsAny(word[strings.LastIndexByte(word, '/'):], ":@") || len(images) == maxUses {
				return nil, false
			}
			images = append(images, i)
		}
	}
	if len(images) < 2 || len(versions) < 2 || isAmount(toks, versions[len(versions)-1]) || len(versions) > maxUses || !isListed(toks, images) || !isListed(toks, versions) {
		return nil, false
	}
	written := make([]string, len(versions))
	for n, i := range versions {
		written[n] = trimWord(toks[i].text)
	}
	last, first := images[len(images)-1], versions[0]
	ahead := first < images[0] // "1.2 and 1.3 of a/b and a/c"
	if ahead {
		last, first = versions[len(versions)-1], images[0]
		if !ofMarks.has(spoken(toks[last+1])) {
			return nil, false
		}
	}
	said := lower(text)
	paired, same := respectives.in(said), len(images) == len(versions)
	each := sharesAll(toks, last+1, first, max(images[len(images)-1], versions[len(versions)-1]))
	switch {
	case paired:
		each, sure = false, same
	case each:
		sure = true
	case ahead, !same && !slices.ContainsFunc(toks[last+1:first], isTagNoun):
		return nil, false
	case !same: // "a/b, a/c and a/d, tags 1.2 and 1.3", but not "used in charts of versions 1.2 and 1.3"
		each = true
		sure = !slices.ContainsFunc(toks[last+1:first], func(t token) bool {
			return t.kind == asciiWord && trimWord(t.text) != "" && !isTagNoun(t) && !isFiller(t.text)
		})
	case isOneSeries(written):
		each = images[0] > 0 && isForAll(toks, images[0]-1) // "both a/b and a/c, 1.2.3 and 1.2.4"
		sure = each
	default:
		sure = true
	}
	tags = make(map[int][]string, len(images))
	for n, i := range images {
		if tags[i] = written; !each {
			n = min(n, len(written)-1)
			tags[i] = written[n : n+1]
		}
	}
	return tags, sure
}

// respectives are words that give the first of some images the first of some tags, and
// so on.
var respectives = phrases{list: "respectives"}

// sharesAll reports whether a word gives all images all tags: one of the four in front
// of the second of two lists, behind the last mark, or of the four behind it, up to a
// mark, thanks or the end of the sentence.
func sharesAll(toks []token, first, second, last int) bool {
	const most = 4 // words
	from := second
	for from > first && from > second-most && (toks[from-1].kind != separator || from > 1 && isTagNoun(toks[from-2])) {
		from--
	}
	to := last + 1
	if to < len(toks) && toks[to].text == "," {
		to++
	}
	behind := to
	for to < len(toks) && to < behind+most && toks[to].kind != separator && !strings.HasSuffix(toks[to-1].text, ".") && !thanking.in(spoken(toks[to])) {
		to++
	}
	for i := from; i < to; i++ {
		if (i < second || i >= behind) && isForAll(toks, i) {
			return true
		}
	}
	return false
}

// isForAll reports whether the word at an index says that all images or tags are meant,
// and not all of something else: "for both", but not "for all clusters".
func isForAll(toks []token, i int) bool {
	word := spoken(toks[i])
	if toks[i].kind == otherWord {
		return distributives.in(word) || eachParts.in(word)
	}
	if !eachOnes.has(word) || i+1 == len(toks) || toks[i+1].kind != asciiWord {
		return eachOnes.has(word)
	}
	next := spoken(toks[i+1])
	return isVersion(next) || strings.Contains(next, "/") || !possessives.has(next) && (sentenceWords.has(next) || isTagNoun(toks[i+1]) || tagMarks.has(next) || courtesies.has(next) || nouns.in(next))
}

// eachOnes are words beside a list of tags that all images get, eachParts the same
// inside of text in other scripts, beside distributives.
var (
	eachOnes  = wordSet{list: "eachOnes"}
	eachParts = phrases{list: "各|每|两个版本|兩個版本|两个标签|这两个|кажд|всех|모든"}
)

// isOneSeries reports whether versions differ only in their last number: "1.2.3" and
// "1.2.4".
func isOneSeries(versions []string) bool {
	series := func(version string) string {
		version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
		return version[:max(0, strings.LastIndexByte(version, '.'))]
	}
	return series(versions[0]) != "" && !slices.ContainsFunc(versions, func(v string) bool { return series(v) != series(versions[0]) })
}

// isListed reports whether only separators of a list are between some words.
func isListed(toks []token, words []int) bool {
	for n, i := range words[1:] {
		for between := words[n] + 1; between < i; between++ {
			if !isTagListMark(lower(toks[between].text)) {
				return false
			}
		}
	}
	return true
}

// tagComponents reads names of Kubernetes components, of which a sentence lists
// several, with the version in it: "v1.30.2: kube-apiserver, kube-proxy".
// Components with other versions are left unchanged.
func tagComponents(toks []token, reads []reading, version string) {
	var found []int
	for i, t := range toks {
		if word := trimWord(t.text); t.kind == asciiWord && strings.HasPrefix(word, "kube-") && known.IsKubernetesComponent(word) {
			found = append(found, i)
		}
	}
	if len(found) < 2 {
		return
	}
	for _, i := range found {
		if r := readWord(trimWord(toks[i].text) + ":" + version); len(r.images) == 1 {
			r.images[0].Assumptions = append(r.images[0].Assumptions, RemovedSpace)
			reads[i] = r
		}
	}
}

// isTaken reports whether a version belongs to an image in front of it already.
func isTaken(toks []token, reads []reading, i int) bool {
	version := trimWord(toks[i].text)
	for n := i - 1; n >= max(0, i-maxApart); n-- {
		if len(reads[n].images) > 0 && reads[n].strength > bare {
			return !reads[n].untagged() && reads[n].images[0].Reference.Tag() == version
		}
	}
	return false
}

// isRightBehind reports whether a tag stands a few words behind an image, and no
// other image in between: "plus a/b at 1.2".
func isRightBehind(toks []token, reads []reading, image, tag int) bool {
	if tag < image || tag > image+3 {
		return false
	}
	for i := image + 1; i < tag; i++ {
		if len(reads[i].images) > 0 && reads[i].strength > bare || toks[i].text == ";" {
			return false
		}
	}
	return true
}

// ownerOf returns the index of the word that a word such as "of" makes the
// owner of the tag at toks[i]: "1.2 of a/b", "the 17-jre tag of the image a/b";
// 0 if there is none.
func ownerOf(toks []token, i int) int {
	i++
	if i < len(toks) && tagNouns.has(spoken(toks[i])) && hasLetter(toks[i-1].text) {
		i++
	}
	if i+1 >= len(toks) || !ofMarks.has(lower(toks[i].text)) {
		return 0
	}
	for i++; i+1 < len(toks) && articles.has(lower(toks[i].text)); i++ {
	}
	return i
}

// articles are words between "of" and an image.
var articles = wordSet{list: "articles"}
