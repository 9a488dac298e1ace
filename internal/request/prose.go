package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// readText reads what people write in words: lists, rows, lines, sentences. A
// line that holds nothing but images and the words that go with them is a
// list, and there a name without a tag will do; inside a sentence only what
// cannot be anything else counts.
func (s *scan) readText() {
	s.rest(func(i int, l line) {
		s.taken[i] = true
		text, skip := stripMarkers(cutTags(l.text))
		if text = closeGaps(beforeExample(text)); skip || strings.TrimSpace(text) == "" || isEnvironment(text) {
			return
		}
		from := len(s.finds)
		if strings.HasPrefix(text, "|") {
			s.readCells(l, text)
		} else {
			s.readLine(l, text)
		}
		if strings.HasPrefix(strings.TrimSpace(l.text), "#") {
			for n := from; n < len(s.finds); n++ {
				s.finds[n].comment = true
			}
		}
	})
}

// readCells reads a row of a Markdown table: what is alone in its cell, with
// the tag from the next one.
func (s *scan) readCells(l line, row string) {
	s.readLine(l, strings.Join(slices.DeleteFunc(strings.Split(row, "|"), func(cell string) bool {
		return len(strings.Fields(cell)) != 1 || readWord(strings.Trim(strings.TrimSpace(cell), "`\"'*")).weight == bare
	}), " "))
}

// sentence is what is known of a line as a whole.
type sentence struct {
	plain    bool // nothing but images and what goes with them
	wish     bool // asks for something to be mirrored
	asked    bool // does so politely
	question bool // asks for an answer instead
	images   int  // words that are surely images
	bare     int  // words that could be
	foreign  int  // runs of other script with a meaning of their own
	other    int  // words that are neither images nor platforms
}

// readLine reads one line of text.
func (s *scan) readLine(l line, text string) {
	toks := tokens(resolveLinks(text))
	reads, about := s.readTokens(toks, announcesPlatform(text))
	if !about.plain {
		polite := isPolite(text)
		about.wish = hasWish(text)
		about.asked = polite && (about.wish || strings.Contains(text, "镜像"))
		about.question = !polite && isQuestion(text)
		s.question = s.question || about.question && !strings.HasPrefix(l.text, "#")
		s.also = s.also || isAddition(text)
		s.words += about.other + about.bare
		s.wish = s.wish || polite
		s.report = s.report || isReport(text)
	}
	least, how := tagged, embedded
	switch {
	case about.plain:
		least, how = official, listed
	case about.question:
		least = certain + 1
	case about.asked && about.images == 1 && about.other+about.bare == 0 && about.foreign <= 2:
		least = official
	case about.wish:
		least = path
	}
	if phrase := lower(text); about.images > 0 && !about.plain && slices.ContainsFunc(everyTag, func(w string) bool { return strings.Contains(phrase, w) }) {
		askForTags(reads)
	}
	var platforms []reference.Platform
	from := len(s.finds)
	for i, t := range toks {
		r := reads[i]
		platforms = addPlatform(platforms, r.platforms...)
		r.platforms = nil
		switch {
		case r.weight >= least:
			s.take(l, t.at, r, least, how)
		case t.quoted && r.weight >= path && !about.question:
			s.take(l, t.at, r, path, embedded)
		case about.question && r.weight >= path && len(r.images) > 0:
			s.flaw(l, t.at, Problem{Code: Ambiguous, Written: clip(t.text), Suggestion: r.images[0].Reference.String()}, r.weight)
		case r.weight >= bare && len(r.images) > 0:
			if about.plain || about.asked && about.bare == 1 && about.images+about.other == 0 && about.foreign <= 2 {
				s.guesses = append(s.guesses, find{line: l.number, at: t.at, image: r.images[0], weight: r.weight, stance: how})
			}
		case r.problem != nil && about.plain:
			s.flaw(l, t.at, *r.problem, r.weight)
		}
	}
	if len(s.finds) == from {
		s.platforms = addPlatform(s.platforms, platforms...)
		if about.images+about.bare == 0 && about.other == 1 && about.foreign <= 2 {
			s.versions = append(s.versions, versionsOf(toks)...)
		}
		return
	}
	s.nearestPlatforms(from, toks, reads)
	for i := from; i < len(s.finds); i++ {
		s.finds[i].wished = about.wish
		image := &s.finds[i].image
		if len(image.Platforms) == 0 || len(s.finds) == from+1 {
			image.Platforms = addPlatform(image.Platforms, platforms...)
		}
		if !strings.Contains(l.text, image.Written) && strings.Contains(text, image.Written) {
			image.Assumptions = append(image.Assumptions, RemovedSpace)
		}
	}
}

