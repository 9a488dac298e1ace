package request

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/reference"
)

// line is one line of normalised text.
type line struct {
	number    int    // from 1; 0 for the title
	text      string // normalised, without trailing space
	fenced    bool   // inside a fenced code block
	diff      bool   // inside a fenced block that is a diff
	unchanged bool   // unchanged in its diff
	entry     bool   // has to name an image
	script    bool   // in a script inside a document
	list      int    // the number of the first item of the list of which it is one; 0 for none
	masked    reason // why it was emptied; isThere if it was not
	hidden    string // the text before that
	// pieces are set if variables were replaced in the text: where it comes
	// from in the written line.
	pieces []piece
	shift  int // the offset in the text at which reading begins
}

// piece is a part of a line's text, up to the next piece.
type piece struct {
	at, from int  // its offsets in the text and in the written line
	fixed    bool // the value of a variable, all of which comes from there
}

// origin returns the offset in the written line of an offset in the text that
// is read.
func (l *line) origin(at int) int {
	at += l.shift
	n, found := slices.BinarySearchFunc(l.pieces, at, func(p piece, at int) int { return p.at - at })
	if !found {
		n--
	}
	switch {
	case n < 0:
		return at
	case l.pieces[n].fixed:
		return l.pieces[n].from
	}
	return l.pieces[n].from + at - l.pieces[n].at
}

// indent returns the number of bytes of space before the text.
func (l *line) indent() int { return len(l.text) - len(strings.TrimLeft(l.text, " ")) }

// reason is why a line was masked.
type reason uint8

const (
	isThere     reason = iota // it was not
	isQuoted                  // from another person, or from an older message
	isTemplate                // from an issue template
	isExample                 // shown as an example
	isRemoved                 // removed by a diff
	isUnchanged               // unchanged by a diff
	isExcerpt                 // from a Dockerfile or an index, around the image in the message
	isVariable                // sets a variable that is used elsewhere
	isNot                     // excluded by the text
	isHidden                  // not shown by GitHub
)

// String returns the name of the place of such a line.
func (r reason) String() string {
	return [...]string{"", "quoted", "template", "example", "removed", "unchanged", "excerpt", "variable", "not-wanted", "hidden"}[r]
}

// mask empties a line.
func (l *line) mask(why reason) {
	if l.text != "" {
		l.masked, l.hidden, l.text = why, l.text, ""
	}
}

// blank replaces the bytes between two offsets by spaces.
func blank(s string, from, to int) string {
	return s[:from] + strings.Repeat(" ", to-from) + s[to:]
}

// normalise replaces characters of CJK keyboards and editors by their ASCII
// equivalents, removes invisible characters, and turns every line end into a
// newline. The number of lines stays the same.
func normalise(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		from := i
		for i < len(text) && text[i] < 0x7f && (text[i] >= ' ' || text[i] == '\n') {
			i++
		}
		if b.WriteString(text[from:i]); i == len(text) {
			break
		}
		c := text[i]
		if c < utf8.RuneSelf {
			i++
			switch {
			case c == '\r' && (i == len(text) || text[i] != '\n'):
				b.WriteByte('\n')
			case c == '\t':
				b.WriteString("  ")
			}
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case r >= 0x4E00 && r <= 0x9FFF: // common Han characters stay
			b.WriteString(text[i-size : i])
		case r == '。' && i < len(text) && isAlnum(text[i]) && endsInHost(b.String(), text[i]):
			b.WriteByte('.') // a full stop that an input method wrote instead of the dot inside a host
		default:
			b.WriteString(fold(r))
			if r == '\uFF1A' && i < len(text) && isAlnum(text[i]) && !isDigit(text[i]) && endsInVersion(b.String()) {
				b.WriteByte(' ') // the colon behind a version ends it: the name follows
			}
		}
	}
	return b.String()
}

