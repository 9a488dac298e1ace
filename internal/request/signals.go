package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// A text either asks for images or only mentions them. No single word decides
// which: the score of a text is the sum of the weights of its signals.

// A signal is one piece of evidence about what a text wants.
type signal struct {
	name   string
	weight int // positive if it shows a request, negative if it shows something else
	// A text gives the signal if a line of it has one of the words in the region, unless
	// there are none, and holds is true, unless it is nil.
	words  *phrases
	region region
	holds  func(*evidence) bool
}

// region is the part of a text in which the words of a signal are looked for.
type region int

const (
	inAnyLine   region = iota
	inOwnWords         // outside of blocks of code
	inCode             // in a block of code, or indented
	inHeads            // at the beginning of a heading or a label
	inTitleHead        // at the beginning of the title
)

// The limits of the score. Between them, the author is asked.
const (
	certainly = 20 // a text with this score or more is a request, although no sentence asks
	requests  = 0  // a text with this score or more is a request
	mentions  = -2 // a text with this score or less only mentions images
	hopeless  = -9 // with this score or less, even if it says that a pull failed
)

// story is the number of words of prose up to which a text says hardly anything
// besides its images.
const story = 8

// signals is the table of the signals. The comments on a row are read by tests: a
// sentence for docs/shapes.md, and a title, " / " and the body of a text with the
// signal.
var signals = []signal{
	// says: a sentence asks for an image
	// shows: x / Could you add quay.io/a/b:1 to the mirror?
	{name: "wish", weight: 5,
		holds: func(e *evidence) bool { return e.body.wanted || e.asksToPull() }},
	// says: the title asks for an image
	// shows: Please mirror quay.io/a/b:1 / x
	{name: "title-wish", weight: 4,
		holds: func(e *evidence) bool { return e.title.wanted }},
	// says: the title has a word that requests have
	// shows: Container request / x
	{name: "title-hint", weight: 2,
		holds: func(e *evidence) bool { return e.title.wish && !e.title.wanted }},
	// says: there is no title, only a piece of text
	// shows:  / x
	{name: "untitled", weight: 6,
		holds: func(e *evidence) bool { return e.title.blank }},
	// says: a sentence replaces an image by another
	// shows: x / We moved from quay.io/a/b:1 to quay.io/a/b:2.
	{name: "replacement", weight: 2,
		holds: func(e *evidence) bool { return e.body.replaces }},
	// says: the title asks for an image by its name
	// shows: Mirror quay.io/a/b:1 / x
	{name: "title-names", weight: 4,
		holds: func(e *evidence) bool { return e.title.wanted && e.title.found }},
	// says: the title says to add what the body names as an image
	// shows: Add flannel / We have quay.io/coreos/flannel:1 in mind.
	{name: "title-order", weight: 4,
		holds: (*evidence).isOrdered},
	// says: a heading announces a list of needs
	// shows: x / ### What we need\n- quay.io/a/b:1
	{name: "wanted-head", weight: 4,
		words: &phrases{list: "signal wanted-head"}, region: inHeads},
	// says: the title is an image
	// shows: quay.io/a/b:1 / x
	{name: "title-image", weight: 6,
		holds: func(e *evidence) bool {
			return e.title.isImage() || !e.title.prose && len(e.title.with(taken))+len(e.title.flaws) > 0
		}},
	// says: the title contains an image
	// shows: quay.io/a/b:1 for the lab / x
	{name: "titled", weight: 1,
		holds: func(e *evidence) bool { return len(e.title.with(taken)) > 0 }},
	// says: a form names the image
	// shows: x / Image: coreos/flannel\nVersion: v0.15.1\nRegistry: quay.io
	{name: "form", weight: 8,
		holds: func(e *evidence) bool {
			return len(e.body.listed) > 0 || e.body.any(func(c *candidate) bool { return c.place == inField || c.place == inRelease })
		}},
	// says: a line has only images, or a row of a table one with its tag
	// shows: x / quay.io/a/b:1
	{name: "list", weight: 5,
		holds: func(e *evidence) bool { return e.lists(nothing) }},
	// says: a line begins with an image and its tag
	// shows: x / quay.io/a/b:1 is the one for the lab.
	{name: "row", weight: 2,
		holds: func(e *evidence) bool {
			return !e.fails() && !e.body.running && e.body.any((*candidate).isRow)
		}},
	// says: something cannot be pulled or reached
	// shows: x / Our nodes have no access to ghcr.io
	{name: "unreachable", weight: 3,
		holds: func(e *evidence) bool { return e.lacks() || e.body.pulls && e.fails() }},
	// says: the title says that something cannot be pulled
	// shows: Cannot pull the image / x
	{name: "title-unreachable", weight: 3,
		holds: func(e *evidence) bool { return e.title.lacks }},
	// says: a sentence is about a network without access to others
	// shows: x / The cluster is air-gapped.
	{name: "isolated", weight: 2,
		holds: (*evidence).isolated},
	// says: a log names an image that was not pulled
	// shows: x / Failed to pull image "quay.io/a/b:1": i/o timeout
	{name: "logged", weight: 3,
		holds: func(e *evidence) bool {
			return e.body.any(func(c *candidate) bool { return c.place == inLog })
		}},
	// says: there are hardly any words besides the images
	// shows: x / image: quay.io/a/b:1
	{name: "bare", weight: 6,
		holds: (*evidence).isBare},
	// says: there are few words besides the images
	// shows: x / This one is for us: quay.io/a/b:1
	{name: "terse", weight: 1,
		holds: func(e *evidence) bool { return e.told() <= story && e.body.sections == 0 }},
	// says: a file or a table contains an image
	// shows: x / services:\n  a:\n    image: quay.io/a/b:1
	{name: "pasted", weight: 1,
		holds: func(e *evidence) bool {
			return e.body.any(func(c *candidate) bool { return c.verdict == taken && c.isPasted() })
		}},
	// says: something fails, and not that an image is pulled
	// shows: x / The job fails every night.
	{name: "fails", weight: -4,
		holds: func(e *evidence) bool {
			return e.fails() && !e.lacks() && !e.body.pulls && !e.running() && !e.wanted()
		}},
	// says: images stand in sentences only, and none asks for one or says that it cannot be had
	// shows: x / We are using quay.io/a/b:1 here.
	{name: "spoken", weight: -1,
		holds: (*evidence).onlySpeaks},
	// says: there is a sentence besides the images
	// shows: x / We have used this for a long time in our lab.
	{name: "told", weight: -2,
		holds: func(e *evidence) bool { return e.told() > story }},
	// says: there are some sentences besides the images
	// shows: x / We have used this for a long time in our lab, and nobody has complained about it so far.
	{name: "tale", weight: -1,
		holds: func(e *evidence) bool { return e.told() > 2*story }},
	// says: there are many sentences besides the images
	// shows: x / We have used this for a long time in our lab, and nobody has complained. We have used this for a long time in our lab, and nobody has complained. We have used this for a long time in our lab, and nobody has complained. We have used this for a long time in our lab, and nobody has complained.
	{name: "long-tale", weight: -1,
		holds: func(e *evidence) bool { return e.told() > 5*story }},
	// says: a sentence asks something, and none politely for an image, unless it stands beside a list
	// shows: x / How does the mirror name a/b:1?
	{name: "question", weight: -12,
		holds: (*evidence).onlyQuestions},
	// says: a sentence is about running a container
	// shows: x / It exits with code 1 and restarts.
	{name: "running", weight: -3,
		holds: (*evidence).running},
	// says: a sentence reports a fault of a project, or proposes a feature
	// shows: x / It would be nice to support labels.
	{name: "defect", weight: -24,
		holds: func(e *evidence) bool {
			return (e.title.defect || e.body.defect && !e.title.isImage()) && !e.lists(tagged)
		}},
	// says: a heading is from a bug report
	// shows: x / **Describe the bug**\nIt is red.
	{name: "report", weight: -2,
		words: &reportHeads, region: inHeads},
	// says: a form asks what happened, and no sentence politely for an image
	// shows: x / What happened\nIt is red.
	{name: "bug-form", weight: -8,
		holds: func(e *evidence) bool {
			return e.body.report && !e.asksPolitely() && !e.lists(certain) && len(e.title.with(taken)) == 0
		}},
	// says: several headings are from a bug report
	// shows: x / ## Steps to reproduce\nRun it.\n## Expected behavior\nIt is green.
	{name: "reports", weight: -3,
		holds: func(e *evidence) bool { return e.body.sections > 1 }},
	// says: a heading is from release notes, minutes or a report of an incident
	// shows: x / ## What's Changed\n* Fix the loop by @a in #12
	{name: "changes", weight: -8,
		words: &phrases{list: "signal changes"}, region: inHeads},
	// says: the title is that of minutes, an announcement, a proposal or a report of an incident
	// shows: Postmortem 2024-07-02 / x
	{name: "event-title", weight: -12,
		words: &phrases{list: "signal event-title"}, region: inTitleHead},
	// says: the registries of a daemon are configured
	// shows: x / "registry-mirrors": []
	{name: "daemon", weight: -4,
		words: &daemons},
	// says: the title is the version of a release
	// shows: Release v2.1.0 / x
	{name: "version-title", weight: -4,
		holds: func(e *evidence) bool { return e.title.versioned }},
	// says: the title is the subject of a commit and asks for no image
	// shows: test: Pull nginx from quay.io / x
	{name: "commit", weight: -18,
		holds: (*evidence).isCommit},
	// says: the body shows a change of a file
	// shows: x / ```diff\n-a\n+b\n```
	{name: "diff", weight: -2,
		holds: func(e *evidence) bool { return e.body.diff }},
	// says: a sentence asks to remove an image
	// shows: x / Please delete quay.io/a/b:1 from your side.
	{name: "removal", weight: -20,
		words: &phrases{list: "signal removal"}, region: inOwnWords},
	// says: an image at a mirror of its readers cannot be pulled, and no sentence asks for one, or the only image is in a private network
	// shows: x / docker pull mirror.corp.example/library/node:22 fails with a timeout.
	{name: "mirror-fails", weight: -20,
		holds: (*evidence).isMirrorsFault},
	// says: a heading is from the form of a change of code
	// shows: x / ## How has this been tested\nBy hand.
	{name: "change-form", weight: -20,
		words: &phrases{list: "signal change-form"}, region: inHeads},
	// says: the title asks for access, a role or an account
	// shows: Request for access to the project / x
	{name: "access", weight: -12,
		words: &phrases{list: "signal access"}, region: inTitleHead},
	// says: a sentence without an image takes the request back
	// shows: x / quay.io/a/b:1\n\nNever mind, I have it.
	{name: "withdrawn", weight: -40,
		holds: func(e *evidence) bool { return e.title.withdrawn || e.body.withdrawn }},
	// says: the title proposes a feature
	// shows: Support labels in lists / x
	{name: "proposal", weight: -4,
		words: &phrases{list: "signal proposal"}, region: inTitleHead},
	// says: the title says not to do something, and the body asks for no image
	// shows: Don't mirror to public namespaces / x
	{name: "do-not", weight: -12,
		words: &phrases{list: "don't |do not |stop |avoid |不要|别 |禁止"}, region: inTitleHead,
		holds: func(e *evidence) bool { return !e.body.wanted }},
	// says: a sentence announces something, or tells others of it
	// shows: x / Heads-up: we move on Monday.
	{name: "news", weight: -5,
		words: &phrases{list: "signal news"}, region: inOwnWords},
	// says: a sentence tells what happened after an update, and none asks for an image
	// shows: x / Since the upgrade it is slow.
	{name: "aftermath", weight: -5,
		words: &phrases{list: "signal aftermath"}, region: inOwnWords,
		holds: nobodyAsks},
	// says: a sentence says what should be done, and none asks for an image
	// shows: x / You should show the digest.
	{name: "advice", weight: -3,
		words: &phrases{list: "signal advice"}, region: inOwnWords,
		holds: nobodyAsks},
	// says: the output of a scanner or the trace of a program is shown
	// shows: x / Total: 1 (HIGH: 1, CRITICAL: 0)
	{name: "scan", weight: -6,
		words: &phrases{list: "signal scan"}},
	// says: the running containers are listed, and no sentence asks for an image
	// shows: x / CONTAINER ID  IMAGE  COMMAND  CREATED  STATUS
	{name: "containers", weight: -6,
		words: &phrases{list: "container id "},
		holds: nobodyAsks},
	// says: a file tells how a container is run
	// shows: x / a:\n  ports:\n  - 80:80
	{name: "service", weight: -2,
		words: &phrases{list: "signal service"}, region: inCode},
	// says: the title is marked as a bug, a question, an idea or thanks
	// shows: [Bug]: the list is empty / x
	{name: "tagged", weight: -12,
		words: &phrases{list: "signal tagged"}, region: inTitleHead},
	// says: a sentence is about the code of a project
	// shows: x / The go.mod says 1.22.
	{name: "project", weight: -6,
		words: &phrases{list: "signal project"}, region: inOwnWords},
	// says: a sentence says that it is solved
	// shows: x / That solves the issue.
	{name: "solved", weight: -14,
		words: &phrases{list: "signal solved"}, region: inOwnWords},
	// says: a sentence says that it works, and none asks for an image
	// shows: x / It works perfectly.
	{name: "praise", weight: -6,
		words: &praises, region: inOwnWords,
		holds: nobodyAsks},
	// says: a sentence is about the job that mirrors
	// shows: x / The sync job stopped last night.
	{name: "job", weight: -3,
		words: &phrases{list: "signal job"}, region: inOwnWords},
	// says: a sentence is about a service that is down
	// shows: quay.io seems to be down? / x
	{name: "outage", weight: -3,
		words: &phrases{list: "signal outage"}, region: inOwnWords},
}