// nearestPlatforms gives every image of a line the platforms right behind it,
// if each of several has some.
func (s *scan) nearestPlatforms(from int, toks []token, reads []reading) {
	finds := s.finds[from:]
	if len(finds) < 2 {
		return
	}
	own := make([][]reference.Platform, len(finds))
	n := 0
	for i, r := range reads {
		for n < len(finds) && finds[n].at <= toks[i].at {
			n++
		}
		if n > 0 {
			own[n-1] = addPlatform(own[n-1], r.platforms...)
		}
	}
	if slices.ContainsFunc(own, func(p []reference.Platform) bool { return len(p) == 0 }) {
		return
	}
	for i := range finds {
		finds[i].image.Platforms = addPlatform(finds[i].image.Platforms, own[i]...)
	}
}

// announcesPlatform tells whether a line says that platforms follow, so that
// words such as "arm" and "x86" are ones.
func announcesPlatform(text string) bool {
	text = lower(text)
	return slices.ContainsFunc([]string{"platform", "arch", "架构", "平台"}, func(w string) bool { return strings.Contains(text, w) })
}

// readTokens reads every word of a line in the light of its neighbours; with
// announced, words that could be platforms are.
func (s *scan) readTokens(toks []token, announced bool) ([]reading, sentence) {
	reads := make([]reading, len(toks))
	about := sentence{plain: true}
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		switch {
		case t.kind == separator:
			continue
		case t.kind == otherWord:
			if !isFiller(t.text) {
				about.plain = false
				about.foreign++
			}
			continue
		case !t.key && !strings.HasSuffix(t.text, ":") && isFiller(t.text) || trimWord(t.text) == "":
			continue
		}
		r := s.readWord(t.text)
		if announced {
			if p, err := reference.ParsePlatform(trimWord(t.text)); err == nil {
				r = reading{platforms: []reference.Platform{p}}
			}
		}
		switch {
		case isImageKey(lower(strings.TrimRight(t.text, ":"))) && (t.key || strings.HasSuffix(t.text, ":")):
			if at := nextWord(toks, i); at > i {
				if r := s.readWord(toks[at].text); r.weight >= bare && !isFiller(toks[at].text) {
					r.weight = max(r.weight, tagged)
					reads[at] = r
					about.images++
					i = at
				}
			}
		case t.key && r.weight < tagged || isFiller(t.text):
			continue
		case t.key:
			// image-syncer's "source": "target".
			reads[i] = r
			about.images++
			i = nextWord(toks, i)
		case r.weight >= official:
			reads[i] = r
			about.images++
			last := joinTag(toks, &reads[i], i)
			i = joinAlias(toks, &reads[i], last)
		case r.weight == bare:
			reads[i] = r
			about.bare++
		default:
			reads[i] = r
			if len(r.platforms) == 0 && r.problem == nil {
				about.plain = false
				about.other++
			}
		}
	}
	if about.bare > 0 && about.images+about.bare > 1 {
		about.plain = false
	}
	return reads, about
}

// versionsOf are the version numbers among the words of a line.
func versionsOf(toks []token) []string {
	var versions []string
	for _, t := range toks {
		if w := trimWord(t.text); t.kind == asciiWord && isVersion(w) && strings.Contains(w, ".") {
			versions = append(versions, w)
		}
	}
	return versions
}

// nextWord is the index of the next word behind toks[i], or the last token.
func nextWord(toks []token, i int) int {
	for i++; i < len(toks); i++ {
		if toks[i].kind == asciiWord && trimWord(toks[i].text) != "" {
			return i
		}
	}
	return len(toks) - 1
}

// everyTag are the ways to ask for all tags of a repository.
var everyTag = []string{"所有tag", "全部tag", "所有 tag", "全部 tag", "所有标签", "全部标签", "所有版本", "全部版本", "所有的tag", "所有的版本", "all tags", "all-tags", "every tag", "all versions"}

// askForTags turns images without a tag into the wish for all of them.
func askForTags(reads []reading) {
	for i, r := range reads {
		if r.weight >= official && len(r.images) == 1 && slices.Contains(r.images[0].Assumptions, AssumedTag) {
			p := allTags(r.images[0].Reference)
			p.Written = r.images[0].Written
			reads[i] = reading{weight: certain, problem: p}
		}
	}
}

// renames are what stands between an image and its custom name.
var renames = set("->", "改名", "改名为", "改名成", "重命名", "重命名为", "命名为", "改为", "改成", "别名")

