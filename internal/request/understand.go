package request

import (
	"slices"
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
	req.NoWish = len(req.Images)+len(req.Problems) == 0 && !e.wishes(len(req.LeftOut) > 0)
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
	own := readTemplates(in.Templates)
	whole := normalise(bound(in.Body))
	if !strings.Contains(whole, "\n") {
		whole = strings.ReplaceAll(whole, `\n`, "\n") // text from a shell or JSON
	}
	title := normaliseTitle(bound(in.Title))

	lines, all := splitLines(maskAttributes(maskComments(whole)))
	maskHidden(lines, bound(in.Body))
	markEntries(lines, in.List)
	own.subtract(lines)
	if beginsForm(title, lines) {
		lines, title = append([]line{{text: title}}, lines...), ""
	}
	maskMail(lines)
	maskQuotes(lines)
	for i := range lines {
		if l := &lines[i]; !l.fenced && strings.Contains(l.text, "~~") {
			l.text = strings.TrimRight(maskStruck(l.text), " ")
		}
	}
	maskDiffs(lines)
	maskBelow(lines, isUnwanted, isNot)
	maskTicked(lines)
	maskExcerpts(lines)
	maskManifests(lines)
	maskForeignTemplates(title+"\n"+whole, lines)
	if own.titles[title] {
		title = ""
	}
	shown := joinLines(lines)
	chinese, english := isChinese(title) || isChinese(shown), isEnglish(lower(title)) || isEnglish(shown)
	archive := wantsArchive(title, shown, lines)
	expandValues(lines)
	expandVariables(lines)

	e = evidence{in: in, title: scanText([]line{{text: title}}), body: scanText(lines)}
	if !e.body.names() && !e.title.isImage() && unmaskQuotes(lines) {
		e.body = scanText(lines) // quotes count if nothing else names an image
	}
	if len(e.body.with(taken)) == 0 && !e.title.isImage() && tickBoxes(lines) {
		e.body = scanText(lines)
	}
	if e.isWorded() {
		e.wording = weighWording(&e.title, &e.body)
	}
	e.chinese, e.english, e.archive = chinese, english && !chinese, archive
	return e, all
}

// beginsForm reports whether a title is the first field of the form in the body:
// "Registry: quay.io" above "Image: a/b".
func beginsForm(title string, lines []line) bool {
	at := slices.IndexFunc(lines, func(l line) bool { return l.text != "" })
	if at < 0 {
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
	for _, l := range lines {
		if l.entry {
			if s.listed == nil {
				s.listed = map[int]bool{}
			}
			s.listed[l.number] = true
		}
	}
	last, remarked := -1, false
	for i, c := range s.candidates {
		if at := c.line - lines[0].number; at != last {
			last, remarked = at, at < len(lines) && isRemarked(lines[at].text)
		}
		if remarked {
			s.candidates[i].doubted = true
		}
		if joined[c.line] {
			c.image.Assumptions = append(c.image.Assumptions, JoinedLines)
		}
	}
	sort.SliceStable(s.candidates, func(i, j int) bool {
		a, b := s.candidates[i], s.candidates[j]
		return a.line < b.line || a.line == b.line && a.at < b.at
	})
	noteBeside(s.candidates, lines)
	s.talk = joinLines(slices.DeleteFunc(slices.Clone(lines), func(l line) bool { return l.fenced }))
	return s.text
}

// joinLines returns the text of lines in lower case.
func joinLines(lines []line) string {
	size := 0
	for _, l := range lines {
		size += len(l.text) + 1
	}
	b := make([]byte, 0, size)
	for _, l := range lines {
		b = append(append(b, l.text...), '\n')
	}
	lowerBytes(b)
	return string(b)
}
