package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

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

// ref returns what it was read as; repository, host and tag return parts of that.
func (c *candidate) ref() reference.Reference { return c.image.Reference }

func (c *candidate) repository() reference.Repository { return c.ref().Repository() }

func (c *candidate) host() string { return c.repository().Host() }

func (c *candidate) tag() string { return c.ref().Tag() }

// bareName returns the short name of an official image.
func (c *candidate) bareName() string { return strings.TrimPrefix(c.repository().Path(), "library/") }

// called returns the last component of the name, and the tag.
func (c *candidate) called() string { return c.image.name() + ":" + c.tag() }

// pathAndTag returns the reference without its registry.
func (c *candidate) pathAndTag() string { return c.repository().Path() + ":" + c.tag() }

// has reports whether an assumption was made for the candidate.
func (c *candidate) has(a Assumption) bool { return c.image.has(a) }

// lacksTag reports whether it is written without a tag and a digest.
func (c *candidate) lacksTag() bool { return c.has(AssumedTag) }

// lacksHost reports whether it is written without a registry.
func (c *candidate) lacksHost() bool { return c.has(AssumedHost) }

// isShort reports whether it is a name without a namespace.
func (c *candidate) isShort() bool { return c.has(AssumedLibrary) && c.lacksHost() }

// lacksSpace reports whether it is one that no official image has.
func (c *candidate) lacksSpace() bool { return c.isShort() && !known.IsOfficial(c.image.name()) }

// mayCount reports whether it is taken as an image, or may be guessed to be one.
func (c *candidate) mayCount() bool {
	return c.verdict == taken || c.verdict == guessed && isGuess(c.bareName())
}

// isListed, isPasted and isSpoken tell in which kind of text it stands.
func (c *candidate) isListed() bool { return c.place.stance == listed }

func (c *candidate) isPasted() bool { return c.place.stance == pasted }

func (c *candidate) isSpoken() bool { return c.place.stance == embedded }

// isLeft reports whether the candidate is certainly an image, and no pass has
// found out what is said about it.
func (c *candidate) isLeft() bool { return c.place == leftOver && c.strength == certain }

// isBefore reports whether it stands in front of a place in the text.
func (c *candidate) isBefore(line, at int) bool {
	return c.line < line || c.line == line && c.at < at
}

// otherName is the name of what has a tag and is no image.
const otherName = "?"

// fits reports how well a name fits a candidate: 2 if it is the last component of
// its path, 1 if it is a part of it.
func (c *candidate) fits(name string) int {
	space, last, _ := cutLast(c.repository().Path())
	switch {
	case name == "" || name == otherName:
		return 0
	case last == name:
		return 2
	case strings.HasPrefix(last, name+"-"), strings.HasSuffix(last, "-"+name), len(name) > 3 && strings.HasPrefix(space, name):
		return 1
	}
	return 0
}

// judgedBy reports whether one of some rules applied to it.
func (c *candidate) judgedBy(rules ...string) bool {
	return slices.ContainsFunc(rules, func(rule string) bool { return slices.Contains(c.reasons, rule) })
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

// giveTag completes a candidate by a tag, and reports whether the tag is valid.
func (c *candidate) giveTag(tag string, added ...Assumption) bool {
	ref, err := c.repository().Tagged(tag)
	if err == nil {
		c.complete(c.image.named(ref), added...)
	}
	return err == nil
}
