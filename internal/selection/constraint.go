package selection

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// The limits of Masterminds/semver, applied to all ranges here.
const (
	maxRange        = 512 // bytes
	maxAlternatives = 32
)

// Dialect is a syntax for ranges of versions, and a way to read tags as
// versions.
type Dialect int

// The dialects.
const (
	// Ferry has the operators of Masterminds for the numbers and the prerelease
	// of a tag. Variants are selected separately, prereleases have natural
	// order, and there may be four numbers.
	Ferry Dialect = iota
	// Masterminds is github.com/Masterminds/semver/v3, which skopeo uses: the
	// text after the numbers is a prerelease, and a prerelease is selected only
	// if the range has one.
	Masterminds
	// Regsync is the dialect of regclient: any number of numbers, and
	// prereleases are selected like releases.
	Regsync
)

// Range is a range of versions.
type Range struct {
	dialect      Dialect
	alternatives []alternative       // Ferry and Masterminds
	regsync      []regsyncComparison // Regsync
}

// alternative is a list of comparisons, all of which must hold.
type alternative struct {
	comparisons []comparison
	prereleases bool // one of the comparisons has a prerelease
}

// comparison is an operator and a version, which may be partial.
type comparison struct {
	operator string
	version
	given int // how many numbers there are before the first wildcard
}

var errVersion = errors.New("is not a version")

// ParseRange parses a range, such as ">=7.0 <8", "~1.2 || ^2" or "1.2 - 1.4".
// Space and commas mean "and", "||" means "or". The error is a clause.
func ParseRange(text string, dialect Dialect) (*Range, error) {
	if len(text) > maxRange {
		return nil, fmt.Errorf("has %d bytes; the limit is %d", len(text), maxRange)
	}
	r := &Range{dialect: dialect}
	if dialect == Regsync {
		var err error
		r.regsync, err = parseRegsync(text)
		return r, err
	}
	parts := strings.Split(hyphens.Compiled().ReplaceAllString(text, ">= $1, <= $2 "), "||")
	if len(parts) > maxAlternatives {
		return nil, fmt.Errorf("has %d alternatives; the limit is %d", len(parts), maxAlternatives)
	}
	for _, part := range parts {
		a, err := parseAlternative(part, dialect)
		if err != nil {
			return nil, err
		}
		r.alternatives = append(r.alternatives, a)
	}
	return r, nil
}

const (
	numberPattern  = `(?:[0-9]+|[xX*])`
	versionPattern = `v?` + numberPattern + `(?:\.` + numberPattern + `){0,3}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?`
)

// hyphens matches "1.2 - 1.4".
var hyphens = &pattern.Regexp{Text: `\s*(` + versionPattern + `)\s+-\s+(` + versionPattern + `)\s*`}

// comparisonPattern matches a comparison at the start of a text, and the text
// required before the next one.
var comparisonPattern = &pattern.Regexp{Text: `^(=|!=|>|<|>=|=>|<=|=<|~|~>|\^)?\s*(` + versionPattern + `)(?:\s*$|\s*,\s*|\s+)`}

func parseAlternative(text string, dialect Dialect) (alternative, error) {
	var a alternative
	rest := strings.TrimSpace(text)
	for more := true; more; more = rest != "" {
		m := comparisonPattern.FindStringSubmatch(rest)
		if m == nil {
			return alternative{}, fmt.Errorf("has %q, which is not a comparison", clip(rest))
		}
		last := rest
		rest = rest[len(m[0]):]
		if rest == "" && strings.HasSuffix(strings.TrimSpace(last), ",") {
			return alternative{}, fmt.Errorf("ends with a comma")
		}
		c := comparison{operator: m[1]}
		if err := c.parse(m[2], dialect); err != nil {
			return alternative{}, fmt.Errorf("has %q, which %w", clip(m[2]), err)
		}
		a.comparisons = append(a.comparisons, c)
		a.prereleases = a.prereleases || c.prerelease != ""
	}
	return a, nil
}

// parse parses the version of a comparison. Text after a wildcard is ignored.
func (c *comparison) parse(text string, dialect Dialect) error {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "+")
	numbers, prerelease, _ := strings.Cut(text, "-")
	most := 3
	if dialect == Ferry {
		most = maxNumbers
	}
	if strings.Count(numbers, ".") >= most {
		return errVersion
	}
	for i, number := range strings.Split(numbers, ".") {
		if strings.ContainsAny(number, "xX*") {
			break
		}
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return errVersion
		}
		c.numbers[i] = n
		c.given++
	}
	if !validPrerelease(prerelease) {
		return errVersion
	}
	c.prerelease = prerelease
	if dialect == Ferry {
		c.prerelease = strings.ToLower(prerelease)
	}
	return nil
}

