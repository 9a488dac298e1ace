package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// Tags that a sentence gives to images in words: "version 1.2 of a/b", "a/b and a/c,
// both at 1.2".

// joinSaidTags assigns the tags in the sentence to its images without one. It returns
// the tag for images in other lines, if the sentence itself names no image.
func (s *sentence) joinSaidTags(title bool) (shared string) {
	s.giveNames()
	tags := slices.DeleteFunc(s.saidTags(), func(i int) bool {
		return s.toks[i].faulty || s.isTaken(i) || isOldVersionIn(s.said, s.toks[i].at)
	})
	if len(tags) == 1 {
		s.tagComponents(s.word(tags[0]))
	}
	tags = slices.DeleteFunc(tags, s.giveOwner)
	if len(tags) == 0 {
		return ""
	}
	open, images := s.openImages(tags[0])
	versions := s.wordsAt(tags)
	listed := versions
	if len(tags) == 1 {
		listed = s.listedUpTo(tags[0])
	}
	if len(open) == 1 {
		versions = listed
	}
	switch {
	case len(open) == images && images > 1 && s.isPaired(open, tags): // "a/b 의 1.2 버전과 c/d 의 1.3 버전"
		for n, i := range open {
			s.reads[i].give(versions[n : n+1])
		}
	case images == 0 && len(listed) == 1 && (title || s.isForOthers()):
		return versions[0]
	default:
		for _, i := range s.taggedBy(tags, open, images) {
			s.reads[i].give(versions)
		}
	}
	return ""
}

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

// isForOthers reports whether a sentence gives its tag to images in other lines.
func (s *sentence) isForOthers() bool {
	return distributives.in(s.said) || strings.HasSuffix(strings.TrimRight(s.said, " *_"), ":")
}

// giveNames gives images the versions behind their names, which no word announces:
// "kube-proxy 1.2 (quay.io/a/kube-proxy)".
func (s *sentence) giveNames() {
	for i := 1; i < len(s.toks); i++ {
		name := &s.reads[i-1]
		if len(name.images) == 0 || name.strength != bare || !strings.Contains(s.toks[i-1].text, "-") {
			continue
		}
		if s.isNumber(i) && len(s.reads[i].images) == 0 && !s.isTaken(i) {
			s.giveOwner(i)
		}
	}
}

// isNumber reports whether the word at an index is a version with a dot.
func (s *sentence) isNumber(i int) bool {
	word := s.word(i)
	return s.toks[i].kind == asciiWord && isVersion(word) && strings.Contains(word, ".")
}

// wordsAt returns the words at some indices without the marks around them.
func (s *sentence) wordsAt(indices []int) []string {
	words := make([]string, len(indices))
	for n, i := range indices {
		words[n] = s.word(i)
	}
	return words
}

// openImages returns the images of a sentence without a tag, and the number of all. An
// official name at the end of a sentence in front of the tag is a word of prose: "the
// rebuild storm. We want 1.2".
func (s *sentence) openImages(tag int) (open []int, images int) {
	for i := range s.reads {
		if !s.isImage(i) {
			continue
		}
		images++
		word := s.reads[i].strength == official && strings.HasSuffix(s.toks[i].text, ".") && i <= tag
		if s.isOpen(i) && !word {
			open = append(open, i)
		}
	}
	return open, images
}

// taggedBy returns which of the open images, those without a tag, have the tags in a
// sentence with a number of images.
func (s *sentence) taggedBy(tags, open []int, images int) []int {
	switch {
	case len(open) == 0:
		return nil
	case len(open) == 1 && (images == 1 || s.isBeside(open[0], tags)):
		return open
	case len(tags) > 1:
		return nil
	case len(open) > 1 && (distributives.in(s.said) || len(open) == images && s.isBesideList(open, tags[0])):
		return open
	case tags[0] < open[0] && images > 1:
		n := 1 // "version 1.2, image a/b, and c/d:3", but "version 1.2 of a/b and of c/d"
		for n < len(open) && s.isJoined(open[n-1], open[n]) {
			n++
		}
		return open[:n]
	}
	return nil
}

// isBeside reports whether tags stand right behind or in front of an image.
func (s *sentence) isBeside(image int, tags []int) bool {
	first, last := tags[0], tags[len(tags)-1]
	if s.isRightBehind(image, first) {
		return true
	}
	return first < image && (image == last+1 || image == ownerOf(s.toks, last))
}

