package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/known"
)

// spelled are the files that spell hosts of registries, beside known.
var spelled = map[string]string{
	"reference/reference.go": "Docker Hub's host is part of the grammar of references",
	"request/link.go":        "reads the pages of each website in its own way",
	"demo/demo.go":           "shows four registries",
	"demo/request.go":        "shows one registry",
	"demo/serve.go":          "shows one registry",
}

// TestRegistriesAreKnown finds facts about registries outside of known: string
// literals that are a host of a registry or end one.
func TestRegistriesAreKnown(t *testing.T) {
	facts := map[string]bool{}
	for _, r := range known.All() {
		for _, fact := range slices.Concat(r.Hosts, r.Aliases, r.Domains) {
			facts[fact] = true
		}
	}
	root := ".."
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); strings.HasPrefix(name, "known/") || spelled[name] != "" {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && facts[text] {
					t.Errorf("%s spells %s: facts about registries stand in known", name, literal.Value)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
