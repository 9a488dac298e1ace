package report

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// hiddenPattern matches the records, which are in an HTML comment that nothing in
// them can end.
var hiddenPattern = regexp.MustCompile(`\n<!-- ferry:records\n(?:\{"source":"[a-z0-9._:/@A-Z-]+","mirror":"[a-z0-9._:/@A-Z-]+","status":"[a-z]+","source_digest":"[a-z0-9:]+","digest":"[a-z0-9:]+"(?:,"platforms":\["[a-z0-9/._-]+"(?:,"[a-z0-9/._-]+")*\])?(?:,"size":[0-9]+)?(?:,"elsewhere":\[(?:,?\{"mirror":"[a-z0-9._:/@A-Z-]+","state":"[a-z]+"(?:,"platform":"[a-z0-9/._-]+")?\})+\])?\}\n)+-->\n`)

// inspect reads a comment as GitHub Flavored Markdown, in the subset that Ferry
// uses, and returns what is wrong: unclosed blocks, broken tables, and anything
// outside of code that GitHub would act on. It shares no code with the writers.
func inspect(comment string) (complaints []string) {
	complain := func(line int, format string, args ...any) {
		complaints = append(complaints, fmt.Sprintf("line %d: ", line+1)+fmt.Sprintf(format, args...))
	}
	if len(comment) > MaxComment {
		complain(0, "%d bytes", len(comment))
	}
	if at := hiddenPattern.FindStringIndex(comment); at != nil {
		comment = comment[:at[0]] + comment[at[1]:]
	}
	if n := strings.Count(comment, "<!--"); n != 1 || !strings.HasPrefix(comment, "<!-- ferry:v") {
		complain(0, "%d HTML comments", n)
	}
	var fence string
	details, columns := 0, 0
	lines := strings.Split(comment, "\n")
	for i, line := range lines {
		for _, r := range line {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf) && r != '\u200d' {
				complain(i, "invisible character %U", r)
			}
		}
		if i == 0 {
			continue
		}
		if fence != "" {
			if ticks := leadingTicks(line); len(ticks) >= len(fence) && strings.TrimSpace(line) == ticks {
				fence = ""
			}
			continue
		}
		if ticks := leadingTicks(line); len(ticks) >= 3 && !strings.Contains(line[len(ticks):], "`") {
			fence = ticks
			if !regexp.MustCompile("^`+(json|sh|text|toml|yaml)$").MatchString(line) {
				complain(i, "unexpected fence %q", line)
			}
			continue
		}
		text, ok := withoutCode(line)
		if !ok {
			complain(i, "a code span is not closed: %q", line)
		}
		switch {
		case strings.HasPrefix(line, "<details><summary>") && strings.HasSuffix(line, "</summary>"):
			details++
			if i+1 < len(lines) && lines[i+1] != "" {
				complain(i, "no blank line behind the summary")
			}
		case line == "</details>":
			details--
			if lines[i-1] != "" {
				complain(i, "no blank line before the end of a fold")
			}
		}
		if details < 0 || details > 1 {
			complain(i, "folds are %d deep", details)
		}
		if strings.HasPrefix(line, "|") {
			cells := strings.Count(line, "|") - 1
			if columns != 0 && cells != columns {
				complain(i, "%d cells in a table of %d columns", cells, columns)
			}
			columns = cells
		} else {
			columns = 0
		}
		text = allowed.ReplaceAllString(text, "")
		if found := live.FindString(text); found != "" {
			complain(i, "live text %q in %q", found, line)
		}
		if bold := strings.Count(text, "**"); bold%2 != 0 {
			complain(i, "bold is not closed: %q", line)
		}
		for _, m := range brokenBold.FindAllString(text, -1) {
			complain(i, "bold ends in punctuation with a letter behind: %q", m)
		}
	}
	if fence != "" {
		complain(len(lines), "a fence is not closed")
	}
	if details != 0 {
		complain(len(lines), "a fold is not closed")
	}
	return complaints
}

var (
	// allowed matches the HTML and the links that Ferry writes.
	allowed = regexp.MustCompile(`^<details><summary>|</summary>$|^</details>$|</?code>|</?b>|\[[^\[\]<>]+\]\(https://github\.com/[!-~]*?\)`)
	// live matches text outside of code that GitHub acts on.
	live = regexp.MustCompile(`@[\w-]|#\d|GH-\d|https?://|www\.|[<>]|!\[|\]\(|\b[0-9a-f]{7,}\b`)
	// brokenBold matches a closing ** that CommonMark does not accept: after
	// punctuation and before a letter.
	brokenBold = regexp.MustCompile(`\*\*[^*]*[\pP\pS]\*\*[\pL\pN]`)
)

func leadingTicks(line string) string {
	line = strings.TrimLeft(line, " ")
	return line[:len(line)-len(strings.TrimLeft(line, "`"))]
}

// withoutCode returns the line without its code spans, and false if one is not
// closed.
func withoutCode(line string) (string, bool) {
	var b strings.Builder
	for {
		start := strings.IndexByte(line, '`')
		if start < 0 {
			b.WriteString(line)
			return b.String(), true
		}
		b.WriteString(line[:start])
		line = line[start:]
		ticks := leadingTicks(line)
		line = line[len(ticks):]
		end := -1
		for at := 0; at < len(line); {
			next := strings.IndexByte(line[at:], '`')
			if next < 0 {
				break
			}
			run := leadingTicks(line[at+next:])
			if len(run) == len(ticks) {
				end = at + next
				break
			}
			at += next + len(run)
		}
		if end < 0 {
			return b.String(), false
		}
		b.WriteString("x") // for the text around it, a code span is a word
		line = line[end+len(ticks):]
	}
}
