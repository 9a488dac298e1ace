package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// A place is where an image can be named. It defines how strong the evidence of
// a word must be there, and what happens to weaker words. This is the only list
// of places.
type place struct {
	name   string // for --explain and docs/shapes.md
	needs  strength
	weaker verdict // for words with weaker evidence
	stance stance
}

// never is stronger than every word: no word counts in such a place.
const never = certain + 1

// stance is the kind of text in which an image is named.
type stance int

const (
	listed   stance = iota // on a line that consists of images
	pasted                 // in a command, a file, a table or a log
	embedded               // inside a sentence
)

// The places.
var (
	// says: a line with only images and the words that belong to them
	inLine = &place{"line", official, guessed, listed}
	// says: a Kubernetes release, whose images are known
	inRelease = &place{"release", tagged, dropped, listed}
	// says: an argument that is an image by the grammar of a pasted command
	inCommand = &place{"command", bare, dropped, pasted}
	// says: the same for a command inside a sentence
	inSpoken = &place{"spoken-command", bare, dropped, embedded}
	// says: any other word on the line of a command
	besideOne = &place{"beside-command", certain, dropped, embedded}
	// says: FROM in a Dockerfile
	inFrom = &place{"from", bare, dropped, pasted}
	// says: COPY --from= and RUN --mount=from= in a Dockerfile
	inCopyFrom = &place{"copy-from", path, dropped, pasted}
	// says: the value of a key for images, in any file of settings
	inKey = &place{"image-key", bare, dropped, pasted}
	// says: the fields of a form that together are an image
	inField = &place{"field", bare, dropped, listed}
	// says: the value of any other key, if it has a tag or a digest
	inOtherKey = &place{"other-key", certain, dropped, pasted}
	// says: the source in a list of sources and destinations
	inSource = &place{"source", tagged, dropped, pasted}
	// says: a key of image-syncer's list, whose value is the target
	inSyncKey = &place{"sync-key", tagged, dropped, pasted}
	// says: the image column in the output of a program
	inColumn = &place{"column", bare, dropped, pasted}
	// says: the image column in a table
	inCell = &place{"cell", official, guessed, pasted}
	// says: a name in a list below the common namespace
	inNamespace = &place{"namespace", tagged, dropped, listed}
	// says: an image that a log announces
	inLog = &place{"log", bare, dropped, pasted}
	// says: an image that a log reports as present
	inLogDone = &place{"log-done", bare, dropped, pasted}
	// says: the URL of a manifest in a log
	inLogLink = &place{"log-link", certain, dropped, pasted}
	// says: a word of a sentence
	inSentence = &place{"sentence", tagged, dropped, embedded}
	// says: a word in quotes in a sentence
	inQuotes = &place{"quotes", path, dropped, embedded}
	// says: a word in a sentence that asks for something, or in a title that names one image
	inWish = &place{"wish", path, dropped, embedded}
	// says: the only word in a polite request
	inPlainWish = &place{"plain-wish", official, guessed, embedded}
	// says: a word that the sentence excludes
	inExclusion = &place{"exclusion", never, dropped, embedded}
	// says: anywhere else
	leftOver = &place{"elsewhere", never, dropped, pasted}
	// says: a word in a question
	inQuestion = &place{"question", never, asked, embedded}
)

// maskedPlaces are the places of masked text, by the reason for masking.
var maskedPlaces = map[reason]*place{
	// says: a quoted message
	isQuoted: {isQuoted.String(), never, dropped, pasted},
	// says: an example, announced as such in the text
	isExample: {isExample.String(), never, dropped, pasted},
	// says: a line that a diff removes
	isRemoved: {isRemoved.String(), never, dropped, pasted},
	// says: a line that a diff does not change
	isUnchanged: {isUnchanged.String(), never, dropped, pasted},
	// says: the context lines in an error message or the output of a tool
	isExcerpt: {isExcerpt.String(), never, dropped, pasted},
	// says: text that GitHub does not show: link definitions, the text after an opening fence, style sheets, scripts
	isHidden: {isHidden.String(), never, dropped, pasted},
	// says: a list below words that exclude it
	isNot: {isNot.String(), never, dropped, pasted},
}

