package front

import (
	"strconv"
	"strings"
)

// span is a part of a blob: the bytes from from up to, but not including, to.
type span struct{ from, to int64 }

// readRange parses the header Range (RFC 9110 §14.2) for a blob of size bytes.
// part is false if the whole blob is to be sent: without a header, and for
// units other than bytes or several ranges, which may be ignored. ok is false
// if the range is outside the blob.
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
		to = min(size, max(end, end+1)) // the largest number must not overflow
	}
	if from >= size {
		return all, false, false
	}
	return span{from, to}, true, true
}

func digits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// number parses digits. A number that is too large becomes the largest one.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // ParseInt returns the nearest number
	return n
}
