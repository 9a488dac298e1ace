package report

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// md is Markdown that is safe in a comment: a sentence of Ferry, or foreign
// text escaped by a function below.
//
// The rules are those of GitHub Flavored Markdown. Inside code spans and fences
// GitHub resolves no mentions, references, links, images or HTML, so foreign
// text is put nowhere else. These functions keep it inside and remove
// characters that could mislead readers.
type md string

// Limits of foreign text, in bytes. One error page of a registry must not use
// up the space of a comment.
const (
	maxCode  = reference.MaxReference
	maxFence = 1500
)

// code returns a code span. Text within the grammar of references is not
// changed; other text is put on one line and shortened.
func code(text string) md {
	text = strings.TrimSpace(reference.Clip(oneLine(text), maxCode))
	if text == "" {
		return "—"
	}
	mark := strings.Repeat("`", longestRun(text, '`')+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return md(mark + text + mark)
}

// codeRef returns the code span of a canonical reference.
func codeRef(r reference.Reference) md { return code(r.String()) }

// fence returns the lines of a fenced code block without a language, including
// the fences. The fences are longer than any run of backticks in the text, so
// the text cannot close them.
func fence(text string) []md {
	text = strings.Trim(reference.Clip(clean(text), maxFence), "\n")
	mark := md(strings.Repeat("`", max(3, longestRun(text, '`')+1)))
	lines := []md{mark + "text"}
	for _, line := range strings.Split(text, "\n") {
		lines = append(lines, md(line))
	}
	return append(lines, mark)
}

// unfenced returns the lines of a comment outside of fences, and those in the first
// fence for commands. Foreign text stands in fences for text, which it cannot
// close.
func unfenced(comment string) (text, commands []string) {
	mark, info := "", ""
	for line := range strings.Lines(comment) {
		line = strings.TrimRight(line, "\r\n")
		trimmed := strings.TrimLeft(line, " ")
		rest := strings.TrimLeft(trimmed, "`")
		run := trimmed[:len(trimmed)-len(rest)]
		switch {
		case mark == "" && len(run) >= 3:
			if mark, info = run, rest; info == "sh" && commands != nil {
				info = ""
			}
		case mark == "":
			text = append(text, line)
		case rest == "" && len(run) >= len(mark):
			mark = ""
		case info == "sh":
			commands = append(commands, line)
		}
	}
	return text, commands
}

// link returns a link to an address from the runner or the configuration, or
// the text alone if the address is not plain http or https.
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

// escapes matches terminal sequences for colours and cursor movement (ECMA-48,
// CSI).
var escapes = &pattern.Regexp{Text: `\x1b\[[0-?]*[ -/]*[@-~]`}

// lineEnds replaces everything that a reader or a program could take for the
// end of a line.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\t", "    ", "\u2028", "\n", "\u2029", "\n")

// clean removes characters that mislead readers or programs: control
// characters, terminal escapes, bidirectional and other invisible formatting,
// and invalid UTF-8. Line feeds stay. The opening of an HTML comment is split,
// so that programs do not take it for a marker.
func clean(text string) string {
	text = lineEnds.Replace(escapes.Compiled().ReplaceAllString(text, ""))
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

// oneLine is clean with white space reduced to single spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

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

// joined lists at most the given number of texts as code spans.
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
