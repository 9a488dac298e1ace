package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// readText reads plain text: lists, rows, lines, sentences. A line that
// consists of images and filler words is a list, in which a name without a tag
// is enough; in a sentence, only unmistakable names count.
func (s *scan) readText() {
	seen, output, machine := 0, false, false // machine: the line above tells of one
	var list listOfLines
	s.rest(func(i int, l *line) {
		for ; seen <= i; seen++ {
			one := &s.lines[seen]
			output = one.fenced && (output || promptMarks.in(one.text) && !strings.Contains(one.text, "image"))
		}
		if s.taken[i] = true; l.script || output && !strings.ContainsAny(l.text, "/:") {
			return // "CentOS Linux release 7.9" is what a command in the block has written
		}
		s.spelled[i], s.odd = true, s.odd[:0]
		whole := maskEmoji(maskBold(maskTags(l.text)))
		text, skip := stripMarkers(whole)
		shifted := *l
		l = &shifted
		l.shift = len(strings.TrimRight(whole, " ")) - len(text)
		list.add(l)
		if _, item, ok := strings.Cut(l.text, "]"); skip && ok {
			// An unticked item is reported, but not requested.
			first, _, _ := strings.Cut(strings.TrimLeft(item, " "), " ")
			s.spelled[i] = len(s.peek(first).images) == 0
		}
		if text = closeGaps(beforeExample(s.beforeComment(maskPrompt(text)))); skip || strings.TrimSpace(text) == "" {
			if !skip && isMarked(whole) {
				s.addEntry(l)
			}
			return
		}
		machine = machineHeads.has(lower(strings.Trim(text, " :?*_`"))) || machine && isMachine(text) && !strings.HasPrefix(whole, "#")
		if isEnvironment(text) || machine || opensBlock(text) || isDaemon(l.text) && !strings.Contains(text, "镜像") {
			s.noteEntry(l, text, nil, nil, summary{other: 1})
			return
		}
		if p, ok := s.selectedTags(text); ok {
			s.flaw(l, 0, p)
			return
		}
		if strings.TrimSpace(text) == "->" {
			if len(s.arrows) < maxUses {
				s.arrows = append(s.arrows, l.number)
			}
			return
		}
		from := len(s.candidates)
		if strings.HasPrefix(text, "|") {
			s.readCells(l, text)
		} else {
			s.readLine(l, text)
		}
		if strings.HasPrefix(strings.TrimSpace(l.text), "#") {
			for n := range s.candidates[from:] {
				s.candidates[from+n].heading = true
			}
		}
	})
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
	if first, _, _ := strings.Cut(strings.TrimLeft(before, " "), " "); !ok || len(s.peek(first).images) == 0 {
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
		cell = strings.TrimSpace(cell)
		if first, _, ok := strings.Cut(strings.TrimPrefix(cell, "`"), "` "); ok && strings.HasPrefix(cell, "`") {
			cell = first // "`nginx:1.25` (from Docker Hub)"
		}
		cell = strings.Trim(cell, "`\"'*")
		if strings.Contains(cell, " ") || cell == "" {
			open = false
			continue
		}
		r := s.peek(cell)
		switch {
		case open && isTag(cell) && strings.ContainsAny(cell, ".-") && !strings.ContainsAny(cell, "/:") && !strings.HasSuffix(cell, "B"):
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

// summary has facts about a whole line.
type summary struct {
	plain    bool // only images and filler words
	wish     bool // asks to mirror something
	asked    bool // asks politely
	question bool // asks for an answer instead
	command  bool // a command line of an unknown program
	images   int  // words that are certainly images
	bare     int  // words that could be images
	foreign  int  // meaningful text in other scripts
	other    int  // words that are neither images nor platforms
}

// spokenLine is a line of text while it is read.
type spokenLine struct {
	*line
	sentence
	about    summary
	not      []bool          // the tokens that it excludes; nil if it is plain
	old      map[int]reading // the readings of tokens whose version is replaced by a newer one
	replaced bool            // an image is replaced by another
	where    *place          // of its words
	remark   bool            // behind its first word stands a remark
	from     int             // the number of candidates before it
	flaws    int             // and of flaws
}

// readLine reads one line of text.
func (s *scan) readLine(l *line, text string) {
	if s.readPairs(l, text) {
		return
	}
	u := s.openLine(l, resolveLinks(text))
	s.noteSentence(u)
	s.noteStatements(u)
	s.offerWords(u)
	finds := s.since(u.from)
	if len(finds) > 0 || len(s.flaws) > u.flaws {
		s.noteWords(l, u.written, u.toks, u.reads, finds, u.where)
	}
	if len(finds) == 0 {
		s.noteLineWithout(u)
		return
	}
	if s.chooseAmong(u, finds) {
		s.completeFinds(u, s.since(u.from))
	}
}

// openLine reads the words of a line.
func (s *scan) openLine(l *line, text string) *spokenLine {
	s.toks = appendTokens(s.toks[:0], text)
	u := &spokenLine{line: l, sentence: sentence{written: text, said: lower(text), toks: s.toks}, from: len(s.candidates), flaws: len(s.flaws)}
	u.on = marksOf(u.said)
	if u.on.has(&faultWords) {
		markFaulty(u.toks, u.said)
	}
	u.reads, u.about = s.readTokens(u.toks, text, u.on.has(&platformWords))
	splitNames(l, u.toks, u.reads, u.about)
	u.about.plain = u.about.plain || l.entry && listsImages(u.toks, u.reads, u.about)
	return u
}

// noteSentence notes what the text wants or tells according to a line.
func (s *scan) noteSentence(u *spokenLine) {
	on, about := u.on, &u.about
	if !about.plain {
		s.noteProse(u)
	}
	s.withdrawn = s.withdrawn || about.images == 0 && (on.has(&withdrawals) || on.has(&withdrawalEnds)) && withdraws(u.said, u.toks)
	s.wish = s.wish || about.plain && on.has(&doings) && isPolite(u.said) // "求同步镜像"
	s.wanted = s.wanted || (on.asks() || on.has(&orders) || on.has(&thanked)) && asksFor(u.said, u.toks, u.reads, u.number == 0, *about)
	s.also = s.also || about.images > 0 && (on.has(&additions) || u.from == 0 && addsFirst.starts(lower(strings.TrimLeft(u.line.text, " "))))
}

// addsFirst are words in front of the first image of a body that adds to the title.
var addsFirst = phrases{list: "addsFirst"}

// noteProse is noteSentence for a line with more than images and filler words.
func (s *scan) noteProse(u *spokenLine) {
	on, about, said := u.on, &u.about, u.said
	polite := on.asks() && isPolite(said) && (u.number > 0 || isPolite(notImperative.without(said)))
	about.wish = on.wishes() && hasWish(said)
	about.asked = polite && (about.wish || strings.Contains(u.written, "镜像"))
	doubt := strings.HasSuffix(said, "?") || on.has(&questions) || on.has(&interrogatives) && isQuestion(said)
	about.question = doubt && !polite
	s.found = s.found || about.images > 0
	s.desire = s.desire || about.images > 0 && on.has(&desires)
	s.doubt, s.polite = s.doubt || doubt, s.polite || polite
	s.question = s.question || about.question && !strings.HasPrefix(u.line.text, "#")
	if about.images+about.bare > 0 || about.other > 1 || len(versionsOf(u.toks)) == 0 {
		s.words += about.other + about.bare
	}
	concerns := (on.has(&wherever) || on.has(&doings) || on.has(&foreignDoings) || on.has(&foreignNouns)) && isAboutImage(said)
	s.about = s.about || concerns
	s.subject = s.subject || about.images == 0 && !concerns && (on.has(&others) || hasSubject(u.toks))
	s.prose = true
	s.tried = s.tried || about.images == 0 && isTry(strings.TrimSpace(u.written))
	s.wish = s.wish || polite && (about.images > 0 || about.other+about.bare <= talk || concerns)
	s.report = s.report || on.has(&reports)
	s.told += wordsOf(u.line, u.toks, u.reads)
}

// noteStatements reads what a line says about its images: which are excluded or
// replaced, and their tags.
func (s *scan) noteStatements(u *spokenLine) {
	on, about, said, toks, reads := u.on, &u.about, u.said, u.toks, u.reads
	u.shareTag()
	s.noteSpaces(u)
	if !about.plain {
		if u.hasRange() {
			askForTags(reads, false)
		}
		u.old = takeNewer(toks, reads, said)
		u.exclude()
		s.noteWithout(u)
		s.defect = s.defect || (on.has(&proposals) || on.has(&topics) || on.has(&defects) || on.has(&commits)) && isDefect(said) && (u.indent() == 0 || !commits.starts(said)) && !u.replaced && len(u.old) == 0
		s.replaces = s.replaces || u.replaced || len(u.old) > 0
		s.noteCorrection(u.line, toks, reads, said, on)
		if about.images > 0 && exceptThese.in(said) {
			s.onlyLine = u.number
		}
		last := u.lastImage(len(toks))
		for from := 0; from < len(toks); {
			to := clauseEnd(toks, from, last)
			clause := u.part(from, to)
			if tag := clause.joinSaidTags(u.number == 0); tag != "" {
				s.shared = append(s.shared, sharedTag{u.number, tag})
			}
			from = to
		}
	}
	s.noteTags(u.line, toks, reads, u.old, said, on)
	if len(s.mentioned) < maxUses {
		s.mentioned = append(s.mentioned, versionsOf(toks)...)
	}
	about.command = isUnknownCommand(u.line.text)
	u.where = about.place(u.line)
	if about.wish && !about.question && about.other <= talk {
		raiseListed(toks, reads)
	}
	if about.images > 0 && !about.plain && on.has(&everyTag) || about.images == 1 && (on.has(&series) || on.has(&wholes)) && wantsSeries(toks, said) {
		askForTags(reads, about.images == 1)
	}
	u.remark = !u.entry && len(toks) > 1 && isRemark(strings.TrimLeft(said[toks[0].at+len(toks[0].text):], "`\"'* "))
	u.denyPlatforms()
}

// offerWords offers the words of a line that may be images as candidates.
func (s *scan) offerWords(u *spokenLine) {
	for i, t := range u.toks {
		if r, ok := u.old[i]; ok {
			s.offer(u.line, t.at, r, inExclusion)
		}
		s.offerWord(u, i)
	}
	noteClauses(s.candidates[u.from:], u.said, u.on, u.fenced || u.shift > u.indent() || strings.HasPrefix(u.line.text, "|"))
	if len(s.candidates) == u.from {
		return
	}
	c := &s.candidates[u.from]
	c.opens = c.at == u.toks[0].at
	c.leads = c.opens && (u.remark || u.leadsToRemark())
	if n := len(s.corrected); n == 0 || s.corrected[n-1].line != u.number {
		noteFaults(s.candidates[u.from:], u.said)
	}
}

// leadsToRemark reports whether a line begins with the name of an official image and a
// version, behind which is a remark about it and not the rest of a sentence: "nginx 1.25
// (the proxy)", and as an item of a list ", the proxy" and "for the proxy" as well.
func (u *spokenLine) leadsToRemark() bool {
	if !u.reads[0].joined() || !u.reads[0].images[0].has(AssumedLibrary) || isAmount(u.toks, 1) {
		return false
	}
	rest := strings.TrimLeft(u.said[u.joinedEnd(0):], " `\"'*")
	if contrasts.in(rest) || faultWords.in(rest) || surroundings.in(rest) {
		return false
	}
	return isRemark(rest) || u.list > 0 && (strings.HasPrefix(rest, ",") || purposes.starts(rest)) && !finites.in(rest)
}

// purposes are words between an item of a list and what it is for, finites verbs of
// sentences about it, and surroundings what is said of an item that is only in use.
var (
	purposes     = phrases{list: "purposes"}
	finites      = phrases{list: "finites"}
	surroundings = phrases{list: "surroundings"}
)

// offerWord offers a word as a candidate at the place that it has in the line.
func (s *scan) offerWord(u *spokenLine, i int) {
	t, r, about := u.toks[i], u.reads[i], &u.about
	r.platforms = nil
	at := u.where
	if t.quoted && r.strength < at.needs && !about.question {
		at = inQuotes
	}
	if at.needs < certain && r.strength == tagged && len(r.images) == 1 && isOtherValue(u.line, u.written[max(0, t.at-60):t.at]) && r.images[0].has(AssumedLibrary) && !known.IsOfficial(r.images[0].name()) {
		at = inOtherKey
	}
	switch {
	case u.not != nil && u.not[i]:
		s.offer(u.line, t.at, r, inExclusion)
	case r.strength >= at.needs:
		s.offer(u.line, t.at, r, at)
	case about.question && r.strength >= path && len(r.images) > 0:
		s.offer(u.line, t.at, r, inQuestion)
	case r.mayBeNamespace() && (about.question || about.wish && isAboutImage(u.said)):
		s.flaw(u.line, t.at, Problem{Code: Ambiguous, Written: clip(t.text), Suggestion: r.images[0].Reference.String()})
	case r.strength >= bare && len(r.images) > 0:
		if about.asked && about.bare == 1 && about.images+about.other == 0 && about.foreign <= 2 {
			at = inPlainWish
		}
		if at.weaker == guessed && !strings.ContainsAny(u.written, "{}()=;") && !strings.HasSuffix(u.written, ":") || r.strength > official || u.remark && i == 0 && r.strength == official {
			s.offer(u.line, t.at, reading{strength: r.strength, images: slices.Clone(r.images[:1])}, at)
		}
	case r.problem != nil && about.plain:
		s.flaw(u.line, t.at, *r.problem)
	}
}

// platforms returns the platforms in a line. Those in a line that replaces an image are
// of the old one: "a/b:1 crashes on arm64, use a/b:2".
func (u *spokenLine) platforms() []reference.Platform {
	var all []reference.Platform
	for i := 0; i < len(u.reads) && !u.replaced; i++ {
		all = addPlatform(all, u.reads[i].platforms...)
	}
	return all
}

// noteLineWithout notes the entries, platforms and versions in a line without images.
func (s *scan) noteLineWithout(u *spokenLine) {
	about := &u.about
	s.noteEntry(u.line, u.written, u.toks, u.reads, *about)
	if about.plain || about.wish || u.on.has(&platformWords) {
		s.platforms = addPlatform(s.platforms, u.platforms()...)
	}
	switch {
	case about.images > 0:
	case about.foreign <= 2 && (!u.entry || about.other == 1) && s.onlyTags(u.toks):
		for _, i := range s.odd {
			if word := trimWord(u.toks[i].text); isTag(word) && !u.toks[i].faulty && !isOldVersionIn(u.said, u.toks[i].at) {
				s.versions = append(s.versions, sharedTag{u.number, word})
			}
		}
	default:
		tags := calledTags(u.toks)
		if tags == nil && (asksForAny(u.said) || u.on.has(&desires)) {
			tags = formTags(u.toks)
		}
		for _, tag := range tags {
			s.versions = append(s.versions, sharedTag{u.number, tag})
		}
	}
}

// chooseAmong drops the images of a line that are not meant beside the others: the line
// picks one, or one is the destination. It reports whether the rest is settled; if not,
// the author has to choose.
func (s *scan) chooseAmong(u *spokenLine, finds []*candidate) bool {
	if u.about.plain && len(finds) == 2 {
		moveTag(finds[0], finds[1])
	}
	if !u.about.plain && len(finds) > 1 {
		picked := len(finds) - 1
		switch {
		case u.on.has(&onlyFirst):
			picked = 0
		case !u.on.has(&onlyLast):
			picked = -1
		}
		for i, c := range finds {
			if picked >= 0 && i != picked {
				c.judge(dropped, inExclusion.name)
			}
		}
		finds = s.since(u.from)
	}
	if len(finds) > 1 && !u.about.plain && u.on.has(&oneOfThem) {
		for _, c := range finds {
			c.judge(asked, "either")
		}
		return false
	}
	if len(finds) == 2 && repeats(u.written, finds[0], finds[1]) {
		finds[0].judge(dropped, "says-less")
		finds[1].place = inSentence
		finds = s.since(u.from)
	}
	if n := len(finds); n >= 2 && (n == 2 && u.about.plain || isCopy(u.written, finds)) && isTarget(finds[1].image.Reference, finds[0].image.Reference) {
		finds[1].judge(dropped, "destination")
	}
	return true
}

// completeFinds gives the images of a line its platforms.
func (s *scan) completeFinds(u *spokenLine, finds []*candidate) {
	platforms := u.platforms()
	nearestPlatforms(finds, u.toks, u.reads)
	changed := !strings.Contains(u.line.text, u.written)
	for _, c := range finds {
		c.wished = u.about.wish
		image := c.image
		if len(image.Platforms) == 0 || len(finds) == 1 {
			image.Platforms = addPlatform(image.Platforms, platforms...)
		}
		if changed && strings.Contains(u.written[max(0, c.at-maxWritten):min(len(u.written), c.at+2*maxWritten)], image.Written) && !strings.Contains(u.line.text, image.Written) {
			image.Assumptions = append(image.Assumptions, RemovedSpace)
		}
	}
}

// Words that select one of the images of a sentence.
var (
	onlyFirst = phrases{list: "onlyFirst"}
	onlyLast  = phrases{list: "onlyLast"}
)

// isTry reports whether a line that holds no image is a single word with the marks of
// one. The address of a page has none but its slashes.
func isTry(line string) bool {
	marks := "/:@"
	if scheme, address, _ := strings.Cut(line, "://"); scheme == "http" || scheme == "https" {
		line, marks = address, ":@"
	}
	return !strings.Contains(line, " ") && strings.ContainsAny(line, marks)
}

// asksFor reports whether a sentence of a line, in lower case, asks for an image.
func asksFor(said string, toks []token, reads []reading, title bool, about summary) bool {
	for from, i := 0, 0; from < len(said); {
		next := sentenceEnd(said, from)
		images, words := 0, 0
		for ; i < len(toks) && toks[i].at < next; i++ {
			switch {
			case len(reads[i].images) > 0 && reads[i].strength > bare:
				images++
			case toks[i].kind == asciiWord:
				words++
			}
		}
		if one := strings.TrimSpace(said[from:next]); next == len(said) && from == 0 || words > 0 && words < 4 {
			images = about.images
			if wantsImage(one, title, images, about.other) {
				return true
			}
		} else if wantsImage(one, title, images, words) {
			return true
		}
		from = next
	}
	return false
}

// onlyTags reports whether the words of a line are only tags and courtesies.
func (s *scan) onlyTags(toks []token) bool {
	tags := 0
	for _, i := range s.odd {
		switch word := trimWord(toks[i].text); {
		case i > 0 && environments.has(spoken(toks[i-1])):
			return false // "Docker 24.0.7"
		case looksLikeTag(word) || isVersion(word) && (len(s.odd) == 1 || i > 0 && isTagNoun(toks[i-1])), isTag(word) && i+1 < len(toks) && isTagNoun(toks[i+1]):
			tags++
		case !courtesies.has(spoken(toks[i])) && !tagNouns.has(spoken(toks[i])) && spoken(toks[i]) != "only":
			return false
		}
	}
	return tags > 0 && tags <= maxUses
}

// isOtherValue reports whether the text before a word ends with a key for
// something else than an image: "stackName = ", in a block of code also "stack: ".
func isOtherValue(l *line, before string) bool {
	before = strings.TrimRight(before, " \"'`")
	key, ok := strings.CutSuffix(before, "=")
	if !ok && l.fenced {
		key, ok = strings.CutSuffix(before, ":")
	}
	key = lower(strings.TrimRight(key, " :\"'"))
	key = key[strings.LastIndexAny(key, " \"'.({,")+1:]
	_, p := sideOf(key)
	return ok && isIdentifier(key) && p == noPart && !containerKeys.in(key)
}

// containerKeys are parts of keys whose values may be images.
var containerKeys = phrases{list: "containerKeys"}

// repeats reports whether the second of two images is in brackets and repeats
// the first one at another host: "a/b (ghcr.io/a/b)".
func repeats(text string, first, second *candidate) bool {
	from, to := first.at+len(first.image.Written), second.at
	return from < to && to < len(text) && strings.TrimSpace(text[from:to]) == "(" && first.has(AssumedHost) && !second.has(AssumedHost) &&
		first.image.Reference.Repository().Path() == second.image.Reference.Repository().Path()
}

// isCopy reports whether the first two images of a line are the source and the
// destination of a copy, according to the text between them.
func isCopy(text string, finds []*candidate) bool {
	from, to := finds[0].at+len(finds[0].image.Written), finds[1].at
	if len(finds) > 2 || from > to || to > len(text) {
		return false
	}
	switch strings.ToLower(strings.Trim(text[from:to], " \"'`")) {
	case "", "to", "into", "as", "到", "至", "复制到", "推送到", "推到", "同步到", "放到":
		return true
	}
	return false
}

// isUnknownCommand reports whether a line is certainly a command: it begins
// with a prompt or with the path of a program.
func isUnknownCommand(text string) bool {
	text = strings.TrimLeft(text, " -*`")
	return strings.HasPrefix(text, "$ ") || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "sudo ") || strings.HasPrefix(text, "/usr/")
}

// place returns the place of the words on a line.
func (about *summary) place(l *line) *place {
	switch {
	case about.plain:
		return inLine
	case about.question:
		return inQuestion
	case about.command:
		return besideOne
	case about.asked && about.images == 1 && about.other+about.bare == 0 && about.foreign <= 2:
		return inPlainWish
	case about.wish, l.number == 0 && about.images == 1 && about.other+about.bare == 0:
		return inWish // titles name the image
	}
	return inSentence
}

// readTokens reads every word of a line with regard to its neighbours; if
// announced is set, ambiguous words are platforms.
func (s *scan) readTokens(toks []token, text string, announced bool) ([]reading, summary) {
	if cap(s.reads) < len(toks) {
		s.reads = make([]reading, 2*len(toks))
	}
	reads := s.reads[:len(toks)]
	clear(reads)
	s.odd = s.odd[:0]
	about := summary{plain: true}
	pairs, sure := pairTags(toks, text)
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
		case isShortName(toks, i):
		case !t.key && !strings.HasSuffix(t.text, ":") && isFiller(t.text) || trimWord(t.text) == "":
			continue
		}
		r := s.peek(t.text)
		if announced {
			if p, err := reference.ParsePlatform(trimWord(t.text)); err == nil {
				r = reading{platforms: []reference.Platform{p}}
			}
		}
		if r.isOther(t.text, text[t.at+len(t.text):]) {
			r = reading{}
		}
		switch {
		case isImageKey(lower(strings.TrimRight(t.text, ":"))) && (t.key || strings.HasSuffix(t.text, ":")):
			if at, r := s.readKeyed(toks, i); at > i {
				reads[at] = r
				about.images++
				i = at
			}
		case labelsImage(s, toks, i):
			continue
		case t.key && targetKeys.has(lower(t.text)):
			i = nextWord(toks, i)
		case t.key && (r.strength < tagged || opensObject(text[t.at+len(t.text):])) || isFiller(t.text) && len(toks) > 1 && !isShortName(toks, i):
			continue
		case t.key:
			// image-syncer's "source": "target".
			r.images = slices.Clone(r.images)
			reads[i] = r
			about.images++
			i = nextWord(toks, i)
		case r.strength >= official:
			r.images = slices.Clone(r.images)
			reads[i] = r
			about.images++
			if tags, paired := pairs[i]; paired && r.untagged() {
				reads[i].pair(tags, sure, t.text)
			} else {
				i = readNeighbours(toks, &reads[i], i, text)
			}
		case r.strength == bare:
			reads[i] = r
			about.bare++
			s.odd = append(s.odd, i)
		default:
			reads[i] = r
			if len(r.platforms) == 0 && r.problem == nil {
				about.plain = false
				about.other++
				s.odd = append(s.odd, i)
			}
		}
	}
	if about.bare > 0 && about.images+about.bare > 1 {
		about.plain = false
	}
	joinDigests(toks, reads, text)
	joinHost(toks, reads, text)
	s.shareNamespace(toks, reads)
	s.shareParent(toks, reads)
	return reads, about
}

