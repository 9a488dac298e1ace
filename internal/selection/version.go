package selection

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// maxNumbers is the maximum number of numbers in a version: calendar versions
// with a build number have four.
const maxNumbers = 4

// version is a tag parsed as a version.
type version struct {
	numbers    [maxNumbers]uint64
	count      int    // how many numbers are written
	prerelease string // "rc.1" for example, in lower case; empty for a release
	variant    string // what else follows the numbers, "alpine3.20" for example
}

// numbersPattern matches the numbers of a version and the rest, which is parsed
// by hand.
var numbersPattern = &pattern.Regexp{Text: `^[vV]?([0-9]{1,18}(?:\.[0-9]{1,18}){0,3})(.*)$`}

// prereleasePattern matches the words that start a prerelease, and the number
// after them. A separator must follow.
var prereleasePattern = &pattern.Regexp{Text: `^(?i:alpha|beta|rc|pre|preview|dev|snapshot|canary|nightly|m|b|a)(?:[.-]?[0-9]+)*(?:$|[-_.])`}

// parseVersion parses a tag as [v]N[.N[.N[.N]]] and a suffix. A suffix starts
// with "-", "_" or ".", or is a prerelease after at least two numbers
// ("3.13rc1"). It is a prerelease if it starts like one, else a variant; a
// variant may follow a prerelease ("3.13-rc-alpine").
func parseVersion(tag string) (version, bool) {
	m := numbersPattern.FindStringSubmatch(tag)
	if m == nil {
		return version{}, false
	}
	v, ok := parseNumbers(m[1])
	if !ok {
		return version{}, false
	}
	// Tags of Git may have metadata of the build at the end (SemVer 2.0.0, 10),
	// which is not compared; tags of images cannot.
	suffix, _, _ := strings.Cut(m[2], "+")
	if suffix == "" {
		return v, true
	}
	apart := strings.ContainsRune("-_.", rune(suffix[0]))
	if apart {
		suffix = suffix[1:]
	}
	before := prereleasePattern.Compiled().FindString(suffix)
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

// parseNumbers parses at most maxNumbers numbers separated by dots.
func parseNumbers(text string) (v version, ok bool) {
	for _, number := range strings.Split(text, ".") {
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return version{}, false
		}
		v.numbers[v.count] = n
		v.count++
	}
	return v, true
}

// compareNumbers compares versions by their numbers; missing numbers are 0.
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

// comparePrereleases compares prereleases of one version with order, and sorts
// the release after them.
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

// candidate is a parsed tag.
type candidate struct {
	tag string
	version
	isVersion bool
}

// read parses a tag. If extract is not nil, only the text that it finds is the
// version.
func read(tag string, extract *Pattern) candidate {
	text := tag
	if extract != nil {
		found := extract.expression.FindStringSubmatch(tag)
		if found == nil {
			return candidate{tag: tag}
		}
		text = found[len(found)-1]
	}
	v, ok := parseVersion(text)
	return candidate{tag, v, ok}
}

// compare orders tags from old to new. No two tags are equal. Versions are
// ordered by their numbers, and prereleases come before their release; tags
// that are not versions are older than all versions, in natural order.
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

// natural compares texts in which runs of digits count as numbers, so that
// "rc10" comes after "rc9".
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

// cutDigits cuts the digits off the start of s.
func cutDigits(s string) (digits, rest string) {
	rest = strings.TrimLeft(s, "0123456789")
	return s[:len(s)-len(rest)], rest
}
