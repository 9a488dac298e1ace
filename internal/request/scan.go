package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// find is one image and where it stands.
type find struct {
	line, at int
	image    *Image
	weight   weight
	stance   stance
	comment  bool // on a line that begins with "#"
	wished   bool // in a sentence that asks for it
}

// bareName is the name of an official image as people write it.
func (f find) bareName() string {
	return strings.TrimPrefix(f.image.Reference.Repository().Path(), "library/")
}

// stance is how an image stands in the text.
type stance int

const (
	listed   stance = iota // on a line that holds nothing but images
	pasted                 // in a command, a file, a table or a log
	embedded               // inside a sentence
)

// flaw is one problem and where it stands.
type flaw struct {
	line, at int
	problem  Problem
	weight   weight
}

// scan is one reading of a title or a body. The passes read the lines one
// after the other; a line that a pass understands is taken from the later ones.
type scan struct {
	lines []line
	taken []bool

	finds     []find
	known     map[reference.Reference]bool // the images in finds
	memo      map[string]reading           // what words were read as
	guesses   []find                       // bare words that stand where an image could stand
	flaws     []flaw
	platforms []reference.Platform

	versions []string // that stand on lines of their own, away from any image
	words    int      // words of prose
	prose    bool     // a line is more than images and what goes with them
	question bool     // a sentence asks something other than to mirror an image
	doubt    bool     // a sentence asks something, in whatever tone
	wish     bool     // a sentence asks to mirror
	also     bool     // a sentence adds to what was said above
	report   bool     // a line belongs to the form of a bug report
}

// rest visits the lines that no pass has taken so far. It ends when there are
// more images than a request may have.
func (s *scan) rest(visit func(i int, l line)) {
	for i, l := range s.lines {
		if !s.taken[i] && l.text != "" && !s.full() {
			visit(i, l)
		}
	}
}

// full reports whether there are more images than a request may have.
func (s *scan) full() bool { return len(s.known) > MaxImages }

// readWord is readWord, once for each word: texts repeat themselves.
func (s *scan) readWord(word string) reading {
	r, ok := s.memo[word]
	if !ok {
		r = readWord(word)
		s.memo[word] = r
	}
	r.images = slices.Clone(r.images)
	return r
}

// take keeps what a word was read as, if it is at least as sure as asked for.
func (s *scan) take(l line, at int, r reading, least weight, how stance) bool {
	s.platforms = addPlatform(s.platforms, r.platforms...)
	if r.weight < least {
		return false
	}
	for i := range r.images {
		image := &r.images[i]
		if s.full() || len(s.finds) > 4*MaxImages && s.known[image.Reference] {
			continue
		}
		s.known[image.Reference] = true
		s.finds = append(s.finds, find{line: l.number, at: at, image: image, weight: r.weight, stance: how})
	}
	if r.problem != nil {
		s.flaw(l, at, *r.problem, r.weight)
	}
	return r.weight > nothing
}

func (s *scan) flaw(l line, at int, p Problem, w weight) {
	p.Line = l.number
	s.flaws = append(s.flaws, flaw{l.number, at, p, w})
}