// isBesideList reports whether a tag stands behind a list of images with a word for tags
// in between ("a/b, a/c - tag 1.2"), or in front of one, with a colon ("tag 1.2: a/b, c/d").
func (s *sentence) isBesideList(images []int, tag int) bool {
	if tag > images[len(images)-1] {
		return isTagNoun(s.toks[tag-1]) && isListed(s.toks, images)
	}
	return tag < images[0] && strings.HasSuffix(s.toks[tag].text, ":")
}

// isRightBehind reports whether a tag stands a few words behind an image, and no
// other image in between: "plus a/b at 1.2".
func (s *sentence) isRightBehind(image, tag int) bool {
	const most = 3 // words up to the tag
	if tag < image || tag > image+most {
		return false
	}
	for i := image + 1; i < tag; i++ {
		if s.isImage(i) || s.toks[i].text == ";" {
			return false
		}
	}
	return true
}

// isPaired reports whether there are as many tags as images, and each stands a few words
// behind the image at the same position.
func (s *sentence) isPaired(images, tags []int) bool {
	if len(images) != len(tags) {
		return false
	}
	for n, i := range images {
		if !s.isRightBehind(i, tags[n]) {
			return false
		}
	}
	return true
}

// isJoined reports whether a word such as "and" joins two images of a sentence, and
// no more than an article or "of" stands behind it.
func (s *sentence) isJoined(first, second int) bool {
	if first+1 >= second || second > first+3 {
		return false
	}
	if mark := s.toks[first+1]; mark.text != "," && !isJoiner(mark) {
		return false
	}
	for i := first + 2; i < second; i++ {
		if word := spoken(s.toks[i]); !ofMarks.has(word) && !articles.has(word) {
			return false
		}
	}
	return true
}

// isTaken reports whether a version belongs to an image in front of it already.
func (s *sentence) isTaken(i int) bool {
	image := s.lastImage(i)
	return image >= 0 && !s.reads[image].untagged() && s.reads[image].images[0].Reference.Tag() == s.word(i)
}

// saidTags returns the indices of words that are versions of an image: those
// announced by a word for tags, or following another version.
func (s *sentence) saidTags() []int {
	var found []int
	for i, t := range s.toks {
		if t.kind != asciiWord || s.isImage(i) {
			continue
		}
		if s.continuesTags(found, i) || s.isSaidTag(found, i) {
			found = append(found, i)
		}
	}
	return found
}

// continuesTags reports whether the word at an index is the next one of a list of tags,
// of which the last ones are found: "1.2, slim-1.2".
func (s *sentence) continuesTags(found []int, i int) bool {
	if n := len(found); n == 0 || found[n-1] != i-2 || !isTagListMark(lower(s.toks[i-1].text)) {
		return false
	}
	word := s.word(i)
	return isTag(word) && hasDigit(word)
}

// isSaidTag reports whether the word at an index is a version that a word announces, or
// that belongs to the image behind it. found are the tags in front of it.
func (s *sentence) isSaidTag(found []int, i int) bool {
	before := i - 1
	for before >= 0 && s.toks[before].kind == separator {
		before--
	}
	noun := before >= 0 && s.isCalledTag(before, i)
	owner := ownerOf(s.toks, i)
	if owner > 1 && s.reads[owner].untagged() && isChannel(s.word(i)) && isTagNoun(s.toks[i+1]) {
		return true // "the edge tag of a/b"
	}
	if word := s.word(i); !noun && (!isVersion(word) || !strings.ContainsAny(word, ".-") && word[0] != 'v') {
		return false
	}
	if owner > 0 && s.reads[owner].untagged() {
		return true
	}
	if owner > 0 && s.toks[owner].kind == asciiWord {
		return false // that of something else
	}
	return noun || s.toks[i].wanted || before >= 0 && s.announcesTag(found, before) || !s.isOthers(i)
}

// isCalledTag reports whether the word in front of the one at an index is for tags: "tag
// jammy". Words such as "both" are only for tags with a number.
func (s *sentence) isCalledTag(before, i int) bool {
	word, noun := s.word(i), spoken(s.toks[before])
	if !tagNouns.has(noun) && (!hasDigit(word) || !shareMarks.has(noun)) {
		return false
	}
	return isPlainTag(word) && isTag(word)
}