// nobodyAsks reports whether no sentence asks for an image.
func nobodyAsks(e *evidence) bool { return !e.wanted() }

// asksToPull reports whether the body asks politely, and shows a command that pulls.
func (e *evidence) asksToPull() bool { return e.body.polite && e.body.pulls }

// asksPolitely reports whether a sentence asks to mirror, or the body asks so.
func (e *evidence) asksPolitely() bool { return e.wishing() || e.asksToPull() }

// isOrdered reports whether the body has an image that the title says to add: "Add
// flannel".
func (e *evidence) isOrdered() bool {
	return e.body.any(func(c *candidate) bool {
		return c.strength >= path && slices.ContainsFunc(e.title.ordered, func(word string) bool { return c.fits(word) > 0 })
	})
}

// isRow reports whether an image with its tag begins a sentence.
func (c *candidate) isRow() bool {
	return c.verdict == taken && c.opens && c.isSpoken() && !c.lacksTag()
}

// isBare reports whether there are hardly any words besides the images.
func (e *evidence) isBare() bool {
	const few = 3
	switch {
	case e.told() > few, e.body.words > story, e.running():
		return false
	case e.body.sections > 0: // a report, unless it is only a list
		return !e.prose()
	}
	return true
}

// onlySpeaks reports whether images stand in sentences only, and nothing shows that one
// is needed.
func (e *evidence) onlySpeaks() bool {
	const few = 3
	lies := func(c *candidate) bool { return c.verdict == taken && (c.opens || !c.isSpoken()) }
	needs := e.wanted() || e.wishing() || e.lacks() || e.body.isolated || e.body.replaces
	return e.body.told > few && !e.title.blank && !needs && !e.any(lies)
}

