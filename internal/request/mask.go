package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// Text that does not count is masked: it is replaced by spaces of the same
// length, or its line is emptied, so that the positions of other text do not
// change.

// maskComments masks HTML comments. An unclosed one extends to the end, as in
// browsers.
func maskComments(text string) string {
	if !strings.Contains(text, "<!--") {
		return text
	}
	b := []byte(text)
	for at := 0; ; {
		open := strings.Index(text[at:], "<!--")
		if open < 0 {
			return string(b)
		}
		at += open
		end := len(text)
		if inside := strings.Index(text[at+4:], "-->"); inside >= 0 {
			end = at + 4 + inside + 3
		}
		for ; at < end; at++ {
			if b[at] != '\n' {
				b[at] = ' '
			}
		}
	}
}

// maskQuotes masks quoted replies: lines that begin with ">" outside of code.
// If a program is quoted, not a person, or the line above asks for what is quoted,
// "please add these:", only the mark is removed.
func maskQuotes(lines []line) {
	asked := false
	for i := range lines {
		l := &lines[i]
		at := l.indent()
		switch {
		case l.text == "":
		case l.fenced || !strings.HasPrefix(l.text[at:], ">"):
			said := lower(strings.TrimRight(l.text, " *"))
			asked = strings.HasSuffix(said, ":") && (isPolite(said) || hasWish(said))
		case asked, announces(lower(l.text)):
			l.text = blank(l.text, at, at+1)
		default:
			l.mask(isQuoted)
		}
	}
}

// unmaskQuotes removes the marks of masked quotes and reports whether there
// were any: block quotes and forwarded messages count if nothing else names an
// image.
func unmaskQuotes(lines []line) bool {
	found := false
	there := func(l line) bool { return l.text != "" }
	wish := func(l line) bool {
		said := lower(l.hidden)
		return l.masked == isQuoted && isPolite(said) && isAboutImage(said)
	}
	if !anyLine(lines, there) && !anyLine(lines, wish) {
		return false // only a quote that asks for nothing
	}
	for i := range lines {
		l := &lines[i]
		if l.masked != isQuoted {
			continue
		}
		found = true
		l.text, l.masked, l.hidden = l.hidden, isThere, ""
		for at := l.indent(); strings.HasPrefix(l.text[at:], ">"); at = l.indent() {
			l.text = blank(l.text, at, at+1)
		}
		l.text = strings.TrimRight(l.text, " ")
	}
	return found
}

// maskAllStruck masks what is struck out in lines outside of code.
func maskAllStruck(lines []line) {
	for i := range lines {
		if l := &lines[i]; !l.fenced && strings.Contains(l.text, "~~") {
			l.text = strings.TrimRight(maskStruck(l.text), " ")
		}
	}
}

// maskStruck masks "~~struck out text~~".
func maskStruck(text string) string {
	parts := strings.SplitAfter(text, "~~")
	for n := 1; n+1 < len(parts); n += 2 {
		head, _ := strings.CutSuffix(parts[n-1], "~~")
		parts[n-1], parts[n] = head, strings.Repeat(" ", len(parts[n])+len("~~"))
	}
	return strings.Join(parts, "")
}

// box is the box in front of an item of a list.
type box struct {
	at     int // its offset
	ticked bool
	sure   strength // that the first word of the item is an image
	remark string   // the text behind that word, in lower case
}

// boxOf returns the box of a line.
func boxOf(l *line) (b box, ok bool) {
	b.at = l.indent()
	text := strings.TrimLeft(l.text[b.at:], "-*+ ")
	b.at = len(l.text) - len(text)
	b.ticked = strings.HasPrefix(text, "[x] ") || strings.HasPrefix(text, "[X] ")
	if l.fenced || !b.ticked && !strings.HasPrefix(text, "[ ] ") {
		return b, false
	}
	text = strings.TrimLeft(text[len("[ ] "):], " `")
	if verb, code, ok := strings.Cut(text, " `"); ok && !b.ticked && strings.Count(code, "`") == 1 && !strings.ContainsAny(verb, "/:.,") {
		text = code // "mirror `a/b:1`"
	}
	first := text
	if end := strings.IndexAny(text, " ("); end >= 0 {
		first, b.remark = text[:end], lower(text[end:])
	}
	b.sure = readWord(strings.Trim(first, "`")).strength
	if behind, _, _ := strings.Cut(strings.TrimLeft(b.remark, " `"), " "); b.sure >= path && looksLikeTag(strings.Trim(behind, "`")) || looksLikeTag(strings.Trim(first, "`")) {
		b.sure = max(b.sure, tagged) // "a/b 1.2", and the tag alone
	}
	return b, true
}

