package request

import (
	"strings"
	"unicode/utf8"
)

// token is a piece of a line: a word that could be part of a reference, text in
// another script, or a separator.
type token struct {
	text   string
	at     int // byte offset in the line
	kind   tokenKind
	quoted bool // between quotes or back-ticks
	key    bool // a quoted key, followed by a colon
	faulty bool // a version that the line asks another one in place of
	wanted bool // that other one
	group  int  // number of the closed quotes around it; 0 for none
}

// end returns the byte offset behind a token.
func (t *token) end() int { return t.at + len(t.text) }

type tokenKind int

const (
	asciiWord tokenKind = iota
	otherWord           // Chinese and other text that references cannot contain
	separator           // , ; | -> && and similar marks
)

// wordBytes are the ASCII characters inside words. Brackets, quotes, commas and
// semicolons are separators.
var wordBytes = func() (is [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		is[c] = isAlnum(c) || strings.IndexByte("._-/:@+$%{}~#&?*=\\<>^", c) >= 0
	}
	return is
}()

// tokens splits one normalised line into tokens.
func tokens(s string) []token { return appendTokens(make([]token, 0, len(s)/12+1), s) }

// appendTokens appends the tokens of one normalised line to out, which is empty.
func appendTokens(out []token, s string) []token {
	quote, opened := byte(0), 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case strings.HasPrefix(s[i:], "->") || strings.HasPrefix(s[i:], "=>"):
			out = append(out, token{text: "->", at: i, kind: separator})
			i += 2
		case strings.HasPrefix(s[i:], "&&") || strings.HasPrefix(s[i:], "||"):
			out = append(out, token{text: ";", at: i, kind: separator})
			i += 2
		case c == ',' || c == ';' || c == '|':
			out = append(out, token{text: s[i : i+1], at: i, kind: separator})
			i++
		case c == '\'' && quote != c && isApostrophe(s, i):
			i++
		case c == '"' || c == '\'' || c == '`':
			switch quote {
			case c:
				quote = 0
				groupTokens(out, opened)
				if s[i-1] == c && (i == 1 || s[i-2] == ' ') {
					out = append(out, token{at: i, quoted: true, group: opened + 1}) // an empty argument
				}
				if n := len(out); c != '`' && n > 0 && out[n-1].quoted && strings.HasPrefix(strings.TrimLeft(s[i+1:min(len(s), i+9)], " "), ":") {
					out[n-1].key = true
				}
			case 0:
				quote, opened = c, i
			}
			i++
		case c >= utf8.RuneSelf:
			from := i
			if end := latinEnd(s, i); end > i {
				// "versão" and "anh/chị" are one word, which cannot be part of a reference.
				if n := len(out) - 1; n >= 0 && out[n].kind == asciiWord && out[n].at+len(out[n].text) == i && isLetters(strings.ReplaceAll(out[n].text, "/", "")) {
					from, out = out[n].at, out[:n]
				}
				i = end
			} else {
				for i < len(s) && s[i] >= utf8.RuneSelf {
					i++
				}
			}
			out = append(out, token{text: s[from:i], at: from, kind: otherWord})
		case wordBytes[c]:
			end := wordEnd(s, i)
			out = append(out, token{text: s[i:end], at: i, quoted: quote != 0})
			i = end
		default:
			i++
		}
	}
	return out
}

// groupTokens numbers the tokens behind an opening quote by its place.
func groupTokens(all []token, opened int) {
	for n := len(all) - 1; n >= 0 && all[n].at > opened; n-- {
		all[n].group = opened + 1
	}
}

// isApostrophe reports whether the mark at s[i] stands between letters, as in "it's".
func isApostrophe(s string, i int) bool {
	return i > 0 && i+1 < len(s) && isLetters(s[i-1:i]) && isLetters(s[i+1:i+2])
}

// latinEnd returns the end of the Latin letters that begin at s[i] with one
// beyond ASCII; i for other scripts.
func latinEnd(s string, i int) int {
	for from := i; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r >= 0xC0 && r < 0x250 || r >= 0x300 && r < 0x370 || r >= 0x1E00 && r < 0x1F00:
		case i > from && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'):
		default:
			return i
		}
		i += size
	}
	return i
}