// endsInVersion reports whether a text ends in a version with a dot and a colon.
func endsInVersion(text string) bool {
	const most = 32
	tail := strings.TrimSuffix(text[max(0, len(text)-most):], ":")
	tail = tail[strings.LastIndexFunc(tail, func(r rune) bool { return r <= ' ' || r >= utf8.RuneSelf })+1:]
	return isVersion(tail) && strings.Contains(tail, ".")
}

// endsInHost reports whether a text ends in a word that can continue with a dot
// and next: anything before a digit, and a word without a slash before a
// letter.
func endsInHost(text string, next byte) bool {
	const most = 64
	tail := text[max(0, len(text)-most):]
	tail = tail[strings.LastIndexAny(tail, " \n")+1:]
	return tail != "" && isAlnum(tail[len(tail)-1]) && (isDigit(next) || !strings.Contains(tail, "/") && !endsInVersion(text))
}

// fold returns the replacement of one rune beyond ASCII.
func fold(r rune) string {
	switch {
	case r >= 0xFF01 && r <= 0xFF5E: // full-width forms of ASCII
		return string(r - 0xFEE0)
	case unicode.Is(unicode.Cf, r), r == utf8.RuneError, r >= 0xFE00 && r <= 0xFE0F: // zero-width, bidi, variation selectors
		return ""
	case unicode.IsSpace(r):
		if r == '\u2028' || r == '\u2029' || r == '\u0085' {
			return "\n"
		}
		return " "
	}
	switch r {
	case '“', '”', '„', '‟', '「', '」', '『', '』', '«', '»', '〝', '〞':
		return `"`
	case '‘', '’', '‚', '‛', '′':
		return "'"
	case '、':
		return ","
	case '【', '〔', '［':
		return "["
	case '】', '〕', '］':
		return "]"
	case '《', '〈':
		return "<"
	case '》', '〉':
		return ">"
	case '。', '｡':
		return "。"
	case '—', '―', '─': // what "--" is turned into
		return "--"
	case '–', '‐', '‑', '‒', '−':
		return "-"
	case '→', '⇒', '➜', '➡', '↓', '⇓', '⬇':
		return "->"
	case '│', '┃':
		return "|"
	case '؟':
		return "?"
	case '،':
		return ","
	case '؛':
		return ";"
	case '…':
		return " "
	case '•', '·', '●', '◦', '▪', '■', '○', '‣', '∙', '・':
		return "* "
	}
	return string(r)
}

// splitLines splits normalised text into lines and marks fenced code. It reads
// at most MaxLines and reports whether that was everything.
func splitLines(text string) (lines []line, all bool) {
	lines = make([]line, 0, min(strings.Count(text, "\n")+1, MaxLines))
	fence, lang := "", ""
	number := 0
	for _, s := range strings.Split(text, "\n") {
		number++
		if number > MaxLines {
			return lines, false
		}
		s = strings.TrimRight(s, " ")
		trimmed := strings.TrimSpace(s)
		switch {
		case fence == "" && (strings.HasPrefix(trimmed, "```") || strings.HasPrefix(trimmed, "~~~")):
			// A line such as "```nginx:1.25```" opens no block.
			if mark := trimmed[:3]; !strings.Contains(trimmed[3:], mark) {
				fence, lang = mark, languageOf(trimmed)
				s = fenceInfo(trimmed)
			}
		case fence != "" && strings.HasPrefix(trimmed, fence):
			fence, lang = "", ""
			s = ""
		}
		s, pieces := unlink(s)
		lines = append(lines, line{number: number, text: s, pieces: pieces, fenced: fence != "", diff: lang == "diff" || lang == "patch"})
	}
	return lines, true
}