// verdict is the decision about a candidate.
type verdict int

const (
	taken   verdict = iota // requested
	guessed                // counts if nothing else does
	asked                  // the author is asked whether it is meant
	dropped                // not requested
)

// candidate is a word that may be an image, and the decision about it.
type candidate struct {
	line, at int // its line, and its offset in the text that was read
	list     int // the line with the first item of its list; 0 for none
	from     int // its offset in the written line
	image    *Image
	strength strength
	place    *place
	heading  bool   // on a line that begins with "#"
	wished   bool   // in a sentence that asks for it
	leads    bool   // at the beginning of a line that goes on with a remark
	opens    bool   // the first word of a line, apart from bullets
	asks     bool   // in a clause that asks for something
	doubted  bool   // what stands beside it says that it is there, gone or not meant
	faulty   bool   // its clause says that it does not work or is to be left as it is
	before   string // what stands before it in its clause, in lower case
	behind   string // and behind it
	verdict  verdict
	reasons  []string // names of the rules that applied to it, in order
}

// judge sets the verdict of a rule on a candidate.
func (c *candidate) judge(v verdict, rule string) {
	c.verdict = v
	c.reasons = append(slices.Clip(c.reasons), rule)
}

// complete replaces the image of a candidate.
func (c *candidate) complete(image Image, added ...Assumption) {
	image.Assumptions = append(slices.Clip(image.Assumptions), added...)
	c.image = &image
}

// bareName returns the short name of an official image.
func (c *candidate) bareName() string {
	return strings.TrimPrefix(c.image.Reference.Repository().Path(), "library/")
}

// fits reports how well a name fits a candidate: 2 if it is the last component of
// its path, 1 if it is a part of it.
func (c *candidate) fits(name string) int {
	path := c.image.Reference.Repository().Path()
	space, last, _ := cutLast(path)
	switch {
	case name == "" || name == "?":
		return 0
	case last == name:
		return 2
	case strings.HasPrefix(last, name+"-"), strings.HasSuffix(last, "-"+name), len(name) > 3 && strings.HasPrefix(space, name):
		return 1
	}
	return 0
}

// has reports whether an assumption was made for the candidate.
func (c *candidate) has(a Assumption) bool { return c.image.has(a) }

// flaw is a problem and its position.
type flaw struct {
	line, at int
	problem  Problem
	spoken   bool // in a sentence
	wished   bool // in one that asks for something
}

// statedIn is a namespace that a line says the names in a list are in.
type statedIn struct {
	line, at int
	space    string
	sure     bool // it has a slash, or the names say so as well
	named    bool // a word calls it a namespace
}

// sharedTag is a tag on one line for the images on others.
type sharedTag struct {
	line int
	tag  string
}

// correction is a place in a text behind which its author corrects what is before
// it.
type correction struct {
	line, at int
	old      string   // the tag that is denied, if one is
	tag      string   // the correct one, empty if a whole image follows
	of       []string // the words in front of it, one of which may be the name of the image
}

// apartTag is a word with the form of a tag that belongs to no image of its line.
type apartTag struct {
	line, at  int
	tag       string // empty for that of another image, of which of is the name
	of        string // the name in front of it, in lower case; empty for none
	noun      bool   // a word such as "tag" is beside it
	announced bool   // by such a word, or by the name in front of it
	shared    bool   // for several images, according to its line
	adds      bool   // its line adds something to what is before it
	nested    bool   // its line is indented and begins with tags
	listed    bool   // only tags and words for them are in front of it in its line, and no other owner behind it
	each      bool   // a word beside it gives it to all images
	paired    bool   // its line gives the first image the first tag, and so on
}

