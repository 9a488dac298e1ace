package selection_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/selection"
)

// redis are tags as that repository has them.
const redis = "latest 8 8.0 8.0.1 8.0.2 8.0-alpine 8.0.2-alpine 8.0.2-alpine3.21 8.0.1-alpine 8.0-rc1 8.0-rc2-bookworm 7 7.4 7.4.0 7.4.1 7.4.2 " +
	"7.4.2-alpine 7.4.1-alpine 7.4.2-bookworm 7.2.0 7.2.6 7.0.15 6.2.16 nightly v9.0.0-beta.1 v9.0.0-beta.2 v9.0.0-rc10 v9.0.0-rc9 alpine"

func TestParseAndChoose(t *testing.T) {
	for _, test := range []struct{ selection, tags, want string }{
		{"", "", "latest"},
		{"1.27", "", "1.27"},
		{"1.26,1.27,1.26", "", "1.26 1.27"},
		{">=7.0 <8", redis, "7.4.2 7.4.1 7.4.0 7.2.6 7.2.0 7.0.15"},
		{">=7.0, <8 newest 2", redis, "7.4.2 7.4.1"},
		{">=7.0 <8 -alpine", redis, "7.4.2-alpine 7.4.1-alpine"},
		{">=7.0 <9 -alpine* newest 3", redis, "8.0.2-alpine3.21 8.0.2-alpine 8.0.1-alpine"},
		{">=7.0 variant bookworm", redis, "7.4.2-bookworm"},
		{"newest 3", redis, "8.0.2 8.0.1 7.4.2"},
		{"* newest 3", redis, "8.0.2 8.0.1 7.4.2"},
		{"newest-patch-of 3", redis, "8.0.2 7.4.2 7.2.6"},
		{">=6 newest-patch-of 4 newest 3 except 7.4.2", redis, "8.0.2 7.4.1 7.2.6"},
		{"~7.4", redis, "7.4.2 7.4.1 7.4.0"},
		{"~7.4 || ^6", redis, "7.4.2 7.4.1 7.4.0 6.2.16"},
		{"7.0 - 7.2", redis, "7.2.6 7.2.0 7.0.15"},
		{"=7.2", redis, "7.2.6 7.2.0"},
		{">8 <10 prereleases", redis, "v9.0.0-rc10 v9.0.0-rc9 v9.0.0-beta.2 v9.0.0-beta.1"},
		{">=9.0.0-rc9", redis, "v9.0.0-rc10 v9.0.0-rc9"},
		{">=7 moving newest 4", redis, "8.0.2 8.0.1 8.0 8"},
		{"7.4.*", redis, "7.4.2-bookworm 7.4.2-alpine 7.4.2 7.4.1-alpine 7.4.1 7.4.0"},
		{"7.?.* except *-*", redis, "7.4.2 7.4.1 7.4.0 7.2.6 7.2.0 7.0.15"},
		{"8,7.4.[01]", redis, "8 7.4.1 7.4.0"},
		{`/^v?\d+\.\d+\.\d+$/ newest 2`, redis, "8.0.2 8.0.1"},
		{"/alp/ newest 1", redis, "8.0.2-alpine3.21"},
		{"*", "b a b", "b a"},
		{"* except /a|b/", "b a c", "c"},
		{"/(?:)/ newest 2", redis, "v9.0.0-rc10 v9.0.0-rc9"},
		{`/[^\x00-\x{10FFFF}]/`, redis, ""},
		{"8.0.1,8.0.2,none newest 1", redis, "8.0.2"},
		{">=24.04 moving", "24.04 22.04 24.10 noble", "24.10 24.04"},
		{">=2024.1.0.5", "2024.1.0.4 2024.1.0.5 2024.1.0.10 2024.1.0.5.1", "2024.1.0.10 2024.1.0.5"},
		{">=1", "1.2.3_build v1.2.4+k3s1 1.2.3abc 1.2.3rc1 1.2.3 99999999999999999999.1.1", "v1.2.4+k3s1 1.2.3"},
		{"~1.33 newest 1", "v1.33.1+k3s1 v1.33.2-rc1+k3s1 v1.33.1+k3s2 v1.34.0+k3s1 v1.33.1-k3s9", "v1.33.1+k3s2"},
		{">=1 -build", "1.2.3_build 1.2.3", "1.2.3_build"},
		{`>=1.2 extract /^RELEASE\.(.*)$/ newest 2`, "RELEASE.1.2.3 1.2.9 RELEASE.1.10.0 RELEASE.1.9.0-alpine release.1.11.0 RELEASE.1.1.0", "RELEASE.1.10.0 RELEASE.1.2.3"},
		{`extract /^[0-9a-f]{7}-(?P<v>\d+)$/ moving newest 2`, "abcdef0-9 0000000-10 fffffff-8 latest", "0000000-10 abcdef0-9"},
		{`extract /\d+\.\d+\.\d+$/`, "jdk-17.0.1 jdk-17.0.2 jdk-17", "jdk-17.0.2 jdk-17.0.1"},
	} {
		words := strings.Fields(test.selection)
		tag := ""
		if len(words) > 0 && !selection.IsKeyword(words[0]) {
			tag, words = words[0], words[1:]
		}
		s, err := selection.Parse(tag, words)
		if err != nil {
			t.Errorf("%q: %v", test.selection, err)
			continue
		}
		if got := strings.Join(chosen(s, strings.Fields(test.tags)), " "); got != test.want {
			t.Errorf("%q chooses %q, want %q", test.selection, got, test.want)
		}
	}
}

