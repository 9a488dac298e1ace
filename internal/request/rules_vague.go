package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Rules for images that say less than others of the text.

// untagged: "so that we can run a/pipeline" beside quay.io/a/c:1.
func untagged(e *evidence) {
	all := e.body.with(taken)
	if newestTag.in(e.body.said) || newestTag.in(e.title.said) || !slices.ContainsFunc(all, func(c *candidate) bool { return c.strength >= path && !c.isOnlyPath() }) {
		return
	}
	for i, c := range all {
		if !c.isSpoken() || !c.isOnlyPath() || c.opens && c.image.Written == lower(c.image.Written) {
			continue
		}
		isBeside := func(other *candidate) bool {
			return other != c && other.line == c.line && !apartInLine(c, other)
		}
		if !slices.ContainsFunc(all[max(0, i-1):min(len(all), i+2)], isBeside) {
			c.judge(dropped, "untagged")
		}
	}
}

// isOnlyPath reports whether a candidate is a name with a namespace, without registry and
// tag.
func (c *candidate) isOnlyPath() bool { return c.strength == path && c.lacksTag() && c.lacksHost() }

// newestTag are words for the tag that is assumed.
var newestTag = phrases{list: "newestTag"}

// apartInLine reports whether too much stands between two images of a line for a list of
// both.
func apartInLine(a, b *candidate) bool {
	const most = 12 // bytes of a mark, and of words such as "and the"
	if b.at < a.at {
		a, b = b, a
	}
	return b.at-a.at-len(a.image.Written) > most
}

// ownName drops the repository with the issue.
func ownName(e *evidence) {
	if e.in.Repository == "" {
		return
	}
	for _, c := range e.with(taken) {
		if isOwn(e.in.Repository, c.ref()) {
			c.judge(dropped, "own-name")
		}
	}
}

// triedElsewhere: "Trying to pull quay.io/a/b:1..." below "podman pull a/b:1".
func triedElsewhere(e *evidence) {
	named := map[string]bool{} // paths and tags in commands
	all := e.with(taken)
	for _, c := range all {
		if c.place == inCommand && c.lacksHost() {
			named[c.pathAndTag()] = true
		}
	}
	for _, c := range all {
		if c.place == inLog && c.host() != reference.DockerHub && named[c.pathAndTag()] {
			c.judge(dropped, "tried")
		}
	}
}

// samples: "docker pull a/img:tag" above "a/b:1".
func samples(e *evidence) {
	all := e.with(taken)
	if !slices.ContainsFunc(all, func(c *candidate) bool { return !isSample(c.ref()) }) {
		return
	}
	for _, c := range all {
		if isSample(c.ref()) {
			c.judge(dropped, "sample")
		}
	}
}

// saysLess: "https://quay.io/repository/a/b" below "quay.io/a/b:1".
func saysLess(e *evidence) {
	canSayLess := func(c *candidate) bool {
		return c.lacksTag() || c.lacksHost() || c.has(RemovedSpace) || c.isManifest()
	}
	if !e.any(canSayLess) {
		return
	}
	all := e.with(taken)
	more := readMore(all, e.with(asked))
	for _, c := range all {
		for _, says := range lessThan {
			if says(more, c) {
				c.judge(dropped, "says-less")
			}
		}
	}
}

// more is what the images of a text say, to find those that say less.
type more struct {
	tagged map[reference.Repository]bool // have a tag
	told   map[reference.Repository]bool // have one in a sentence
	images map[reference.Repository]bool // are not the address of a manifest
	open   map[string]bool               // last components of images with a tag that Ferry asks about
	beside map[string]bool               // lines and last components of images with a tag
	hosted map[string]bool               // paths at a registry
	moved  map[string]bool               // paths and tags at another registry than Docker Hub
	called map[string]bool               // last components and tags at a registry
	longer map[string]bool               // references with the beginnings of tags
}

// readMore returns what the images that are taken, and those in question, say.
func readMore(all, inQuestion []*candidate) *more {
	m := &more{
		tagged: map[reference.Repository]bool{}, told: map[reference.Repository]bool{}, images: map[reference.Repository]bool{},
		open: map[string]bool{}, beside: map[string]bool{}, hosted: map[string]bool{}, moved: map[string]bool{}, called: map[string]bool{}, longer: map[string]bool{},
	}
	for _, c := range inQuestion {
		if !c.lacksTag() {
			m.open[c.image.name()] = true
		}
	}
	for _, c := range all {
		repository := c.repository()
		if !c.lacksTag() {
			m.tagged[repository] = true
			m.told[repository] = m.told[repository] || c.isSpoken()
			m.beside[besideKey(c)] = true
		}
		if !c.lacksHost() {
			m.hosted[repository.Path()] = true
			m.moved[c.pathAndTag()] = c.host() != reference.DockerHub
			m.called[c.called()] = true
		}
		if !c.has(RemovedSpace) {
			m.addBeginnings(c.ref())
		}
		m.images[repository] = m.images[repository] || !c.isManifest()
	}
	return m
}

