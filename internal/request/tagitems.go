package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Lists of tags, one a line, of an image that is named elsewhere.

// noteTagLists records the lists of tags.
func (s *scan) noteTagLists() {
	var above *line // the last line with text that is no tag
	for i := 0; i < len(s.lines) && len(s.tagLists) < maxUses; i++ {
		l := &s.lines[i]
		if l.text == "" || strings.HasPrefix(l.text, "```") {
			continue
		}
		if above != nil && !l.script {
			if list := s.tagsFrom(i, above); len(list.lines) > 0 {
				s.tagLists = append(s.tagLists, list)
				i += len(list.lines) - 1
				continue
			}
		}
		above = l
	}
}

// tagsFrom returns the list of tags that begins with a line. One alone, and words that
// have not the form of a tag, need a line above that calls them tags.
func (s *scan) tagsFrom(first int, above *line) (list tagList) {
	if _, ok := tagItem(s.lines[first].text, true); !ok {
		return list
	}
	called := callsTags(above.text)
	list.above = above.number
	for i := first; i < len(s.lines) && len(list.lines) < maxUses; i++ {
		tag, ok := tagItem(s.lines[i].text, called)
		if !ok {
			break
		}
		list.lines = append(list.lines, s.lines[i].number)
		if tag != "" {
			list.tags = append(list.tags, tag)
		}
	}
	if n := len(list.tags); n == 0 || n == 1 && (!called || !looksLikeTag(list.tags[0])) {
		return tagList{}
	}
	return list
}

// callsTags reports whether a line calls what is below it tags: it has a word for tags, and
// ends with it or a colon, or is a heading.
func callsTags(text string) bool {
	toks := tokens(text)
	if !anyToken(toks, isTagNoun) {
		return false
	}
	return strings.HasPrefix(text, "#") || strings.HasSuffix(strings.TrimRight(text, " *_"), ":") || isTagNoun(toks[len(toks)-1])
}

// tagItem returns the tag that an item of a list consists of, apart from a remark in
// brackets; empty if the remark says that it is not wanted. called tells that the items
// are called tags, whatever their form.
func tagItem(text string, called bool) (tag string, ok bool) {
	item, skip := stripMarkers(text)
	item, remark, _ := strings.Cut(item, " (")
	item = strings.Trim(item, "`\"' ,")
	if skip || !reference.ValidTag(item) || isAddress(item) {
		return "", false
	}
	if !looksLikeTag(item) && (!called || !isTagName(item)) {
		return "", false
	}
	if remark = lower(remark); remark != "" && (contrasts.in(remark) || dones.in(remark)) {
		return "", true
	}
	return item, true
}

// isTagName reports whether a word that is called a tag can be one: it is in lower case,
// and no word of a sentence.
func isTagName(word string) bool {
	return hasLetter(word) && word == lower(word) && !isOfProse(word) && !isFiller(word) && !thanking.in(word)
}
