package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// Rules for the places to which images are copied.

// arrows: "quay.io/a/b:1", an arrow, and "me.io/b:1", each on a line.
func arrows(e *evidence) {
	all := e.body.with(taken)
	for i := 1; i < len(all); i++ {
		source, target := all[i-1], all[i]
		if source.line == target.line-2 && slices.Contains(e.body.arrows, target.line-1) {
			target.judge(dropped, "arrow")
		}
	}
}

// destinations: "copy quay.io/a/b to ghcr.io/c/b: 1.0, 1.1".
func destinations(e *evidence) {
	var more []candidate
	all := append(e.with(taken), e.with(asked)...)
	for i := 0; i < len(all); i++ {
		source := all[i]
		if !source.isSpoken() || !source.lacksTag() || source.strength < path || !source.asks {
			continue
		}
		var tags []string
		for ; i+1 < len(all) && all[i+1].isDestinationOf(source); i++ {
			if target := all[i+1]; !target.lacksTag() {
				tags = append(tags, target.tag())
			}
			all[i+1].judge(dropped, "destination")
		}
		more = append(more, source.withTags(tags, taken, "destination")...)
	}
	e.add(more)
}

// isDestinationOf reports whether a sentence copies another image with the same name to it.
func (c *candidate) isDestinationOf(source *candidate) bool {
	if c.line != source.line || !c.isCalledDestination() || !hasWish(source.before) && !hasWish(c.before) || c.repository() == source.repository() {
		return false
	}
	return isSameName(c.repository().Path(), source.repository().Path())
}

// copies: "quay.io/a/b:1" beside "harbor.lan/a/b:1".
func copies(e *evidence) {
	if e.in.List {
		return // each line is wanted
	}
	e.dropNested()
	e.dropDestinations()
	dropOfAccounts(e.with(taken))
	dropPulled(e.with(taken))
	e.dropPrivate()
}

// dropNested drops images whose path is a namespace and the path of another image with
// the same tag, at another host or without one:
// "1234.dkr.ecr.eu-west-1.amazonaws.com/quay/a/b:1" beside "quay.io/a/b:1", which may be
// one that a diff replaces. If that image has no tag, and the namespace is its registry,
// it gets the tag. A copy at a mirror may have the same path, or only the name and the tag
// of the image that a diff replaces.
func (e *evidence) dropNested() {
	sources := map[string]*candidate{} // by path, and tag if there is one
	add := func(c *candidate) {
		switch name := c.bareName(); {
		case c.strength < path, c.isAtMirror():
		case c.lacksTag():
			sources[name] = c
		default:
			sources[name+":"+c.tag()] = c
		}
	}
	for _, c := range e.with(dropped) {
		if c.isSpare() {
			add(c)
		}
		if c.isReplaced() && !c.isAtMirror() {
			sources[c.called()] = c
		}
	}
	all := e.with(taken)
	for _, c := range all {
		add(c)
	}
	for _, c := range all {
		source := nestedIn(c, sources)
		if source == nil {
			continue
		}
		if source.lacksTag() && !c.lacksTag() {
			source.withTags([]string{c.tag()}, taken, "copy")
			c.complete(*source.image) // a title without more may count less than c
			c.judge(taken, "copy")
			continue
		}
		if source.verdict == dropped {
			source.judge(taken, "copy")
		}
		c.judge(dropped, "copy")
	}
}

// isSpare reports whether an image with a tag does not count only because a line of a
// diff removes it, or because its clause asks for nothing.
func (c *candidate) isSpare() bool {
	return !c.lacksTag() && (c.isReplaced() || c.judgedBy("aside"))
}

// isReplaced reports whether a line of a diff removes it.
func (c *candidate) isReplaced() bool { return c.place == maskedPlaces[isRemoved] }

// nestedIn returns the image whose path is the rest of that of a candidate behind a
// namespace, or all of it at a mirror; nil if there is none.
func nestedIn(c *candidate, sources map[string]*candidate) *candidate {
	mirrored := c.isAtMirror()
	space, rest, ok := strings.Cut(c.repository().Path(), "/")
	if mirrored {
		space, rest, ok = "", c.repository().Path(), true
	}
	for ok && (mirrored || strings.Contains(rest, "/")) {
		path := strings.TrimPrefix(rest, "library/")
		if source := sources[path+":"+c.tag()]; source != nil && (c.lacksHost() || source.host() != c.host()) {
			return source
		}
		if source := sources[path]; source != nil && (mirrored && strings.Contains(path, "/") || space == source.host() || known.ByShortName(space) == source.host()) {
			return source
		}
		space, rest, ok = strings.Cut(rest, "/")
	}
	return nil
}

