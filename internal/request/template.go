package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// template has the lines of the repository's issue templates.
type template struct {
	lines  map[string]bool
	titles map[string]bool
}

// readTemplates collects the lines that GitHub puts into a new issue: all of a
// Markdown template, but only the labels and prefilled values of a form, whose
// descriptions and placeholders are not part of the issue.
func readTemplates(texts []string) template {
	t := template{lines: map[string]bool{}, titles: map[string]bool{}}
	for _, text := range texts {
		text = normalise(bound(text))
		lines := strings.Split(text, "\n")
		lines = lines[:min(len(lines), MaxLines)]
		if strings.Contains(text, "\nbody:") && strings.Contains(text, "type:") {
			t.addForm(lines)
		} else {
			t.addMarkdown(lines, strings.HasPrefix(strings.TrimLeft(text, "\n "), "---"))
		}
	}
	return t
}

// addForm adds the labels and prefilled values of a form.
func (t template) addForm(lines []string) {
	value := -1 // the indentation of the key of the value to which a line may belong
	for _, l := range lines {
		text := strings.TrimSpace(l)
		indent := len(l) - len(strings.TrimLeft(l, " "))
		key, content, ok := cutKey(strings.TrimPrefix(text, "- "))
		switch {
		case ok && key == "title":
			t.titles[content] = true
		case ok && key == "label":
			t.add("### " + content)
		case ok && key == "value":
			t.add(content)
			value = indent
		case value >= 0 && (text == "" || indent > value):
			t.add(text)
		default:
			value = -1
		}
	}
}

// addMarkdown adds the lines of a Markdown template. The front matter, which has the
// title, is not part of the issue.
func (t template) addMarkdown(lines []string, front bool) {
	inside := front
	for n, l := range lines {
		text := strings.TrimSpace(l)
		key, content, ok := cutKey(strings.TrimPrefix(text, "- "))
		switch {
		case inside && ok && key == "title":
			t.titles[content] = true
		case front && n > 0 && text == "---":
			inside = false
		case !inside:
			t.add(text)
		}
	}
}

func (t template) add(text string) {
	if text = strings.TrimSpace(text); text != "" && text != "|" {
		t.lines[text] = true
	}
}

// subtract masks the lines that are in the template.
func (t template) subtract(lines []line) {
	if len(t.lines) == 0 {
		return
	}
	for i := range lines {
		if t.lines[strings.TrimSpace(lines[i].text)] {
			lines[i].mask(isTemplate)
		}
	}
}

// A foreignTemplate is a template of another bot, which its users paste.
type foreignTemplate struct {
	// instructions are parts of its sentences; one is enough to recognise it.
	instructions []string
	// examples are the lines that are examples unless somebody changes them,
	// without bullets and quotes.
	examples []string
	// sentences are parts of its explanatory lines.
	sentences []string
}

