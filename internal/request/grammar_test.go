package request

import (
	"strings"
	"testing"
)

// TestCommands reads the example of each row of the grammar, with each path of
// the row.
func TestCommands(t *testing.T) {
	for _, c := range commands() {
		line, want, ok := strings.Cut(c.shows, "=>")
		if !ok {
			t.Errorf("%s: the example has no =>", c.path)
		}
		var got []string
		for _, image := range Parse(Input{Body: "$ " + line}).Images {
			got = append(got, image.Reference.String())
		}
		if strings.Join(got, " ") != strings.TrimSpace(want) {
			t.Errorf("%s: got %q, want %q", c.path, got, want)
		}
		program := strings.Fields(line)[0]
		if g, _ := grammarOf(programOf(program), tokens(line)[1:]); g == nil || !reaches(c, g) {
			t.Errorf("%s: the example %q is another row's", c.path, line)
		}
	}
}

// reaches reports whether a row of the table was compiled to g.
func reaches(c command, g *grammar) bool {
	for _, path := range pathsOf(c) {
		if grammars()[path] == g {
			return true
		}
	}
	return false
}

// TestPaths checks that no path is in two rows, and that every kind is known.
func TestPaths(t *testing.T) {
	seen := map[string]bool{}
	known := map[kind]bool{anyValue: true, imageValue: true, linkValue: true, enrootValue: true, pairValue: true, settingValue: true, targetValue: true, copyValue: true,
		commandValue: true, platformsValue: true, releaseValue: true, versionValue: true, everyTagFlag: true, loneFlag: true}
	for _, c := range commands() {
		for _, path := range pathsOf(c) {
			if seen[path] {
				t.Errorf("%q stands in two rows", path)
			}
			seen[path] = true
			g := grammars()[path]
			for _, k := range g.args {
				if !known[k] {
					t.Errorf("%s: no kind is called %q", path, k)
				}
			}
			for name, k := range g.flags {
				if !known[k] {
					t.Errorf("%s -%s: no kind is called %q", path, name, k)
				}
			}
		}
	}
}
