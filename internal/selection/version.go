package selection

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// maxNumbers is how many numbers a version may have: calendar versions with a
// build number have four.
const maxNumbers = 4

// version is a tag that is read as a version.
type version struct {
	numbers    [maxNumbers]uint64
	count      int    // of the numbers that are written
	prerelease string // "rc.1" for example, in lower case; empty for a release
	variant    string // what else follows the numbers, "alpine3.20" for example
}

// numbersPattern matches the beginning of a version. Suffixes are read by hand.
var numbersPattern = regexp.MustCompile(`^[vV]?([0-9]{1,18}(?:\.[0-9]{1,18}){0,3})(.*)$`)

// prereleasePattern matches the words of which a prerelease begins, and the
// number behind them. What follows must be a separator.
var prereleasePattern = regexp.MustCompile(`^(?i:alpha|beta|rc|pre|preview|dev|snapshot|canary|nightly|m|b|a)(?:[.-]?[0-9]+)*(?:$|[-_.])`)

// parseVersion reads a tag as [v]N[.N[.N[.N]]] and a suffix. A suffix begins with
// "-", "_" or ".", or is a prerelease behind at least two numbers ("3.13rc1").
// It is a prerelease if it begins as one, and a variant else; a prerelease may
// have a variant behind it ("3.13-rc-alpine").
func parseVersion(tag string) (version, bool) {
	m := numbersPattern.FindStringSubmatch(tag)
	if m == nil {
		return version{}, false
	}
	var v version
	for text := range strings.SplitSeq(m[1], ".") {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return version{}, false
		}
		v.numbers[v.count] = n
		v.count++
	}
	suffix := m[2]
	if suffix == "" {
		return v, true
	}
	apart := strings.ContainsRune("-_.", rune(suffix[0]))
	if apart {
		suffix = suffix[1:]
	}
	before := prereleasePattern.FindString(suffix)
	switch {
	case suffix == "", !apart && (before == "" || v.count < 2):
		return version{}, false
	case before != "":
		v.prerelease = strings.ToLower(strings.TrimRight(before, "-_."))
		v.variant = suffix[len(before):]
	default:
		v.variant = suffix
	}
	return v, true
}

// compareNumbers orders versions by their numbers; those that are not written are 0.
func (v version) compareNumbers(o version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], o.numbers[i]); c != 0 {
			return c
		}
	}
	return 0
}

// sameMinor reports whether the first two numbers are equal.
func (v version) sameMinor(o version) bool {
	return v.numbers[0] == o.numbers[0] && v.numbers[1] == o.numbers[1]
}

// comparePrereleases orders prereleases of one version by order, and puts the
// release behind them.
func comparePrereleases(a, b string, order func(a, b string) int) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return order(a, b)
}

// candidate is a tag, read once.
type candidate struct {
	tag string
	version
	isVersion bool
}

func read(tag string) candidate {
	v, ok := parseVersion(tag)
	return candidate{tag, v, ok}
}

// compare orders tags from old to new, none equal to another: versions by their
// numbers, prereleases before their release; what is no version is older than all
// versions; else in natural order.
func (c candidate) compare(o candidate) int {
	switch {
	case c.isVersion && !o.isVersion:
		return 1
	case !c.isVersion && o.isVersion:
		return -1
	case c.isVersion:
		if order := cmp.Or(c.compareNumbers(o.version), comparePrereleases(c.prerelease, o.prerelease, natural)); order != 0 {
			return order
		}
	}
	return cmp.Or(natural(c.tag, o.tag), strings.Compare(c.tag, o.tag))
}

// natural compares texts in which runs of digits count as numbers, so that "rc10"
// comes behind "rc9".
func natural(a, b string) int {
	for a != "" && b != "" {
		if !isDigit(a[0]) || !isDigit(b[0]) {
			if c := cmp.Compare(a[0], b[0]); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
			continue
		}
		var m, n string
		m, a = cutDigits(a)
		n, b = cutDigits(b)
		m, n = strings.TrimLeft(m, "0"), strings.TrimLeft(n, "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), strings.Compare(m, n)); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a), len(b))
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// cutDigits cuts the digits off the beginning of s.
func cutDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}
