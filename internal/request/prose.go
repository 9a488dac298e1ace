package request

import (
	"slices"
	"strings"
)

// prosePass reads plain text, and knows what the lines above tell of the next one.
type prosePass struct {
	*scan
	list    listOfLines
	seen    int  // the lines that output tells of
	output  bool // the block of code shows a prompt, and the output of commands
	machine bool // the line above tells of a machine
}

// readText reads plain text: lists, rows, lines, sentences. A line that
// consists of images and filler words is a list, in which a name without a tag
// is enough; in a sentence, only unmistakable names count.
func (s *scan) readText() {
	p := prosePass{scan: s}
	s.rest(p.read)
}

// read reads the line at an index.
func (p *prosePass) read(i int, written *line) {
	p.followOutput(i)
	p.taken[i] = true
	if written.script || p.output && !strings.ContainsAny(written.text, "/:") {
		return // "CentOS Linux release 7.9" is what a command in the block has written
	}
	p.spelled[i], p.odd = true, p.odd[:0]
	whole := maskEmoji(maskBold(maskTags(written.text)))
	text, unticked := stripMarkers(whole)
	shifted := *written
	l := &shifted
	l.shift = len(strings.TrimRight(whole, " ")) - len(text)
	p.list.add(l)
	if unticked {
		// It is reported, but not requested.
		p.spelled[i] = !p.isItemOfImage(l.text)
		return
	}
	text = closeGaps(beforeExample(p.beforeComment(maskPrompt(text))))
	if strings.TrimSpace(text) == "" {
		if isMarked(whole) {
			p.addEntry(l)
		}
		return
	}
	p.machine = machineHeads.has(lower(strings.Trim(text, " :?*_`"))) || p.machine && isMachine(text) && !strings.HasPrefix(whole, "#")
	switch {
	case p.machine, isEnvironment(text), opensBlock(text), isDaemon(l.text) && !strings.Contains(text, "镜像"):
		p.noteEntry(&spokenLine{line: l, sentence: sentence{written: text}, about: summary{other: 1}})
	case strings.TrimSpace(text) == "->":
		if len(p.arrows) < maxUses {
			p.arrows = append(p.arrows, l.number)
		}
	default:
		p.readSpoken(l, text)
	}
}

// readSpoken reads a line that is no heading of another kind, but a row, a list or prose.
func (p *prosePass) readSpoken(l *line, text string) {
	if problem, ok := p.selectedTags(text); ok {
		p.flaw(l, 0, problem)
		return
	}
	from := len(p.candidates)
	if strings.HasPrefix(text, "|") {
		p.readCells(l, text)
	} else {
		p.readLine(l, text)
	}
	if text = strings.TrimSpace(l.text); strings.HasPrefix(text, "#") || strings.HasPrefix(text, "//") {
		for n := range p.candidates[from:] {
			p.candidates[from+n].heading = true
		}
	}
}

// followOutput brings output up to the line at an index.
func (p *prosePass) followOutput(i int) {
	for ; p.seen <= i; p.seen++ {
		l := &p.lines[p.seen]
		p.output = l.fenced && (p.output || promptMarks.in(l.text) && !strings.Contains(l.text, "image"))
	}
}

// promptMarks are ends of the prompts of a shell.
var promptMarks = phrases{list: "]# |~# |$ "}

// maskPrompt masks the prompt of a shell at the beginning of a line, which has a name
// of the machine: "alpine:~# docker ps", "root@node:/opt$".
func maskPrompt(text string) string {
	from := len(text) - len(strings.TrimLeft(text, " "))
	prompt, _, _ := strings.Cut(text[from:], " ")
	_, folder, ok := strings.Cut(prompt, ":")
	if !ok || folder == "" || strings.IndexByte("~/", folder[0]) < 0 || !strings.HasSuffix(folder, "#") && !strings.HasSuffix(folder, "$") {
		return text
	}
	return blank(text, from, from+len(prompt))
}

// isItemOfImage reports whether an item with a box begins with an image, or has one in code
// marks.
func (s *scan) isItemOfImage(text string) bool {
	_, item, ok := strings.Cut(text, "]")
	_, code, marked := strings.Cut(item, "`")
	return ok && s.beginsWithImage(item) || marked && s.beginsWithImage(code)
}

// beginsWithImage reports whether the first word of a text is an image.
func (s *scan) beginsWithImage(text string) bool {
	first, _, _ := strings.Cut(strings.TrimLeft(text, " "), " ")
	return len(s.peek(first).images) > 0
}

// listOfLines is the first line of the list that is being read; 0 for none.
type listOfLines int

// add notes the list to which a line belongs, if it is an item.
func (list *listOfLines) add(l *line) {
	item := l.shift > l.indent()
	switch heading := item && l.text[l.indent()] == '#'; {
	case item && !heading && *list == 0:
		*list = listOfLines(l.number)
	case (!item || heading) && l.indent() == 0:
		*list = 0
	}
	if item {
		l.list = int(*list)
	}
}

// opensBlock reports whether a line begins a block of code: "node {".
func opensBlock(text string) bool {
	head, ok := strings.CutSuffix(text, "{")
	return ok && isIdentifier(strings.TrimSpace(head))
}

// beforeComment returns the text before the comment on a line of a list: "nginx
// --platform=linux/arm64  # for the Pi".
func (s *scan) beforeComment(text string) string {
	before, _, ok := strings.Cut(text, " # ")
	if !ok {
		before, _, ok = strings.Cut(text, " // ")
	}
	if !ok || !s.beginsWithImage(before) {
		return text
	}
	return before
}

// readCells reads a row of a Markdown table: words that are alone in their
// cells, with the tag from the next cell.
func (s *scan) readCells(l *line, row string) {
	var words []string
	open := false // the last word is an image without a tag
	for _, cell := range strings.Split(row, "|") {
		if cell = wordOfCell(cell); cell == "" {
			open = false
			continue
		}
		r := s.peek(cell)
		switch {
		case open && isTagOfCell(cell):
			words[len(words)-1] += ":" + cell
		case r.strength != bare || l.entry && strings.Trim(row, "| ") == cell:
			words = append(words, cell)
		}
		open = r.strength >= official && r.untagged()
	}
	if slices.ContainsFunc(words, func(w string) bool { return s.peek(w).strength >= tagged }) {
		words = slices.DeleteFunc(words, func(w string) bool { return s.peek(w).strength == official }) // "node" beside "a/b:1"
	}
	s.readLine(l, strings.Join(words, " "))
}

// wordOfCell returns the word that is alone in a cell, or in front of a remark;
// empty if there is none: "`nginx:1.25` (from Docker Hub)".
func wordOfCell(cell string) string {
	cell = joinCell(strings.TrimSpace(cell))
	if first, _, ok := strings.Cut(strings.TrimPrefix(cell, "`"), "` "); ok && strings.HasPrefix(cell, "`") {
		cell = first
	}
	if cell = strings.Trim(cell, "`\"'*"); strings.Contains(cell, " ") {
		return ""
	}
	return cell
}
