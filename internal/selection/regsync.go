package selection

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// regsyncVersion is a version for regsync: any number of numbers, and a
// prerelease after the first "-".
type regsyncVersion struct {
	numbers    []int
	prerelease string
}

type regsyncComparison struct {
	operator string
	version  regsyncVersion
}

// parseRegsync parses a list of comparisons; it returns "^" and "~" as two.
func parseRegsync(text string) ([]regsyncComparison, error) {
	var all []regsyncComparison
	for _, word := range strings.Fields(text) {
		number := strings.TrimLeft(word, "^~<>=")
		operator := word[:len(word)-len(number)]
		v, ok := readRegsync(number)
		if !ok {
			return nil, fmt.Errorf("has %q, which is not a comparison", clip(word))
		}
		major, minor, patch := v.number(0), v.number(1), v.number(2)
		var below []int
		switch operator {
		case "^":
			switch {
			case major > 0:
				below = []int{major + 1}
			case minor > 0:
				below = []int{0, minor + 1}
			default:
				below = []int{0, 0, patch + 1}
			}
		case "~":
			below = []int{major, minor + 1}
		case "":
			operator = "="
		case "=", "<", ">", "<=", ">=":
		default:
			return nil, fmt.Errorf("has %q, which is not a comparison", clip(word))
		}
		if below != nil {
			all = append(all, regsyncComparison{">=", v}, regsyncComparison{"<", regsyncVersion{numbers: below}})
			continue
		}
		all = append(all, regsyncComparison{operator, v})
	}
	if all == nil {
		return nil, errors.New("is empty")
	}
	return all, nil
}

// readRegsync parses a tag or the version of a comparison.
func readRegsync(text string) (regsyncVersion, bool) {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "+")
	numbers, prerelease, _ := strings.Cut(text, "-")
	v := regsyncVersion{prerelease: prerelease}
	for _, number := range strings.Split(numbers, ".") {
		n, err := strconv.Atoi(number)
		if err != nil {
			return regsyncVersion{}, false
		}
		v.numbers = append(v.numbers, n)
	}
	return v, true
}

// number returns the number at index i, or 0 if there is none.
func (v regsyncVersion) number(i int) int {
	if i < len(v.numbers) {
		return v.numbers[i]
	}
	return 0
}

func (v regsyncVersion) compare(o regsyncVersion) int {
	for i := range max(len(v.numbers), len(o.numbers)) {
		if c := cmp.Compare(v.number(i), o.number(i)); c != 0 {
			return c
		}
	}
	return comparePrereleases(v.prerelease, o.prerelease, regsyncOrder)
}

// regsyncOrder compares prereleases as regsync does: part by part, and in each
// part words and numbers in turn. It stops at the first word that both have and
// that no number follows.
func regsyncOrder(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, y := as[i], bs[i]
		for x != "" && y != "" {
			var wordX, wordY, digitsX, digitsY string
			wordX, digitsX, x = cutWord(x)
			wordY, digitsY, y = cutWord(y)
			if c := strings.Compare(wordX, wordY); c != 0 {
				return c
			}
			m, noM := strconv.Atoi(digitsX)
			n, noN := strconv.Atoi(digitsY)
			switch {
			case noM != nil && noN != nil:
				return 0
			case noM != nil:
				return -1
			case noN != nil:
				return 1
			case m != n:
				return cmp.Compare(m, n)
			}
		}
		if x != y {
			return cmp.Compare(len(x), len(y))
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// cutWord cuts the text before the first digit, and the digits, off s.
func cutWord(s string) (word, digits, rest string) {
	at := strings.IndexAny(s, "0123456789")
	if at < 0 {
		return s, "", ""
	}
	digits, rest = cutDigits(s[at:])
	return s[:at], digits, rest
}

// holdsRegsync reports whether a tag is in the range.
func (r *Range) holdsRegsync(v regsyncVersion) bool {
	for _, c := range r.regsync {
		compared := v.compare(c.version)
		ok := strings.Contains(c.operator, "=") && compared == 0 ||
			strings.Contains(c.operator, "<") && compared < 0 || strings.Contains(c.operator, ">") && compared > 0
		if !ok {
			return false
		}
	}
	return true
}