// isImage reports whether the item begins with an image for certain, or in a list with
// such items, with what may be one and nothing but a remark behind it: "busybox (via
// flannel)".
func (b *box) isImage(inList bool) bool {
	alone := b.remark == "" || strings.HasPrefix(b.remark, " (")
	return b.sure >= tagged || inList && alone && b.sure >= official
}

// tickBoxes removes the boxes of unticked items that begin with an image, and
// reports whether there were any: in a list of what is still open they count if
// nothing else names an image.
func tickBoxes(lines []line) bool {
	found := false
	for from := 0; from < len(lines); from++ {
		to, images := from, false
		for ; to < len(lines); to++ {
			b, ok := boxOf(&lines[to])
			if !ok {
				break
			}
			images = images || b.isImage(false)
		}
		for i := from; i < to; i++ {
			if b, _ := boxOf(&lines[i]); !b.ticked && b.isImage(images) {
				lines[i].text, found = blank(lines[i].text, b.at, b.at+len("[ ]")), true
			}
		}
		from = to
	}
	return found
}

// maskTicked masks the ticked items of a list of images, and ticks the others, if
// the ticked ones are done according to a remark behind one or to a sentence. If none is
// ticked, all are what is to be done.
func maskTicked(lines []line) {
	var ticked []*line
	done, open := false, false
	for i := range lines {
		l := &lines[i]
		if b, ok := boxOf(l); !ok || !b.isImage(false) {
			done = done || !l.fenced && untickeds.in(lower(l.text))
		} else if open = open || !b.ticked; b.ticked {
			ticked = append(ticked, l)
			done = done || dones.in(b.remark)
		}
	}
	if !open || !done && len(ticked) > 0 {
		return
	}
	for _, l := range ticked {
		l.mask(isNot)
	}
	tickBoxes(lines)
}

// dones are words of remarks about what needs to be done no more, untickeds what
// sentences call items without a tick.
var (
	dones     = phrases{list: "dones"}
	untickeds = phrases{list: "untickeds"}
)

// mailHeads are the headings of mail programs above the original message, in
// lower case and between dashes.
var mailHeads = phrases{list: "mailHeads"}

// mailEnds are endings of the line that names the author of the message below
// it.
const mailEnds = wordList("mailEnds")

// senders and dates are the first lines of the header of a forwarded message.
const (
	senders = wordList("senders")
	dates   = wordList("dates")
)

// maskMail masks the original message below a reply by mail. Of a message whose lines
// begin with ">", only those belong to it: the reply may be below.
func maskMail(lines []line) {
	for i := range lines {
		if lines[i].fenced || lines[i].text == "" || !beginsMail(lines, i) {
			continue
		}
		if next := nextText(lines, i+1); next < len(lines) && strings.HasPrefix(lines[next].text, ">") {
			lines[i].mask(isQuoted)
			continue
		}
		for n := i; n < len(lines); n++ {
			lines[n].mask(isQuoted)
		}
		return
	}
}

// nextText returns the index of the first line from i on that is not empty; the
// number of lines if there is none.
func nextText(lines []line, i int) int {
	for i < len(lines) && strings.TrimSpace(lines[i].text) == "" && !lines[i].fenced {
		i++
	}
	return i
}

// beginsMail reports whether a line is the first of the header of a message.
func beginsMail(lines []line, i int) bool {
	text := strings.TrimSpace(lines[i].text)
	if len(text) > 300 || !strings.HasPrefix(text, "--") && strings.IndexByte(text, ':') < 0 {
		return false
	}
	text = lower(text)
	starts := func(text string, words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(text, w) })
	}
	switch {
	case strings.HasPrefix(text, "--") && mailHeads.in(text):
		return true
	case slices.ContainsFunc(mailEnds.words(), func(end string) bool { return strings.HasSuffix(text, end) }):
		return strings.ContainsAny(text, "0123456789@") || i > 0 && strings.ContainsAny(lines[i-1].text, "0123456789@")
	case starts(text, senders.words()) && !strings.Contains(text, "/"):
		for n := i + 1; n < min(i+4, len(lines)); n++ {
			if starts(lower(strings.TrimSpace(lines[n].text)), dates.words()) {
				return true
			}
		}
	}
	return false
}

