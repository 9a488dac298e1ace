package setup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	for _, test := range []struct {
		before     string
		insertions []Insertion
		want       string
	}{
		{"a\nb\n", []Insertion{{2, "x\n"}}, "@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
		{"a\nb", []Insertion{{3, "\nx\n"}}, "@@ -1,2 +1,3 @@\n a\n-b\n\\ No newline at end of file\n+b\n+x\n"},
		{"a\nb\n", []Insertion{{4, "\nx\n"}}, "@@ -1,2 +1,4 @@\n a\n b\n+\n+x\n"},
		{"{}", []Insertion{{1, "x"}}, "@@ -1,1 +1,1 @@\n-{}\n\\ No newline at end of file\n+{x}\n\\ No newline at end of file\n"},
		{"", []Insertion{{0, "x\n"}}, "@@ -0,0 +1,1 @@\n+x\n"},
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n", []Insertion{{0, "x\n"}, {16, "y\n"}}, "@@ -1,3 +1,4 @@\n+x\n 1\n 2\n 3\n@@ -6,4 +7,5 @@\n 6\n 7\n 8\n+y\n 9\n"},
		{"1\n2\n3\n4\n5\n6\n7\n", []Insertion{{0, "x\n"}, {12, "y\n"}}, "@@ -1,7 +1,9 @@\n+x\n 1\n 2\n 3\n 4\n 5\n 6\n+y\n 7\n"},
	} {
		c := Change{Path: "f", Before: []byte(test.before), Insertions: test.insertions}
		if got := strings.TrimPrefix(c.Diff(), "--- /f\n+++ /f\n"); got != test.want {
			t.Errorf("%q with %v:\n%s\nwant\n%s", test.before, test.insertions, got, test.want)
		}
	}
}

// TestDiffsOfTheCorpus makes each new file of the old one and the diff.
func TestDiffsOfTheCorpus(t *testing.T) {
	for client, of := range corpus {
		for name, text := range of.texts {
			for _, c := range plan(t, client, of.file, text, local(t)).Changes {
				if got := patched(t, string(c.Before), c.Diff()); got != string(c.After) {
					t.Errorf("%s/%s: the diff makes %q, want %q", client, name, got, c.After)
				}
			}
		}
	}
}

// FuzzDiff does so for two insertions anywhere.
func FuzzDiff(f *testing.F) {
	f.Add("a\nb", uint(3), "\nx\n", uint(3), "")
	f.Add("", uint(0), "x", uint(0), "y\n")
	f.Add(strings.Repeat("a\r\n", 20), uint(4), "x", uint(60), "x\n\ny")
	f.Fuzz(func(t *testing.T, before string, at uint, text string, then uint, more string) {
		size := uint(len(before)) + 1
		c := Change{Path: "f", Before: []byte(before), Insertions: []Insertion{{int(min(at%size, then%size)), text}, {int(max(at%size, then%size)), more}}}
		if got, want := patched(t, before, c.Diff()), string(insert(c.Before, c.Insertions)); got != want {
			t.Errorf("%q with %v: the diff makes %q\n%s", before, c.Insertions, got, c.Diff())
		}
	})
}

// patched applies a unified diff. Each hunk must be where it says, and have as
// many lines.
func patched(t *testing.T, before, diff string) string {
	t.Helper()
	old, lines := slices.Collect(strings.Lines(before)), slices.Collect(strings.Lines(diff))[2:]
	var out []string
	at := 0
	for len(lines) > 0 {
		var was, removed, is, added int
		if _, err := fmt.Sscanf(lines[0], "@@ -%d,%d +%d,%d @@\n", &was, &removed, &is, &added); err != nil {
			t.Fatalf("%q: %v", lines[0], err)
		}
		if removed > 0 { // otherwise the hunk is after that line
			was--
		}
		if added > 0 {
			is--
		}
		out, at = append(out, old[at:was]...), was
		if len(out) != is {
			t.Fatalf("%q is line %d of the new file", lines[0], len(out))
		}
		for lines = lines[1:]; removed > 0 || added > 0; lines = lines[1:] {
			kind, text := lines[0][0], lines[0][1:]
			if len(lines) > 1 && lines[1] == "\\ No newline at end of file\n" {
				text, lines = strings.TrimSuffix(text, "\n"), lines[1:]
			}
			if kind != '+' {
				if old[at] != text {
					t.Fatalf("line %d is %q, not %q", at+1, old[at], text)
				}
				at, removed = at+1, removed-1
			}
			if kind != '-' {
				out, added = append(out, text), added-1
			}
		}
	}
	return strings.Join(append(out, old[at:]...), "")
}
