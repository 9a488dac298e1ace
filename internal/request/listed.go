package request

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// noteListed records the words of lists in sentences, commands and settings that
// are no images: "docker pull redis:7, immich", and the items of lists of images
// that are none. Lists in the fields of forms are read by noteWords.
func (s *scan) noteListed() {
	read := s.readByLine()
	s.noteBullets(read)
	last := -1
	for i := range s.candidates {
		at := s.candidates[i].line - s.lines[0].number
		if at != last && at < len(s.lines) {
			last = at
			all := read[at]
			sort.SliceStable(all, func(i, j int) bool { return all[i].at < all[j].at })
			s.noteItems(&s.lines[at], all)
		}
	}
}

// readByLine returns the images and problems on each line.
func (s *scan) readByLine() [][]readAt {
	first := s.lines[0].number
	read := make([][]readAt, s.lines[len(s.lines)-1].number-first+1)
	for i := range s.candidates {
		c := &s.candidates[i]
		one := readAt{at: c.at}
		if c.verdict == taken || c.verdict == asked {
			one.written, one.tag = c.image.Written, c.image.Reference.Tag()
		}
		read[c.line-first] = append(read[c.line-first], one)
	}
	for i := range s.flaws {
		f := &s.flaws[i]
		read[f.line-first] = append(read[f.line-first], readAt{at: f.at, written: f.problem.Written})
	}
	return read
}

// noteBullets records items without an image in lists of which another item is
// one.
func (s *scan) noteBullets(read [][]readAt) {
	images := map[int]bool{} // the numbers of lines
	for i := range s.candidates {
		if c := &s.candidates[i]; c.verdict == taken && c.place == inLine {
			images[c.line] = true
		}
	}
	for from := 0; from < len(s.lines); from++ {
		to, image := from, 0
		for ; to < len(s.lines) && isBullet(s.lines[to].text); to++ {
			if images[s.lines[to].number] {
				image = s.lines[to].number
			}
		}
		for n := from; n < to && image > 0; n++ {
			l := &s.lines[n]
			if !l.entry && len(read[l.number-s.lines[0].number]) == 0 && namesOnly(l.text) && !isOption(l.text) {
				s.entries = append(s.entries, entry{line: l.number, beside: image, written: clip(strings.TrimSpace(strings.TrimLeft(l.text, " -*+")))})
			}
		}
		from = to
	}
}

// isBullet reports whether a line is an item of a list of Markdown.
func isBullet(text string) bool {
	text = strings.TrimLeft(text, " ")
	return len(text) > 2 && strings.IndexByte("-*+", text[0]) >= 0 && text[1] == ' '
}

// namesOnly reports whether a line has one to three words, none of which belongs
// to sentences, thanks, remarks or settings.
func namesOnly(text string) bool {
	toks := tokens(strings.TrimLeft(text, " -*+"))
	if len(toks) == 0 || len(toks) > 3 || strings.ContainsAny(text, ":=[]{}/") {
		return false
	}
	if said := lower(text); thanking.in(said) || hasWish(said) {
		return false
	}
	return !anyToken(toks, func(t token) bool {
		return isFiller(t.text) || t.kind == separator || t.kind == asciiWord && !isItem(t.text)
	})
}

// noteItems records the words of the list on a line that are no images, if read is
// what was read on it.
func (s *scan) noteItems(l *line, read []readAt) {
	if l.masked != isThere || l.script || !mayList(l.text) {
		return
	}
	text, _ := stripMarkers(maskBold(maskTags(l.text)))
	toks := tokens(text)
	toks = toks[:min(len(toks), 4*MaxImages)]
	if anyToken(toks, func(t token) bool { return t.text == ";" }) && namesTool(text) {
		return // several commands
	}
	parts := listParts(toks, read)
	for n := 1; n < len(parts); n++ {
		s.noteItem(l.number, &parts[n], parts[n-1].ends)
	}
	for n := len(parts) - 2; n >= 0; n-- {
		if t := parts[n].item; n > 0 || t != nil && !startsUpper(t.text) { // "Merhaba, a/b:1 …"
			s.noteItem(l.number, &parts[n], parts[n+1].begins)
		}
	}
}

// mayList reports whether a text has marks of a list, and is neither code nor values
// between semicolons.
func mayList(text string) bool {
	if !listMarks.in(text) || strings.ContainsAny(text, "{}[]=|>\"") {
		return false
	}
	return strings.Count(text, ";") < 2 || strings.Contains(text, " ")
}

// listPart is what stands between two marks of a list.
type listPart struct {
	first        bool   // of its line
	item         *token // its only word, which is read as no image
	words        int    // other words than images
	begins, ends bool   // with an image, or with such a word beside an image
}

// listParts returns the parts of a list, if read is what was read on its line.
func listParts(toks []token, read []readAt) []listPart {
	parts := make([]listPart, 1, 8)
	parts[0].first = true
	for i := range toks {
		t := &toks[i]
		if endsPart(*t) && !genitives.has(t.text) && !needing.in(t.text) {
			parts = append(parts, listPart{})
			continue
		}
		parts[len(parts)-1].add(t, read)
	}
	return parts
}

