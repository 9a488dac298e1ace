package architecture

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the generated parts of the READMEs anew")

// readmes are the two that say the same.
var readmes = map[string]string{"en": "README.md", "zh": "README.zh-CN.md"}

// named is one input or output of action.yml.
type named struct{ name, description string }

// metadata are the inputs or outputs of action.yml, in its order.
func metadata(t *testing.T, section string) []named {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(read(t, filepath.Join("..", "..", "action.yml"))), &document); err != nil {
		t.Fatal(err)
	}
	var all []named
	entries := get(document.Content[0], section).Content
	for i := 0; i < len(entries); i += 2 {
		all = append(all, named{entries[i].Value, get(entries[i+1], "description").Value})
	}
	return all
}

// inChinese translates what action.yml says. The file keeps the English beside
// the Chinese, so that a change of one asks for the other.
func inChinese(t *testing.T, section string, n named) string {
	t.Helper()
	var translations map[string]map[string]struct{ En, Zh string }
	unmarshal(t, filepath.Join("testdata", "action.zh.yml"), &translations)
	translation := translations[section][n.name]
	if translation.En != n.description || translation.Zh == "" {
		t.Errorf("testdata/action.zh.yml does not translate the %s of action.yml, %q: %q", n.name, section, n.description)
	}
	return translation.Zh
}

func table(t *testing.T, language, section string) string {
	t.Helper()
	heads := map[string]string{"en inputs": "input | meaning", "en outputs": "output | meaning", "zh inputs": "输入 | 含义", "zh outputs": "输出 | 含义"}
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |\n| --- | --- |\n", heads[language+" "+section])
	for _, n := range metadata(t, section) {
		if language == "zh" {
			n.description = inChinese(t, section, n)
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", n.name, strings.ReplaceAll(n.description, "|", `\|`))
	}
	return b.String()
}

// leftOut of an answer are what people unfold, and the last line with its links.
var leftOut = regexp.MustCompile(`(?s)<details>.*?</details>\n+|[^\n]*/ferry help[^\n]*\n\z`)

// TestReadmes holds the generated parts of the READMEs to what they are made of.
func TestReadmes(t *testing.T) {
	for language, name := range readmes {
		file := filepath.Join("..", "..", name)
		text := read(t, file)
		want := text
		for part, content := range map[string]string{
			"inputs": table(t, language, "inputs"), "outputs": table(t, language, "outputs"),
		} {
			begin, end := "<!-- "+part+": written by go test ./internal/architecture -update -->\n", "<!-- end of "+part+" -->\n"
			before, rest, ok := strings.Cut(want, begin)
			_, after, closed := strings.Cut(rest, end)
			if !ok || !closed {
				t.Fatalf("%s has no place for %s", name, part)
			}
			want = before + begin + content + end + after
		}
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("%s is out of date (-update writes it anew): -want +got\n%s", name, diff)
		}
	}
}

// outline is what two translations of one text have in common.
type outline struct {
	Headings []int    // their levels
	Code     []string // commands and files, without comments
	Links    []string // where they lead
	Rows     int      // of tables
}

func outlineOf(text string) outline {
	var o outline
	in := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case in == "" && strings.HasPrefix(line, "```"):
			in = line
		case line == "```":
			in = ""
		case in == "```mermaid":
		case in != "":
			code, _, _ := strings.Cut(line, " #")
			o.Code = append(o.Code, code)
		case strings.HasPrefix(line, "#"):
			o.Headings = append(o.Headings, strings.Index(line, " "))
		case strings.HasPrefix(line, "|"):
			o.Rows++
		}
	}
	for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		link := translated.Replace(m[1])
		if before, _, ok := strings.Cut(link, "#"); ok && !strings.Contains(link, "://") {
			link = before + "#" // headings differ
		}
		o.Links = append(o.Links, link)
	}
	slices.Sort(o.Links) // languages differ in the order of words
	return o
}

// translated turns links to Chinese pages into those to the English ones.
var translated = strings.NewReplacer(
	".zh-CN.", ".",
	".en.svg", ".svg",
	"help.aliyun.com/zh/", "www.alibabacloud.com/help/en/",
	"support.huaweicloud.com/usermanual", "support.huaweicloud.com/intl/en-us/usermanual",
)

// TestTranslationsSayTheSame compares the outlines of each page that is there in
// both languages; the words are left to people.
func TestTranslationsSayTheSame(t *testing.T) {
	root := filepath.Join("..", "..")
	var pages []string
	for _, pattern := range []string{"*.zh-CN.md", "docs/*.zh-CN.md"} {
		found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	if len(pages) == 0 {
		t.Fatal("no translations found: has this test moved?")
	}
	for _, chinese := range pages {
		english := strings.TrimSuffix(chinese, ".zh-CN.md") + ".md"
		// Each links to the other.
		en := strings.ReplaceAll(read(t, english), "("+filepath.Base(chinese)+")", "("+filepath.Base(english)+")")
		if diff := cmp.Diff(outlineOf(en), outlineOf(read(t, chinese))); diff != "" {
			t.Errorf("%s and %s differ: -en +zh\n%s", english, chinese, diff)
		}
	}
}