// onlyQuestions reports whether a sentence asks something, and nothing shows that it asks
// for an image.
func (e *evidence) onlyQuestions() bool {
	named := func(c *candidate) bool { return c.verdict == taken && c.strength > official }
	switch {
	case !e.question(), e.asksPolitely():
		return false
	case e.lists(nothing) && e.told() <= 2*story: // a list with a question
		return false
	}
	return !e.title.any(named)
}

// isCommit reports whether the title is the subject of a commit, and asks for no image.
func (e *evidence) isCommit() bool {
	if e.title.ownCommit {
		return true
	}
	asks := e.title.wanted || e.title.wish || e.body.polite && e.body.wanted
	return e.title.commit && !asks
}

// isMirrorsFault reports whether the text is about a mirror of its readers, and names no
// image to add to it.
func (e *evidence) isMirrorsFault() bool {
	if e.title.isImage() || e.lists(nothing) {
		return false
	}
	fails, wanted := e.fails() || e.lacks() || e.question(), e.wanted()
	only := len(e.body.candidates)+len(e.title.candidates) == 1
	return e.body.any(func(c *candidate) bool {
		switch {
		case c.strength < tagged:
			return false
		case only && isPrivate(c.host()):
			return fails || !wanted
		}
		return fails && !wanted && c.isAtMirror()
	})
}

