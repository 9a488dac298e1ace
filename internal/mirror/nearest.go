package mirror

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/suggest"
)

// maxNearest is the maximum number of tags in a hint.
const maxNearest = 5

// nearest returns the tags that were most likely meant, the likeliest first:
// other spellings, adjacent versions, typing errors, other variants of the
// version, and the newest tag.
func nearest(wanted string, tags []string) []string {
	meant := readTag(wanted)
	var list []tag
	for _, text := range tags {
		if !attached.MatchString(text) {
			list = append(list, readTag(text))
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		return cmp.Or(slices.Compare(meant.from(list[i]), meant.from(list[j])), strings.Compare(list[i].text, list[j].text)) < 0
	})
	var names []string
	for _, t := range list[:min(len(list), maxNearest)] {
		names = append(names, t.text)
	}
	return names
}

// attached matches the tags with which cosign and clients of OCI 1.0 attach
// signatures. They are never suggested.
var attached = &pattern.Regexp{Text: `^sha256-[0-9a-f]{64}`}

// tag is a parsed tag. It has numbers only if it is a version.
type tag struct {
	text    string
	numbers []int
	rest    string // of a version, after its numbers
}

var versionPattern = &pattern.Regexp{Text: `^[vV]?([0-9]{1,9}(?:\.[0-9]{1,9})*)(.*)$`}

func readTag(text string) tag {
	t := tag{text: text}
	if m := versionPattern.FindStringSubmatch(text); m != nil {
		for _, number := range strings.Split(m[1], ".") {
			n, _ := strconv.Atoi(number) // nine digits always fit
			t.numbers = append(t.numbers, n)
		}
		t.rest = fold(m[2])
	}
	return t
}

// fold returns the same text for all spellings of a tag.
func fold(text string) string {
	return strings.NewReplacer("_", "-", "+", "-").Replace(strings.ToLower(text))
}

// from returns the distance of t from the wanted tag, to be compared number by
// number.
func (meant tag) from(t tag) []int {
	key := func(rank int, more ...int) []int {
		newest := make([]int, 0, len(t.numbers))
		for _, n := range t.numbers {
			newest = append(newest, -n)
		}
		return slices.Concat([]int{rank}, more, newest)
	}
	shared, off := meant.versus(t)
	slips := suggest.Distance(fold(meant.text), fold(t.text))
	switch {
	case slips == 0, shared > 0 && off == 0 && len(t.numbers) == len(meant.numbers) && t.rest == meant.rest:
		return key(0)
	case shared > 0 && t.rest == meant.rest:
		return key(1, -shared, off)
	case shared == 0 && slips <= len(meant.text)/4+1, shared == len(meant.numbers) && slips <= len(t.rest)/4+1:
		return key(2, slips)
	case shared > 0:
		return key(3, -shared, off, slips)
	case t.text == "latest":
		return key(4)
	case t.numbers != nil:
		return key(5, min(len(t.rest), 1))
	}
	return key(6, slips)
}

// versus compares versions: how many leading numbers are equal, and the
// difference of the first other number. A number that was not requested is not
// a difference, and a missing one is zero.
func (meant tag) versus(t tag) (shared, off int) {
	for i, n := range meant.numbers {
		switch {
		case i >= len(t.numbers):
			return shared, n
		case t.numbers[i] != n:
			return shared, max(n-t.numbers[i], t.numbers[i]-n)
		}
		shared++
	}
	return shared, 0
}
