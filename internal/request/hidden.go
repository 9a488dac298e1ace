package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// Text that GitHub does not show is not part of a request, so that people who
// approve a request can see all of it. See https://github.github.com/gfm/.

// definition matches a link reference definition, which may span lines. The
// label, the destination and the title are all invisible.
var definition = &pattern.Regexp{Text: `^\[(?:[^\[\]\\]|\\.)+\]:[ \t]*\n?[ \t]*(?:<[^<>\n]*>|[^\s<]\S*)` +
	`(?:(?:[ \t]+|[ \t]*\n[ \t]*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\((?:[^()\\]|\\.)*\)))?[ \t]*(?:\n|$)`}

// container matches the marks of block quotes and lists at the beginning of a
// line.
var container = &pattern.Regexp{Text: `^[ \t]*(?:(?:>|[-+*][ \t]|[0-9]{1,9}[.)][ \t])[ \t]*)*`}

// invisible are elements whose content is not shown, by their lower-case
// beginning and end.
var invisible = []struct{ begin, end string }{
	{"<style", "</style"}, {"<script", "</script"}, {"<title", "</title"}, {"<template", "</template"},
	{"<?", "?>"}, {"<![cdata[", "]]>"},
}

// hiddenLines returns the lines of the original text, from 0, that GitHub does
// not show. In doubtful cases a line counts as hidden.
func hiddenLines(text string) map[int]bool {
	if !strings.Contains(text, "]:") && !strings.Contains(text, "<") && !strings.Contains(text, "```") && !strings.Contains(text, "~~~") {
		return nil
	}
	hidden := map[int]bool{}
	lines := strings.Split(lineEnds.Replace(text), "\n")
	fence, until := "", ""
	for i := 0; i < len(lines) && i < MaxLines; i++ {
		s := lines[i][len(container.Compiled().FindString(lines[i])):]
		low := lower(s)
		switch {
		case fence != "":
			if strings.HasPrefix(s, fence) {
				fence = ""
			}
		case until != "":
			hidden[i] = true
			if strings.Contains(low, until) {
				until = ""
			}
		case strings.HasPrefix(s, "```") || strings.HasPrefix(s, "~~~"):
			mark := s[:3]
			if info := strings.TrimLeft(s, mark[:1]); !strings.Contains(info, mark) {
				fence, hidden[i] = mark, strings.TrimSpace(info) != ""
			}
		case strings.HasPrefix(s, "[") && definitionLines(lines[i:]) > 0:
			for n := range definitionLines(lines[i:]) {
				hidden[i+n] = true
			}
		default:
			for _, e := range invisible {
				if at := strings.Index(low, e.begin); at >= 0 {
					rest := low[at+len(e.begin):]
					if isAlnum(e.begin[1]) && rest != "" && strings.IndexByte(" />", rest[0]) < 0 {
						continue // a longer word, such as "<template-name>"
					}
					hidden[i] = true
					if !strings.Contains(rest, e.end) {
						until = e.end
					}
					break
				}
			}
		}
	}
	return hidden
}

// maxDefinition is how many lines of a definition are examined.
const maxDefinition = 20

// definitionLines returns how many lines the definition at their beginning
// takes; 0 if there is none.
func definitionLines(lines []string) int {
	var b strings.Builder
	for _, l := range lines[:min(len(lines), maxDefinition)] {
		l = l[len(container.Compiled().FindString(l)):]
		if strings.TrimSpace(l) == "" {
			break
		}
		b.WriteString(l)
		b.WriteByte('\n')
	}
	return strings.Count(definition.Compiled().FindString(b.String()), "\n")
}

// lineEnds replaces all line ends that normalise knows by newlines.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n")

// maskHidden masks the lines that GitHub does not show.
func maskHidden(lines []line, raw string) {
	for i := range hiddenLines(raw) {
		if i < len(lines) {
			lines[i].mask(isHidden)
		}
	}
}

// attributes matches the invisible parts of a visible line: the attributes of a
// link, and the alternative text of a picture.
var attributes = &pattern.Regexp{Text: `(?i)<a\s[^<>]*>|!\[[^\[\]\n]*\]`}

// maskAttributes masks the invisible parts of lines.
func maskAttributes(text string) string {
	if !strings.Contains(text, "<a") && !strings.Contains(text, "<A") && !strings.Contains(text, "![") {
		return text
	}
	return attributes.Compiled().ReplaceAllStringFunc(text, func(s string) string {
		b := []byte(s)
		for i := range b {
			if b[i] != '\n' {
				b[i] = ' '
			}
		}
		return string(b)
	})
}
