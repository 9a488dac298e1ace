// Package lists compares how Ferry reads lists and chooses tags with the tools
// that the lists are from.
package lists

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"

	"github.com/imageferry/ferry/internal/selection"
)

// compare compares Ferry's range with Masterminds' on the tags.
func compare(t *testing.T, text string, tags []string) {
	t.Helper()
	theirs, theirErr := semver.NewConstraint(text)
	ours, err := selection.ParseRange(text, selection.Masterminds)
	if (err != nil) != (theirErr != nil) {
		t.Fatalf("%q: Ferry says %v, Masterminds %v", text, err, theirErr)
	}
	if err != nil {
		return
	}
	s := selection.Selection{Sets: []selection.Set{{Ranges: []*selection.Range{ours}}}}
	for _, v := range s.Choose(tags) {
		version, err := semver.NewVersion(v.Tag)
		if want := err == nil && theirs.Check(version); v.Chosen != want {
			t.Fatalf("%q on %q: Ferry says %t (%s), Masterminds %t", text, v.Tag, v.Chosen, v.Reason, want)
		}
	}
}

// TestMasterminds makes ranges and tags of pieces that matter.
func TestMasterminds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	version := func(wild bool) string {
		number := func() string {
			if wild && r.IntN(8) == 0 {
				return pick("x", "X", "*")
			}
			return pick("0", "0", "1", "2", "3", "10", "01")
		}
		text := pick("", "", "v") + number()
		for range r.IntN(4) - r.IntN(2) {
			text += "." + number()
		}
		return text + pick("", "", "", "-rc1", "-rc.2", "-alpha", "-0", "-alpine3.20", "-01", "-1.x", "-")
	}
	for range 60_000 {
		var b strings.Builder
		for i := range 1 + r.IntN(3) {
			if i > 0 {
				b.WriteString(pick(" ", ", ", ",", " || ", "||", " - ", "  "))
			}
			fmt.Fprintf(&b, "%s%s%s", pick("", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^"), pick("", "", "", " "), version(true))
		}
		tags := make([]string, 5)
		for i := range tags {
			tags[i] = version(false)
		}
		compare(t, b.String(), tags)
	}
}
