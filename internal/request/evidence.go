package request

import (
	"slices"

	"github.com/imageferry/ferry/internal/reference"
)

// evidence is everything known about one request: the readings of the title and
// the body.
type evidence struct {
	in          Input
	title, body text
	chinese     bool      // a line is in Chinese
	english     bool      // a line is in English, and none in Chinese
	archive     bool      // the text asks for a file with the images
	wording     int       // the weight of the wording
	notes       []Problem // remarks of the rules, reported if an image was found
}

// text is the evidence of the title or the body.
type text struct {
	said       string // its lines in lower case, without what is masked
	talk       string // the same without code blocks
	candidates []candidate
	flaws      []flaw
	platforms  []reference.Platform
	listed     map[int]bool // the lines that have to name an image
	entries    []entry      // those of them that do not by themselves
	signs      uint64       // the signals that words give, by their index
	statements
	looseTags
	asking
	troubles
	titleForm
	extent
}

// statements are what lines say about images of other lines.
type statements struct {
	spaces    []statedIn   // namespaces that lines state for lists
	corrected []correction // what the author takes back
	without   []withoutName
	onlyLine  int   // the line that says that only its images are wanted; 0 for none
	arrows    []int // lines with only an arrow
}

// looseTags are the tags, and the versions that may be tags, apart from images.
type looseTags struct {
	apart     []apartTag  // tags that belong to no image of their line
	shared    []sharedTag // those of all images, according to a line
	versions  []sharedTag // versions on their own lines
	mentioned []string    // versions in sentences
	tagLists  []tagList   // lists of tags, one a line
	tagLater  bool        // a sentence promises a version for later
	letter    bool        // a line says that tags begin with "v"
}

// asking is what the text says for a request.
type asking struct {
	wanted    bool // a sentence asks for an image, or a log says that it was not pulled
	wish      bool // a sentence asks to mirror
	desire    bool // a sentence with an image says what its author wants
	polite    bool // a sentence asks politely
	tried     bool // a line is a single word with the marks of an image, and is none
	also      bool // a sentence adds to the text above
	replaces  bool // a sentence names an image instead of another
	withdrawn bool // a sentence takes back what was asked for
	about     bool // a sentence is about mirroring images
	pulls     bool // a command pulls an image
}

// troubles are what it says about something that fails, or about something else.
type troubles struct {
	lacks    bool // a line says that something cannot be pulled or reached
	fails    bool // a sentence says that something fails
	isolated bool // a sentence is about a network without access to others
	running  bool // a sentence is about running a container
	question bool // a sentence asks something other than to mirror an image
	doubt    bool // a sentence asks something
	subject  bool // a sentence has another subject
	defect   bool // a sentence reports a fault of the project, or proposes a feature
	report   bool // a line belongs to the form of a bug report
	diff     bool // a line is in a diff
	models   bool // a command line uses models of ollama or a similar program
}

// titleForm is the form of a title.
type titleForm struct {
	blank     bool     // it is empty
	found     bool     // it has an image, whatever became of it
	ordered   []string // its words, if it begins with a verb for adding an image
	versioned bool     // it is the version of a release
	commit    bool     // it is the subject of a commit
	ownCommit bool     // it is that of a commit to tests or documentation
}

// extent is how much the text has besides images, and how its lines look.
type extent struct {
	words    int          // words of prose on lines with more than versions
	told     int          // about how many words of prose, in all lines
	prose    bool         // a line has more than images and related words
	sections int          // headings of a bug report
	aside    map[int]bool // the lines below them
	layout   layout
}

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

// tagList is a list of tags, one a line, of an image that is named elsewhere: "Please
// mirror a/b:" above "v1.2" and "v1.3".
type tagList struct {
	above int   // the number of the line above it
	lines []int // the numbers of its lines
	tags  []string
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
	more      bool   // it is wanted beside the other tag of its version
	elsewhere bool   // in another sentence than that, or not announced
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

// clone is a copy that can be changed.
func (e evidence) clone() evidence {
	e.title, e.body = e.title.clone(), e.body.clone()
	e.notes = slices.Clone(e.notes)
	return e
}

// texts returns the title and the body.
func (e *evidence) texts() []*text { return []*text{&e.title, &e.body} }

// with returns the candidates of title and body with a verdict.
func (e *evidence) with(v verdict) []*candidate { return append(e.title.with(v), e.body.with(v)...) }

// any reports whether a candidate of title or body satisfies is.
func (e *evidence) any(is func(*candidate) bool) bool {
	return e.title.any(is) || e.body.any(is)
}

// note adds a remark.
func (e *evidence) note(p Problem) {
	if len(e.notes) < MaxImages {
		e.notes = append(e.notes, p)
	}
}

// isFlawed reports whether there is a problem with the text.
func (e *evidence) isFlawed() bool { return len(e.title.flaws)+len(e.body.flaws) > 0 }

// What title and body say together.
func (e *evidence) wanted() bool   { return e.title.wanted || e.body.wanted }
func (e *evidence) wishing() bool  { return e.title.wish || e.body.wish }
func (e *evidence) lacks() bool    { return e.title.lacks || e.body.lacks }
func (e *evidence) fails() bool    { return e.title.fails || e.body.fails }
func (e *evidence) isolated() bool { return e.title.isolated || e.body.isolated }
func (e *evidence) running() bool  { return e.title.running || e.body.running }
func (e *evidence) question() bool { return e.title.question || e.body.question }
func (e *evidence) prose() bool    { return e.title.prose || e.body.prose }
func (e *evidence) told() int      { return e.title.told + e.body.told }

// hasSubject reports whether the text is about something else than mirroring.
func (e *evidence) hasSubject() bool {
	return (e.title.subject || e.body.subject) && !e.title.about && !e.body.about
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
	return t.any(func(c *candidate) bool { return c.verdict == taken || !c.heading && c.mayCount() })
}

// isImage reports whether a title is an image rather than a sentence with one.
func (t *text) isImage() bool {
	return t.any(func(c *candidate) bool { return c.verdict == taken && !c.isSpoken() })
}

// clone returns a copy whose candidates can be changed without changing those
// of t; images are replaced, never changed.
func (t text) clone() text {
	t.candidates = slices.Clone(t.candidates)
	return t
}

// any reports whether a candidate satisfies is.
func (t *text) any(is func(*candidate) bool) bool {
	for i := range t.candidates {
		if is(&t.candidates[i]) {
			return true
		}
	}
	return false
}
