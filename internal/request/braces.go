package request

import (
	"strconv"
	"strings"
)

// expandBraces implements the shell's brace expansion: "{a,b}", "{0..3}",
// "{08..11..2}", "{a..e}", in sequence and nested. A pair without comma or
// range is kept as it is, as in bash. It returns nil if the result would have
// more than MaxExpansion words.
func expandBraces(word string) []string {
	if !strings.Contains(word, "{") {
		return []string{word}
	}
	words, _ := expandSequence(word, 0)
	return words
}

// maxNesting limits nested braces. People write at most two levels.
const maxNesting = 8

// expandSequence expands a sequence of literals and braces, and returns nil if
// the result is too large.
func expandSequence(s string, depth int) ([]string, bool) {
	out := []string{""}
	for s != "" {
		open := strings.IndexByte(s, '{')
		if open < 0 {
			return appendAll(out, []string{s}), true
		}
		end, parts := cutBraces(s[open:])
		if end < 0 || depth == maxNesting {
			return appendAll(out, []string{s}), true
		}
		out = appendAll(out, []string{s[:open]})
		options, ok := expandGroup(parts, depth)
		if !ok {
			return nil, false
		}
		if options == nil {
			options = []string{s[open : open+end]}
		}
		if out = appendAll(out, options); out == nil {
			return nil, false
		}
		s = s[open+end:]
	}
	return out, true
}

// cutBraces parses a brace group at the beginning of s: its end and its parts
// between commas. The end is -1 if it is never closed.
func cutBraces(s string) (end int, parts []string) {
	depth, from := 0, 1
	for i := range len(s) {
		switch s[i] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				parts = append(parts, s[from:i])
				from = i + 1
			}
		case '}':
			if depth--; depth == 0 {
				return i + 1, append(parts, s[from:i])
			}
		}
	}
	return -1, nil
}

// expandGroup returns the expansion of one group; nil if it is none.
func expandGroup(parts []string, depth int) (options []string, ok bool) {
	if len(parts) == 1 {
		return expandRange(parts[0])
	}
	for _, part := range parts {
		expanded, ok := expandSequence(strings.TrimSpace(part), depth+1)
		if !ok {
			return nil, false
		}
		if options = append(options, expanded...); len(options) > MaxExpansion {
			return nil, false
		}
	}
	return options, true
}

// expandRange expands "1..3", "01..10", "1..9..2" or "a..e".
func expandRange(s string) (options []string, ok bool) {
	bounds := strings.Split(s, "..")
	if len(bounds) < 2 || len(bounds) > 3 {
		return nil, true
	}
	step := 1
	if len(bounds) == 3 {
		n, err := strconv.Atoi(bounds[2])
		if err != nil || n == 0 {
			return nil, true
		}
		step = max(n, -n)
	}
	from, to := bounds[0], bounds[1]
	if len(from) == 1 && len(to) == 1 && !isDigit(from[0]) && !isDigit(to[0]) {
		for c := int(from[0]); ; {
			options = append(options, string(rune(c)))
			if c = next(c, int(to[0]), step); c < 0 {
				return options, true
			}
		}
	}
	first, err := strconv.Atoi(from)
	if err != nil || first < 0 {
		return nil, true
	}
	last, err := strconv.Atoi(to)
	if err != nil || last < 0 {
		return nil, true
	}
	if max(first-last, last-first)/step >= MaxExpansion {
		return nil, false
	}
	width := 0
	if from[0] == '0' && len(from) > 1 || to[0] == '0' && len(to) > 1 {
		width = max(len(from), len(to))
	}
	for n := first; n >= 0; n = next(n, last, step) {
		digits := strconv.Itoa(n)
		if pad := width - len(digits); pad > 0 {
			digits = strings.Repeat("0", min(pad, maxWritten)) + digits
		}
		options = append(options, digits)
	}
	return options, true
}

// next returns one step from n towards last, or -1 beyond it.
func next(n, last, step int) int {
	switch {
	case n < last && n+step <= last:
		return n + step
	case n > last && n-step >= last:
		return n - step
	}
	return -1
}

// appendAll appends every option to every word, or returns nil for too many.
func appendAll(words, options []string) []string {
	if len(options) == 1 && options[0] == "" {
		return words
	}
	if len(words)*len(options) > MaxExpansion {
		return nil
	}
	out := make([]string, 0, len(words)*len(options))
	for _, w := range words {
		for _, o := range options {
			out = append(out, w+o)
		}
	}
	return out
}