// besideKey is the line of a candidate and the last component of its path.
func besideKey(c *candidate) string { return limit(c.line) + c.image.name() }

// addBeginnings adds a reference with each of the beginnings that its tag has before a
// full stop or a hyphen.
func (m *more) addBeginnings(ref reference.Reference) {
	tag := ref.Tag()
	for i := range len(tag) {
		if tag[i] == '.' || tag[i] == '-' {
			m.longer[ref.Repository().String()+":"+tag[:i]] = true
		}
	}
}

// lessThan are the ways in which an image says less than others.
var lessThan = []func(*more, *candidate) bool{
	// "vault" above the question about hashicorp/vault:1.16
	func(m *more, c *candidate) bool { return c.line == 0 && c.lacksTag() && m.open[c.image.name()] },
	(*more).lacksTag,
	// "RabbitMQ (rabbitmq:3.13)"
	func(m *more, c *candidate) bool { return c.lacksTag() && c.isShort() && m.beside[besideKey(c)] },
	// "tracking python 3.11" beside python:3.11-slim
	func(m *more, c *candidate) bool {
		return c.has(RemovedSpace) && c.isSpoken() && m.longer[c.repository().String()+":"+c.tag()]
	},
	// the same image without its registry
	func(m *more, c *candidate) bool {
		return c.lacksHost() && !c.lacksTag() && !c.isListed() && m.moved[c.pathAndTag()]
	},
	// the same name and tag without registry and namespace
	func(m *more, c *candidate) bool {
		return c.isShort() && (c.isSpoken() || c.lacksSpace()) && m.called[c.called()]
	},
	// the manifest behind the tag that the log is about
	func(m *more, c *candidate) bool { return c.isManifest() && m.images[c.repository()] },
}

// lacksTag reports whether an image lacks the tag that it has elsewhere.
func (m *more) lacksTag(c *candidate) bool {
	repository := c.repository()
	switch {
	case !c.lacksTag():
		return false
	case c.isSpoken():
		return m.tagged[repository] || c.lacksHost() && m.hosted[repository.Path()]
	case c.has(ReadLink), c.place == inSyncKey:
		return m.tagged[repository]
	case c.place == inLog && c.lacksHost():
		return m.told[repository] || m.hosted[repository.Path()]
	case c.place == inKey, c.place == inLog:
		return m.told[repository]
	}
	return false
}

// onlyTag: "quay.io/a/b" above a log that names quay.io/a/b:1.
func onlyTag(e *evidence) {
	if newestTag.in(e.body.said) || newestTag.in(e.title.said) || e.in.List {
		return
	}
	tags := e.onlyTags()
	for _, c := range e.with(taken) {
		other := tags[c.repository().String()]
		switch {
		case other == nil, !c.lacksTag(), c.isListed() && other.isListed() && c.line != other.line: // each line of a list is wanted
		case other.verdict == taken || other.judgedBy("copy"):
			c.judge(dropped, "only-tag")
		case c.giveTag(other.tag()):
			c.judge(taken, "only-tag")
		}
	}
}

// onlyTags returns the candidate with a tag of each repository that has only one tag in
// the text, which is not said to be old or unwanted; the one that is taken, if one is.
func (e *evidence) onlyTags() map[string]*candidate {
	tags := map[string]*candidate{}
	for _, t := range e.texts() {
		for i := range t.candidates {
			c := &t.candidates[i]
			if c.lacksTag() || c.ref().HasDigest() {
				continue
			}
			name := c.repository().String()
			first, seen := tags[name]
			switch {
			case !seen && c.mayLendTag():
				tags[name] = c
			case !seen || first != nil && first.tag() != c.tag():
				tags[name] = nil // it has several, or one that does not count
			case first != nil && c.verdict == taken:
				tags[name] = c
			}
		}
	}
	return tags
}

// mayLendTag reports whether a candidate with a tag shows the tag that others mean,
// whether or not it is requested itself.
func (c *candidate) mayLendTag() bool {
	return c.strength >= tagged && !c.doubted && !c.faulty && (c.place.needs != never || c.place == leftOver)
}

// isManifest reports whether a candidate is the address of a manifest.
func (c *candidate) isManifest() bool { return strings.Contains(c.image.Written, "/manifests/") }