// isAtMirror reports whether an image is at the mirror of a registry.
func (c *candidate) isAtMirror() bool {
	if known.IsRegistry(c.host()) {
		return false
	}
	space, _, _ := cutLast(c.repository().String())
	return mirrorHosts.in(space) || strings.HasPrefix(c.repository().Path(), "library/")
}

// mirrorHosts are parts of the names of mirrors.
var mirrorHosts = phrases{list: "mirrorHosts"}

// lists reports whether a line of the body has only images, the forms of which are at
// least as certain as least.
func (e *evidence) lists(least strength) bool {
	return e.body.any(func(c *candidate) bool {
		return c.verdict == taken && c.strength >= least && c.isItem() && !c.has(ReadLink) && !e.body.aside[c.line]
	})
}

// isItem reports whether an image stands on a line of images, or with its tag in a table.
func (c *candidate) isItem() bool { return c.isListed() || c.place == inCell && !c.lacksTag() }

// reportHeads are beginnings of headings and labels in forms of bug reports.
var reportHeads = phrases{list: "reportHeads"}

// topicHeads are beginnings of headings that stand in reports and elsewhere.
var topicHeads = phrases{list: "topicHeads"}

// score returns the sum of the weights of the signals and of the wording.
func (e *evidence) score() int {
	sum := e.wording
	for _, s := range e.given() {
		sum += s.weight
	}
	return sum
}

