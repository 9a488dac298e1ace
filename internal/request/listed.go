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
	first := s.lines[0].number
	read := make([][]readAt, s.lines[len(s.lines)-1].number-first+1) // by line
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
	s.noteBullets(read)
	last := -1
	for i := range s.candidates {
		at := s.candidates[i].line - first
		if at != last && at < len(s.lines) {
			last = at
			all := read[at]
			sort.SliceStable(all, func(i, j int) bool { return all[i].at < all[j].at })
			s.noteItems(&s.lines[at], all)
		}
	}
}

// noteBullets records items without an image in lists of which another item is
// one.
func (s *scan) noteBullets(read [][]readAt) {
	images := map[int]bool{}
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
		for ; from < to; from++ {
			if l := &s.lines[from]; image > 0 && !l.entry && len(read[l.number-s.lines[0].number]) == 0 && namesOnly(l.text) && !isOption(l.text) {
				s.entries = append(s.entries, entry{line: l.number, beside: image, written: clip(strings.TrimSpace(strings.TrimLeft(l.text, " -*+")))})
			}
		}
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
	return len(toks) > 0 && len(toks) < 4 && !strings.ContainsAny(text, ":=[]{}/") && !thanking.in(lower(text)) && !hasWish(lower(text)) &&
		!slices.ContainsFunc(toks, func(t token) bool {
			return isFiller(t.text) || t.kind == separator || t.kind == asciiWord && !isItem(t.text)
		})
}

// noteItems records the words of the list on a line that are no images, if read is
// what was read on it.
func (s *scan) noteItems(l *line, read []readAt) {
	if l.masked != isThere || l.script || !listMarks.in(l.text) || strings.Count(l.text, ";") > 1 && !strings.Contains(l.text, " ") || strings.ContainsAny(l.text, "{}[]=|>\"") {
		return
	}
	text, _ := stripMarkers(maskBold(maskTags(l.text)))
	toks := tokens(text)
	toks = toks[:min(len(toks), 4*MaxImages)]
	if slices.ContainsFunc(toks, func(t token) bool { return t.text == ";" }) && namesTool(text) {
		return // several commands
	}
	parts := make([]listPart, 1, 8)
	for i := range toks {
		part := &parts[len(parts)-1]
		switch t := &toks[i]; {
		case endsPart(*t) && !genitives.has(t.text) && !needing.in(t.text):
			parts = append(parts, listPart{})
		case trimWord(t.text) == "":
		case isRead(read, t):
			part.begins, part.ends = part.begins || part.words == 0, true
		case genitives.has(t.text): // "the dashboard of it"
			part.words++
			part.ends, part.item = false, nil
		case isFiller(t.text), alsos.has(spoken(*t)), part.words == 0 && len(parts) == 1 && askings.has(spoken(*t)):
		case part.item != nil && isVersion(trimWord(t.text)): // "consul 1.15"
		default:
			part.words++
			if part.ends, part.item = false, nil; part.words == 1 && !part.begins && isItem(t.text) {
				part.item = t
			}
		}
	}
	for n := 1; n < len(parts); n++ {
		s.noteItem(l.number, &parts[n], parts[n-1].ends)
	}
	for n := len(parts) - 2; n >= 0; n-- {
		if t := parts[n].item; n > 0 || t != nil && !startsUpper(t.text) { // "Merhaba, a/b:1 …"
			s.noteItem(l.number, &parts[n], parts[n+1].begins)
		}
	}
}

// listPart is what stands between two marks of a list.
type listPart struct {
	item         *token // its only word, which is read as no image
	words        int    // other words than images
	begins, ends bool   // with an image, or with such a word beside an image
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
	_, err := reference.ParsePlatform(small)
	return err != nil && !strings.HasPrefix(word, "-") && !strings.HasSuffix(word, ":") && !strings.Contains(word, "/") && hasLetter(small) &&
		!sentenceWords.has(small) && !notGuesses.has(small) && !remarks.has(small) && !strings.HasSuffix(small, "ly") && !thanking.in(small)
}

// remarks are words after a comma that say something about the request.
var remarks = wordSet{list: "remarks"}

// enumerated returns the Chinese words beside images in a line as written,
// between the commas that are only used in enumerations: "redis:7、节点导出器".
func enumerated(written string) []string {
	var items []string
	parts := strings.Split(written, "、")
	for i, part := range parts {
		name := normalise(part)
		if i == 0 {
			if strings.Trim(name, "一二三四五六七八九十") == "" {
				continue // the number of an item
			}
			// The list begins behind the clause in front of it.
			name = name[strings.LastIndexByte(name, ',')+1:]
			name = name[strings.LastIndex(name, "。")+1:]
		}
		name, _, _ = strings.Cut(name, ",")
		name, _, _ = strings.Cut(strings.TrimSpace(name), "。")
		beside := i > 0 && endsInName(parts[i-1]) || i+1 < len(parts) && beginsWithName(parts[i+1]) && !hasWish(name) && !isPolite(name)
		if beside && isForeignName(name) && !isFiller(name) && !thanking.in(name) {
			items = append(items, name)
			parts[i] = "a" // the words beside it are in the same list
		}
	}
	return items
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