// maskDiffs masks removed lines of a diff, marks unchanged ones, and removes
// the mark of added ones.
func maskDiffs(lines []line) {
	inside, unnamed := false, unnamedDiffs(lines)
	removed := map[string]bool{} // contents of removed lines
	for i := range lines {
		l := &lines[i]
		inside = l.isInDiff(inside)
		if l.text == "" || !inside && !l.diff && !unnamed[i] {
			continue
		}
		switch {
		case isDiffHead(l.text):
			l.mask(isUnchanged)
		case l.text[0] == '-':
			removed[contentOf(l.text)] = true
			l.mask(isRemoved)
		case l.text[0] == '+':
			l.unchanged = removed[contentOf(l.text)]
			l.text = blank(l.text, 0, 1)
		default:
			l.unchanged = true
		}
	}
}

// isInDiff reports whether a line is in a diff that begins with its header, if before
// says so of the line above. In a block of code the diff goes on to the end of it.
func (l *line) isInDiff(before bool) bool {
	switch {
	case strings.HasPrefix(l.text, "@@ -"), strings.HasPrefix(l.text, "diff --git "):
		return true
	case l.fenced:
		return before
	case l.text == "":
		return false
	}
	return before && (strings.IndexByte("+- @\\", l.text[0]) >= 0 || isDiffHead(l.text))
}

// contentOf returns a line of a diff without what changes if another one is added below
// it: its sign, spaces and a comma.
func contentOf(text string) string { return strings.Trim(text[1:], " ,") }

// unnamedDiffs reports which lines are in a fenced block that is a diff according to its
// lines, whatever language it names: some begin with "+", and all others with "-" or a
// space.
func unnamedDiffs(lines []line) []bool {
	is := make([]bool, len(lines))
	for from := 0; from < len(lines); {
		to, added, kept, other := from, false, false, false
		for ; to < len(lines) && lines[to].fenced; to++ {
			if text := lines[to].text; text != "" && to > from {
				added, kept = added || text[0] == '+', kept || text[0] == ' '
				other = other || strings.IndexByte("+- ", text[0]) < 0
			}
		}
		for n := from; n < to; n++ {
			is[n] = added && kept && !other
		}
		from = max(to, from+1)
	}
	return is
}

// isDiffHead reports whether a line belongs to the header of a diff or of one
// of its parts.
func isDiffHead(text string) bool {
	for _, head := range []string{"diff --git ", "index ", "--- ", "+++ ", "@@ ", "new file mode ", "deleted file mode ", "similarity index ", "rename from ", "rename to ", "\\ No newline"} {
		if strings.HasPrefix(text, head) {
			return true
		}
	}
	return false
}

// maskExcerpts masks the numbered lines of a Dockerfile that a failed build
// shows around the error, marked with ">>>". The error message itself names the
// image.
func maskExcerpts(lines []line) {
	if !anyLine(lines, func(l line) bool { return strings.Contains(l.text, " | >>> ") }) {
		return
	}
	for i := range lines {
		l := &lines[i]
		if number, _, ok := strings.Cut(strings.TrimLeft(l.text, " "), " |"); ok && isDigits(number) {
			lines[i].mask(isExcerpt)
		}
	}
}

// maskManifests masks the list below "Manifests:" in the output of "docker
// buildx imagetools inspect", which are the parts of the image above.
func maskManifests(lines []line) {
	typed, inside := false, false
	for i := range lines {
		l := &lines[i]
		switch text := strings.TrimSpace(l.text); {
		case strings.HasPrefix(text, "MediaType:"):
			typed = true
		case text == "Manifests:":
			inside = typed
		case inside && text != "" && l.indent() == 0:
			inside = false
		case inside:
			lines[i].mask(isExcerpt)
		}
	}
}