// joinAlias reads "REF -> name:tag", also with words of other script in
// between. It returns the index of the last token that belongs to it.
func joinAlias(toks []token, r *reading, i int) int {
	if i+1 >= len(toks) || !renames[toks[i+1].text] || len(r.images) != 1 {
		return i
	}
	at := nextWord(toks, i+1)
	if toks[at].kind != asciiWord {
		return i
	}
	custom := trimWord(toks[at].text)
	if first, _, ok := strings.Cut(custom, "/"); ok && strings.Contains(first, ".") {
		r.problem = &Problem{Code: BadAlias, Written: clip(custom)}
		return at
	}
	r.images[0].As, r.problem = parseAlias(custom)
	return at
}

// tagWordsBetween are what may stand between a repository and its tag.
var tagWordsBetween = set("的", "标签", "标签是", "标签为", "版本", "版本是", "版本为", "版本号", "tag", "Tag", "version", "tag:", "version:", ",")

// joinTag reads "REPOSITORY TAG" and "REPOSITORY : TAG", as tables and loose
// fingers write it, as one reference. It returns the index of the last token
// that belongs to it.
func joinTag(toks []token, r *reading, i int) int {
	if i+1 >= len(toks) || len(r.images) != 1 || !slices.Contains(r.images[0].Assumptions, AssumedTag) {
		return i
	}
	start := i
	for skipped := 0; skipped < 3 && i+2 < len(toks) && tagWordsBetween[toks[i+1].text]; skipped++ {
		i++
	}
	next := toks[i+1]
	if strings.Trim(next.text, ":") == "" && i+2 < len(toks) {
		i++
		next = toks[i+1]
		next.text = ":" + next.text
	}
	tag := strings.TrimLeft(next.text, ":")
	if next.kind != asciiWord || tag == "" || tag == next.text && !isVersion(tag) && tag != "latest" {
		return start
	}
	name := strings.TrimRight(r.images[0].Written, ":")
	joined := readWord(name + ":" + tag)
	if len(joined.images) != 1 || joined.images[0].Reference.Repository() != r.images[0].Reference.Repository() {
		return start
	}
	joined.images[0].Assumptions = append(joined.images[0].Assumptions, RemovedSpace)
	joined.images[0].Platforms = r.images[0].Platforms
	*r = joined
	return i + 1
}

// stripMarkers takes off what stands in front of a line's text: bullets,
// numbers, check boxes, headings, tags in brackets. An unchecked box is no text.
func stripMarkers(text string) (stripped string, skip bool) {
	text = strings.TrimSpace(text)
	for {
		before := text
		for _, bullet := range []string{"* ", "- ", "+ "} {
			text = strings.TrimLeft(strings.TrimPrefix(text, bullet), " ")
		}
		if strings.HasPrefix(text, "[ ]") || strings.HasPrefix(text, "[]") {
			return "", true
		}
		if strings.HasPrefix(text, "[x]") || strings.HasPrefix(text, "[X]") {
			text = text[3:]
		}
		text = strings.TrimLeft(text, "# ")
		text = strings.TrimLeft(cutNumber(text), " ")
		text = strings.TrimLeft(cutBracketTag(text), " ")
		if text == before {
			return text, false
		}
	}
}

// cutNumber takes "1. ", "1)", "(1)" and "1," off the front.
func cutNumber(text string) string {
	t := strings.TrimPrefix(text, "(")
	n := 0
	for n < len(t) && n < 3 && isDigit(t[n]) {
		n++
	}
	if n == 0 || n == len(t) {
		return text
	}
	switch after := t[n+1:]; {
	case t[n] == ')' || t[n] == ',':
		return after
	case t[n] == '.' && (after == "" || after[0] == ' ' || !isDigit(after[0])):
		return after
	}
	return text
}

// cutBracketTag takes "[PORTER]" off the front: a word in brackets that is no image.
func cutBracketTag(text string) string {
	if !strings.HasPrefix(text, "[") {
		return text
	}
	end := strings.IndexByte(text, ']')
	if end < 0 || end > 60 || strings.HasPrefix(text[end+1:], "(") {
		return text
	}
	if strings.ContainsAny(text[1:end], ":/,\"'") {
		return text
	}
	return strings.TrimLeft(text[end+1:], ":")
}

// resolveLinks replaces Markdown's "[text](address)" by the text if that is an
// image, else by the address.
func resolveLinks(text string) string {
	if !strings.Contains(text, "](") {
		return text
	}
	var b strings.Builder
	open := -1
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[':
			open = i
		case ']':
			if open < from || i+1 >= len(text) || text[i+1] != '(' {
				continue
			}
			end := strings.IndexByte(text[i:], ')')
			if end < 0 {
				b.WriteString(text[from:])
				return b.String()
			}
			label, address := text[open+1:i], text[i+2:i+end]
			b.WriteString(text[from:open])
			if r := readWord(label); r.weight >= tagged && len(r.images) > 0 && !strings.Contains(label, "://") {
				b.WriteString(" " + label + " ")
			} else {
				b.WriteString(" " + address + " ")
			}
			from = i + end + 1
			i = from - 1
			open = -1
		}
	}
	b.WriteString(text[from:])
	return b.String()
}