// unlink replaces links whose text is their address without "http://" by the text, and
// returns its origin: what programs make of an image, in the middle of a file as well.
func unlink(text string) (string, []piece) {
	if !strings.Contains(text, "](http") {
		return text, nil
	}
	var b strings.Builder
	var pieces []piece
	for from := 0; ; {
		pieces = append(pieces, piece{at: b.Len(), from: from})
		at := strings.Index(text[from:], "](http")
		if at < 0 {
			b.WriteString(text[from:])
			return b.String(), pieces
		}
		at += from
		open := from + strings.LastIndexByte(text[from:at], '[')
		label := text[open+1 : at]
		address := strings.TrimPrefix(strings.TrimPrefix(text[at+len("]("):], "https://"), "http://")
		if strings.HasPrefix(address, label+")") && open >= from {
			b.WriteString(text[from:open])
			pieces = append(pieces, piece{at: b.Len(), from: open + 1})
			b.WriteString(label)
			from = len(text) - len(address) + len(label) + 1
		} else {
			b.WriteString(text[from : at+1])
			from = at + 1
		}
	}
}

// fenceInfo returns an image that people put after an opening fence instead of
// below it, but never the name of a language.
func fenceInfo(opening string) string {
	info := strings.TrimSpace(strings.TrimLeft(opening, "`~"))
	if strings.ContainsAny(info, ":/") {
		return info
	}
	return ""
}

// languageOf returns the language of an opening fence, in lower case.
func languageOf(opening string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(strings.TrimLeft(opening, "`~")), " ")
	return lower(name)
}

// isChinese reports whether text holds a Han character.
func isChinese(text string) bool {
	for _, r := range text {
		if r > 0x2E7F && unicode.Is(unicode.Han, r) { // the first Han character is U+2E80
			return true
		}
	}
	return false
}

// lower changes letters to lower case and keeps the length of the text: letters
// whose lower case has another length, and those of scripts behind U+2000, are
// left unchanged.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= 0xc3 && c < 0xe2 {
			b := []byte(s)
			lowerBytes(b[i:])
			return string(b)
		}
	}
	return s
}

// lowerBytes is lower in place.
func lowerBytes(b []byte) {
	for i, c := range b {
		switch {
		case c >= 'A' && c <= 'Z':
			b[i] += 'a' - 'A'
		case c >= 0xc3 && c < 0xe2:
			if r, size := utf8.DecodeRune(b[i:]); size > 1 {
				if small := unicode.ToLower(r); small != r && utf8.RuneLen(small) == size {
					utf8.EncodeRune(b[i:], small)
				}
			}
		}
	}
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// clip limits foreign text to the size of Written. Unlike reference.Clip it
// adds no mark, because Written is the original text.
func clip(s string) string {
	if len(s) <= maxWritten {
		return s
	}
	s = s[:maxWritten]
	for len(s) > 0 && !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) {
		s = s[:len(s)-1]
	}
	return s
}

// htmlTags are the elements that occur in issues.
var htmlTags = wordSet{list: "htmlTags"}

// maskTags replaces every HTML tag on a line by spaces.
func maskTags(s string) string {
	if !strings.Contains(s, "<") {
		return s
	}
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(s, "<")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name := strings.TrimPrefix(after, "/")
		end := 0
		for end < len(name) && isAlnum(name[end]) {
			end++
		}
		const most = 512 // an element is no longer, and a line of "<" stays cheap
		inside, _, closed := strings.Cut(after[:min(len(after), most)], ">")
		if !closed || !htmlTags.has(strings.ToLower(name[:end])) || strings.Contains(inside, "://") && name[:end] != "a" && name[:end] != "img" {
			b.WriteByte('<')
			s = after
			continue
		}
		b.WriteString(strings.Repeat(" ", len(inside)+2))
		s = after[len(inside)+1:]
	}
}

// bound truncates text at MaxInput.
func bound(text string) string {
	return text[:min(len(text), MaxInput)]
}

// normaliseTitle returns a title as one normalised line.
func normaliseTitle(title string) string {
	return strings.TrimSpace(strings.ReplaceAll(normalise(title), "\n", " "))
}

// cutLast splits a name before its last component.
func cutLast(name string) (parent, last string, ok bool) {
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 {
		return "", name, false
	}
	return name[:slash], name[slash+1:], true
}

