package request

import (
	"slices"
	"sort"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/pattern"
)

// phrases are words to look for in a text, of a list or of a function.
type phrases struct {
	list  wordList
	of    func() []string
	built atomic.Pointer[phraseTable]
}

// phraseTable has the words by a hash of their first two bytes, so that one pass finds
// them all. These bytes exclude most positions.
type phraseTable struct {
	by    [256][]string
	pairs [1 << 16 / 64]uint64 // a bit for each pair of bytes at the beginning of a phrase
	mark  marks                // the bit of the list, if it is in markedLists
}

// all returns the phrases.
func (p *phrases) all() []string {
	if p.of != nil {
		return p.of()
	}
	return p.list.words()
}

// table returns the table of the phrases.
func (p *phrases) table() *phraseTable {
	t := p.built.Load()
	if t != nil {
		return t
	}
	t = &phraseTable{mark: markOf(p.list)}
	for _, w := range p.all() {
		if len(w) > 1 {
			t.add(w, w[1])
			continue
		}
		for second := range 256 {
			t.add(w, byte(second))
		}
	}
	p.built.Store(t)
	return t
}

// add adds a phrase for a second byte.
func (t *phraseTable) add(w string, second byte) {
	pair := uint(w[0])<<8 | uint(second)
	t.pairs[pair/64] |= 1 << (pair % 64)
	t.by[31*w[0]+second] = append(t.by[31*w[0]+second], w)
}

// like returns the phrases that a text, which is not empty, may begin with.
func (t *phraseTable) like(text string) []string {
	if len(text) == 1 {
		return t.by[31*text[0]]
	}
	return t.by[31*text[0]+text[1]]
}

// in reports whether text, in lower case, contains one of the phrases.
func (p *phrases) in(text string) bool { return p.index(text) >= 0 }

// index returns the offset of the first of the phrases in text, in lower case; -1
// if there is none.
func (p *phrases) index(text string) int {
	t := p.table()
	for i := range len(text) {
		if i+1 < len(text) {
			if pair := uint(text[i])<<8 | uint(text[i+1]); t.pairs[pair/64]&(1<<(pair%64)) == 0 {
				continue
			}
		}
		if t.starts(text[i:]) {
			return i
		}
	}
	return -1
}

// without returns text, in lower case, without the phrases. Where several begin, the
// first one of the list is removed.
func (p *phrases) without(text string) string {
	at := p.index(text)
	if at < 0 {
		return text
	}
	var b strings.Builder
	t := p.table()
	for ; at >= 0; at = p.index(text) {
		b.WriteString(text[:at])
		for _, w := range t.like(text[at:]) {
			if rest, ok := strings.CutPrefix(text[at:], w); ok {
				text = rest
				break
			}
		}
	}
	return b.String() + text
}

// find returns the offsets of the phrases in text, in lower case, between two offsets.
func (p *phrases) find(text string, from, to int) (all []int) {
	for {
		next := p.index(text[from:to])
		if next < 0 {
			return all
		}
		all = append(all, from+next)
		from += next + 1
	}
}

// within reports whether one of the phrases that find found in text is between two
// offsets.
func (p *phrases) within(text string, found []int, from, to int) bool {
	for _, i := range found[sort.SearchInts(found, from):] {
		if i >= to {
			return false
		}
		if p.starts(text[i:to]) {
			return true
		}
	}
	return false
}

// starts reports whether text begins with one of the phrases.
func (p *phrases) starts(text string) bool { return text != "" && p.table().starts(text) }

func (t *phraseTable) starts(text string) bool {
	for _, w := range t.like(text) {
		if strings.HasPrefix(text, w) {
			return true
		}
	}
	return false
}

// endings are words to look for at the end of a text, or to compare with it. Their
// table is by their last byte.
type endings struct {
	list  wordList
	built atomic.Pointer[[256][]string]
}

// like returns the words with the last byte of a text.
func (e *endings) like(text string) []string {
	if text == "" {
		return nil
	}
	by := e.built.Load()
	if by == nil {
		by = new([256][]string)
		for _, w := range e.list.words() {
			last := w[len(w)-1]
			by[last] = append(by[last], w)
		}
		e.built.Store(by)
	}
	return by[text[len(text)-1]]
}

// cut removes the first of the words that text ends with, as a separate word.
func (e *endings) cut(text string) (before string, ok bool) {
	for _, w := range e.like(text) {
		if before, ok = cutWord(text, w); ok {
			return before, true
		}
	}
	return text, false
}

// end reports whether a text ends with one of the words and does not deny it: "not
// present".
func (e *endings) end(text string) bool {
	before, ok := e.cut(text)
	_, denied := denials.cut(strings.TrimRight(before, " "))
	return ok && !denied
}