// fillers are words that go with a list of images without being prose.
var fillers = set("and", "和", "以及", "及", "与", "跟", "还有", "或", "or", "image", "images", "镜像", "镜像名", "镜像名称", "镜像地址", "镜像列表", "platform", "架构",
	"版本", "最新", "最新版", "最新版本", "镜像版本", "平台", "标签", "sync", "porter", "tag", "version", "the", "arch", "hub-mirror", "latest", "个", "源镜像", "原镜像", "原始镜像", "源", "docker", "name", "addr",
	"镜像架构", "镜像仓库", "仓库", "镜像仓库地址", "地址", "列表", "同步", "搬运", "转换", "名称", "需要", "请", "谢谢", "thanks", "please", "url", "registry", "repository")

func isFiller(word string) bool {
	return fillers[lower(strings.Trim(word, ".:*_~#-=。!?<> "))]
}

var wishes = []string{"同步", "搬运", "转换", "拉取", "拉一下", "需要", "求个", "求一", "跪求", "求 ", "帮忙", "请帮", "麻烦", "缓存", "下载", "想要", "申请", "加一下", "添加", "搬一下", "转存", "迁移", "镜像一下", "请求", "更新",
	"mirror", "sync", "need", "want", "please", "request", "copy", "transfer", "pull", "port ", "fetch", "would like", "add "}

// hasWish tells whether a sentence asks for something to be mirrored.
func hasWish(text string) bool {
	text = lower(text)
	for _, w := range wishes {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// environments are what people say of their machines in front of a colon.
var environments = set("os", "kernel", "docker", "docker version", "containerd", "kubernetes", "kubernetes version", "k8s", "k8s version", "kubectl", "kubeadm", "kubelet",
	"cri", "cni", "arch linux", "distro", "browser", "go", "go version", "python", "runc", "system", "client", "server", "系统", "操作系统", "系统版本", "操作系统版本", "内核", "内核版本",
	"docker 版本", "docker版本", "k8s 版本", "k8s版本", "kubernetes 版本", "kubernetes版本", "集群版本", "环境", "运行环境", "浏览器")

// isEnvironment tells whether a line says what somebody's machine runs: "OS:
// Ubuntu 22.04", "k8s: 1.22.3".
func isEnvironment(text string) bool {
	label, value, ok := strings.Cut(text, ":")
	return ok && len(label) < 40 && environments[lower(strings.Trim(label, " *_`"))] && !strings.ContainsAny(value, "/") && strings.HasPrefix(value+" ", " ") ||
		ok && environments[lower(strings.Trim(label, " *_`"))] && strings.IndexFunc(label, func(r rune) bool { return r > 127 }) >= 0
}

// isReport tells whether a line is of the form of a bug report.
func isReport(text string) bool {
	text = lower(text)
	return slices.ContainsFunc([]string{"describe the bug", "to reproduce", "expected behavior", "actual behavior", "复现步骤", "重现步骤", "我的环境", "期望结果", "what happened", "what you expected"},
		func(w string) bool { return strings.Contains(text, w) })
}

// isAddition tells whether a sentence adds to what was said before.
func isAddition(text string) bool {
	text = lower(text)
	return slices.ContainsFunc([]string{"也需要", "也要", "也同步", "还需要", "还有", "另外", "一并", "以及", " also ", "as well", " too", "in addition"},
		func(w string) bool { return strings.Contains(text, w) })
}

var polite = []string{"帮", "麻烦", "请", "求同步", "跪求", "希望", "能同步", "可以同步", "能搬", "可以搬", "能否同步", "能不能同步", "想要", "需要", "please", "could you", "can you", "can we", "would you", "i need", "request", "sync ", "mirror "}

// isPolite tells whether a question is a request in other words.
func isPolite(text string) bool {
	text = strings.ReplaceAll(lower(text), "请问", "")
	return slices.ContainsFunc(polite, func(w string) bool { return strings.Contains(text, w) })
}

var questions = []string{"吗", "怎么", "如何", "为什么", "为啥", "请问", "什么", "咋", "能不能", "是否", "how ", "why ", "what ", "when ", "where ", "which ", "is it ", "does it", "does this", "do i ", "can i "}

// isQuestion tells whether a sentence asks for an answer.
func isQuestion(text string) bool {
	text = lower(text)
	if strings.HasSuffix(text, "?") || strings.Contains(text, "? ") {
		return true
	}
	for _, q := range questions {
		if strings.Contains(text, q) {
			return true
		}
	}
	return false
}
