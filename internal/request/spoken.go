package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// summary has facts about a whole line.
type summary struct {
	plain    bool // only images and filler words
	wish     bool // asks to mirror something
	asked    bool // asks politely
	concerns bool // asks for an image, named or not
	question bool // asks for an answer instead
	command  bool // a command line of an unknown program
	images   int  // words that are certainly images
	bare     int  // words that could be images
	foreign  int  // meaningful text in other scripts
	other    int  // words that are neither images nor platforms
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

// spokenLine is a line of text while it is read.
type spokenLine struct {
	*line
	sentence
	about    summary
	pairs    map[int][]string // the tags of images by their words, from a list in the line
	sure     bool             // they are those of these images
	not      []bool           // the tokens that it excludes; nil if it is plain
	old      map[int]reading  // the readings of tokens whose version is replaced by a newer one
	replaced bool             // an image is replaced by another
	where    *place           // of its words
	remark   bool             // behind its first word stands a remark
	from     int              // the number of candidates before it
	flaws    int              // and of flaws
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
		s.noteWords(u, finds)
	}
	if len(finds) == 0 {
		s.noteLineWithout(u)
		return
	}
	if s.chooseAmong(u, finds) {
		u.completeFinds(s.since(u.from))
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
	s.readWords(u)
	u.splitNames()
	u.about.plain = u.about.plain || u.entry && u.listsImages()
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
	s.wanted = s.wanted || (on.asks() || on.has(&orders) || on.has(&thanked)) && u.asksFor()
	s.also = s.also || about.images > 0 && (on.has(&additions) || u.from == 0 && addsFirst.starts(lower(strings.TrimLeft(u.text, " "))))
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
	s.question = s.question || about.question && !strings.HasPrefix(u.text, "#")
	if about.images+about.bare > 0 || about.other > 1 || len(versionsOf(u.toks)) == 0 {
		s.words += about.other + about.bare
	}
	about.concerns = (on.has(&wherever) || on.has(&doings) || on.has(&foreignDoings) || on.has(&foreignNouns)) && isAboutImage(said)
	s.about = s.about || about.concerns
	s.subject = s.subject || about.images == 0 && !about.concerns && (on.has(&others) || hasSubject(u.toks))
	s.prose = true
	s.tried = s.tried || about.images == 0 && isTry(strings.TrimSpace(u.written))
	s.wish = s.wish || polite && (about.images > 0 || about.other+about.bare <= talk || about.concerns)
	s.report = s.report || on.has(&reports)
	s.told += wordsOf(u.line, u.toks, u.reads)
}

// noteStatements reads what a line says about its images: which are excluded or
// replaced, and their tags.
func (s *scan) noteStatements(u *spokenLine) {
	about := &u.about
	u.shareTag()
	s.noteSpaces(u)
	if !about.plain {
		s.noteClaims(u)
	}
	s.noteTags(u)
	if len(s.mentioned) < maxUses {
		s.mentioned = append(s.mentioned, versionsOf(u.toks)...)
	}
	about.command = isUnknownCommand(u.text)
	u.where = about.place(u.line)
	if about.wish && !about.question && about.other <= talk {
		u.raiseListed()
	}
	if u.wantsAllTags() {
		u.askForTags(about.images == 1)
	}
	u.remark = !u.entry && len(u.toks) > 1 && isRemark(strings.TrimLeft(u.behind(0), "`\"'* "))
	u.denyPlatforms()
}

// noteClaims is noteStatements for what only prose says.
func (s *scan) noteClaims(u *spokenLine) {
	if u.hasRange() {
		u.askForTags(false)
	}
	u.takeNewer()
	u.exclude()
	s.noteWithout(u)
	s.defect = s.defect || u.tellsDefect()
	s.replaces = s.replaces || u.replacesImage()
	s.noteCorrection(u)
	if u.about.images > 0 && exceptThese.in(u.said) {
		s.onlyLine = u.number
	}
	last := u.lastImage(len(u.toks))
	for from := 0; from < len(u.toks); {
		to := clauseEnd(u.toks, from, last)
		clause := u.part(from, to)
		if tag := clause.joinSaidTags(u.number == 0); tag != "" {
			s.shared = append(s.shared, sharedTag{u.number, tag})
		}
		from = to
	}
}

// replacesImage reports whether a line replaces an image or a version by another.
func (u *spokenLine) replacesImage() bool { return u.replaced || len(u.old) > 0 }

// tellsDefect reports whether a line reports a fault of the project, and not one of an
// image that is to be replaced. An indented line may be the subject of some commit.
func (u *spokenLine) tellsDefect() bool {
	on := u.on
	if !on.has(&proposals) && !on.has(&topics) && !on.has(&defects) && !on.has(&commits) || u.replacesImage() {
		return false
	}
	return isDefect(u.said) && (u.indent() == 0 || !commits.starts(u.said))
}

// wantsAllTags reports whether a line asks for all tags of its images, or for all of a
// series of its only one.
func (u *spokenLine) wantsAllTags() bool {
	if u.about.images > 0 && !u.about.plain && u.on.has(&everyTag) {
		return true
	}
	return u.about.images == 1 && (u.on.has(&series) || u.on.has(&wholes)) && wantsSeries(u.toks, u.said)
}

// askForTags turns images without a tag into requests for all tags, and if series is
// set, also those with a version that stands apart: "all tags of node 20".
func (s *sentence) askForTags(series bool) {
	for i := range s.reads {
		r := &s.reads[i]
		if r.isOpen() || series && r.strength >= official && len(r.images) == 1 && r.images[0].has(RemovedSpace) {
			p := allTags(r.images[0].Reference)
			p.Written = r.images[0].Written
			*r = reading{strength: certain, problem: p}
		}
	}
}

// offerWords offers the words of a line that may be images as candidates.
func (s *scan) offerWords(u *spokenLine) {
	for i, t := range u.toks {
		if r, ok := u.old[i]; ok {
			s.offer(u.line, t.at, r, inExclusion)
		}
		s.offerWord(u, i)
	}
	item := u.fenced || u.shift > u.indent() || strings.HasPrefix(u.text, "|")
	noteClauses(s.candidates[u.from:], u.said, u.on, item)
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
	t, about := &u.toks[i], &u.about
	r := u.reads[i]
	r.platforms = nil
	at := u.placeOf(i)
	switch {
	case u.not != nil && u.not[i]:
		s.offer(u.line, t.at, r, inExclusion)
	case r.strength >= at.needs:
		s.offer(u.line, t.at, r, at)
	case about.question && r.strength >= path && len(r.images) > 0:
		s.offer(u.line, t.at, r, inQuestion)
	case r.mayBeNamespace() && (about.question || about.wish && about.concerns):
		s.flaw(u.line, t.at, Problem{Code: Ambiguous, Written: clip(t.text), Suggestion: r.images[0].Reference.String()})
	case r.isImage(bare):
		if about.asked && about.bare == 1 && about.images+about.other == 0 && about.foreign <= 2 {
			at = inPlainWish
		}
		if r.strength > official || u.remark && i == 0 && r.strength == official || at.weaker == guessed && !u.looksLikeCode() {
			s.offer(u.line, t.at, reading{strength: r.strength, images: slices.Clone(r.images[:1])}, at)
		}
	case r.problem != nil && about.plain:
		s.flaw(u.line, t.at, *r.problem)
	}
}

// placeOf returns the place of the word at an index.
func (u *spokenLine) placeOf(i int) *place {
	t, r, at := &u.toks[i], &u.reads[i], u.where
	if t.quoted && r.strength < at.needs && !u.about.question {
		at = inQuotes
	}
	if at.needs < certain && r.strength == tagged && len(r.images) == 1 && u.isOtherValue(i) {
		at = inOtherKey
	}
	return at
}

// isOtherValue reports whether the word at an index, an image of Docker Hub that is not
// known, is the value of a key for something else: "stackName = app:1".
func (u *spokenLine) isOtherValue(i int) bool {
	const most = 60 // bytes of the key
	image, at := &u.reads[i].images[0], u.toks[i].at
	if !image.has(AssumedLibrary) || known.IsOfficial(image.name()) {
		return false
	}
	return endsInOtherKey(u.line, u.written[max(0, at-most):at])
}

// looksLikeCode reports whether a line has marks of code, or opens a list or a block.
func (u *spokenLine) looksLikeCode() bool {
	return strings.ContainsAny(u.written, "{}()=;") || strings.HasSuffix(u.written, ":")
}

// platforms returns the platforms in a line. Those in a line that replaces an image are
// of the old one: "a/b:1 crashes on arm64, use a/b:2".
func (u *spokenLine) platforms() []reference.Platform {
	if u.replaced {
		return nil
	}
	var all []reference.Platform
	for i := range u.reads {
		all = addPlatform(all, u.reads[i].platforms...)
	}
	return all
}

// noteLineWithout notes the entries, platforms and versions in a line without images.
func (s *scan) noteLineWithout(u *spokenLine) {
	about := &u.about
	s.noteEntry(u)
	if about.plain || about.wish || u.on.has(&platformWords) {
		s.platforms = addPlatform(s.platforms, u.platforms()...)
	}
	if about.images > 0 {
		return
	}
	for _, tag := range s.loneTags(u) {
		s.versions = append(s.versions, sharedTag{u.number, tag})
	}
}

// loneTags returns the tags in a line without images: all of a line of tags, those that
// the line calls tags, or those that look like some in a line that asks for something.
func (s *scan) loneTags(u *spokenLine) (tags []string) {
	if u.about.foreign <= 2 && (!u.entry || u.about.other == 1) && s.onlyTags(u.toks) {
		for _, i := range s.odd {
			if word := u.word(i); isTag(word) && !u.toks[i].faulty && !isOldVersionIn(u.said, u.toks[i].at) {
				tags = append(tags, word)
			}
		}
		return tags
	}
	if tags = calledTags(u.toks); tags == nil && (asksForAny(u.said) || u.on.has(&desires)) {
		tags = formTags(u.toks)
	}
	return tags
}

// onlyTags reports whether the words of a line are only tags and courtesies.
func (s *scan) onlyTags(toks []token) bool {
	tags := 0
	for _, i := range s.odd {
		said := spoken(toks[i])
		switch {
		case i > 0 && environments.has(spoken(toks[i-1])):
			return false // "Docker 24.0.7"
		case isLoneTag(toks, i, len(s.odd) == 1):
			tags++
		case !courtesies.has(said) && !tagNouns.has(said) && said != "only":
			return false
		}
	}
	return tags > 0 && tags <= maxUses
}

// isLoneTag reports whether the word at an index of a line is a tag, by its form, because
// it is the only word, or by a noun beside it.
func isLoneTag(toks []token, i int, only bool) bool {
	word := trimWord(toks[i].text)
	switch {
	case looksLikeTag(word):
		return true
	case isVersion(word) && (only || i > 0 && isTagNoun(toks[i-1])):
		return true
	}
	return isTag(word) && i+1 < len(toks) && isTagNoun(toks[i+1])
}

// chooseAmong drops the images of a line that are not meant beside the others: the line
// picks one, or one is the destination. It reports whether the rest is settled; if not,
// the author has to choose.
func (s *scan) chooseAmong(u *spokenLine, finds []*candidate) bool {
	plain := u.about.plain
	switch {
	case len(finds) == 2 && plain:
		moveTag(finds[0], finds[1])
	case len(finds) > 1 && !plain:
		u.pickEnd(finds)
		finds = s.since(u.from)
	}
	if len(finds) > 1 && !plain && u.on.has(&oneOfThem) {
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
	if n := len(finds); n >= 2 && (n == 2 && plain || isCopy(u.written, finds)) && isTarget(finds[1].image.Reference, finds[0].image.Reference) {
		finds[1].judge(dropped, "destination")
	}
	return true
}

// pickEnd drops all images of a line but the first or the last one, if it says so.
func (u *spokenLine) pickEnd(finds []*candidate) {
	picked := len(finds) - 1
	switch {
	case u.on.has(&onlyFirst):
		picked = 0
	case !u.on.has(&onlyLast):
		return
	}
	for i, c := range finds {
		if i != picked {
			c.judge(dropped, inExclusion.name)
		}
	}
}

// Words that select one of the images of a sentence.
var (
	onlyFirst = phrases{list: "onlyFirst"}
	onlyLast  = phrases{list: "onlyLast"}
)

// repeats reports whether the second of two images is in brackets and repeats
// the first one at another host: "a/b (ghcr.io/a/b)".
func repeats(text string, first, second *candidate) bool {
	from, to := first.at+len(first.image.Written), second.at
	if from >= to || to >= len(text) || strings.TrimSpace(text[from:to]) != "(" {
		return false
	}
	return first.has(AssumedHost) && !second.has(AssumedHost) &&
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

// completeFinds gives the images of a line its platforms, and says of which it has
// changed the spelling.
func (u *spokenLine) completeFinds(finds []*candidate) {
	platforms := u.platforms()
	u.nearestPlatforms(finds)
	changed := !strings.Contains(u.text, u.written)
	for _, c := range finds {
		c.wished = u.about.wish
		image := c.image
		if len(image.Platforms) == 0 || len(finds) == 1 {
			image.Platforms = addPlatform(image.Platforms, platforms...)
		}
		if changed && u.spells(c) && !strings.Contains(u.text, image.Written) {
			image.Assumptions = append(image.Assumptions, RemovedSpace)
		}
	}
}

// spells reports whether the changed text of a line has an image as it is said to be
// written.
func (u *spokenLine) spells(c *candidate) bool {
	near := u.written[max(0, c.at-maxWritten):min(len(u.written), c.at+2*maxWritten)]
	return strings.Contains(near, c.image.Written)
}

// isTry reports whether a line that holds no image is a single word with the marks of
// one. The address of a page has none but its slashes.
func isTry(line string) bool {
	marks := "/:@"
	if scheme, address, _ := strings.Cut(line, "://"); scheme == "http" || scheme == "https" {
		line, marks = address, ":@"
	}
	return !strings.Contains(line, " ") && strings.ContainsAny(line, marks)
}

// asksFor reports whether a sentence of a line asks for an image.
func (u *spokenLine) asksFor() bool {
	title := u.number == 0
	for from, i := 0, 0; from < len(u.said); {
		next := sentenceEnd(u.said, from)
		images, words := 0, 0
		for ; i < len(u.toks) && u.toks[i].at < next; i++ {
			switch {
			case u.isImage(i):
				images++
			case u.toks[i].kind == asciiWord:
				words++
			}
		}
		whole := from == 0 && next == len(u.said)
		if short := words > 0 && words < 4; whole || short { // "a/b:1. Please add it."
			images, words = u.about.images, u.about.other
		}
		if wantsImage(strings.TrimSpace(u.said[from:next]), title, images, words) {
			return true
		}
		from = next
	}
	return false
}

// endsInOtherKey reports whether the text before a word ends with a key for
// something else than an image: "stackName = ", in a block of code also "stack: ".
func endsInOtherKey(l *line, before string) bool {
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

// isUnknownCommand reports whether a line is certainly a command: it begins
// with a prompt or with the path of a program.
func isUnknownCommand(text string) bool {
	text = strings.TrimLeft(text, " -*`")
	return strings.HasPrefix(text, "$ ") || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "sudo ") || strings.HasPrefix(text, "/usr/")
}