// isOther reports whether a word without a tag is something else than an image according
// to the text behind it or the slash at its end: "Sync schedule (once/daily): once", "a/b
// directories", "registry.example.org/team/".
func (r reading) isOther(word, behind string) bool {
	const most = 32 // bytes behind it that matter
	behind = behind[:min(len(behind), most)]
	switch {
	case !r.untagged():
		return false
	case r.strength <= path && r.images[0].has(AssumedHost) && strings.HasPrefix(behind, "):"),
		r.strength <= path && folderNouns.starts(lower(strings.TrimLeft(behind, " `\"'"))):
		return true
	}
	return strings.HasSuffix(word, "/") && !strings.Contains(word, "://") && strings.Count(word, "/") < 3
}

// folderNouns are words behind the name of a folder.
var folderNouns = phrases{list: "folderNouns"}

// pair gives an image the tags of a line; if it is not sure that they are its own, the
// reading becomes a question.
func (r *reading) pair(tags []string, sure bool, written string) {
	r.give(tags)
	if !sure {
		*r = reading{strength: certain, problem: &Problem{Code: Ambiguous, Written: clip(written), Suggestion: r.images[0].Reference.String()}}
	}
}

// isShortName reports whether the word at an index is the name of an official image,
// alone on a line or in front of a version: "registry", "registry 2".
func isShortName(toks []token, i int) bool {
	name := toks[i].text
	return i == 0 && known.IsOfficial(name) && name != "docker" && (len(toks) == 1 && !notGuesses.has(name) || len(toks) == 2 && isVersion(toks[1].text))
}