// entry is a line that has to name an image, and names none on its own, or a
// word on a line with images that belongs to none of them.
type entry struct {
	line       int
	at         int  // offset of the word
	word       bool // not the whole line
	beside     int  // the line of an image in the same list, which need not be a field; 0 for those in fields
	written    string
	version    bool   // only versions, which may be tags of other lines
	suggestion string // what may be meant
}

// withoutName is a name that a sentence excludes.
type withoutName struct {
	name string
	line int
}

// text is the evidence of the title or the body.
type text struct {
	said       string // its lines in lower case, without what is masked
	talk       string // the same without code blocks
	candidates []candidate
	flaws      []flaw
	platforms  []reference.Platform
	shared     []sharedTag
	spaces     []statedIn   // namespaces that lines state for lists
	corrected  []correction // what the author takes back
	without    []withoutName
	onlyLine   int          // the line that says that only its images are wanted; 0 for none
	mentioned  []string     // versions in sentences
	arrows     []int        // lines with only an arrow
	apart      []apartTag   // tags that belong to no image of their line
	versions   []sharedTag  // versions on their own lines, apart from images
	listed     map[int]bool // the lines that have to name an image
	entries    []entry      // those of them that do not by themselves
	words      int          // words of prose
	prose      bool         // a line has more than images and related words
	question   bool         // a sentence asks something other than to mirror an image
	doubt      bool         // a sentence asks something
	wish       bool         // a sentence asks to mirror
	tried      bool         // a line is a single word with the marks of an image, and is none
	also       bool         // a sentence adds to the text above
	models     bool         // a command line uses models of ollama or a similar program
	told       int          // about how many words of prose, in all lines
	wanted     bool         // a sentence asks for an image, or a log says that it was not pulled
	lacks      bool         // a line says that something cannot be pulled or reached
	pulls      bool         // a command pulls an image
	fails      bool         // a sentence says that something fails
	isolated   bool         // a sentence is about a network without access to others
	running    bool         // a sentence is about running a container
	about      bool         // a sentence is about mirroring images
	subject    bool         // a sentence has another subject
	defect     bool         // a sentence reports a fault of the project, or proposes a feature
	report     bool         // a line belongs to the form of a bug report
	signs      uint64       // the signals that words give, by their index
	sections   int          // headings of a bug report
	aside      map[int]bool // the lines below them
	diff       bool         // a line is in a diff
	layout     layout       // how its lines look
	polite     bool         // a sentence asks politely
	blank      bool         // the title is empty
	versioned  bool         // the title is the version of a release
	ordered    []string     // the words of a title that begins with a verb for adding an image
	commit     bool         // the title is the subject of a commit
	ownCommit  bool         // the title is that of a commit to tests or documentation
	found      bool         // the title has an image, whatever became of it
	replaces   bool         // a sentence names an image instead of another
	desire     bool         // a sentence with an image says what its author wants
	withdrawn  bool         // a sentence takes back what was asked for
	tagLater   bool         // a sentence promises a version for later
}

// with returns the candidates with a verdict.
func (t *text) with(v verdict) []*candidate {
	var found []*candidate
	for i := range t.candidates {
		if t.candidates[i].verdict == v {
			found = append(found, &t.candidates[i])
		}
	}
	return found
}

// names reports whether a text names an image, even if only as a guess.
func (t *text) names() bool {
	return slices.ContainsFunc(t.candidates, func(c candidate) bool {
		return c.verdict == taken || c.verdict == guessed && !c.heading && isGuess(c.bareName())
	})
}

// isImage reports whether a title is an image rather than a sentence with one.
func (t *text) isImage() bool {
	return slices.ContainsFunc(t.candidates, func(c candidate) bool { return c.verdict == taken && c.place.stance != embedded })
}

// clone returns a copy whose candidates can be changed without changing those
// of t; images are replaced, never changed.
func (t text) clone() text {
	t.candidates = slices.Clone(t.candidates)
	return t
}
