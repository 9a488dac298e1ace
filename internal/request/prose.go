package request

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// readText reads plain text: lists, rows, lines, sentences. A line that
// consists of images and filler words is a list, in which a name without a tag
// is enough; in a sentence, only unmistakable names count.
func (s *scan) readText() {
	seen, output := 0, false
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
		if _, item, ok := strings.Cut(l.text, "]"); skip && ok {
			// An unticked item is reported, but not requested.
			first, _, _ := strings.Cut(strings.TrimLeft(item, " "), " ")
			s.spelled[i] = len(s.peek(first).images) == 0
		}
		if text = closeGaps(beforeExample(s.beforeComment(text))); skip || strings.TrimSpace(text) == "" {
			if !skip && isMarked(whole) {
				s.addEntry(l)
			}
			return
		}
		if isEnvironment(text) || opensBlock(text) || isDaemon(l.text) && !strings.Contains(text, "镜像") {
			s.noteEntry(l, text, nil, nil, sentence{other: 1})
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

// promptMarks are ends of the prompts of a shell.
var promptMarks = phrases{list: "]# |~# |$ "}

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

// sentence has facts about a whole line.
type sentence struct {
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

// readLine reads one line of text.
func (s *scan) readLine(l *line, text string) {
	if s.readPairs(l, text) {
		return
	}
	text = resolveLinks(text)
	s.toks = appendTokens(s.toks[:0], text)
	toks := s.toks
	said := lower(text)
	on := marksOf(said)
	announced := on.has(&platformWords)
	if on.has(&faultWords) {
		markFaulty(toks, said)
	}
	reads, about := s.readTokens(toks, text, announced)
	splitNames(l, toks, reads, about)
	about.plain = about.plain || l.entry && listsImages(toks, reads, about)
	flaws := len(s.flaws)
	if !about.plain {
		polite := on.asks() && isPolite(said) && (l.number > 0 || isPolite(notImperative.without(said)))
		about.wish = on.wishes() && hasWish(said)
		about.asked = polite && (about.wish || strings.Contains(text, "镜像"))
		doubt := strings.HasSuffix(said, "?") || on.has(&questions) || on.has(&interrogatives) && isQuestion(said)
		about.question = doubt && !polite
		s.found = s.found || about.images > 0
		s.desire = s.desire || about.images > 0 && on.has(&desires)
		s.doubt, s.polite = s.doubt || doubt, s.polite || polite
		s.question = s.question || about.question && !strings.HasPrefix(l.text, "#")
		if about.images+about.bare > 0 || about.other > 1 || len(versionsOf(toks)) == 0 {
			s.words += about.other + about.bare
		}
		concerns := (on.has(&wherever) || on.has(&doings) || on.has(&foreignDoings) || on.has(&foreignNouns)) && isAboutImage(said)
		s.about = s.about || concerns
		s.subject = s.subject || about.images == 0 && !concerns && (on.has(&others) || hasSubject(toks))
		s.prose = true
		s.tried = s.tried || about.images == 0 && isTry(strings.TrimSpace(text))
		s.wish = s.wish || polite && (about.images > 0 || about.other+about.bare <= talk || concerns)
		s.report = s.report || on.has(&reports)
		s.told += wordsOf(l, toks, reads)
	}
	s.withdrawn = s.withdrawn || about.images == 0 && (on.has(&withdrawals) || on.has(&withdrawalEnds)) && withdraws(said, toks)
	s.wish = s.wish || about.plain && on.has(&doings) && isPolite(said) // "求同步镜像"
	s.wanted = s.wanted || (on.asks() || on.has(&orders) || on.has(&thanked)) && asksFor(said, toks, reads, l.number == 0, about)
	s.also = s.also || about.images > 0 && on.has(&additions)
	shareTag(toks, reads, on)
	var not []bool
	var old map[int]reading
	replaced := false
	if !about.plain {
		if hasRange(toks, said) {
			askForTags(reads, false)
		}
		old = takeNewer(toks, reads, said)
		not, replaced = exclude(toks, reads, said, on, old)
		for i, t := range toks {
			if r := reads[i]; len(r.images) > 0 && r.untagged() && r.strength <= official && len(s.without) < maxUses && isExcluded(said, t.at, min(t.at+len(t.text), len(said))) {
				s.without = append(s.without, r.images[0].name())
			}
		}
		s.defect = s.defect || (on.has(&proposals) || on.has(&topics) || on.has(&defects) || on.has(&commits)) && isDefect(said) && (l.indent() == 0 || !commits.starts(said)) && !replaced && len(old) == 0
		s.replaces = s.replaces || replaced || len(old) > 0
		s.noteCorrection(l, toks, reads, said, on)
		if about.images > 0 && exceptThese.in(said) {
			s.onlyLine = l.number
		}
		last := imageBefore(reads, len(reads))
		for from := 0; from < len(toks); {
			to := clauseEnd(toks, from, last)
			if tag := joinSaidTags(toks[from:to], reads[from:to], said, l.number == 0); tag != "" {
				s.shared = append(s.shared, sharedTag{l.number, tag})
			}
			from = to
		}
	}
	s.noteTags(l, toks, reads, old, said, on)
	if len(s.mentioned) < maxUses {
		s.mentioned = append(s.mentioned, versionsOf(toks)...)
	}
	about.command = isUnknownCommand(l.text)
	where := about.place(l)
	if about.wish && !about.question && about.other <= talk {
		raiseListed(toks, reads)
	}
	if about.images > 0 && !about.plain && on.has(&everyTag) || about.images == 1 && (on.has(&series) || on.has(&wholes)) && wantsSeries(toks, said) {
		askForTags(reads, about.images == 1)
	}
	remark := !l.entry && len(toks) > 1 && isRemark(strings.TrimLeft(said[toks[0].at+len(toks[0].text):], "`\"'* "))
	var platforms []reference.Platform
	from := len(s.candidates)
	denyPlatforms(toks, reads, said)
	for i, t := range toks {
		r := reads[i]
		if !replaced { // "a/b:1 crashes on arm64, use a/b:2"
			platforms = addPlatform(platforms, r.platforms...)
		}
		r.platforms = nil
		at := where
		if t.quoted && r.strength < where.needs && !about.question {
			at = inQuotes
		}
		if at.needs < certain && r.strength == tagged && len(r.images) == 1 && isOtherValue(l, text[max(0, t.at-60):t.at]) && r.images[0].has(AssumedLibrary) && !known.IsOfficial(r.images[0].name()) {
			at = inOtherKey
		}
		if r, ok := old[i]; ok {
			s.offer(l, t.at, r, inExclusion)
		}
		switch {
		case not != nil && not[i]:
			s.offer(l, t.at, r, inExclusion)
		case r.strength >= at.needs:
			s.offer(l, t.at, r, at)
		case about.question && r.strength >= path && len(r.images) > 0:
			s.offer(l, t.at, r, inQuestion)
		case r.mayBeNamespace() && (about.question || about.wish && isAboutImage(said)):
			s.flaw(l, t.at, Problem{Code: Ambiguous, Written: clip(t.text), Suggestion: r.images[0].Reference.String()})
		case r.strength >= bare && len(r.images) > 0:
			if about.asked && about.bare == 1 && about.images+about.other == 0 && about.foreign <= 2 {
				at = inPlainWish
			}
			if at.weaker == guessed && !strings.ContainsAny(text, "{}()=;") && !strings.HasSuffix(text, ":") || r.strength > official || remark && i == 0 && r.strength == official {
				s.offer(l, t.at, reading{strength: r.strength, images: slices.Clone(r.images[:1])}, at)
			}
		case r.problem != nil && about.plain:
			s.flaw(l, t.at, *r.problem)
		}
	}
	noteClauses(s.candidates[from:], said, on, l.fenced || l.shift > l.indent() || strings.HasPrefix(l.text, "|"))
	if len(s.candidates) > from {
		c := &s.candidates[from]
		c.opens = c.at == toks[0].at
		c.leads = remark && c.opens
		if n := len(s.corrected); n == 0 || s.corrected[n-1].line != l.number {
			noteFaults(s.candidates[from:], said)
		}
	}
	finds := s.since(from)
	if len(finds) > 0 || len(s.flaws) > flaws {
		s.noteWords(l, text, toks, reads, finds, where)
	}
	if len(finds) == 0 {
		s.noteEntry(l, text, toks, reads, about)
		if about.plain || about.wish || announced {
			s.platforms = addPlatform(s.platforms, platforms...)
		}
		if about.images == 0 && about.foreign <= 2 && (!l.entry || about.other == 1) && s.onlyTags(toks) {
			for _, i := range s.odd {
				if word := trimWord(toks[i].text); isTag(word) && !toks[i].faulty && !isOldVersionIn(said, toks[i].at) {
					s.versions = append(s.versions, sharedTag{l.number, word})
				}
			}
		} else if about.images == 0 {
			for _, tag := range calledTags(toks) {
				s.versions = append(s.versions, sharedTag{l.number, tag})
			}
		}
		return
	}
	if about.plain && len(finds) == 2 {
		moveTag(finds[0], finds[1])
	}
	if !about.plain && len(finds) > 1 {
		picked := len(finds) - 1
		switch {
		case on.has(&onlyFirst):
			picked = 0
		case !on.has(&onlyLast):
			picked = -1
		}
		for i, c := range finds {
			if picked >= 0 && i != picked {
				c.judge(dropped, inExclusion.name)
			}
		}
		finds = s.since(from)
	}
	if len(finds) > 1 && !about.plain && on.has(&oneOfThem) {
		for _, c := range finds {
			c.judge(asked, "either")
		}
		return
	}
	if len(finds) == 2 && repeats(text, finds[0], finds[1]) {
		finds[0].judge(dropped, "says-less")
		finds[1].place = inSentence
		finds = s.since(from)
	}
	if n := len(finds); n >= 2 && (n == 2 && about.plain || isCopy(text, finds)) && isTarget(finds[1].image.Reference, finds[0].image.Reference) {
		finds[1].judge(dropped, "destination")
	}
	finds = s.since(from)
	nearestPlatforms(finds, toks, reads)
	changed := !strings.Contains(l.text, text)
	for _, c := range finds {
		c.wished = about.wish
		image := c.image
		if len(image.Platforms) == 0 || len(finds) == 1 {
			image.Platforms = addPlatform(image.Platforms, platforms...)
		}
		if changed && strings.Contains(text[max(0, c.at-maxWritten):min(len(text), c.at+2*maxWritten)], image.Written) && !strings.Contains(l.text, image.Written) {
			image.Assumptions = append(image.Assumptions, RemovedSpace)
		}
	}
}

// isTry reports whether a line that holds no image is a single word with the marks of
// one. The address of a page has none but its slashes.
func isTry(line string) bool {
	marks := "/:@"
	if address, web := strings.CutPrefix(line, "http"); web {
		line, marks = strings.TrimLeft(address, "s:/"), ":@"
	}
	return !strings.Contains(line, " ") && strings.ContainsAny(line, marks)
}

// asksFor reports whether a sentence of a line, in lower case, asks for an image.
func asksFor(said string, toks []token, reads []reading, title bool, about sentence) bool {
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

// noteClauses notes which candidates of a line, in lower case, stand in a clause
// that asks for something or tells what the image is. An item of a list does.
func noteClauses(all []candidate, said string, on marks, item bool) {
	for n, from := 0, 0; n < len(all) && from < len(said); {
		next := partEnd(said, from)
		clause := strings.TrimSpace(said[from:next])
		var doubts []int
		if on.has(&contrasts) && n < len(all) && all[n].at < next {
			doubts = contrasts.find(said, from, next)
		}
		asks := item || n < len(all) && all[n].at < next && (on.has(&nouns) && nouns.in(clause) || on.has(&foreignNouns) && foreignNouns.in(clause) || on.wishes() && hasWish(clause) || on.asks() && isPolite(clause) || addsMore(clause) || on.has(&orders) && orders.starts(clause))
		for ; n < len(all) && all[n].at < next; n++ {
			all[n].asks = asks || n > 0 && all[n-1].place == inExclusion && all[n-1].at >= from // "not a/b:1, but a/b:2"
			if !all[n].asks || !item {
				all[n].doubted = isDoubted(said, from, next, all, n, doubts)
			}
		}
		from = next
	}
}

// isDoubted reports whether the words beside a candidate, in the part of a line
// between two offsets, say that it is there already, gone, or not meant. doubts are
// where such words are.
func isDoubted(said string, from, next int, all []candidate, n int, doubts []int) bool {
	at := min(all[n].at, next)
	end := min(at+len(all[n].image.Written), next)
	if tag := lower(all[n].image.Reference.Tag()); all[n].has(RemovedSpace) {
		if apart := strings.Index(said[at:next], tag); apart > 0 {
			end = at + apart + len(tag)
		}
	}
	if n > 0 {
		from = max(from, min(at, all[n-1].at+len(all[n-1].image.Written)))
	}
	if comma := strings.LastIndexByte(said[from:at], ','); comma >= 0 {
		from += comma
	}
	if n+1 < len(all) && all[n+1].at < next && all[n+1].at > end {
		next = all[n+1].at
		if needing.in(said[end:next]) && strings.Trim(said[from:at], " ,`\"'*") == "" && all[n].has(AssumedTag) && all[n].has(AssumedHost) {
			return true
		}
		next = end + max(0, strings.LastIndexByte(said[end:next], ','))
	}
	if len(doubts) == 0 {
		return false
	}
	return contrasts.within(said, doubts, from, from+len(beforeVersion(said[from:at]))) || contrasts.within(said, doubts, at, end) || contrasts.within(said, doubts, end, end+len(beforeVersion(said[end:next])))
}

// beforeVersion returns a text up to the first version in it: what is behind that is
// said of it.
func beforeVersion(text string) string {
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && (isAlnum(text[i]) || text[i] == '.') {
			i++
		}
		if word := strings.TrimRight(text[from:i], "."); strings.Contains(word, ".") && isVersion(word) {
			return text[:from]
		}
	}
	return text
}

// needing are words between what needs an image, which begins the clause, and the image.
var needing = phrases{list: "needing"}

// isRemarked reports whether the comment on a line says that its image is there
// already or not needed.
func isRemarked(text string) bool {
	_, remark, ok := strings.Cut(text, " #")
	remark = lower(strings.TrimLeft(remark, "# "))
	return ok && (contrasts.in(remark) || thereCells.starts(remark))
}

// contrasts are words beside an image that is not asked for.
var contrasts = phrases{list: "contrasts"}

// partEnd is sentenceEnd for parts of sentences between semicolons.
func partEnd(said string, from int) int {
	for i := from; i < len(said); i++ {
		if said[i] == ';' || endsSentence(said, from, i) {
			return i + 1
		}
	}
	return len(said)
}

// nouns are what English and Chinese call images.
var nouns = phrases{list: "nouns"}

// sentenceEnd returns the end of the sentence of a text that begins at an offset.
func sentenceEnd(said string, from int) int {
	for i := from; i < len(said); i++ {
		if endsSentence(said, from, i) {
			return i + 1
		}
	}
	return len(said)
}

// endsSentence reports whether the sentence that begins at an offset ends with the
// byte at another one. A full stop behind one letter is that of "i.e.".
func endsSentence(said string, from, i int) bool {
	switch c := said[i]; c {
	case '.':
		return i+1 < len(said) && said[i+1] == ' ' && i > from+1 && (isDigit(said[i-1]) || isAlnum(said[i-2]) || i > from+2 && said[i-1] >= utf8.RuneSelf && said[i-3] != ' ')
	case '!', '?':
		return i+1 == len(said) || !isAlnum(said[i+1])
	}
	return strings.HasPrefix(said[i:], "。")
}

// isRemark reports whether the text behind an image is a remark about it.
func isRemark(text string) bool {
	return text != "" && strings.IndexByte("(-#", text[0]) >= 0 || sames.starts(text)
}

// onlyTags reports whether the words of a line are only tags and courtesies.
func (s *scan) onlyTags(toks []token) bool {
	tags := 0
	for _, i := range s.odd {
		switch word := trimWord(toks[i].text); {
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
func (about *sentence) place(l *line) *place {
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
func (s *scan) readTokens(toks []token, text string, announced bool) ([]reading, sentence) {
	if cap(s.reads) < len(toks) {
		s.reads = make([]reading, 2*len(toks))
	}
	reads := s.reads[:len(toks)]
	clear(reads)
	s.odd = s.odd[:0]
	about := sentence{plain: true}
	pairs := pairTags(toks)
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
		if r.strength <= path && r.untagged() && r.images[0].has(AssumedHost) && strings.HasPrefix(text[t.at+len(t.text):], "):") {
			r = reading{} // "Sync schedule (once/daily): once"
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
			if version, paired := pairs[i]; paired && r.untagged() {
				reads[i].give([]string{trimWord(toks[version].text)})
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
	i = moreTags(toks, r, joinTag(toks, r, i, text))
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