// readKeyed reads the word behind the key of an image, and returns its index; 0
// if it is not an image.
func (s *scan) readKeyed(toks []token, i int) (at int, r reading) {
	at = nextWord(toks, i)
	if at == i || slices.ContainsFunc(toks[i:at], func(t token) bool { return t.kind == otherWord }) || isFiller(toks[at].text) {
		return 0, r
	}
	if r = s.readWord(toks[at].text); r.strength < bare || r.strength == bare && at < len(toks)-1 {
		return 0, r
	}
	r.strength = max(r.strength, tagged)
	return at, r
}

// readNeighbours completes an image by the words behind it, and returns the
// index of the last of these.
func readNeighbours(toks []token, r *reading, i int, text string) int {
	if meant := decimalComma(toks, i); meant != "" {
		*r = reading{strength: certain, problem: &Problem{Code: Ambiguous, Written: clip(text[toks[i].at : toks[i+2].at+len(toks[i+2].text)]), Suggestion: meant}}
		return i + 2
	}
	i = joinBelow(toks, r, sharePrefix(toks, r, i))
	i = moreTags(toks, r, joinTag(toks, r, i, text), text)
	return joinAlias(toks, r, pastTarget(toks, i))
}

// decimalComma returns the image that a word with a comma inside its version may
// mean: "nginx:1,21"; empty if it is another word.
func decimalComma(toks []token, i int) string {
	_, tag := cutTag(toks[i].text)
	if !isDigits(tag) || i+2 >= len(toks) || toks[i+1].text != "," || toks[i+2].at != toks[i].at+len(toks[i].text)+1 || !isDigit(toks[i+2].text[0]) || !isVersion(toks[i+2].text) {
		return ""
	}
	return canonical(toks[i].text + "." + toks[i+2].text)
}

