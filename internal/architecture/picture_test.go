package architecture

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The READMEs show a conversation as a picture, drawn from a golden answer so
// that it stays what Ferry writes. docs/conversation.*.svg are these pictures.

const (
	pictureWidth = 860
	pictureFont  = 14
	lineHeight   = 22
)

// spoken are the words around the answer.
var spoken = map[string]struct{ asker, asks, bot, answers string }{
	"en":    {"newcomer", "opened this issue", "ferry", "commented"},
	"zh-CN": {"newcomer", "提了这个 issue", "ferry", "评论"},
}

// TestPictures draws them, or compares them with the files.
func TestPictures(t *testing.T) {
	for language, words := range spoken {
		short, _, _ := strings.Cut(language, "-")
		text := read(t, filepath.Join("..", "report", "testdata", "done-one."+short+".md"))
		_, text, _ = strings.Cut(text, "\n") // the marker
		text, _, _ = strings.Cut(text, "\n\n<!--")
		text = strings.TrimSpace(leftOut.ReplaceAllString(text, ""))
		text = sizeLine.ReplaceAllString(text, "") // every image of the golden answers has one size

		p := &picture{}
		p.box(words.asker, words.asks, "registry.k8s.io/pause:3.9")
		p.box(words.bot+" (bot)", words.answers, text)
		want := p.svg()
		file := filepath.Join("..", "..", "docs", "conversation."+language+".svg")
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if read(t, file) != want {
			t.Errorf("%s is out of date: -update draws it anew", file)
		}
	}
}

type picture struct {
	body strings.Builder
	y    int
}

// box draws one comment: who wrote it above what it says.
func (p *picture) box(who, did, markdown string) {
	top := p.y + 10
	p.y = top + 42
	var inside picture
	inside.y = p.y
	inside.markdown(markdown)
	bottom := inside.y + 10
	fmt.Fprintf(&p.body, `<rect class="box" x="10.5" y="%d.5" width="%d" height="%d" rx="6"/>`+"\n", top, pictureWidth-21, bottom-top)
	fmt.Fprintf(&p.body, `<path class="head" d="M11 %d h%d v-30 a6 6 0 0 0 -6 -6 h-%d a6 6 0 0 0 -6 6 z"/>`+"\n", top+37, pictureWidth-22, pictureWidth-34)
	fmt.Fprintf(&p.body, `<text x="26" y="%d"><tspan class="b">%s</tspan><tspan class="dim" dx="8">%s</tspan></text>`+"\n", top+24, html.EscapeString(who), html.EscapeString(did))
	p.body.WriteString(inside.body.String())
	p.y = bottom
}

// sizeLine is the paragraph with the size and the platforms of an image.
var sizeLine = regexp.MustCompile(`(?m)^123 MB .*\n\n`)

var fence = regexp.MustCompile("(?s)```\\w*\n(.*?)```")

// markdown draws paragraphs, lists and code blocks; tables are left out.
func (p *picture) markdown(text string) {
	code := fence.FindAllStringSubmatch(text, -1)
	for i, prose := range fence.Split(text, -1) {
		for paragraph := range strings.SplitSeq(prose, "\n\n") {
			drawn := false
			for line := range strings.SplitSeq(strings.TrimSpace(paragraph), "\n") {
				if line == "" || strings.HasPrefix(line, "|") {
					continue
				}
				drawn = true
				for _, part := range wrap(strings.TrimPrefix(line, "- "), pictureWidth-52) {
					p.y += lineHeight
					fmt.Fprintf(&p.body, `<text x="26" y="%d">%s</text>`+"\n", p.y-7, spans(part))
				}
			}
			if drawn {
				p.y += 6
			}
		}
		if i < len(code) {
			p.code(strings.TrimSpace(code[i][1]))
		}
	}
}

func (p *picture) code(text string) {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		const most = (pictureWidth - 84) / 7
		for len(line) > most { // a long command goes on below
			cut := strings.LastIndexByte(line[:most], ' ')
			if cut <= 0 {
				cut = most
			}
			lines = append(lines, line[:cut])
			line = "    " + strings.TrimSpace(line[cut:])
		}
		lines = append(lines, line)
	}
	fmt.Fprintf(&p.body, `<rect class="code" x="26" y="%d" width="%d" height="%d" rx="6"/>`+"\n", p.y+2, pictureWidth-52, len(lines)*20+18)
	for i, line := range lines {
		fmt.Fprintf(&p.body, `<text class="mono" x="40" y="%d" xml:space="preserve">%s</text>`+"\n", p.y+25+i*20, html.EscapeString(line))
	}
	p.y += len(lines)*20 + 28
}

var (
	inline = regexp.MustCompile("\\*\\*[^*]+\\*\\*|`[^`]+`")
	linked = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// spans turns bold and code into spans.
func spans(line string) string {
	line = linked.ReplaceAllString(line, "$1")
	var b strings.Builder
	end := 0
	for _, at := range inline.FindAllStringIndex(line, -1) {
		b.WriteString(html.EscapeString(line[end:at[0]]))
		piece := line[at[0]:at[1]]
		if strings.HasPrefix(piece, "**") {
			fmt.Fprintf(&b, `<tspan class="b">%s</tspan>`, html.EscapeString(strings.Trim(piece, "*")))
		} else {
			fmt.Fprintf(&b, `<tspan class="mono">%s</tspan>`, html.EscapeString(strings.Trim(piece, "`")))
		}
		end = at[1]
	}
	b.WriteString(html.EscapeString(line[end:]))
	return b.String()
}

// wrap breaks a line at spaces so that it is no wider than width, by the usual
// widths of letters.
func wrap(line string, width int) []string {
	var lines []string
	used, start, space := 0, 0, -1
	for i, r := range line {
		if r == ' ' {
			space = i
		}
		if r < 0x2e80 {
			used += 8
		} else {
			used += pictureFont
		}
		if used > width && space > start {
			lines = append(lines, line[start:space])
			start, used = space+1, (i-space)*8
		}
	}
	return append(lines, line[start:])
}

func (p *picture) svg() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img">
<style>
text { font: %[3]dpx -apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", Helvetica, Arial, sans-serif; fill: #1f2328 }
.b { font-weight: 600 }
.dim { fill: #59636e }
.mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 12px }
.box { fill: #ffffff; stroke: #d1d9e0 }
.head { fill: #f6f8fa }
.code { fill: #f6f8fa }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .dim { fill: #9198a1 }
  .box { fill: #0d1117; stroke: #3d444d }
  .head, .code { fill: #151b23 }
}
</style>
%[4]s</svg>
`, pictureWidth, p.y+10, pictureFont, p.body.String())
}
