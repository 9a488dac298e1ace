package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// Sentences about two versions of one image: the existing one and the wanted
// one.

// replacements are words between a version and the one that replaces it.
var replacements = phrases{list: "replacements"}

// isReplacement reports whether the text between two versions says that the
// second replaces the first.
func isReplacement(between string) bool {
	const most = 60 // bytes of one clause
	return len(between) <= most && replacements.in(between) || slices.Contains([]string{"to", "bis", "auf", "до", "à", "a", "al", "para", "到", "で", "->", "=>"}, strings.Trim(between, " \"'`*_(,"))
}

// corrections are words with which authors take back what they have written;
// regrets do so if hardly anything but a version is beside them.
var (
	corrections = phrases{list: "corrections"}
	regrets     = phrases{list: "regrets"}
)

// noteCorrection notes that a sentence, in lower case, corrects what is before
// some word of it: "I meant 1.2", "not 1.1, but 1.2".
func (s *scan) noteCorrection(l *line, toks []token, reads []reading, said string, on marks) {
	const most = 6 // words up to the name of the image
	at, old, tag, owners := -1, "", "", []string(nil)
	if on.has(&corrections) || on.has(&regrets) {
		at = s.correctionAt(l, toks, reads, said)
	}
	if at >= 0 {
		old = s.given(toks)
	}
	for i, t := range toks {
		if word := trimWord(t.text); len(reads[i].images) == 0 && isVersion(word) && isExcluded(said, t.at, min(t.at+len(t.text), len(said))) {
			old = word
		}
	}
	if at < 0 && old == "" {
		return
	}
	for i, t := range toks {
		word := trimWord(t.text)
		switch {
		case t.kind != asciiWord || word == old:
		case t.at >= at && len(reads[i].images) > 0 && reads[i].strength > bare:
			s.corrected = append(s.corrected, correction{line: l.number, at: max(0, at), old: old})
			return
		case isVersion(word) && strings.ContainsAny(word, ".-"):
			of, _, _ := nameBefore(toks, i)
			if of == "?" || isOldVersionIn(said, t.at) {
				continue // that of another program, or what is there
			}
			tag, owners = word, nil
			for _, before := range toks[max(0, i-most):i] {
				owners = append(owners, spoken(before))
			}
			if t.at >= at {
				s.corrected = append(s.corrected, correction{l.number, max(0, at), old, tag, owners})
				return
			}
		}
	}
	if tag != "" {
		s.corrected = append(s.corrected, correction{l.number, 0, old, tag, owners})
	}
}

// correctionAt returns where a sentence, in lower case, begins to correct what is
// before it; -1 if it does not.
func (s *scan) correctionAt(l *line, toks []token, reads []reading, said string) int {
	at := corrections.index(said)
	if _, rest, ok := strings.Cut(said[max(0, at):], "should be "); ok {
		if word, _, _ := strings.Cut(rest, " "); strings.HasSuffix(word, "ed") && corrections.index(rest) < 0 {
			at = -1 // "should be mirrored"
		}
	}
	if at >= 0 || l.fenced || addsMore(said) {
		return at
	}
	at = regrets.index(said)
	if !slices.ContainsFunc(reads, func(r reading) bool { return len(r.images) > 0 && r.strength > bare }) {
		if len(toks) > 2*talk && s.given(toks) == "" {
			return -1
		}
	} else if !s.repeatsBehind(toks, reads, said, at) {
		return -1
	}
	return at
}

// repeatsBehind reports whether a few words behind an offset stands another version
// of the only image in front of it, with or without its name.
func (s *scan) repeatsBehind(toks []token, reads []reading, said string, at int) bool {
	const most = 12 // words in between
	last := ""      // the image in front
	for n := len(s.candidates) - 1; n >= 0 && last == ""; n-- {
		if c := &s.candidates[n]; c.verdict == taken {
			last = c.image.name()
		}
	}
	behind := 0
	for i, t := range toks {
		name, word := "", trimWord(t.text)
		if len(reads[i].images) > 0 && reads[i].strength > official {
			name = reads[i].images[0].name()
		}
		switch {
		case t.at < at && name != "":
			last = name
		case t.at < at || last == "":
		case name != "":
			return name == last
		case isVersion(word) && strings.ContainsAny(word, ".-"):
			return !isExcluded(said, t.at, min(t.at+len(t.text), len(said)))
		case behind == most:
			return false
		default:
			behind++
		}
	}
	return false
}