// opensObject reports whether an object is the value of the key before text:
// "ghcr.io/a/b:1": {}, a feature of a development container.
func opensObject(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(strings.TrimLeft(text, "\"' "), ": "), "{")
}

// labelsImage reports whether the word at an index, before a colon or an equals
// sign, is a label of the image after it: "alpine: rancher/rke-tools:v0.1".
func labelsImage(s *scan, toks []token, i int) bool {
	label, colon := strings.CutSuffix(toks[i].text, ":")
	value := i + 1
	if !colon && value < len(toks) && toks[value].text == "=" {
		colon, value = true, value+1
	}
	if !colon || value >= len(toks) || toks[value].kind != asciiWord || !known.IsOfficial(label) {
		return false
	}
	return strings.Contains(toks[value].text, "/") && s.peek(toks[value].text).strength >= tagged
}

// askForTags turns images without a tag into requests for all tags, and if series is
// set, also those with a version that stands apart: "all tags of node 20".
func askForTags(reads []reading, series bool) {
	for i, r := range reads {
		if r.strength >= official && (r.untagged() || series && len(r.images) == 1 && r.images[0].has(RemovedSpace)) {
			p := allTags(r.images[0].Reference)
			p.Written = r.images[0].Written
			reads[i] = reading{strength: certain, problem: p}
		}
	}
}