// announcesTag reports whether the word at an index announces the tag behind it, or
// is the end of a list of tags, of which the last ones are found.
func (s *sentence) announcesTag(found []int, i int) bool {
	word := spoken(s.toks[i])
	if tagMarks.has(word) || distributives.in(word) {
		return true
	}
	if len(found) == 0 {
		return false
	}
	if found[len(found)-1] == i {
		return true
	}
	return isTagListMark(s.toks[i].text) && slices.Contains(found[max(0, len(found)-2):], i-1)
}

// isOthers reports whether a version belongs to something else than an image
// before it in the same sentence.
func (s *sentence) isOthers(i int) bool {
	if i == 0 || isOwner(s.toks[i-1]) {
		return true
	}
	for n := i - 1; n >= max(0, i-maxApart); n-- {
		switch {
		case s.reads[n].isImage(path):
			return !s.reads[n].untagged()
		case endsStatement(s.toks[n]):
			return true
		}
	}
	return true
}

// isOwner reports whether a word owns the version behind it.
func isOwner(t token) bool {
	word := spoken(t)
	switch t.kind {
	case otherWord:
		return ownersBefore.in(word)
	case asciiWord:
		return !tagMarks.has(word) && (owners.has(word) || startsUpper(t.text) || known.IsOfficial(word))
	default:
		return false
	}
}

// endsStatement reports whether a word or mark ends what a sentence says of an image.
func endsStatement(t token) bool {
	return t.text == ";" || strings.HasSuffix(t.text, ".") || strings.Contains(t.text, "。")
}

// owners are words that own a version directly after them, in addition to
// official images; ownersBefore are the same at the end of a Chinese phrase.
var (
	owners       = wordSet{list: "owners"}
	ownersBefore = phrases{list: "ownersBefore"}
)

// Words beside a tag: distributives give one tag to several images, tagMarks announce
// one, ofMarks stand between it and its image, shareMarks in front of one that several
// images share, and articles between "of" and an image.
var (
	distributives = phrases{list: "distributives"}
	tagMarks      = wordSet{list: "tagMarks"}
	ofMarks       = wordSet{list: "ofMarks"}
	shareMarks    = wordSet{list: "shareMarks"}
	articles      = wordSet{list: "articles"}
)

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

// hasOwner reports whether a version belongs to the image behind it: "1.2 for
// a/b".
func hasOwner(toks []token, i int) bool {
	owner := ownerOf(toks, i)
	return owner > 0 && (strings.Contains(toks[owner].text, "/") || known.IsOfficial(spoken(toks[owner])) || shareMarks.has(spoken(toks[owner])))
}

// giveOwner assigns a version to the images that the word beside it names once more,
// and reports whether there are some: "a/b and a/c, 1.2 for b, c 1.3".
func (s *sentence) giveOwner(tag int) bool {
	owner := ownerOf(s.toks, tag)
	if owner == 0 {
		if tag == 0 || s.toks[tag-1].kind != asciiWord {
			return false
		}
		owner = tag - 1
	}
	name := "" // the owner is an image itself
	if !s.reads[owner].isImage(path) {
		name = spoken(s.toks[owner])
	}
	all := s.imagesOf(owner, name)
	if len(all) == 0 || name == "" && len(all) == 1 && owner == all[0] && !s.hasOtherOpen(owner) {
		return false
	}
	tags := s.listedUpTo(tag)
	for _, i := range all {
		s.reads[i].give(tags)
	}
	if name != "" {
		s.reads[owner] = reading{}
	}
	s.giveJoined(owner, tags)
	return true
}

// imagesOf returns the images without a tag near the word at an index that have the name
// that it is, or the path of the image that it is if the name is empty; none if they are
// of several repositories.
func (s *sentence) imagesOf(owner int, name string) (all []int) {
	from, to := s.near(owner)
	for i := from; i < to; i++ {
		if !s.isOpen(i) || i == owner && name != "" || !s.isNamed(i, owner, name) {
			continue
		}
		if len(all) > 0 && s.reads[all[0]].repository() != s.reads[i].repository() {
			return nil
		}
		all = append(all, i)
	}
	return all
}