// given returns the first word that is the tag of an image in front of it; empty
// if there is none.
func (s *scan) given(toks []token) string {
	for _, t := range toks {
		if word := trimWord(t.text); isVersion(word) && slices.ContainsFunc(s.candidates, func(c candidate) bool { return c.verdict == taken && c.image.Reference.Tag() == word }) {
			return word
		}
	}
	return ""
}

// newcomers are words before a version that is wanted in addition to the
// existing one.
var newcomers = phrases{list: "newcomers"}

// newerTag returns the image with another tag, if a word is that tag or the
// whole reference with it: "a/b:1.2 -> 1.3", "a/b:1.2 -> a/b:1.3".
func newerTag(image Image, word string) (Image, bool) {
	ref := image.Reference
	if !isVersion(ref.Tag()) || image.has(AssumedTag) || ref.HasDigest() {
		return image, false
	}
	tag := word
	if !isVersion(word) {
		name, version := cutTag(word)
		same := slices.Contains([]string{name, reference.DockerHub + "/" + name, reference.DockerHub + "/library/" + name}, ref.Repository().String())
		if !same || !isVersion(version) {
			return image, false
		}
		tag = version
	}
	newer, err := ref.Repository().Tagged(tag)
	if err != nil || newer == ref || isDigits(tag) && len(tag) == 3 && strings.Contains(ref.Tag(), ".") { // "a/b:1.2 -> 404"
		return image, false
	}
	image.Reference, image.Written = newer, clip(image.Written+" -> "+word)
	return image, true
}

// takeNewer replaces the versions of images in a sentence by the requested
// ones: "still has a/b:1.2, please add 1.3". It returns the replaced readings
// by the index of their words.
func takeNewer(toks []token, reads []reading, said string) map[int]reading {
	var old map[int]reading
	for i := range toks {
		if len(reads[i].images) == 0 || reads[i].strength < path {
			continue
		}
		end := min(toks[i].at+len(toks[i].text), len(said))
		all := reads[i].images
		current, inUse := all[0], toks[i].faulty || isInUse(said, toks[i].at, end)
		if (current.has(AssumedTag) || len(all) > 1) && !inUse {
			continue
		}
		for n := i + 1; n < min(len(toks), i+maxApart) && (len(reads[n].images) == 0 || reads[n].strength < path); n++ {
			word := trimWord(toks[n].text)
			if toks[n].kind != asciiWord || toks[n].faulty || !isVersion(word) || !strings.ContainsAny(word, ".-") && !isDigits(strings.TrimPrefix(current.Reference.Tag(), "v")) {
				continue
			}
			if ref, err := current.Reference.Repository().Tagged(word); current.has(AssumedTag) && err == nil {
				current = current.named(ref) // "is at 1.2"
				continue
			}
			before := spoken(toks[n-1])
			if owners.has(before) && !newcomers.in(before+" ") || known.IsOfficial(before) {
				continue
			}
			between := said[end:toks[n].at]
			if !isReplacement(between) && !toks[i].faulty && (!inUse || len(between) > 120 || !newcomers.in(between)) {
				continue
			}
			if newer, ok := newerTag(current, word); ok {
				if old == nil {
					old = make(map[int]reading)
				}
				old[i] = reading{strength: tagged, images: append([]Image{current}, all[1:]...)}
				reads[i].images, reads[i].strength = []Image{newer}, max(reads[i].strength, tagged)
				break
			}
		}
	}
	return old
}

// insteads are words behind an image that is meant in place of the one before it.
var insteads = phrases{list: "insteads"}

// isReplaced reports whether a sentence asks for another version of the image
// at a later word: "a/b:1 is broken, use a/b:2".
func (s *sentence) isReplaced(i int) bool {
	_, to := s.near(i)
	for n := i + 1; n < to; n++ {
		if !s.reads[n].isImage(path) {
			continue
		}
		a, b := s.reads[i].images[0].Reference, s.reads[n].images[0].Reference
		if a.Repository() != b.Repository() || a == b {
			return false
		}
		between := s.said[min(s.toks[i].end(), s.toks[n].at):s.toks[n].at]
		return isReplacement(between) || insteads.starts(strings.TrimLeft(s.behind(n), " `\"'*"))
	}
	return false
}