// add adds the next word.
func (p *listPart) add(t *token, read []readAt) {
	word := trimWord(t.text)
	switch {
	case word == "":
	case isRead(read, t):
		p.begins, p.ends = p.begins || p.words == 0, true
	case genitives.has(t.text): // "the dashboard of it"
		p.words++
		p.ends, p.item = false, nil
	case isFiller(t.text), alsos.has(spoken(*t)), p.first && p.words == 0 && askings.has(spoken(*t)):
	case p.item != nil && isVersion(word): // "consul 1.15"
	default:
		p.words++
		p.ends, p.item = false, nil
		if p.words == 1 && !p.begins && isItem(t.text) {
			p.item = t
		}
	}
}

// isOption reports whether an item is an option of a command: "- --manager-image".
func isOption(text string) bool {
	_, item, _ := strings.Cut(strings.TrimLeft(text, " "), " ")
	return strings.HasPrefix(strings.TrimLeft(item, " \"'"), "-")
}

// noteItem records the word of a part of a list, if the next part in the list is
// an image.
func (s *scan) noteItem(line int, part *listPart, beside bool) {
	if part.item == nil || part.ends || !beside || len(s.entries) > MaxImages {
		return
	}
	part.begins, part.ends = true, true
	written := clip(trimWord(part.item.text))
	for i := range s.entries {
		if s.entries[i].line == line && strings.Contains(s.entries[i].written, written) {
			return
		}
	}
	s.entries = append(s.entries, entry{line: line, word: true, beside: line, written: written, version: isVersion(written)})
}

// listMarks are marks and words between the words of a list.
var listMarks = phrases{list: "listMarks"}

// askings begin the first part of a list that asks for images.
var askings = wordSet{list: "askings"}

// alsos are words that say that a word belongs to the list.
var alsos = wordSet{list: "too|also"}

// readAt is an image or a problem at an offset of a line. The text and the tag of
// images that are not requested are empty.
type readAt struct {
	at           int
	written, tag string
}

// isRead reports whether a word belongs to one of the images and problems of its
// line, in order, that are near it.
func isRead(read []readAt, t *token) bool {
	word := trimWord(t.text)
	_, tag := cutTag(word)
	n := sort.Search(len(read), func(i int) bool { return read[i].at >= t.at })
	for _, r := range read[max(0, n-maxApart):min(len(read), n+maxApart)] {
		if strings.Contains(r.written, word) || r.tag != "" && r.tag == cmp.Or(tag, word) {
			return true
		}
	}
	return false
}

// isItem reports whether a word in a list can be meant as an image.
func isItem(word string) bool {
	small := lower(trimWord(word))
	if strings.HasPrefix(word, "-") || strings.HasSuffix(word, ":") || strings.Contains(word, "/") || !hasLetter(small) {
		return false // an option, a label, a path, a number
	}
	if sentenceWords.has(small) || notGuesses.has(small) || remarks.has(small) || strings.HasSuffix(small, "ly") || thanking.in(small) {
		return false
	}
	_, err := reference.ParsePlatform(small)
	return err != nil
}

// remarks are words after a comma that say something about the request.
var remarks = wordSet{list: "remarks"}

// enumerated returns the Chinese words beside images in a line as written,
// between the commas that are only used in enumerations: "redis:7、节点导出器".
func enumerated(written string) []string {
	var items []string
	parts := strings.Split(written, "、")
	for i, part := range parts {
		name := enumeratedName(part, i == 0)
		behind := i > 0 && endsInName(parts[i-1])
		before := !behind && i+1 < len(parts) && beginsWithName(parts[i+1]) && !hasWish(name) && !isPolite(name)
		if (behind || before) && isForeignName(name) && !isFiller(name) && !thanking.in(name) {
			items = append(items, name)
			parts[i] = "a" // the words beside it are in the same list
		}
	}
	return items
}

// enumeratedName returns the text of a part of an enumeration without the clauses around
// the list; empty if it is only the number of an item, "一、".
func enumeratedName(part string, first bool) string {
	name := normalise(part)
	if first {
		if strings.Trim(name, "一二三四五六七八九十") == "" {
			return ""
		}
		name = name[strings.LastIndexByte(name, ',')+1:]
		name = name[strings.LastIndex(name, "。")+1:]
	}
	name, _, _ = strings.Cut(name, ",")
	name, _, _ = strings.Cut(strings.TrimSpace(name), "。")
	return name
}

// isForeignName reports whether a text is one word in another script.
func isForeignName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, isKana) && !slices.ContainsFunc([]byte(text), func(c byte) bool { return isAlnum(c) || c == ' ' || c == ':' })
}

// isKana reports whether a rune is one of those that inflect Japanese words.
func isKana(r rune) bool { return r >= 0x3041 && r < 0x30a0 }

func endsInName(text string) bool {
	text = strings.TrimRight(text, " `")
	word := text[strings.LastIndexByte(text, ' ')+1:]
	return text != "" && isAlnum(text[len(text)-1]) && (word == lower(word) || word != strings.ToUpper(word)) // no abbreviation
}

func beginsWithName(text string) bool {
	text = strings.TrimLeft(text, " `")
	return text != "" && isAlnum(text[0])
}
