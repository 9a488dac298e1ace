package request

import (
	"sort"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Parse finds the images that the author of in requests, in order and without
// duplicates. It accepts any input, returns no error, and takes time linear in
// the size of the input; parts that could not be understood are Problems.
func Parse(in Input) Request {
	e, all := understand(in)
	req := e.request()
	if len(in.Body) > MaxInput || len(in.Title) > MaxInput {
		req.Problems = append(req.Problems, Problem{Code: TooLarge, Suggestion: limit(MaxInput)})
	}
	if !all {
		req.Problems = append(req.Problems, Problem{Code: TooManyLines, Line: MaxLines + 1, Suggestion: limit(MaxLines)})
	}
	nothing := len(req.Images)+len(req.Problems) == 0
	req.NoWish = nothing && !e.wishes(len(req.LeftOut) > 0)
	if nothing && !req.NoWish && len(req.LeftOut) == 0 {
		req.LeftOut = e.leftOut(req, path) // names without a tag
	}
	return req
}

// understand returns the evidence after all rules, and whether all lines were
// read.
func understand(in Input) (e evidence, all bool) {
	e, all = gather(in)
	return decide(e), all
}

// gather returns the evidence before the rules, and whether all lines were read.
func gather(in Input) (e evidence, all bool) {
	title, whole := normaliseTitle(bound(in.Title)), normaliseBody(bound(in.Body))
	lines, all := splitLines(maskAttributes(maskComments(whole)))
	maskHidden(lines, bound(in.Body))
	markEntries(lines, in.List)
	own := readTemplates(in.Templates)
	own.subtract(lines)
	if beginsForm(title, lines) {
		lines, title = append([]line{{text: title}}, lines...), ""
	}
	maskOthers(lines)
	maskForeignTemplates(title+"\n"+whole, lines)
	if own.titles[title] {
		title = ""
	}
	e = evidence{in: in}
	shown := joinLines(lines)
	e.chinese = isChinese(title) || isChinese(shown)
	e.english = !e.chinese && (isEnglish(lower(title)) || isEnglish(shown))
	e.archive = wantsArchive(title, shown, lines)
	expand(lines)
	e.scan(title, lines)
	return e, all
}

// normaliseBody returns a body as normalised lines, also if they are from a shell or JSON.
func normaliseBody(body string) string {
	body = normalise(body)
	if !strings.Contains(body, "\n") {
		body = strings.ReplaceAll(body, `\n`, "\n")
	}
	return body
}

// maskOthers masks what is not the author's, or not meant.
func maskOthers(lines []line) {
	maskMail(lines)
	maskQuotes(lines)
	maskAllStruck(lines)
	maskDiffs(lines)
	maskBelow(lines, isUnwanted, isNot)
	maskTicked(lines)
	maskExcerpts(lines)
	maskManifests(lines)
	maskScanned(lines)
}

// scan reads the title and the body. Quotes and items without a tick count if nothing else
// names an image.
func (e *evidence) scan(title string, lines []line) {
	e.title, e.body = scanText([]line{{text: title}}), scanText(lines)
	if !e.body.names() && !e.title.isImage() && unmaskQuotes(lines) {
		e.body = scanText(lines)
	}
	if len(e.body.with(taken)) == 0 && !e.title.isImage() && tickBoxes(lines) {
		e.body = scanText(lines)
	}
	if e.isWorded() {
		e.wording = weighWording(&e.title, &e.body)
	}
}

// beginsForm reports whether a title is the first field of the form in the body:
// "Registry: quay.io" above "Image: a/b".
func beginsForm(title string, lines []line) bool {
	at := 0
	for at < len(lines) && lines[at].text == "" {
		at++
	}
	if at == len(lines) {
		return false
	}
	if strings.HasPrefix(title, "#") {
		return partOf(strings.Trim(title, "# ")) != noPart
	}
	isField := func(text string) bool {
		label, value, ok := strings.Cut(text, ":")
		return ok && value != "" && partOf(label) != noPart
	}
	return isField(title) && isField(lines[at].text)
}

// isWorded reports whether the wording of a text counts: it has some prose. A text
// without a title is no issue, but was given to the command line.
func (e *evidence) isWorded() bool {
	const fewest = 3
	return !e.title.blank && e.title.told+e.body.told >= fewest
}

// scanText reads normalised lines.
func scanText(lines []line) text {
	s := &scan{lines: lines, taken: make([]bool, len(lines)), spelled: make([]bool, len(lines)), known: map[reference.Reference]bool{}, offered: map[reference.Reference]bool{}, memo: map[string]reading{}}
	joined := joinBroken(lines)
	whole := joinLines(lines)
	s.readSignals(whole)
	for _, d := range dialects {
		if d.keywords == nil || d.keywords.in(whole) {
			d.read(s)
		}
	}
	s.readLeftOver()
	s.noteUnheard()
	s.noteListed()
	s.noteTagLists()
	s.noteEntries()
	s.noteRemarks()
	for _, c := range s.candidates {
		if joined[c.line] {
			c.image.Assumptions = append(c.image.Assumptions, JoinedLines)
		}
	}
	sort.SliceStable(s.candidates, func(i, j int) bool {
		a, b := &s.candidates[i], &s.candidates[j]
		return a.line < b.line || a.line == b.line && a.at < b.at
	})
	noteBeside(s.candidates, lines)
	s.talk = joinSome(lines, false)
	return s.text
}

// noteEntries notes the lines that have to name an image.
func (s *scan) noteEntries() {
	for _, l := range s.lines {
		if !l.entry {
			continue
		}
		if s.listed == nil {
			s.listed = map[int]bool{}
		}
		s.listed[l.number] = true
	}
}

// noteRemarks notes of which candidates the comment on their line says that they are not
// needed.
func (s *scan) noteRemarks() {
	last, remarked := -1, false
	for i := range s.candidates {
		c := &s.candidates[i]
		if at := c.line - s.lines[0].number; at != last {
			last, remarked = at, at < len(s.lines) && isRemarked(s.lines[at].text)
		}
		c.doubted = c.doubted || remarked
	}
}

// joinLines returns the text of lines in lower case.
func joinLines(lines []line) string { return joinSome(lines, true) }

// joinSome returns the text of lines in lower case, with or without that of code blocks.
func joinSome(lines []line, fenced bool) string {
	size := 0
	for i := range lines {
		size += len(lines[i].text) + 1
	}
	b := make([]byte, 0, size)
	for i := range lines {
		if l := &lines[i]; fenced || !l.fenced {
			b = append(append(b, l.text...), '\n')
		}
	}
	lowerBytes(b)
	return string(b)
}