// isNamed reports whether the image at an index has a name or a part of it as its last
// component, or without one the path of the image at the index of the owner.
func (s *sentence) isNamed(i, owner int, name string) bool {
	path := s.reads[i].repository().Path()
	if name == "" {
		return len(s.reads[owner].images) > 0 && path == s.reads[owner].repository().Path()
	}
	_, last, _ := cutLast(path)
	return last == name || strings.HasSuffix(last, "-"+name) || strings.HasPrefix(last, name+"-")
}

// giveJoined gives tags also to the images that "and" joins to the one at an index: "1.2
// of a/b and of a/c".
func (s *sentence) giveJoined(last int, tags []string) {
	for i := last + 1; i < min(len(s.toks), last+maxUses); i++ {
		if s.isOpen(i) && s.isJoined(last, i) {
			s.reads[i].give(tags)
			last = i
		}
	}
}

// hasOtherOpen reports whether a sentence names other images without a tag near the
// one at an index.
func (s *sentence) hasOtherOpen(i int) bool {
	from, to := s.near(i)
	for n := from; n < to; n++ {
		if n != i && s.isOpen(n) {
			return true
		}
	}
	return false
}

// listedUpTo returns the versions of the list of which the last one is at an index:
// "1.1, 1.2 and 1.3 of a/b".
func (s *sentence) listedUpTo(last int) []string {
	tags := []string{s.word(last)}
	for i := last - 1; i > 0 && s.isListWord(i) && len(tags) < maxUses; i-- {
		if s.isListWord(i - 1) {
			continue // ", and"
		}
		i--
		word := s.word(i)
		if !isVersion(word) || !strings.ContainsAny(word, ".-") || s.toks[i].faulty || len(s.reads[i].images) > 0 {
			break
		}
		tags = append(tags, word)
	}
	slices.Reverse(tags)
	return tags
}

// isListWord reports whether the word at an index stands between the tags of a list:
// ",", "and", "as well as".
func (s *sentence) isListWord(i int) bool {
	word := lower(s.toks[i].text)
	return isTagListMark(word) || joins.has(word) || word == "as" || word == "well"
}

// tagComponents reads names of Kubernetes components, of which a sentence lists
// several, with the version in it: "v1.30.2: kube-apiserver, kube-proxy".
// Components with other versions are left unchanged.
func (s *sentence) tagComponents(version string) {
	var found []int
	for i, t := range s.toks {
		if word := s.word(i); t.kind == asciiWord && strings.HasPrefix(word, "kube-") && known.IsKubernetesComponent(word) {
			found = append(found, i)
		}
	}
	if len(found) < 2 {
		return
	}
	for _, i := range found {
		if r := readWord(s.word(i) + ":" + version); len(r.images) == 1 {
			r.images[0].Assumptions = append(r.images[0].Assumptions, RemovedSpace)
			s.reads[i] = r
		}
	}
}

// isOldVersionIn reports whether a sentence says that the version at an offset
// is the existing or an excluded one.
func isOldVersionIn(said string, at int) bool {
	before := strings.TrimRight(said[:min(at, len(said))], " \"'`(*:")
	for _, list := range []*endings{&notBefore, &inUseBefore, &reasons} {
		if _, ok := list.cut(before); ok {
			return true
		}
	}
	end := at
	for end < len(said) && said[end] != ' ' && said[end] < 0x80 && strings.IndexByte(",()", said[end]) < 0 {
		end++
	}
	behind := strings.TrimLeft(said[end:], " `(")
	return notBehind.starts(behind) || faults.starts(behind) || subjects.starts(behind) || contrasts.starts(behind)
}

// reasons are words in front of a version that is why another one is wanted; faults are
// words behind one that is not wanted, subjects behind one that is not that of an image,
// but needs one.
var (
	reasons  = endings{list: "reasons"}
	faults   = phrases{list: "faults"}
	subjects = phrases{list: "默认用|默认使用|默认是|defaults to |之后|以上|及以上|配套|in mirror)|in the mirror)|mirrored)|current)|present)|there)|old)|现有)|已有)"}
)

// hasRange reports whether a sentence wants all versions between two: "all
// versions from 1.27 to 1.31".
func (s *sentence) hasRange() bool {
	for i := 2; i < len(s.toks); i++ {
		if rangeMarks.has(spoken(s.toks[i-1])) && isVersion(s.word(i)) && isVersion(s.word(i-2)) {
			return distributives.in(s.said)
		}
	}
	return false
}

// rangeMarks are words between the first and the last of several versions.
var rangeMarks = wordSet{list: "rangeMarks"}