// foreignTemplates are the templates of other bots with examples on separate
// lines. Examples inside a sentence need no list (see exampleMarks), and those
// of hub-mirror are recognised by their form (see maskTriples).
var foreignTemplates = []foreignTemplate{
	{ // togettoyou/hub-mirror, .github/ISSUE_TEMPLATE/hub-mirror.md
		instructions: []string{"正确示例", "改成你想要转换的镜像", "$自定义镜像名", "改这个 json", "$<custom-image-name>"},
		sentences: []string{"platform请留空", "请修改platform", "platform是用来", "platform默认为", "正确示例", "格式:镜像:版本", "改成你想要转换的镜像", "你需要转换的原始镜像", "$自定义镜像名",
			"每次最多支持转换", "错误的镜像都会被跳过", "请确保 json 格式"},
	},
	{ // anjia0532/gcr.io_mirror, .github/ISSUE_TEMPLATE/porter.md
		instructions: []string{"镜像名:tag", "[porter]image:tag"},
		examples: []string{
			"k8s.gcr.io/federation-controller-manager-arm64:v1.3.1-beta.1",
			"gcr.io/google-containers/federation-controller-manager-arm64:v1.3.1-beta.1",
			"busybox:latest|linux/arm64", "busybox:latest|linux/arm/v7",
		},
	},
	{ // DaoCloud/public-image-mirror, .github/ISSUE_TEMPLATE/sync-image.md
		instructions: []string{"modify the above by changing", "改为你要同步的镜像", "sync image"},
		examples:     []string{"SYNC docker.io/library/busybox:latest"},
	},
	{ // zhuchance/hub-mirror, .github/ISSUE_TEMPLATE/hub-mirror.md
		instructions: []string{"请在此填写需要同步的镜像地址"},
		examples: []string{
			"gcr.io/google-samples/microservices-demo/emailservice:v0.3.5", "quay.io/jetstack/cert-manager-controller:v1.13.3",
			"ghcr.io/nginx/nginx:latest", "nginx:latest",
		},
	},
	{ // ganecheng/dockerhub-to-swr, .github/ISSUE_TEMPLATE
		instructions: []string{"在issue标题上填写需要同步的镜像名称"},
		sentences:    []string{"有此标签"},
		examples:     []string{"rancher/klipper-helm:v0.8.3-build20240228,rancher/klipper-lb:v0.4.7"},
	},
	{ // imdingtalk/image-mirror, .github/ISSUE_TEMPLATE/image-mirror.yml
		instructions: []string{"请输入镜像列表,每行一个镜像", "每个镜像必须包含"},
		examples:     []string{"nginx:1.21", "redis:6.2", "gcr.io/kubernetes/kube-proxy:v1.18.3"},
	},
}

// templateMarks finds the instructions of all foreign templates in one pass.
var templateMarks = phrases{of: func() (all []string) {
	for _, t := range foreignTemplates {
		all = append(all, t.instructions...)
	}
	return all
}}

// hasLine reports whether a line is an example or an explanation of the template.
func (t *foreignTemplate) hasLine(l *line) bool {
	text := strings.Trim(strings.TrimSpace(l.text), "`-*+ \"',")
	bare, _ := stripMarkers(text)
	if slices.Contains(t.examples, text) || slices.Contains(t.examples, bare) {
		return true
	}
	return slices.ContainsFunc(t.sentences, func(s string) bool { return strings.Contains(text, s) })
}

// maskForeignTemplates masks the examples of other bots' templates. Templates
// are looked up in whole, the text with its comments and the title; if there is
// none, announced examples are masked (see maskBelow).
func maskForeignTemplates(whole string, lines []line) {
	whole = lower(whole)
	known, instructed := false, false
	templates := foreignTemplates
	if !templateMarks.in(whole) {
		templates = nil
	}
	for i := range templates {
		t := &templates[i]
		if !slices.ContainsFunc(t.instructions, func(s string) bool { return strings.Contains(whole, s) }) {
			continue
		}
		known, instructed = true, instructed || t.examples == nil
		for n := range lines {
			if t.hasLine(&lines[n]) {
				lines[n].mask(isTemplate)
			}
		}
	}
	maskTriples(lines, instructed)
	maskFormats(whole, lines)
	if !known {
		maskBelow(lines, func(h blockHead) bool { return h.is(&examples) }, isExample)
		maskExampleFields(lines)
	}
}

// maskFormats masks the lines that quote the format of a title with an image, in lower
// case: "`[porter]name:tag`" below "[porter]a/b:1". They are from a template in whatever
// language.
func maskFormats(title string, lines []line) {
	title, _, _ = strings.Cut(strings.TrimLeft(title, " "), "\n")
	mark, name, ok := strings.Cut(title, "]")
	if words := strings.Fields(name); !ok || !strings.HasPrefix(mark, "[") || len(words) != 1 || readWord(words[0]).strength < tagged {
		return
	}
	for i := range lines {
		if strings.Contains(lower(lines[i].text), "`"+mark+"]") {
			lines[i].mask(isTemplate)
		}
	}
}