func chosen(s selection.Selection, tags []string) []string {
	var all []string
	for _, v := range s.Choose(tags) {
		if v.Chosen {
			all = append(all, v.Tag)
		}
	}
	return all
}

func TestReasons(t *testing.T) {
	s, err := selection.Parse(">=7.2", strings.Fields("<8 newest 1 except 7.4.1"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]selection.Reason{
		"7.4.2": selection.Matches, "7.4.1": selection.Excepted, "7.4.0": selection.Older, "7.4": selection.MovingTag, "7.4.2-alpine": selection.OtherKind,
		"latest": selection.NoVersion, "8.0.1": selection.OutOfRange, "7.9.0-rc1": selection.Prerelease,
	}
	var tags []string
	for tag := range want {
		tags = append(tags, tag)
	}
	for _, v := range s.Choose(tags) {
		if v.Reason != want[v.Tag] || v.Chosen != (v.Tag == "7.4.2") {
			t.Errorf("%s: %s, want %s", v.Tag, v.Reason, want[v.Tag])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, clause := range map[string]string{
		"* newst 3":                            `did you mean "newest"?`,
		"* newest":                             "number",
		"* newest 0":                           "number",
		"1.2 variant":                          "without a name",
		"a -alpine":                            "for ranges",
		"/[a/":                                 "regular expression",
		"/a":                                   `without "/"`,
		">=7.x.y":                              "not a comparison",
		">=seven":                              "not a comparison",
		">=1.2.3.4.5":                          "not a comparison",
		">=1 <":                                "not a comparison",
		">=1,":                                 "comma",
		"a,,b":                                 "not a tag",
		"[a":                                   "pattern",
		"* except":                             "without tags",
		">=" + strings.Repeat("1", 600):        "the limit is",
		"/" + strings.Repeat("a", 1001) + "/":  "the limit is",
		strings.Repeat(">=1 || ", 40) + ">=1":  "alternatives",
		">=1 linux":                            "not allowed here",
		">=1 extract v(.*)":                    "without a regular expression",
		">=1 extract /(/":                      "not a regular expression",
		">=1 extract /(a)(b)/":                 "has 2 groups",
		"a extract /(a)/":                      "for ranges",
		">=99999999999999999999999999999999.0": "not a version",
	} {
		words := strings.Fields(text)
		if s, err := selection.Parse(words[0], words[1:]); err == nil || !strings.Contains(err.Error(), clause) {
			t.Errorf("%q gives %+v, error %v, want %q", text, s, err, clause)
		}
	}
}

// TestDialects: the same range in the three dialects.
func TestDialects(t *testing.T) {
	const tags = "1.2 1.2.3 1.2.4-alpine 1.3.0-rc1 1.2.3.4 v1.2.9 01.2.3 1.2.x latest 1.2.3-01"
	for _, test := range []struct {
		dialect     selection.Dialect
		text, want  string
		description string
	}{
		{selection.Ferry, "~1.2", "v1.2.9 1.2.3.4 1.2.3 01.2.3", "no variants, no moving tags"},
		{selection.Masterminds, "~1.2", "v1.2.9 1.2.3 01.2.3 1.2", "what follows the numbers is a prerelease"},
		{selection.Masterminds, "~1.2-0", "v1.2.9 1.2.4-alpine 1.2.3 01.2.3 1.2", "prereleases, as the range has one"},
		{selection.Regsync, "~1.2", "1.3.0-rc1 v1.2.9 1.2.4-alpine 1.2.3.4 1.2.3-01 1.2.3 01.2.3 1.2", "prereleases are chosen like releases"},
	} {
		r, err := selection.ParseRange(test.text, test.dialect)
		if err != nil {
			t.Fatal(err)
		}
		s := selection.Selection{Sets: []selection.Set{{Ranges: []*selection.Range{r}}}}
		if got := strings.Join(chosen(s, strings.Fields(tags)), " "); got != test.want {
			t.Errorf("%s: %q, want %q", test.description, got, test.want)
		}
	}
}

func TestZeroSelectionIsAll(t *testing.T) {
	if got := chosen(selection.Selection{}, []string{"b", "a"}); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("got %q", got)
	}
}

// randomTags makes tags of few parts, so that they collide.
func randomTags(r *rand.Rand, n int) []string {
	pieces := []string{"", "v", "1", "2", "10", ".0", ".1", ".9", ".10", "-rc1", "-rc10", "-alpine", "-beta.2", "_x", "latest", "rc", "-"}
	var tags []string
	for range n {
		var b strings.Builder
		for range 1 + r.IntN(5) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		tags = append(tags, b.String())
	}
	return tags
}

// TestProperties: the order of tags and their repetition do not matter, each tag
// has one verdict, and "newest" of more tags loses a tag only to newer ones.
func TestProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var all []selection.Selection
	for _, text := range []string{"* newest 2", ">=1 newest 3", "newest-patch-of 2", ">=0 -* newest 2", "1.* newest 2", "/1/ newest 4", ">=1 moving prereleases newest 5", "~1.9 || >2", "*"} {
		words := strings.Fields(text)
		tag := ""
		if words[0] != "newest-patch-of" {
			tag, words = words[0], words[1:]
		}
		s, err := selection.Parse(tag, words)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	order := selection.Selection{}
	for range 1000 {
		some := randomTags(r, 1+r.IntN(12))
		more := append(slices.Clone(some), randomTags(r, 1+r.IntN(6))...)
		for _, s := range all {
			verdicts := s.Choose(some)
			mixed := append(slices.Clone(some), some[0])
			r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			if again := s.Choose(mixed); !slices.Equal(verdicts, again) {
				t.Fatalf("order matters: %v and %v", verdicts, again)
			}
			seen := map[string]bool{}
			for _, v := range verdicts {
				if seen[v.Tag] {
					t.Fatalf("two verdicts on %q", v.Tag)
				}
				seen[v.Tag] = true
			}
			if len(seen) != len(slices.Compact(slices.Sorted(slices.Values(some)))) {
				t.Fatalf("%d verdicts on %q", len(seen), some)
			}
			if s.Newest == 0 || s.NewestPatchOf > 0 {
				continue
			}
			now := chosen(s, more)
			ranked := chosen(order, more)
			for _, tag := range chosen(s, some) {
				if slices.Contains(now, tag) {
					continue
				}
				for _, newer := range now {
					if slices.Index(ranked, newer) > slices.Index(ranked, tag) {
						t.Fatalf("of %q %q was chosen; of %q the older %q is", some, tag, more, newer)
					}
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{">=7.0 <8 -alpine newest 3", "/a/ except b,c*", "~1.2 || ^3", "1.2 - 3.4", "* newest-patch-of 2 moving prereleases", "1?.[a-z]*"} {
		f.Add(text, redis)
	}
	f.Fuzz(func(t *testing.T, text, tags string) {
		words := strings.Fields(text)
		if len(words) == 0 {
			return
		}
		s, err := selection.Parse(words[0], words[1:])
		if err != nil {
			return
		}
		got := s.Choose(strings.Fields(tags))
		list := strings.Fields(tags)
		slices.Reverse(list)
		if again := s.Choose(list); !slices.Equal(got, again) {
			t.Errorf("%q: order matters: %v and %v", text, got, again)
		}
	})
}
