package request

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// readText reads what people write in words: lists, lines, sentences. A line
// that holds nothing but images and the words that go with them is a list, and
// there a name without a tag will do; inside a sentence only what cannot be
// anything else counts.
func (s *scan) readText() {
	s.rest(func(i int, l line) {
		s.taken[i] = true
		text, skip := stripMarkers(l.text)
		if skip || text == "" {
			return
		}
		if text = beforeExample(text); strings.TrimSpace(text) != "" {
			s.readLine(l, text, tokens(resolveLinks(text)))
		}
	})
}

// readLine reads the tokens of one line.
func (s *scan) readLine(l line, text string, toks []token) {
	reads := make([]reading, len(toks))
	plain, wish := true, hasWish(text)
	images, foreign := 0, 0
	for i := 0; i < len(toks); i++ {
		t := toks[i]
		switch {
		case t.kind == separator:
			continue
		case t.kind == otherWord:
			if !isFiller(t.text) {
				plain = false
				foreign++
			}
			continue
		case t.key || isFiller(t.text) || trimWord(t.text) == "":
			continue
		}
		reads[i] = readWord(t.text)
		r := &reads[i]
		switch {
		case r.weight >= official:
			images++
			i = s.joinTag(toks, reads, i)
		case len(r.platforms) > 0 || r.problem != nil && r.weight == nothing:
		case r.weight == bare:
		default:
			plain = false
		}
	}
	bareWords := 0
	for _, r := range reads {
		if r.weight == bare {
			bareWords++
		}
	}
	if bareWords > 0 && (images > 0 || bareWords > 1) {
		plain = false
	}
	question := isQuestion(text) && !wish
	if !plain {
		s.question = s.question || question
		s.wish = s.wish || wish
	}
	least, how := tagged, embedded
	switch {
	case plain:
		least, how = official, listed
	case wish:
		least = path
	}
	var platforms []reference.Platform
	from := len(s.finds)
	for i, t := range toks {
		r := reads[i]
		platforms = addPlatform(platforms, r.platforms...)
		r.platforms = nil
		switch {
		case t.quoted && !plain && r.weight >= path && !question:
			s.take(l, t.at, r, path, embedded)
		case r.weight >= least && !(question && !plain):
			s.take(l, t.at, r, least, how)
		case r.weight >= bare && len(r.images) > 0:
			if plain || wish && bareWords == 1 && images == 0 && foreign <= 2 {
				s.guesses = append(s.guesses, find{l.number, t.at, r.images[0], r.weight, how})
			} else if question {
				s.flaw(l, t.at, Problem{Code: Ambiguous, Written: clip(t.text), Suggestion: r.images[0].Reference.String()}, r.weight)
			}
		case r.problem != nil && plain:
			s.flaw(l, t.at, *r.problem, r.weight)
		}
	}
	if len(s.finds) == from {
		s.platforms = addPlatform(s.platforms, platforms...)
		return
	}
	for i := from; i < len(s.finds); i++ {
		if len(s.finds[i].image.Platforms) == 0 {
			s.finds[i].image.Platforms = platforms
		}
	}
}

// joinTag reads "REPOSITORY TAG" and "REPOSITORY : TAG", as tables and loose
// fingers write it, as one reference. It returns the index of the last token
// that belongs to it.
func (s *scan) joinTag(toks []token, reads []reading, i int) int {
	r := reads[i]
	if len(r.images) != 1 || r.images[0].Reference.HasDigest() || !containsAssumption(r.images[0].Assumptions, AssumedTag) || i+1 >= len(toks) {
		return i
	}
	next := toks[i+1]
	tag := strings.TrimLeft(next.text, ":")
	if next.kind != asciiWord || !isVersion(tag) && !(tag == "latest") && tag == next.text {
		return i
	}
	joined := readWord(strings.TrimRight(toks[i].text, ":") + ":" + tag)
	if len(joined.images) != 1 || tag == "" {
		return i
	}
	joined.images[0].Assumptions = append(joined.images[0].Assumptions, RemovedSpace)
	reads[i] = joined
	return i + 1
}

func containsAssumption(list []Assumption, a Assumption) bool {
	for _, one := range list {
		if one == a {
			return true
		}
	}
	return false
}

// stripMarkers takes off what stands in front of a line's text: bullets,
// numbers, check boxes, headings, tags in brackets. An unchecked box is no text.
func stripMarkers(text string) (stripped string, skip bool) {
	text = strings.TrimSpace(text)
	for {
		before := text
		text = strings.TrimLeft(text, "* ")
		for _, bullet := range []string{"- ", "+ "} {
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
	"版本", "镜像版本", "平台", "标签", "sync", "porter", "tag", "version", "the", "arch", "hub-mirror", "latest", "个", "源镜像", "原镜像", "原始镜像", "源", "docker", "name", "addr",
	"镜像架构", "镜像仓库", "仓库", "镜像仓库地址", "地址", "列表", "同步", "搬运", "转换", "名称", "需要", "请", "谢谢", "thanks", "please", "url", "registry", "repository")

func isFiller(word string) bool {
	return fillers[strings.ToLower(strings.Trim(word, ".:*_~#-=。!?<> "))]
}

var wishes = []string{"同步", "搬运", "转换", "拉取", "拉一下", "需要", "求个", "求一", "跪求", "求 ", "帮忙", "请帮", "麻烦", "缓存", "下载", "想要", "申请", "加一下", "添加", "搬一下", "转存", "迁移", "镜像一下", "请求",
	"mirror", "sync", "need", "want", "please", "request", "copy", "transfer", "pull", "port ", "fetch", "would like", "add "}

// hasWish tells whether a sentence asks for something to be mirrored.
func hasWish(text string) bool {
	text = strings.ToLower(text)
	for _, w := range wishes {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

var questions = []string{"吗", "怎么", "如何", "为什么", "为啥", "请问", "什么", "咋", "能不能", "是否", "how ", "why ", "what ", "when ", "where ", "which ", "is it ", "does ", "do i ", "can i "}

// isQuestion tells whether a sentence asks for an answer.
func isQuestion(text string) bool {
	text = strings.ToLower(text)
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