// isRequest reports whether the text asks for images.
func (e *evidence) isRequest() bool { return e.score() >= requests }

// given returns the signals that the text gives.
func (e *evidence) given() (given []*signal) {
	signs := e.title.signs | e.body.signs
	for n := range signals {
		s := &signals[n]
		if s.words != nil && signs&(1<<n) == 0 || s.holds != nil && !s.holds(e) {
			continue
		}
		given = append(given, s)
	}
	return given
}

// readSignals notes the signals that lines, in lower case, give by their words.
func (s *scan) readSignals(whole string) {
	inReport := false
	s.said, s.aside = whole, map[int]bool{}
	for _, l := range s.lines {
		said, rest, _ := strings.Cut(whole, "\n")
		whole = rest
		head := headOf(l, said)
		s.layout.note(l, said)
		switch {
		case head == "":
		case reportHeads.starts(head) || topicHeads.starts(head):
			s.sections++
			inReport = true
		case said[0] == '#' || said[0] == '*': // another section
			inReport = false
		}
		if inReport {
			s.aside[l.number] = true
		}
		s.readIntent(said, marksOf(said))
		if signalWords.in(said) {
			s.signs |= signsOf(l, said, head)
		}
		s.diff = s.diff || l.diff
		if l.number == 0 {
			s.readTitle(said)
		}
	}
}

// readTitle notes the form of a title in lower case.
func (s *scan) readTitle(said string) {
	s.titleForm = titleForm{
		blank:     said == "",
		versioned: isRelease(said),
		commit:    commits.starts(said),
		ownCommit: ownCommits.starts(said),
	}
	order := strings.TrimLeft(afterCommitType(said), "#[ ")
	if strings.HasPrefix(order, "bump ") { // a commit
		return
	}
	if orders.starts(order) || bids.starts(order) {
		s.ordered = strings.FieldsFunc(order, func(r rune) bool { return strings.ContainsRune(" :,()/[]", r) })
	}
}

// signalWords are the words of all signals.
var signalWords = phrases{of: func() (all []string) {
	for _, s := range signals {
		if s.words != nil {
			all = append(all, s.words.all()...)
		}
	}
	return all
}}

// signsOf returns the signals that the words of a line give.
func signsOf(l line, said, head string) (signs uint64) {
	title := l.number == 0
	for n, sign := range signals {
		found := false
		switch {
		case sign.words == nil:
		case sign.region == inHeads:
			found = head != "" && !title && sign.words.starts(head)
		case sign.region == inTitleHead:
			found = title && sign.words.starts(said)
		case sign.region == inOwnWords:
			found = !l.fenced && sign.words.in(said)
		case sign.region == inCode:
			found = (l.fenced || l.indent() > 0) && sign.words.in(said)
		default:
			found = sign.words.in(said)
		}
		if found {
			signs |= 1 << n
		}
	}
	return signs
}

// ownCommits are beginnings of subjects of commits to the files of a project
// that no mirror needs.
var ownCommits = phrases{list: "ownCommits"}

// isRelease reports whether a title, in lower case, is the version of a release:
// "v1.2.0", "Release 1.2".
func isRelease(title string) bool {
	words := strings.Fields(title)
	if len(words) == 2 && (words[0] == "release" || words[0] == "version") {
		words = words[1:]
	}
	return len(words) == 1 && isVersion(words[0]) && strings.Contains(words[0], ".")
}

// headOf returns the text of a heading, of a bold line or before the colon of a
// label, in lower case; empty if a line is none of these. said is its text in
// lower case. Keys of files are no labels.
func headOf(l line, said string) string {
	const most = 5 // words of a label
	text := strings.TrimLeft(said, " -*")
	switch {
	case l.fenced || said == "":
		return ""
	case text != "" && text[0] == '#', strings.HasPrefix(said, "**"):
	default:
		label, _, ok := strings.Cut(text, ":")
		if first := l.text[len(l.text)-len(strings.TrimLeft(l.text, " -*")):]; !ok || strings.Count(label, " ") >= most || first[0] >= 'a' && first[0] <= 'z' {
			return ""
		}
		text = label
	}
	return strings.TrimLeft(text, "#*_ ")
}
