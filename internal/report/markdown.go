package report

import (
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/reference"
)

// md is Markdown that may stand in a comment: a sentence of our own, or foreign
// text after one of the functions below.
//
// The rules are those of GitHub Flavored Markdown. Inside code spans and fences
// GitHub resolves no mention, no reference, no link, no image and no HTML, so
// foreign text stands nowhere else. What is left to do is to keep it inside,
// and to take out what could mislead the eye.
type md string

// Limits of foreign text, in bytes. A comment has one budget; one registry's
// error page must not eat it.
const (
	maxCode  = reference.MaxReference
	maxFence = 1500
)

// code is a code span. Text that the grammar of references allows comes out as
// it is; anything else is put on one line and shortened.
func code(text string) md {
	text = strings.TrimSpace(clip(oneLine(text), maxCode))
	if text == "" {
		return "—"
	}
	mark := strings.Repeat("`", longestRun(text, '`')+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return md(mark + text + mark)
}

// codeRef is the code span of a canonical reference.
func codeRef(r reference.Reference) md { return code(r.String()) }

// fence is a fenced code block of its own, without language: its lines, the
// fences included. It is longer than any run of backticks in the text, so that
// no line of the text can close it.
func fence(text string) []md {
	text = strings.Trim(clip(clean(text), maxFence), "\n")
	mark := md(strings.Repeat("`", max(3, longestRun(text, '`')+1)))
	lines := []md{mark + "text"}
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, md(line))
	}
	return append(lines, mark)
}

// link is a link to an address that the runner or the configuration gave us,
// or the bare text if that is no plain https or http address.
func link(text md, address string) md {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsFunc(address, notInLink) {
		return text
	}
	return "[" + text + "](" + md(address) + ")"
}

func notInLink(r rune) bool {
	return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>[]\\`\"'|", r)
}

// escapes are the sequences that colour and move things on a terminal (ECMA-48, CSI).
var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]`)

// lineEnds are all that a reader or another program could take for the end of a line.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ", "\u2028", "\n", "\u2029", "\n")

// clean takes out what misleads the eye or another program: control
// characters, terminal escapes, bidirectional and other invisible formatting,
// and what is no UTF-8. Line feeds stay, and the opening of an HTML comment is
// pulled apart, so that no reader of raw comments takes it for a marker.
func clean(text string) string {
	text = lineEnds.Replace(escapes.ReplaceAllString(text, ""))
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == utf8.RuneError, unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.ReplaceAll(text, "<!--", "<! --")
}

// oneLine is clean with all white space as single spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

// clip shortens text to most bytes at a boundary of runes and says so.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}

func longestRun(text string, of byte) int {
	longest, run := 0, 0
	for i := range len(text) {
		if text[i] != of {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

func join(parts []md, between md) md {
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = string(p)
	}
	return md(strings.Join(texts, string(between)))
}

// joined are code spans with commas between, at most most of them.
func joined(texts []string, comma md, most int) md {
	var b strings.Builder
	for i, text := range texts {
		if i == most {
			b.WriteString(string(comma) + "…")
			break
		}
		if i > 0 {
			b.WriteString(string(comma))
		}
		b.WriteString(string(code(text)))
	}
	return md(b.String())
}