// denials are words in front of others that say the opposite then.
var denials = endings{list: "denials"}

// has reports whether text is one of the words.
func (e *endings) has(text string) bool { return slices.Contains(e.like(text), text) }

// makeUp reports whether text consists of the phrases only.
func (p *phrases) makeUp(text string) bool {
	t := p.table()
next:
	for text != "" {
		for _, w := range t.like(text) {
			if rest, ok := strings.CutPrefix(text, w); ok {
				text = rest
				continue next
			}
		}
		return false
	}
	return true
}

// announcesPlatform reports whether a line announces platforms, so that words
// such as "arm" and "x86" are platforms.
func announcesPlatform(text string) bool { return platformWords.in(text) }

var platformWords = phrases{list: "platformWords"}

// oneOfThem are words of sentences that leave the choice of an image to others.
var oneOfThem = phrases{list: "oneOfThem"}

// everyTag are ways to ask for all tags of a repository.
var everyTag = phrases{list: "everyTag"}

// isEnglish reports whether a text, in lower case, is written in English or
// another language that is answered in English. Logs and files contain none of
// these words.
func isEnglish(text string) bool {
	for _, word := range strings.Fields(text) {
		if personal.has(strings.Trim(word, ".,:;!?()")) {
			return true
		}
	}
	return foreignWishes.in(text)
}

var personal = wordSet{list: "personal"}

// fillers are words that accompany a list of images without being prose.
var fillers = wordSet{list: "fillers"}

func isFiller(word string) bool {
	if word == "" || !isAlnum(word[0]) || !isAlnum(word[len(word)-1]) {
		word = strings.Trim(word, ".:*_~#-=。!?<> ")
	}
	word = lower(word)
	return fillers.has(word) || word != "" && word[0] >= utf8.RuneSelf && fillerParts.makeUp(word)
}

// fillerParts are the parts of Chinese text that accompanies a list of images.
var fillerParts = phrases{list: "fillerParts"}

var wishes = phrases{list: "wishes"}

// foreignWishes are words of requests in other languages than Chinese and
// English: Spanish, Portuguese, French, Italian, German, Dutch, Swedish,
// Polish, Czech, Russian, Ukrainian, Turkish, Vietnamese, Indonesian, Japanese,
// Korean, Persian, Arabic, Hebrew, Greek, Hindi and Thai. Questions with such a
// word are requests.
var foreignWishes = phrases{list: "foreignWishes"}

// foreignModals are words of questions in these languages that ask whether
// something can be done. They are requests if they say that it is to be done to
// an image.
var foreignModals = phrases{list: "foreignModals"}

// foreignQuestions are words in these languages that ask how, why, when, which
// or how much.
var foreignQuestions = phrases{list: "foreignQuestions"}

// isForeignWish reports whether a sentence in one of these languages asks for an image.
func isForeignWish(text string) bool {
	if strings.Contains(text, "brauch") {
		text = notForeign.Compiled().ReplaceAllString(text, "")
	}
	return (foreignWishes.in(text) || foreignModals.in(text) && foreignDoings.in(text)) && !foreignQuestions.in(text)
}

// notForeign matches words that look like such ones: German "consumption" and
// "takes 14 minutes".
var notForeign = &pattern.Regexp{Text: `verbrauch|braucht [0-9]+(?:,[0-9]+)? `}

// hasWish reports whether a sentence asks to mirror something.
func hasWish(text string) bool {
	return wishes.in(strings.ReplaceAll(text, "requested access", "")) || isForeignWish(text)
}

// environments are labels of descriptions of a machine.
var environments = wordSet{list: "environments"}

// machineHeads are labels of the system of a machine, alone on the line above it.
var machineHeads = wordSet{list: "machineHeads"}

// isMachine reports whether a line may name such a system: "CentOS 7", "Ubuntu".
func isMachine(text string) bool {
	return startsUpper(text) && !strings.ContainsAny(text, ":/") && (strings.ContainsAny(text, "0123456789") || !strings.Contains(text, " "))
}

// isEnvironment reports whether a line describes a machine: "OS: Ubuntu 22.04",
// "k8s: 1.22.3".
func isEnvironment(text string) bool {
	label, value, ok := strings.Cut(text, ":")
	if ok && strings.EqualFold(label, "name") {
		return !strings.ContainsAny(value, ":/") // what "kubectl describe" begins with
	}
	return ok && len(label) < 40 && environments.has(lower(strings.Trim(label, " *_`"))) && !strings.ContainsAny(value, "/") && strings.HasPrefix(value+" ", " ") ||
		ok && environments.has(lower(strings.Trim(label, " *_`"))) && strings.IndexFunc(label, func(r rune) bool { return r > 127 }) >= 0
}

