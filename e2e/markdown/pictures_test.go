package markdown

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"

	"github.com/imageferry/ferry/e2e/browser"
	"github.com/imageferry/ferry/e2e/npm"
)

// comments renders as GitHub renders comments, where a new line stays one.
var comments = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe(), html.WithHardWraps()))

// picturesDir is where the pictures go if it is set.
const picturesDir = "FERRY_PICTURES"

// The widths of a phone and of a desktop, with what GitHub leaves of them to a
// comment.
var screens = []struct{ screen, comment int }{{390, 324}, {1280, 878}}

// TestNothingOverflows looks at every golden file as GitHub shows it, with and
// without what unfolds: nothing may be wider than the comment. Code blocks are
// left out, for they scroll by themselves, and a command has no place to break.
// With FERRY_PICTURES it leaves pictures, light and dark, in that folder.
func TestNothingOverflows(t *testing.T) {
	css, err := npm.File("github-markdown-css", "5.9.0", "github-markdown.css")
	if err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t)
	pictures := os.Getenv(picturesDir)
	if pictures != "" {
		if err := os.MkdirAll(pictures, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range goldenFiles(t) {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		if filepath.Base(filepath.Dir(file)) == "doctor" {
			name = "doctor-" + name
		}
		for _, s := range screens {
			page, err := pageOf(source, string(css), s.screen, s.comment)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Look(s.screen, "light"); err != nil {
				t.Fatal(err)
			}
			wide, err := overflows(b, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, what := range wide {
				t.Errorf("%s: at %d px %s", name, s.screen, what)
			}
			if pictures == "" {
				continue
			}
			for _, scheme := range []string{"light", "dark"} {
				if err := b.Look(s.screen, scheme); err != nil {
					t.Fatal(err)
				}
				png, err := b.Picture()
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(pictures, fmt.Sprintf("%s.%d.%s.png", name, s.screen, scheme)), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestOverflowIsSeen holds the measurement against what is too wide.
func TestOverflowIsSeen(t *testing.T) {
	css, err := npm.File("github-markdown-css", "5.9.0", "github-markdown.css")
	if err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t)
	if err := b.Look(390, "light"); err != nil {
		t.Fatal(err)
	}
	row := strings.Repeat("| `registry.example.com/a/b:1` ", 7) + "|\n"
	table := row + strings.Repeat("| --- ", 7) + "|\n" + row
	for source, wide := range map[string]bool{
		"text `" + strings.Repeat("a", 200) + "`":       false, // it is broken
		"```sh\n" + strings.Repeat("a ", 200) + "\n```": false,
		table: true,
		"<sub>" + strings.Repeat("a ", 200) + "</sub>":               true,
		"<details><summary>x</summary>\n\n" + table + "\n</details>": true,
	} {
		page, err := pageOf([]byte(source), string(css), 390, 324)
		if err != nil {
			t.Fatal(err)
		}
		found, err := overflows(b, page)
		if err != nil {
			t.Fatal(err)
		}
		if (found != nil) != wide {
			t.Errorf("%q: %q", source, found)
		}
	}
}

// pageOf is a page that shows a comment at the width that it has on a screen.
func pageOf(source []byte, css string, screen, comment int) (string, error) {
	var body bytes.Buffer
	if err := comments.Convert(source, &body); err != nil {
		return "", err
	}
	margin := (screen - comment) / 2
	return fmt.Sprintf(`<style>%s
body { margin: 16px %dpx; background: Canvas; color-scheme: light dark }
.markdown-body { font-size: 14px }</style><article class="markdown-body">%s</article>`, css, margin, body.String()), nil
}

// overflows shows the page and says what in it is wider than its place.
func overflows(b *browser.Browser, page string) ([]string, error) {
	text, err := json.Marshal(page)
	if err != nil {
		return nil, err
	}
	var wide []string
	err = b.Evaluate(`(() => {
		document.body.innerHTML = `+string(text)+`
		const wide = new Set()
		for (const open of [false, true]) {
			for (const d of document.querySelectorAll("details")) d.open = open
			if (document.documentElement.scrollWidth > innerWidth) wide.add("the page is " + document.documentElement.scrollWidth + " px wide")
			for (const e of document.querySelectorAll(".markdown-body *:not(pre):not(pre *)")) {
				if (getComputedStyle(e).display !== "inline" && e.scrollWidth > e.clientWidth && !e.querySelector("pre"))
					wide.add(e.tagName + " is " + e.scrollWidth + " px wide: " + e.textContent.slice(0, 80))
			}
			// GitHub sets them without height, so that lines lie upon each other.
			for (const e of document.querySelectorAll("sub, sup"))
				if (e.getClientRects().length > 1) wide.add(e.tagName + " has several lines: " + e.textContent.slice(0, 80))
		}
		for (const d of document.querySelectorAll("details")) d.open = false
		return wide.size ? [...wide] : null
	})()`, &wide)
	return wide, err
}