// dropDestinations drops images without a tag at a registry that a sentence calls the
// destination of one with a tag: "copy a/b:1 to quay.io/me/mirror", or that have the
// name of one.
func (e *evidence) dropDestinations() {
	named := map[string]bool{}
	for _, c := range e.with(taken) {
		if !c.lacksTag() && c.strength >= path {
			named[c.image.name()] = true
		}
	}
	if len(named) == 0 {
		return
	}
	for _, c := range append(e.body.with(taken), e.body.with(asked)...) {
		if !c.isSpoken() || !c.lacksTag() || c.lacksHost() {
			continue
		}
		if named[c.image.name()] || c.isCalledDestination() {
			c.judge(dropped, "copy")
		}
	}
}

// isCalledDestination reports whether the words in front of an image say that something
// is copied there.
func (c *candidate) isCalledDestination() bool {
	_, is := destinationMarks.cut(strings.TrimRight(c.before, " \"'`*_([:"))
	return is
}

// dropOfAccounts drops images at registries of accounts in a cloud, to which the image
// with the same name and tag at another host is copied.
func dropOfAccounts(all []*candidate) {
	sources := map[string]bool{}
	for _, c := range all {
		if c.strength >= path && !isOfAccount(c) {
			sources[c.called()] = true
		}
	}
	for _, c := range all {
		if sources[c.called()] && isOfAccount(c) {
			c.judge(dropped, "copy")
		}
	}
}

// isOfAccount reports whether an image is at the registry of an account in a cloud.
func isOfAccount(c *candidate) bool {
	r := known.Of(c.host())
	return len(r.Domains) > 0 && (r.Cloud == known.Amazon || r.Cloud == known.Azure)
}

// dropPulled drops images of commands, Dockerfiles and logs of which the text names another one
// with the same name and tag: "docker pull me.cn/x/b:1" above "the source is
// quay.io/a/b:1".
func dropPulled(all []*candidate) {
	named := map[string]reference.Reference{}
	for _, c := range all {
		if !c.isPasted() && c.place != inSpoken && c.strength >= tagged && !c.lacksTag() {
			named[c.called()] = c.ref()
		}
	}
	for _, c := range all {
		switch c.place {
		case inCommand, inSpoken, inFrom, inLog, inLogLink:
			if source, ok := named[c.called()]; ok && source.Repository() != c.repository() {
				c.judge(dropped, "copy")
			}
		}
	}
}

// dropPrivate drops copies in private networks, the tags of which their sources get. The
// copy of an official image without a source is replaced by the image.
func (e *evidence) dropPrivate() {
	all := e.with(taken)
	if !slices.ContainsFunc(all, (*candidate).isCopy) {
		return
	}
	sources := e.sources()
	others := slices.ContainsFunc(all, func(c *candidate) bool { return !c.isCopy() })
	for _, c := range all {
		if !c.isCopy() {
			continue
		}
		source := sources[c.image.name()]
		if source != nil && source.verdict != taken && !c.lacksTag() && source.giveTag(c.tag()) {
			source.judge(taken, "copy")
		}
		switch {
		case source != nil, others && !c.isListed() && !(e.body.diff && c.isKeyOfMirror()):
			c.judge(dropped, "copy")
		case c.officialName() != "":
			c.undoMirror()
		}
	}
}

// isCopy reports whether an image is at a host of a private network, or an official one at
// an unknown host.
func (c *candidate) isCopy() bool {
	return isPrivate(c.host()) || c.isAtMirror() && (strings.HasPrefix(c.repository().Path(), "library/") || c.officialName() != "")
}

// isKeyOfMirror reports whether it is the value of a key, and its host or namespace is
// called a mirror.
func (c *candidate) isKeyOfMirror() bool {
	space, _, _ := cutLast(c.repository().String())
	return c.place == inKey && mirrorHosts.in(space)
}

// officialName returns the name of the official image of which it may be a copy, in no
// namespace or in one that is called a mirror; empty if there is none.
func (c *candidate) officialName() string {
	space, name, below := cutLast(c.repository().Path())
	if below && space != "library" && !mirrorHosts.in(space) || !known.IsOfficial(name) {
		return ""
	}
	return name
}

// sources returns the images that are no copies, and have no tag if they do not count, by
// the last component of the path.
func (e *evidence) sources() map[string]*candidate {
	sources := map[string]*candidate{}
	for _, t := range e.texts() {
		for i := range t.candidates {
			c := &t.candidates[i]
			if c.isCopy() || c.strength < path || c.verdict != taken && !c.lacksTag() {
				continue
			}
			if name := c.image.name(); sources[name] == nil || c.verdict == taken {
				sources[name] = c
			}
		}
	}
	return sources
}

// undoMirror replaces the copy of an official image by the image on Docker Hub.
func (c *candidate) undoMirror() {
	_, name, _ := cutLast(c.ref().String())
	ref, err := reference.Parse(name)
	if err != nil {
		return
	}
	image := *c.image
	image.Reference = ref
	c.complete(image, UndidMirror)
	c.judge(taken, "copy")
}