// maskScanned masks the operating system that scanners name behind an image, if a line has
// nothing else: "a/b:1 (alpine 3.18.5)".
func maskScanned(lines []line) {
	for i := range lines {
		l := &lines[i]
		text := strings.TrimRight(l.text, " ")
		at := strings.Index(text, " (")
		if at < 0 || !strings.HasSuffix(text, ")") || strings.Contains(strings.TrimLeft(text[:at], " "), " ") || !isComplete(text[:at]) {
			continue
		}
		system, version, _ := strings.Cut(text[at+len(" ("):len(text)-1], " ")
		if known.IsOfficial(system) && isVersion(version) {
			l.text = blank(l.text, at, len(text))
		}
	}
}

// maskExampleFields masks lines whose label says that the value is an example:
// "Example of what we need: a/b:1".
func maskExampleFields(lines []line) {
	const most = 60 // bytes of a label
	for i := range lines {
		label, value, ok := strings.Cut(lower(strings.TrimLeft(lines[i].text, " *_-`\"")), ":")
		if ok && !lines[i].fenced && len(label) <= most && strings.ContainsAny(value, "/:") && exampleLabels.starts(label) && !failing.in(label) {
			lines[i].mask(isExample)
		}
	}
}

// exampleLabels are beginnings of such labels.
var exampleLabels = phrases{list: "exampleLabels"}

// examples are exampleHeads before a colon.
var examples = endings{list: exampleHeads}

// exampleHeads are endings of lines, before a colon, that announce an example.
const exampleHeads = wordList("exampleHeads")

// blockHead is a line that announces the block below it: "Examples (do not copy):".
type blockHead struct {
	words  string // in lower case, without the remark
	remark string // in parentheses behind the words
	whole  bool   // the line is a heading without a colon: its words tell only together
}

// blockHeadOf returns the head that a line is. Above a list, words such as "比如" need no
// colon.
func blockHeadOf(lines []line, i int) (h blockHead, ok bool) {
	const most = 120 // bytes
	text := lower(strings.TrimRight(strings.TrimSpace(lines[i].text), " *_"))
	words, colon := strings.CutSuffix(text, ":")
	switch heading, is := strings.CutPrefix(text, "#"); {
	case text == "":
		return h, false
	case colon:
	case is, isSection(text):
		return blockHead{words: strings.Trim(heading, "# *_[]"), whole: true}, true
	case !strings.HasSuffix(text, "如") || i+1 == len(lines) || !strings.HasPrefix(strings.TrimLeft(lines[i+1].text, " "), "- "):
		return h, false
	}
	h.words = strings.TrimRight(words, " *_")
	if at := strings.LastIndexByte(h.words, '('); at > 0 && strings.HasSuffix(h.words, ")") {
		h.words, h.remark = strings.TrimRight(h.words[:at], " *_"), h.words[at+1:len(h.words)-1]
	}
	return h, len(h.words) <= most
}

// isSection reports whether a line is the name of a section of a file: "[done]".
func isSection(text string) bool {
	return strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") && !strings.ContainsAny(text, " ,\"'/:")
}

// is reports whether a head ends with one of some words, or consists of them.
func (h blockHead) is(heads *endings) bool {
	if h.whole {
		return heads.has(h.words)
	}
	return heads.end(h.words)
}

// maskBelow masks the blocks below the heads of which is is true.
func maskBelow(lines []line, is func(blockHead) bool, why reason) {
	for i := 0; i < len(lines); i++ {
		if h, ok := blockHeadOf(lines, i); !ok || !is(h) {
			continue
		}
		from := nextText(lines, i+1)
		end := blockEnd(lines, from, why) // masked lines are empty
		for n := from; n < end; n++ {
			if why == isExample && announces(lower(lines[n].text)) {
				continue // what a program says is no example of what to write
			}
			lines[n].mask(why)
			i = n
		}
	}
}

// blockEnd returns the index behind the block that begins on a line: the code, or the
// lines up to the next empty one. A list that is not wanted ends at the next head, too.
func blockEnd(lines []line, from int, why reason) int {
	n := from
	for ; n < len(lines); n++ {
		l := &lines[n]
		switch {
		case l.fenced != lines[from].fenced:
			return n
		case l.fenced:
		case strings.TrimSpace(l.text) == "":
			return n
		case why == isNot && n > from:
			if _, ok := blockHeadOf(lines, n); ok {
				return n
			}
		}
	}
	return n
}