// validPrerelease reports whether no number of a prerelease starts with a zero,
// as https://semver.org/#spec-item-9 requires.
func validPrerelease(text string) bool {
	for _, part := range strings.Split(text, ".") {
		if digits, rest := cutDigits(part); rest == "" && len(digits) > 1 && digits[0] == '0' {
			return false
		}
	}
	return true
}

// readMasterminds parses a tag as Masterminds does.
func readMasterminds(tag string) (version, bool) {
	m := masterminds.FindStringSubmatch(tag)
	if m == nil || len(tag) > 256 || !validPrerelease(m[2]) {
		return version{}, false
	}
	v, ok := parseNumbers(m[1])
	v.prerelease = m[2]
	return v, ok
}

// masterminds matches the tags that Masterminds accepts as versions.
var masterminds = &pattern.Regexp{Text: `^v?([0-9]+(?:\.[0-9]+){0,2})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`}

// holds reports whether v is in the range. If prereleases is set, they count
// everywhere.
func (r *Range) holds(v version, prereleases bool) bool {
	order := natural
	if r.dialect == Masterminds {
		order = semverOrder
	}
	return slices.ContainsFunc(r.alternatives, func(a alternative) bool {
		if v.prerelease != "" && !a.prereleases && !prereleases {
			return false
		}
		return !slices.ContainsFunc(a.comparisons, func(c comparison) bool { return !c.holds(v, order) })
	})
}

// holds reports whether v satisfies the comparison. Missing numbers count as
// for Masterminds: "<=1.2" includes 1.2.9, ">1.2" does not, "=1.2" is "~1.2".
func (c comparison) holds(v version, order func(a, b string) int) bool {
	compared := cmp.Or(v.compareNumbers(c.version), comparePrereleases(v.prerelease, c.prerelease, order))
	full := c.given >= 3
	minors := cmp.Or(cmp.Compare(v.numbers[0], c.numbers[0]), cmp.Compare(v.numbers[1], c.numbers[1]))
	switch c.operator {
	case "", "=":
		if full {
			return compared == 0
		}
		return c.tilde(v, compared)
	case "!=":
		switch c.given {
		case 1:
			return v.numbers[0] != c.numbers[0]
		case 2:
			return minors != 0 || (v.prerelease != "" || c.prerelease != "") && order(v.prerelease, c.prerelease) != 0
		}
		return compared != 0
	case ">":
		switch c.given {
		case 1:
			return v.numbers[0] > c.numbers[0]
		case 2:
			return minors > 0
		}
		return compared > 0
	case "<":
		return compared < 0
	case ">=", "=>":
		return compared >= 0
	case "<=", "=<":
		switch c.given {
		case 1:
			return v.numbers[0] <= c.numbers[0]
		case 0, 2:
			return minors <= 0
		}
		return compared <= 0
	case "~", "~>":
		return c.tilde(v, compared)
	}
	return c.caret(v, compared)
}

// tilde reports whether v satisfies "~": the third number may grow, or the second
// if the comparison has only one.
func (c comparison) tilde(v version, compared int) bool {
	switch {
	case compared < 0:
		return false
	case c.numbers == [maxNumbers]uint64{} && (c.given == 0 || c.given >= 3):
		return true
	case c.given == 1:
		return v.numbers[0] == c.numbers[0]
	}
	return v.sameMinor(c.version)
}

// caret reports whether v satisfies "^": the numbers after the first that is not
// 0 may grow.
func (c comparison) caret(v version, compared int) bool {
	switch {
	case compared < 0 || v.numbers[0] != c.numbers[0]:
		return false
	case c.numbers[0] > 0 || c.given == 1:
		return true
	case v.numbers[1] != c.numbers[1]:
		return false
	}
	return c.numbers[1] > 0 || c.given == 2 || v.numbers[2] == c.numbers[2]
}

// semverOrder compares prereleases as Masterminds does: part by part, numbers
// before words, and words by their bytes.
func semverOrder(a, b string) int {
	if a == b {
		return 0
	}
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		var x, y string
		if i < len(as) {
			x = as[i]
		}
		if i < len(bs) {
			y = bs[i]
		}
		if x == y {
			continue
		}
		m, noM := strconv.ParseUint(x, 10, 64)
		n, noN := strconv.ParseUint(y, 10, 64)
		switch {
		case x == "":
			return -1
		case y == "":
			return 1
		case noM != nil && noN != nil:
			return strings.Compare(x, y)
		case noN != nil:
			return -1
		case noM != nil:
			return 1
		case m > n:
			return 1
		}
		return -1
	}
	return 0
}

// clip shortens a text for an error.
func clip(s string) string { return reference.Clip(s, 60) }