// maskTriples masks the examples of hub-mirror's templates, whichever images
// they show: an image, the same with "$my-" and its own name, and once more
// with a tag; in old templates with labels and without "my-". If the names were
// changed, or a single one is left without the instructions, they are part of
// the request.
func maskTriples(lines []line, instructed bool) {
	var examples []int
	for i := range lines {
		if !isRenamedExample(&lines[i]) {
			continue
		}
		name, _, _ := strings.Cut(itemOf(&lines[i]), "$")
		alone := true
		for _, n := range []int{i - 2, i - 1, i + 1} {
			if n < 0 || n >= len(lines) || !strings.HasPrefix(itemOf(&lines[n]), name) {
				continue
			}
			alone = false
			if itemOf(&lines[n]) == name {
				examples = append(examples, n)
			}
		}
		if instructed || !alone {
			examples = append(examples, i)
		}
	}
	for _, i := range examples {
		lines[i].mask(isTemplate)
	}
}

// isRenamedExample reports whether a line is an example of hub-mirror's templates with a
// new name that is the image's own: "a/b:1$my-b:mytag".
func isRenamedExample(l *line) bool {
	if !strings.Contains(l.text, "$") {
		return false
	}
	name, renamed, _ := strings.Cut(itemOf(l), "$")
	renamed, mine := strings.CutPrefix(strings.TrimSuffix(renamed, ":mytag"), "my-")
	own, _, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ":")
	own, _, _ = strings.Cut(own, "@")
	return renamed != "" && renamed == own && (mine || exampleLabel(quotedItem(l)) != "")
}

// itemOf returns the single string on a line of a list, without the label of an
// example.
func itemOf(l *line) string {
	item := quotedItem(l)
	return item[len(exampleLabel(item)):]
}

// quotedItem returns the single string on a line of a list.
func quotedItem(l *line) string {
	return strings.Trim(strings.TrimSpace(l.text), "\"',-* `")
}

// exampleMarks are words that introduce an example in a sentence.
const exampleMarks = wordList("exampleMarks")

// exampleMarked finds all of them in one pass.
var exampleMarked = phrases{list: exampleMarks}

// beforeExample returns the part of a sentence before an example. A line that
// begins with the mark consists of the example.
func beforeExample(text string) string {
	words := lower(text)
	if !exampleMarked.in(words) || anyTags.in(words) {
		return text
	}
	first := len(text)
	for _, mark := range exampleMarks.words() {
		if at := exampleAt(words, mark); at >= 0 {
			first = min(first, at)
		}
	}
	return text[:first]
}

// exampleAt returns the offset of a mark that introduces an example in a text, in lower
// case; -1 if there is none.
func exampleAt(said, mark string) int {
	at := strings.Index(said, mark)
	if strings.HasPrefix(mark, "像") {
		at = strings.Index(imageNouns.Replace(said), mark) // not in "镜像 `a/b:1`"
	}
	switch {
	case at < 0 || !isAlnum(mark[0]):
		return at
	case at > 0 && !strings.Contains(" (,;0123456789", said[at-1:at]):
		return -1 // the end of another word
	case strings.HasPrefix(mark, "eg") && !strings.HasPrefix(said[at+len(mark):], " "):
		return -1 // the beginning of another word
	}
	return at
}

// anyTags are words of a line for which a tag in it is an example that will do: "any tag
// is fine, e.g. v1.2".
var anyTags = phrases{list: "anyTags"}

// imageNouns changes the words for images and pictures that end in "像", which is also
// "such as", to others of the same length.
var imageNouns = strings.NewReplacer("镜像", "容器", "鏡像", "容器", "映像", "容器", "图像", "容器", "圖像", "容器")

// isOwn reports whether an image is only the name of the repository with the
// issue.
func isOwn(repository string, ref reference.Reference) bool {
	return repository != "" && strings.EqualFold(ref.Repository().Path(), repository) && ref.Repository().Host() == reference.DockerHub
}
