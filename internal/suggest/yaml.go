package suggest

import (
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// WideColon is the colon of Chinese keyboards, and WideColonCure what to write
// instead.
const (
	WideColon     = "："
	WideColonCure = `write ":" and a space between a key and its value instead of the full-width "："`
)

var (
	// yamlLine matches the beginning of the errors of go.yaml.in/yaml.
	yamlLine = &pattern.Regexp{Text: `^yaml: (?:line (\d+): )?`}
	// wideKey matches a key before WideColon.
	wideKey = &pattern.Regexp{Text: `(?m)^[ -]*[\w-]+：`}
	// anchor matches the name of an anchor in them. It is foreign text, and may
	// be the beginning of a password.
	anchor = &pattern.Regexp{Text: `anchor '[^']*'`}
)

// YAML explains an error of go.yaml.in/yaml for a text: its line, from 1, what is
// wrong, without words of the text, and what to write instead, which is empty if
// the error leaves too many possibilities.
func YAML(text string, err error) (line int, reason, cure string) {
	reason, line = err.Error(), 1 // not every error names a line
	if m := yamlLine.FindStringSubmatch(reason); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			line = n
		}
		reason = reason[len(m[0]):]
	}
	reason = anchor.Compiled().ReplaceAllString(reason, "anchor")
	switch {
	case strings.Contains(text, "\n\t"):
		cure = "indent with spaces: YAML does not allow tabs"
	case strings.Contains(reason, "',' or ']'"), strings.Contains(reason, "',' or '}'"), strings.Contains(reason, "node content"):
		lines := strings.Split(text, "\n")
		if line < len(lines) && !strings.ContainsAny(lines[line-1], "[{") && strings.ContainsAny(lines[line], "[{") {
			line++ // the library counts from 0 here
		}
		// The library may see the fault only after the bracket.
		for open := min(line, len(lines)); open > 0; open-- {
			if strings.ContainsAny(lines[open-1], "[{") {
				line = open
				break
			}
		}
		cure = "a [ or { that begins here is not closed"
	case wideKey.MatchString(text):
		// The library sees the fault at the next key only.
		line, cure = 1+strings.Count(text[:wideKey.Compiled().FindStringIndex(text)[1]], "\n"), WideColonCure
	default:
		for _, known := range yamlCures {
			if strings.Contains(reason, known.part) {
				cure = known.cure
				break
			}
		}
	}
	return line, reason, cure
}

// yamlCures are the cures of errors that leave only one or two possibilities.
var yamlCures = []struct{ part, cure string }{
	{"'-' indicator", `in the list that begins here, begin each "-" in the same column, and the keys of an item below its first key`},
	{"unexpected end of stream", "close the quote that is open here or above"},
	{"expected key", "begin keys of one object in the same column, and close each quote"},
	{"expected ':'", `write ":" and a space after each key, and "- " before each item of a list`},
	{"mapping values", `put quotes around a value that contains ": ", and begin keys of one object in the same column`},
	{"cannot start any token", yamlSign},
	{"alphabetic or numeric", yamlSign},
	{"anchor", yamlSign},
	{"unknown escape", `write \\ for a backslash, or use single quotes`},
}

const yamlSign = "put quotes around a value that begins with a sign such as @, %, & or *"
