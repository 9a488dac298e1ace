package setup

import (
	"os"
	"os/exec"
	"path/filepath"
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

// TestDiffsOfTheCorpus lets patch make each new file of the old one.
func TestDiffsOfTheCorpus(t *testing.T) {
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("there is no patch")
	}
	for client, of := range corpus {
		for name, text := range of.texts {
			for _, c := range plan(t, client, of.file, text, local(t)).Changes {
				file := filepath.Join(t.TempDir(), "f")
				if err := os.WriteFile(file, c.Before, 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.CommandContext(t.Context(), "patch", "--binary", "--quiet", file)
				cmd.Stdin = strings.NewReader(c.Diff())
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%s/%s: %v: %s\n%s", client, name, err, out, c.Diff())
				}
				if got, err := os.ReadFile(file); err != nil || string(got) != string(c.After) {
					t.Errorf("%s/%s: the patch makes %q, want %q", client, name, got, c.After)
				}
			}
		}
	}
}
