package architecture

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// TestEveryRoomIsExplained: CONTRIBUTING.md and docs/design.md have a row for
// each package, and none for a package that is not there.
func TestEveryRoomIsExplained(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"CONTRIBUTING.md", "docs/design.md"} {
		// The first cell of a row names one room or several.
		explained := map[string]bool{}
		for _, row := range regexp.MustCompile("(?m)^\\| ((?:`[a-z]+`(?:, )?)+) \\|").FindAllStringSubmatch(read(t, filepath.Join("..", "..", filepath.FromSlash(page))), -1) {
			for room := range strings.SplitSeq(row[1], ", ") {
				explained[strings.Trim(room, "`")] = true
			}
		}
		for _, entry := range entries {
			if entry.IsDir() && !explained[entry.Name()] && entry.Name() != "architecture" {
				t.Errorf("%s does not say what internal/%s is for: add a row to the tables of rooms", page, entry.Name())
			}
			delete(explained, entry.Name())
		}
		for room := range explained {
			t.Errorf("%s explains the room %s, which is not there", page, room)
		}
	}
}

// TestEveryModuleHasAReason: CONTRIBUTING.md has a row for each direct dependency.
func TestEveryModuleHasAReason(t *testing.T) {
	text := read(t, filepath.Join("..", "..", "CONTRIBUTING.md"))
	direct, _, _ := strings.Cut(read(t, filepath.Join("..", "..", "go.mod")), "\n)")
	for _, m := range regexp.MustCompile(`(?m)^\t(\S+) v`).FindAllStringSubmatch(direct, -1) {
		if !strings.Contains(text, "\n| `"+m[1]+"` |") {
			t.Errorf("CONTRIBUTING.md gives no reason for the module %s", m[1])
		}
	}
}

// TestLinksLeadSomewhere: pages link to files of the repository, and name
// paths of it, that exist.
func TestLinksLeadSomewhere(t *testing.T) {
	root := filepath.Join("..", "..")
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md", "examples/*.md", "bench/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	anchors := map[string]bool{}
	for _, page := range pages {
		for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(read(t, page), -1) {
			anchors[filepath.Clean(page)+"#"+slug(m[1])] = true
		}
	}
	named := regexp.MustCompile("`((?:internal|docs|examples|cmd|e2e|\\.ci|\\.github)/[\\w./-]+)`")
	for _, page := range pages {
		text := read(t, page)
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") || strings.HasPrefix(to, "../../") { // the last are pages of GitHub
				continue
			}
			file := page
			if to != "" {
				file = filepath.Join(filepath.Dir(page), filepath.FromSlash(to))
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			} else if anchor != "" && !anchors[filepath.Clean(file)+"#"+anchor] {
				t.Errorf("%s links to %s, but there is no such heading", page, m[1])
			}
		}
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if owners[m[1]] {
				continue
			}
			_, err := os.Stat(filepath.Join(root, filepath.FromSlash(m[1])))
			_, beside := os.Stat(filepath.Join(filepath.Dir(page), filepath.FromSlash(m[1])))
			if err != nil && beside != nil {
				t.Errorf("%s names %s: %v", page, m[1], err)
			}
		}
	}
}

// slug is the anchor that GitHub gives a heading.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// owners are files that an owner or a release adds to the repository.
var owners = map[string]bool{".github/ferry.yaml": true, ".github/released.txt": true, ".github/workflows": true}
