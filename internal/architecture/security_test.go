package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSecurityPage holds docs/security.md to the truth: every control of the
// trust map names tests, and every test that the page names exists.
func TestSecurityPage(t *testing.T) {
	page := read(t, filepath.Join("..", "..", "docs", "security.md"))
	named := regexp.MustCompile("`([a-z]+)\\.((?:Test|Fuzz)[A-Za-z]+)`")
	known := map[string]map[string]bool{}
	for _, m := range named.FindAllStringSubmatch(page, -1) {
		room, test := m[1], m[2]
		if known[room] == nil {
			known[room] = tests(t, room)
		}
		if !known[room][test] {
			t.Errorf("docs/security.md names %s, which internal/%s does not have", test, room)
		}
	}
	rows := 0
	for line := range strings.Lines(page) {
		if !strings.Contains(line, " → ") || !strings.HasPrefix(line, "|") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 5 || !named.MatchString(cells[len(cells)-1]) {
			t.Errorf("no test proves a row of docs/security.md: %s", line)
		}
	}
	if rows < 20 {
		t.Errorf("the trust map of docs/security.md has %d rows: has its form changed?", rows)
	}
}

// tests are the names of the test and fuzz functions of a room.
func tests(t *testing.T, room string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", room, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil {
				names[f.Name.Name] = true
			}
		}
	}
	return names
}
