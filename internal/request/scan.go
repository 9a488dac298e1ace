package request

import (
	"slices"

	"github.com/imageferry/ferry/internal/reference"
)

// scan is one reading of a title or a body. The passes read the lines in turn;
// a line that a pass recognises is removed from later passes.
type scan struct {
	text
	lines      []line
	registry   string // of all images of a chart whose values are being read
	tag        string // the same, of those at the registry
	parameters forest // named values of a document
	job        bool   // "build" is a job of GitLab
	taken      []bool
	spelled    []bool                       // lines of which every word was offered
	known      map[reference.Reference]bool // accepted images
	offered    map[reference.Reference]bool // images of all candidates
	memo       map[string]reading           // readings of words
	toks       []token                      // memory for those of a line
	reads      []reading                    // the same for their readings
	odd        []int                        // words of a line that are neither images nor belong to one
}

// rest visits the lines that no pass has claimed yet. It ends when there are
// more images than a request may have.
func (s *scan) rest(visit func(i int, l *line)) {
	for i := range s.lines {
		l := &s.lines[i]
		if !s.taken[i] && l.text != "" && !s.full() {
			visit(i, l)
		}
	}
}

// finish removes a line from later passes.
func (s *scan) finish(l *line) {
	if i := l.number - s.lines[0].number; i >= 0 && i < len(s.lines) && s.lines[i].number == l.number {
		s.taken[i] = true
	}
}

// full reports whether there are more images than a request may have.
func (s *scan) full() bool { return len(s.known) > MaxImages }

// readWord is readWord with a memory, because texts repeat words.
func (s *scan) readWord(word string) reading {
	r := s.peek(word)
	r.images = slices.Clone(r.images)
	return r
}

// peek is readWord with images that must not be changed.
func (s *scan) peek(word string) reading {
	r, ok := s.memo[word]
	if !ok {
		r = readWord(word)
		s.memo[word] = r
	}
	return r
}

// offer makes candidates of the images of a word. It reports whether the place
// accepts them.
func (s *scan) offer(l *line, at int, r reading, where *place) bool {
	s.platforms = addPlatform(s.platforms, r.platforms...)
	verdict := taken
	if r.strength < where.needs {
		verdict = where.weaker
	}
	if l.unchanged || len(r.images) > 0 && r.images[0].isLocal() {
		verdict = dropped
	}
	for i := range r.images {
		image := &r.images[i]
		if s.full() || len(s.candidates) > 4*MaxImages && (verdict != taken || s.known[image.Reference]) {
			continue
		}
		if verdict == taken {
			s.known[image.Reference] = true
		}
		s.offered[image.Reference] = true
		c := candidate{line: l.number, at: at, list: l.list, from: l.origin(at), image: image, strength: r.strength, place: where, verdict: verdict}
		if l.unchanged {
			c.judge(dropped, isUnchanged.String())
		}
		s.candidates = append(s.candidates, c)
	}
	if verdict != taken {
		return false
	}
	if r.problem != nil {
		s.flaw(l, at, *r.problem)
		last := &s.flaws[len(s.flaws)-1]
		last.spoken, last.wished = where.stance == embedded, where == inWish
	}
	return r.strength > nothing
}

// isLocal reports whether an image has been built on the machine that runs it:
// "localhost/a:1", "a:local".
func (i *Image) isLocal() bool {
	return i.Reference.Repository().Host() == "localhost" || i.Reference.Tag() == "local" && i.has(AssumedHost)
}

// since returns the accepted candidates from an index on.
func (s *scan) since(from int) []*candidate {
	rest := text{candidates: s.candidates[from:]}
	return rest.with(taken)
}

func (s *scan) flaw(l *line, at int, p Problem) {
	p.Line = l.number
	s.flaws = append(s.flaws, flaw{line: l.number, at: at, problem: p})
}

// setting is one key with its value.
type setting struct {
	key, value string
	line       *line
}

// forest groups dotted settings ("controller.image.tag") by mapping.
type forest struct {
	order []string
	trees map[string][]setting
}
