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
	if len(between) <= most && replacements.in(between) {
		return true
	}
	switch strings.Trim(between, " \"'`*_(,") {
	case "to", "bis", "auf", "до", "à", "a", "al", "para", "到", "で", "->", "=>":
		return true
	}
	return false
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
		repository := ref.Repository().String()
		if !isVersion(version) || !slices.Contains([]string{name, reference.DockerHub + "/" + name, reference.DockerHub + "/library/" + name}, repository) {
			return image, false
		}
		tag = version
	}
	status := isDigits(tag) && len(tag) == 3 && strings.Contains(ref.Tag(), ".") // "a/b:1.2 -> 404"
	newer, err := ref.Repository().Tagged(tag)
	if err != nil || newer == ref || status {
		return image, false
	}
	image.Reference, image.Written = newer, clip(image.Written+" -> "+word)
	return image, true
}

// takeNewer replaces the versions of images in a sentence by the requested
// ones: "still has a/b:1.2, please add 1.3". It notes the replaced readings.
func (u *spokenLine) takeNewer() {
	for i := range u.toks {
		r := &u.reads[i]
		if !r.isImage(path) {
			continue
		}
		all := r.images
		current, newer, ok := u.newerThan(i)
		if !ok {
			continue
		}
		if u.old == nil {
			u.old = make(map[int]reading)
		}
		u.old[i] = reading{strength: tagged, images: append([]Image{current}, all[1:]...)}
		r.images, r.strength = []Image{newer}, max(r.strength, tagged)
	}
}

// newerThan returns the image at an index with the version that it has and with the one
// that a word behind it asks for.
func (u *spokenLine) newerThan(i int) (current, newer Image, ok bool) {
	end := u.toks[i].end()
	current = u.reads[i].images[0]
	inUse := u.toks[i].faulty || isInUse(u.said, u.toks[i].at, end)
	if (current.has(AssumedTag) || len(u.reads[i].images) > 1) && !inUse {
		return current, newer, false
	}
	_, to := u.near(i)
	for n := i + 1; n < to && !u.reads[n].isImage(path); n++ {
		word := u.word(n)
		if !u.isOtherVersion(n, current.Reference.Tag()) {
			continue
		}
		if ref, err := current.Reference.Repository().Tagged(word); current.has(AssumedTag) && err == nil {
			current = current.named(ref) // "is at 1.2"
			continue
		}
		if isOfOther(u.toks[n-1]) {
			continue
		}
		between := u.said[end:u.toks[n].at]
		if !isReplacement(between) && !u.toks[i].faulty && (!inUse || !bringsNew(between)) {
			continue
		}
		if newer, ok = newerTag(current, word); ok {
			return current, newer, true
		}
	}
	return current, newer, false
}

// isOtherVersion reports whether the word at an index can be another version of an image
// with a tag: a mere number only beside another one.
func (s *sentence) isOtherVersion(i int, tag string) bool {
	word := s.word(i)
	if s.toks[i].kind != asciiWord || s.toks[i].faulty || !isVersion(word) {
		return false
	}
	return strings.ContainsAny(word, ".-") || isDigits(strings.TrimPrefix(tag, "v"))
}

// isOfOther reports whether a word in front of a version is what has it.
func isOfOther(t token) bool {
	before := spoken(t)
	return owners.has(before) && !newcomers.in(before+" ") || known.IsOfficial(before)
}

// bringsNew reports whether the text between the version in use and another one says that
// this one is wanted.
func bringsNew(between string) bool {
	const most = 120 // bytes
	return len(between) <= most && newcomers.in(between)
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
