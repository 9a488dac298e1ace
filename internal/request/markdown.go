package request

import (
	"strings"
)

// stripMarkers removes marks at the beginning of a line: bullets, numbers,
// check boxes, headings, tags in brackets. An unticked box is skipped.
func stripMarkers(text string) (stripped string, skip bool) {
	text = strings.TrimSpace(text)
	for {
		before := text
		for _, bullet := range []string{"* ", "- ", "+ "} {
			text = strings.TrimLeft(strings.TrimPrefix(text, bullet), " ")
		}
		if strings.HasPrefix(text, "[ ]") || strings.HasPrefix(text, "[]") {
			return "", true
		}
		if strings.HasPrefix(text, "[x]") || strings.HasPrefix(text, "[X]") {
			text = text[3:]
		}
		text = strings.TrimLeft(text, "# ")
		text = strings.TrimLeft(cutNumber(text), " ")
		text = strings.TrimLeft(cutBracketTag(text), " ")
		if text == before {
			return text, false
		}
	}
}

// cutNumber removes "1. ", "1)", "(1)", "1," and the "1 " of a table from the
// beginning.
func cutNumber(text string) string {
	t := strings.TrimPrefix(text, "(")
	n := 0
	for n < len(t) && n < 3 && isDigit(t[n]) {
		n++
	}
	if n == 0 || n == len(t) {
		return text
	}
	switch after := t[n+1:]; {
	case t[n] == ')' || t[n] == ',', t[n] == ' ' && after != "" && isAlnum(after[0]):
		return after
	case t[n] == '.' && (after == "" || after[0] == ' ' || !isDigit(after[0])):
		return after
	}
	return text
}

// cutBracketTag removes a word in brackets from the beginning, such as
// "[PORTER]", unless it is an image.
func cutBracketTag(text string) string {
	if !strings.HasPrefix(text, "[") {
		return text
	}
	end := strings.IndexByte(text, ']')
	if end < 0 || end > 60 || strings.HasPrefix(text[end+1:], "(") {
		return text
	}
	if strings.ContainsAny(text[1:end], ":/,\"'") {
		return text
	}
	return strings.TrimLeft(text[end+1:], ":")
}

// maskBold masks the stars of "**bold**" text, but not those of patterns.
func maskBold(text string) string {
	if !strings.Contains(text, "**") {
		return text
	}
	b := []byte(text)
	for at := 0; ; {
		open := strings.Index(text[at:], "**")
		if open < 0 {
			return string(b)
		}
		open += at
		inside := strings.Index(text[open+2:], "**")
		if inside <= 0 || text[open+2] == ' ' || text[open+1+inside] == ' ' || inside > maxWord {
			at = open + 2
			continue
		}
		end := open + 2 + inside
		b[open], b[open+1], b[end], b[end+1] = ' ', ' ', ' ', ' '
		at = end + 2
	}
}

// maskEmoji masks the names of emoji behind a space: " :rocket:".
func maskEmoji(text string) string {
	for at := 0; ; {
		open := strings.Index(text[at:], " :")
		if open < 0 {
			return text
		}
		at += open + 2
		end := at
		for end < len(text) && (isAlnum(text[end]) || text[end] == '_') {
			end++
		}
		if end > at && !isDigit(text[at]) && end < len(text) && text[end] == ':' && (end+1 == len(text) || text[end+1] == ' ') {
			text = blank(text, at-1, end+1)
		}
	}
}
