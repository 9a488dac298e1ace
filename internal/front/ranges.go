package front

import (
	"strconv"
	"strings"
)

// span is a part of a blob: from its first byte up to another, exclusively.
type span struct{ from, to int64 }

// readRange reads the header Range (RFC 9110 §14.2) of a blob of size bytes. Part
// is false if all of it is to be sent: without the header, and for those that
// name no bytes or several parts, which may be ignored. Ok is false if there is
// no such part.
func readRange(header string, size int64) (s span, part, ok bool) {
	all := span{0, size}
	text, isBytes := strings.CutPrefix(strings.TrimSpace(header), "bytes=")
	if !isBytes || strings.Contains(text, ",") {
		return all, false, true
	}
	first, last, isRange := strings.Cut(strings.TrimSpace(text), "-")
	if !isRange || first == "" && last == "" || !digits(first) || !digits(last) {
		return all, false, true
	}
	if first == "" {
		n := number(last)
		if n == 0 || size == 0 {
			return all, false, false
		}
		return span{max(size-n, 0), size}, true, true
	}
	from := number(first)
	to := size
	if last != "" {
		end := number(last)
		if end < from {
			return all, false, true
		}
		to = min(size, max(end, end+1)) // the largest number has none after it
	}
	if from >= size {
		return all, false, false
	}
	return span{from, to}, true, true
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// number reads digits. What is too large to be one is the largest.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // which gives the nearest number
	return n
}
