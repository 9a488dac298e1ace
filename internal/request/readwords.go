package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// readWords reads every word of a line with regard to its neighbours, and sums up what
// they are.
func (s *scan) readWords(u *spokenLine) {
	if cap(s.reads) < len(u.toks) {
		s.reads = make([]reading, 2*len(u.toks))
	}
	u.reads = s.reads[:len(u.toks)]
	clear(u.reads)
	s.odd = s.odd[:0]
	u.about.plain = true
	u.pairs, u.sure = pairTags(u.toks, u.said)
	for i := 0; i < len(u.toks); i++ {
		i = s.readAt(u, i)
	}
	if about := &u.about; about.bare > 0 && about.images+about.bare > 1 {
		about.plain = false
	}
	u.joinDigests()
	u.joinHost()
	s.shareNamespace(&u.sentence)
	s.shareParent(&u.sentence)
}

// readAt reads the word at an index and those behind it that belong to it, and returns
// the index of the last one.
func (s *scan) readAt(u *spokenLine, i int) (last int) {
	t := &u.toks[i]
	switch {
	case t.kind == separator:
		return i
	case t.kind == otherWord:
		if !isFiller(t.text) {
			u.about.plain = false
			u.about.foreign++
		}
		return i
	case isShortName(u.toks, i): // although some are fillers
	case !t.key && !strings.HasSuffix(t.text, ":") && isFiller(t.text), trimWord(t.text) == "":
		return i
	}
	r := s.readingAt(u, i)
	switch {
	case (t.key || strings.HasSuffix(t.text, ":")) && isImageKey(lower(strings.TrimRight(t.text, ":"))):
		return s.readKeyed(u, i)
	case s.labelsImage(u.toks, i):
		return i
	case t.key:
		return u.addKey(i, r)
	case isFiller(t.text) && len(u.toks) > 1 && !isShortName(u.toks, i):
		return i
	case r.strength >= official:
		u.addImage(i, r)
		if tags, paired := u.pairs[i]; paired && r.untagged() {
			u.reads[i].pair(tags, u.sure, t.text)
			return i
		}
		return u.complete(i)
	}
	u.reads[i] = r
	switch {
	case r.strength == bare:
		u.about.bare++
		s.odd = append(s.odd, i)
	case len(r.platforms) == 0 && r.problem == nil:
		u.about.plain = false
		u.about.other++
		s.odd = append(s.odd, i)
	}
	return i
}

// readingAt reads a word without those beside it. The images are not to be changed.
func (s *scan) readingAt(u *spokenLine, i int) reading {
	t := &u.toks[i]
	if u.on.has(&platformWords) {
		if p, err := reference.ParsePlatform(trimWord(t.text)); err == nil {
			return reading{platforms: []reference.Platform{p}} // "arm" is one beside "platform"
		}
	}
	r := s.peek(t.text)
	if r.isOther(t.text, u.written[t.end():]) {
		return reading{}
	}
	return r
}

// addImage notes the image at an index.
func (u *spokenLine) addImage(i int, r reading) {
	r.images = slices.Clone(r.images)
	u.reads[i] = r
	u.about.images++
}

// addKey notes the image that is a quoted key, as in image-syncer's "source": "target",
// and returns the index of its target. A key of another meaning is left.
func (u *spokenLine) addKey(i int, r reading) (last int) {
	t := &u.toks[i]
	switch {
	case targetKeys.has(lower(t.text)):
		return nextWord(u.toks, i)
	case r.strength < tagged, opensObject(u.written[t.end():]):
		return i
	}
	u.addImage(i, r)
	return nextWord(u.toks, i)
}

// readKeyed reads the word behind the key of an image at an index, and returns the index
// of the last word read.
func (s *scan) readKeyed(u *spokenLine, i int) (last int) {
	at := nextWord(u.toks, i)
	if at == i || isFiller(u.toks[at].text) || anyToken(u.toks[i:at], func(t token) bool { return t.kind == otherWord }) {
		return i
	}
	r := s.peek(u.toks[at].text)
	if r.strength < bare || r.strength == bare && at < len(u.toks)-1 {
		return i
	}
	r.strength = max(r.strength, tagged)
	u.addImage(at, r)
	return at
}

// isOther reports whether a word without a tag is something else than an image according
// to the text behind it or the slash at its end: "Sync schedule (once/daily): once", "a/b
// directories", "registry.example.org/team/".
func (r *reading) isOther(word, behind string) bool {
	const most = 32 // bytes behind it that matter
	if !r.untagged() {
		return false
	}
	if behind = behind[:min(len(behind), most)]; r.strength <= path {
		if r.images[0].has(AssumedHost) && strings.HasPrefix(behind, "):") {
			return true
		}
		if folderNouns.starts(lower(strings.TrimLeft(behind, " `\"'"))) {
			return true
		}
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
	if i != 0 || len(toks) > 2 || !known.IsOfficial(name) || name == "docker" {
		return false
	}
	if len(toks) == 1 {
		return !notGuesses.has(name)
	}
	return isVersion(toks[1].text)
}

// opensObject reports whether an object is the value of the key before text:
// "ghcr.io/a/b:1": {}, a feature of a development container.
func opensObject(text string) bool {
	return strings.HasPrefix(strings.TrimLeft(strings.TrimLeft(text, "\"' "), ": "), "{")
}

// labelsImage reports whether the word at an index, before a colon or an equals
// sign, is a label of the image after it: "alpine: rancher/rke-tools:v0.1".
func (s *scan) labelsImage(toks []token, i int) bool {
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