// isVersion reports whether s is a version number: "1.25", "v3", "1.2.3-rc1".
func isVersion(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	digits := 0
	for digits < len(s) && (isDigit(s[digits]) || s[digits] == '.') {
		digits++
	}
	if digits == 0 || !isDigit(s[0]) {
		return false
	}
	rest := s[digits:]
	switch {
	case rest == "", rest == "x", strings.IndexByte("-+_", rest[0]) >= 0, strings.HasPrefix(rest, "rc"):
		return true
	}
	return s[digits-1] == '.' && versionParts.starts(lower(rest))
}

// isSeries reports whether a word stands for several versions: "1.16.x".
func isSeries(s string) bool {
	number, ok := strings.CutSuffix(strings.TrimPrefix(lower(s), "v"), ".x")
	return ok && number != "" && strings.Trim(number, "0123456789.") == ""
}

// versionParts are words in version numbers: "0.5.0.post1".
var versionParts = phrases{list: "versionParts"}

// looksLikeTag reports whether a word is a tag with a version in it.
func looksLikeTag(word string) bool {
	if !reference.ValidTag(word) || isAddress(word) {
		return false
	}
	if isVersion(word) {
		return strings.ContainsAny(word, ".-_") && !isDate(word) || word[0] == 'v'
	}
	if isDigit(word[0]) && strings.Contains(word, ".") && strings.Contains(word, "-") {
		return true
	}
	for from := 0; from < len(word); {
		part := word[from:]
		if end := strings.IndexAny(part, "-_"); end >= 0 {
			part = part[:end]
		}
		if strings.Contains(part, ".") && isVersion(part) {
			return true
		}
		from += len(part) + 1
	}
	return strings.HasPrefix(word, "RELEASE.")
}

// isAddress reports whether a word is the address of a machine and no version: "10.0.0.1"
// and "8.8.8.8", but not "3.2.1.0".
func isAddress(word string) bool {
	if strings.Count(word, ".") != 3 || strings.Trim(word, "0123456789.") != "" {
		return false
	}
	return word[1] != '.' || strings.Trim(word, word[:1]+".") == ""
}

// isSameForm reports whether two tags differ only by their numbers: "pg16" and "pg17".
func isSameForm(a, b string) bool {
	words := func(tag string) []string {
		return strings.FieldsFunc(tag, func(r rune) bool { return isDigit(byte(r)) })
	}
	return a != b && slices.Equal(words(a), words(b))
}

// isDate reports whether a word is a day: "2024-07-03".
func isDate(word string) bool {
	return len(word) == 10 && word[4] == word[7] && isDigits(word[:4]) && isDigits(word[5:7]) && isDigits(word[8:])
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// hasDigit reports whether a text has a digit.
func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func hasLetter(s string) bool {
	return strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

func limit(n int) string { return strconv.Itoa(n) }

// maxWord is the longest word that is read. Addresses of web pages with an
// image name are much shorter.
const maxWord = 2048

// cutWord removes words from the end of text, unless they are the end of a
// longer word.
func cutWord(text, words string) (before string, ok bool) {
	before, ok = strings.CutSuffix(text, words)
	if !ok || before != "" && words[0] < 0x80 && isAlnum(before[len(before)-1]) {
		return text, false
	}
	return before, true
}

// cutLastWord splits a text before its last word.
func cutLastWord(text string) (before, word string, ok bool) {
	at := strings.LastIndexByte(text, ' ')
	if at < 0 {
		return "", text, false
	}
	return strings.TrimRight(text[:at], " "), text[at+1:], true
}

// isIdentifier reports whether s can be the name of a variable.
func isIdentifier(s string) bool {
	return s != "" && !isDigit(s[0]) && identifierEnd(s) == len(s)
}

func identifierEnd(s string) int {
	end := 0
	for end < len(s) && (isAlnum(s[end]) || s[end] == '_') {
		end++
	}
	return end
}

// anyLine reports whether one of some lines satisfies is.
func anyLine(lines []line, is func(line) bool) (found bool) {
	for i := range lines {
		found = found || is(lines[i])
	}
	return found
}
