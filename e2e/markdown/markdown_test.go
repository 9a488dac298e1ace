// Package markdown renders every golden file of the report with a renderer of
// GitHub Flavored Markdown that Ferry's own tests share nothing with.
package markdown

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	dom "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// renderer passes raw HTML on, as GitHub does before it takes out what is
// dangerous.
var renderer = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))

func TestGoldenFilesRender(t *testing.T) {
	for _, file := range goldenFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			links := "https://github.com/"
			if filepath.Base(filepath.Dir(file)) == "doctor" {
				links = "https://" // it sends the owner to the pages of his registries
			}
			for _, complaint := range inspect(string(source), links) {
				t.Error(complaint)
			}
		})
	}
}

// goldenFiles are the texts that the report's own tests hold it to.
func goldenFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*.md", "*/*.md"} {
		found, err := filepath.Glob(filepath.Join("..", "..", "internal", "report", "testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 50 {
		t.Fatalf("there are only %d golden files", len(files))
	}
	return files
}

// TestInspectorSees holds the inspector against pages that are wrong.
func TestInspectorSees(t *testing.T) {
	for _, source := range []string{
		"**bold（x）**字",
		"| a | b |\n| 1 | 2 |",
		"| a | b |\n| --- | --- |\n| `1 | 2` | 3 |\n\n| 4 | 5 |",
		"```sh\necho",
		"<details><summary>x</summary>\ntext\n\n```sh\ny\n```",
		"<details><summary></summary>\n\nx\n\n</details>",
		"ask @octocat", "see #12", "[x](https://evil.example/)", "![x](https://github.com/x.png)", "`open",
	} {
		if inspect(source, "https://github.com/") == nil {
			t.Errorf("nothing is said about %q", source)
		}
	}
}

// inspect compares what is rendered with what was meant, and says what is wrong.
func inspect(source, links string) (complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	var page bytes.Buffer
	if err := renderer.Convert([]byte(source), &page); err != nil {
		return []string{err.Error()}
	}
	if wrong := unbalanced(page.String()); wrong != "" {
		complain("%s", wrong)
	}
	root, err := dom.Parse(&page)
	if err != nil {
		return []string{err.Error()}
	}
	var fences, folds, rows int
	walk(root, func(n *dom.Node) {
		switch n.DataAtom {
		case atom.Pre:
			fences++
		case atom.Details:
			folds++
			// A summary with text, and something behind it.
			if inner := children(n); len(inner) < 2 || inner[0].DataAtom != atom.Summary || strings.TrimSpace(text(inner[0])) == "" {
				complain("a fold has no summary, or nothing else: %q", text(n))
			}
		case atom.Tr:
			rows++
			if cells, want := children(n), children(first(first(table(n)))); len(cells) != len(want) || len(cells) < 2 {
				complain("a row has %d cells, its table %d", len(cells), len(want))
			}
		case atom.A:
			if href := attribute(n, "href"); !strings.HasPrefix(href, links) {
				complain("a link leads to %q", href)
			}
		case atom.Img, atom.Script, atom.Iframe, atom.Input:
			complain("there is a <%s>", n.Data)
		}
		if n.Type == dom.TextNode && !inCode(n) {
			if found := residue.FindString(n.Data); found != "" {
				complain("%q is to be seen in %q", found, n.Data)
			}
		}
	})
	// What is meant stands at the beginning of a line, and fences hold none of
	// these: no golden file has a fence, a fold or a table in one.
	outside := fenced.ReplaceAllString(source, "")
	if want := len(fenced.FindAllString(source, -1)); fences != want {
		complain("%d code blocks are rendered, %d are written", fences, want)
	}
	if want := strings.Count(outside, "<details>"); folds != want {
		complain("%d folds are rendered, %d are written", folds, want)
	}
	if want := len(tableRow.FindAllString(outside, -1)); rows != want {
		complain("%d rows are rendered, %d are written", rows, want)
	}
	return complaints
}

var (
	fenced = regexp.MustCompile("(?ms)^(?:  )?(`{3,})[a-z]+$.*?^(?:  )?`{3,}$\n?")
	// tableRow leaves out the line under a table's head.
	tableRow = regexp.MustCompile(`(?m)^\| [^:\-].*$|^\| \| .*$`)
	// residue is Markdown that the reader would see, and what GitHub would link.
	residue = regexp.MustCompile("\\*\\*|`|\\||</?[a-z]|\\]\\(|@[a-z]|#[0-9]|https?:")
)

// unbalanced tells of an element that is not closed, or not in its order, which
// the parser of a browser would mend in silence.
func unbalanced(page string) string {
	var open []string
	void := []atom.Atom{atom.Br, atom.Hr, atom.Input, atom.Img}
	for z := dom.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case dom.ErrorToken:
			if len(open) > 0 {
				return fmt.Sprintf("never closed: %q", open)
			}
			return ""
		case dom.StartTagToken:
			if token := z.Token(); !slices.Contains(void, token.DataAtom) {
				open = append(open, token.Data)
			}
		case dom.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				return fmt.Sprintf("</%s> closes %q", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

func walk(n *dom.Node, visit func(*dom.Node)) {
	visit(n)
	for c := range n.ChildNodes() {
		walk(c, visit)
	}
}

// children are the elements directly inside.
func children(n *dom.Node) []*dom.Node {
	var list []*dom.Node
	for c := range n.ChildNodes() {
		if c.Type == dom.ElementNode {
			list = append(list, c)
		}
	}
	return list
}

func first(n *dom.Node) *dom.Node { return children(n)[0] }

func table(n *dom.Node) *dom.Node {
	for n.DataAtom != atom.Table {
		n = n.Parent
	}
	return n
}

func attribute(n *dom.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *dom.Node) string {
	var b strings.Builder
	walk(n, func(n *dom.Node) {
		if n.Type == dom.TextNode {
			b.WriteString(n.Data)
		}
	})
	return b.String()
}

func inCode(n *dom.Node) bool {
	for ; n != nil; n = n.Parent {
		if n.DataAtom == atom.Code {
			return true
		}
	}
	return false
}