// isDaemon reports whether a line configures the registries of a daemon: the hosts
// on it are not images.
func isDaemon(text string) bool { return daemons.in(text) }

var daemons = phrases{list: "daemons"}

// reports are words of lines of the forms of bug reports.
var reports = phrases{list: "reports"}

// isDefect reports whether a sentence reports a fault of the project or
// proposes a feature.
func isDefect(text string) bool {
	return isProposal(text) || defects.in(text) && !strings.HasPrefix(text, "this pr contains the following updates") || commits.starts(text) && !mirroring.in(text)
}

// isProposal reports whether a Chinese sentence proposes a change to the project
// or reports a fault of it, and does not ask for an image.
func isProposal(text string) bool {
	return (proposals.in(text) && matters.in(text) || topics.starts(strings.TrimLeft(text, " #*-【["))) && !helping.in(text)
}

var (
	proposals = phrases{list: "proposals"}
	matters   = phrases{list: "matters"}
	topics    = phrases{list: "topics"}
	helping   = phrases{list: "helping"}
)

// mirroring are words of changes that concern mirrored images.
var mirroring = phrases{list: "mirroring"}

// commits are beginnings of commit subjects (Conventional Commits).
var commits = phrases{list: "commits"}

// afterCommitType returns the subject of a commit without its type:
// "chore(deps): update a/b".
func afterCommitType(said string) string {
	if label, rest, ok := strings.Cut(said, ": "); ok && (commits.starts(said) || strings.HasSuffix(label, " ask")) {
		return rest
	}
	return said
}

var defects = phrases{list: "defects"}

// isAddition reports whether a sentence adds to the text before.
func isAddition(text string) bool { return additions.in(text) }

var additions = phrases{list: "additions"}

var polite = phrases{list: "polite"}

// notPolite removes words that look like polite ones.
var notPolite = phrases{list: "notPolite"}

// doings are verbs of polite sentences that concern an image, and of those that
// concern the project.
var (
	doings = phrases{list: "doings"}
	others = phrases{list: "others"}
)

// isAboutImage reports whether a polite sentence asks for an image, if it does
// not name one.
func isAboutImage(text string) bool {
	there := wherever.in(text)
	text = notPolite.without(text)
	return (there || doings.in(text) || foreignDoings.in(text) || foreignNouns.in(text)) && !others.in(text) && !foreignQuestions.in(text)
}

// wherever are the places where images are put on request.
var wherever = phrases{list: "wherever"}

// foreignDoings are verbs of such sentences in other languages, foreignNouns
// words for an image.
var (
	foreignDoings = phrases{list: "foreignDoings"}
	foreignNouns  = phrases{list: "foreignNouns"}
)

// courtesies are words of sentences without a subject.
var courtesies = wordSet{list: "courtesies"}

// hasSubject reports whether a sentence has a subject besides courtesies.
func hasSubject(toks []token) bool {
	const most = 2 // words that do not make a subject
	words := 0
	for _, t := range toks {
		switch {
		case t.kind == asciiWord && !courtesies.has(spoken(t)) && !isFiller(t.text):
			words++
		case t.kind == otherWord && isChinese(t.text) && !isFiller(t.text):
			words += utf8.RuneCountInString(t.text) / 4
		case t.kind == otherWord && !isFiller(t.text):
			words++
		}
	}
	return words > most
}

// isPolite reports whether a question is a polite request.
func isPolite(text string) bool {
	text = notPolite.without(text)
	if strings.IndexFunc(text, isForeignLetter) >= 0 {
		text = imperatives.without(text)
	}
	return polite.in(text) || bids.starts(strings.TrimLeft(afterCommitType(text), "# -*[(\"'`【")) || isForeignWish(text)
}

// bids are verbs and nouns at the beginning of sentences that ask for an image.
var bids = phrases{list: "bids"}

// imperatives removes English verbs, which are nouns in sentences of other
// languages.
var imperatives = phrases{list: "mirror |sync "}

// isForeignLetter reports whether a rune is a letter of another script than
// Chinese and English.
func isForeignLetter(r rune) bool {
	return r == '¿' || r == '¡' || r >= 0xc0 && r < 0x2000 || r >= 0x3040 && r < 0x3100 || r >= 0xac00 && r < 0xd7b0
}

var questions = phrases{list: "questions"}

// interrogatives begin a question; inside a sentence they mostly join its
// parts.
var interrogatives = phrases{list: "interrogatives"}

// isQuestion reports whether a sentence asks for an answer.
func isQuestion(text string) bool {
	return strings.HasSuffix(text, "?") || questions.in(text) || interrogatives.starts(text)
}
