package runner

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/pattern"
)

// maxLine is the longest line that is written, in bytes. Of a registry's error
// body people need the beginning.
const maxLine = 4 << 10

// escapes are the control sequences of terminals (ECMA-48): CSI with its
// parameters, OSC and its relatives up to their end, and two-byte escapes.
var escapes = &pattern.Regexp{Text: `(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]?|(?:\x1b[P\]X^_]|[\x{90}\x{9d}\x{98}\x{9e}\x{9f}])[^\x07\x1b\x{9c}]*(?:\x07|\x1b\\|\x{9c})?|\x1b[ -/]*[0-~]?`}

// v1Command matches the start of a command anywhere in a line. The runner
// compares by the rules of a culture, which ignore some characters, so any
// characters except printable ASCII may be in between.
var v1Command = &pattern.Regexp{Text: `#[^ -~]*#[^ -~]*\[`}

// lines splits text into lines without line ends, each made harmless.
func lines(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range all {
		all[i] = clean(line)
	}
	return all
}

// clean removes from one line the commands of the runner, line ends, control
// characters and bidirectional formatting, and limits its length.
//
// On both streams, the runner (ActionCommand.cs) executes a line that begins
// with "::name" after white space, and "##[name" anywhere in a line.
func clean(line string) string {
	line = strings.ToValidUTF8(cut(line), string(utf8.RuneError))
	line = escapes.Compiled().ReplaceAllString(line, "")
	line = strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r', r == '\u2028', r == '\u2029', r == '\u0085':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, line)
	line = v1Command.Compiled().ReplaceAllString(line, "## [")
	if first := strings.IndexFunc(line, visible); first >= 0 && line[first] == ':' {
		line = "· " + line
	}
	return cut(line)
}

// cut shortens line to at most maxLine bytes and marks the cut.
func cut(line string) string {
	const sign = " …"
	if len(line) <= maxLine {
		return line
	}
	return wholeRunes(line[:maxLine-len(sign)]) + sign
}

// wholeRunes removes an incomplete character from the end of text.
func wholeRunes(text string) string {
	for {
		if r, size := utf8.DecodeLastRuneInString(text); r != utf8.RuneError || size != 1 {
			return text
		}
		text = text[:len(text)-1]
	}
}

// visible reports whether a character prevents a following "::" from being at
// the start of a line. Comparisons by the rules of a culture ignore some
// characters, so it only accepts plainly visible ones.
func visible(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}
