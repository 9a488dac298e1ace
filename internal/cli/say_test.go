package cli

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/imageferry/ferry/internal/texts"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestSaid checks that each format of say is there in Chinese, with the same
// verbs, and that each message is there once and is a text of this room.
func TestSaid(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said, written := map[string]bool{}, map[string]bool{}
	for _, file := range append(files, filepath.Join("..", "shards", "receipts.go")) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				text, _ := strconv.Unquote(l.Value)
				written[text] = true
			}
			if table, ok := n.(*ast.CompositeLit); ok {
				if list, ok := table.Type.(*ast.ArrayType); ok && fmt.Sprint(list.Elt) == "saying" {
					for _, row := range table.Elts {
						text, _ := strconv.Unquote(row.(*ast.KeyValueExpr).Value.(*ast.BasicLit).Value)
						said[text] = true
					}
				}
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, _ := call.Fun.(*ast.Ident)
			s, _ := call.Fun.(*ast.SelectorExpr)
			if f != nil && f.Name == "say" || s != nil && s.Sel.Name == "say" {
				for _, a := range call.Args {
					if l, ok := a.(*ast.BasicLit); ok {
						text, _ := strconv.Unquote(l.Value)
						said[text] = true
						break
					}
				}
			}
			return true
		})
	}
	if len(said) < 30 {
		t.Fatalf("only %d formats were found", len(said))
	}
	verbs := regexp.MustCompile(`%(?:\[\d\])?([a-z])`)
	verbsOf := func(format string) []string {
		var all []string
		for _, m := range verbs.FindAllStringSubmatch(format, -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return all
	}
	for text := range said {
		chinese := (*inChinese())[text]
		if !strings.ContainsFunc(chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || !slices.Equal(verbsOf(text), verbsOf(chinese)) ||
			strings.HasSuffix(text, "\n") != strings.HasSuffix(chinese, "\n") {
			t.Errorf("%q in Chinese is %q", text, chinese)
		}
	}
	for _, c := range commands() {
		flags := newFlagSet(c)
		c.declare(wiring.Env{Getenv: func(string) string { return "" }}, flags)
		for _, f := range flags.list() {
			written[f.Usage] = true
		}
	}
	var all map[string]string
	if err := texts.Decode(messages, &all); err != nil {
		t.Fatal("texts/zh.json: ", err)
	}
	if lines := strings.Count(messages, "\n  \""); lines != len(all) {
		t.Errorf("texts/zh.json has %d lines with %d texts", lines, len(all))
	}
	for text := range all {
		if !written[text] {
			t.Errorf("nothing says %q", text)
		}
	}
}