// isLetters reports whether a word consists of ASCII letters.
func isLetters(word string) bool {
	for i := range len(word) {
		if c := word[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// wordEnd returns the end of the word that begins at s[i]. A comma inside
// braces belongs to the word, and so do spaces after it, if letters precede the
// brace: that is a brace expansion.
func wordEnd(s string, i int) int {
	from, depth := i, 0
	for i < len(s) {
		c := s[i]
		switch {
		case c == '-' && strings.HasPrefix(s[i:], "->") || c == '=' && strings.HasPrefix(s[i:], "=>"):
			return max(i, from+1)
		case c == '&' && strings.HasPrefix(s[i:], "&&"):
			return max(i, from+1)
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == ',' && depth > 0:
		case c == ' ' && depth > 0 && from < i && isAlnum(s[from]) && (s[i-1] == ',' || s[i-1] == '{' || s[i-1] == ' ' || strings.HasPrefix(s[i+1:], ",")):
		case c == '|' && i > from && isAlnum(s[i-1]) && startsPlatform(s[i+1:]) && (from == 0 || s[from-1] != '|'):
			// "ref|linux/arm64": the platform belongs to the reference.
		case !wordBytes[c]:
			return i
		}
		i++
	}
	return i
}

// startsPlatform reports whether text begins with a word that could be a
// platform: letters, digits and slashes.
func startsPlatform(text string) bool {
	const most = 32
	n := 0
	for n < len(text) && n < most && (isAlnum(text[n]) || text[n] == '/' || text[n] == '_' || text[n] == '-') {
		n++
	}
	return n > 0 && (n == len(text) || n < most && text[n] != '.' && text[n] != ':')
}

// byteSet is a set of ASCII characters. Functions such as strings.Trim make one for each
// call, which takes longer than what they do with most words.
type byteSet [256]bool

func setOf(characters string) *byteSet {
	var s byteSet
	for i := range len(characters) {
		s[characters[i]] = true
	}
	return &s
}

func (s *byteSet) trimLeft(text string) string {
	for text != "" && s[text[0]] {
		text = text[1:]
	}
	return text
}

func (s *byteSet) trimRight(text string) string {
	for text != "" && s[text[len(text)-1]] {
		text = text[:len(text)-1]
	}
	return text
}

func (s *byteSet) trim(text string) string { return s.trimLeft(s.trimRight(text)) }

var aroundSpoken = setOf(":.*_(")

// spoken returns a word of a sentence in lower case, without the marks around
// it.
func spoken(t token) string { return lower(aroundSpoken.trim(t.text)) }

// startsUpper reports whether a word begins with a capital letter.
func startsUpper(word string) bool { return word != "" && word[0] >= 'A' && word[0] <= 'Z' }

// The characters around references.
var (
	aroundReferences = setOf("<>~#?^&=%")
	beforeReferences = setOf("*.:@+_}")
	behindReferences = setOf(".:@+/\\-_,$|{>")
	stars            = setOf("*")
)

// trimWord removes the characters that people put around a reference: brackets,
// emphasis, bullets and full stops. A star that could be a pattern stays.
func trimWord(w string) string {
	if w != "" && isAlnum(w[0]) && isAlnum(w[len(w)-1]) {
		return w
	}
	emphasised := strings.HasPrefix(w, "*")
	w = beforeReferences.trimLeft(aroundReferences.trim(w))
	if strings.HasPrefix(w, "{") && !strings.Contains(w, "}") {
		w = w[1:]
	}
	for {
		before := w
		w = behindReferences.trimRight(w)
		if plain := stars.trimRight(w); (emphasised || len(w)-len(plain) > 1) && plain != w && strings.TrimRight(plain, ":/") == plain {
			w = plain
		}
		if strings.HasSuffix(w, "}") && !strings.Contains(w, "{") {
			w = strings.TrimRight(w, "}")
		}
		if w == before {
			return w
		}
	}
}

// anyToken reports whether one of some tokens satisfies is.
func anyToken(toks []token, is func(token) bool) (found bool) {
	for i := range toks {
		found = found || is(toks[i])
	}
	return found
}
