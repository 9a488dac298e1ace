package request

import (
	"slices"
	"strings"
)

// Rules for what else a text says of the tags of images: longer ones of their versions, and
// the letter in front.

// longerTags: "a/b:1.2, as 1.2-alpine".
func longerTags(e *evidence) {
	var more []candidate
	all, found := e.with(taken), map[*candidate][]string{}
	for _, t := range e.texts() {
		for i := range t.apart {
			tag := &t.apart[i]
			c := tag.owner(all)
			if c == nil {
				continue
			}
			tags := found[c]
			if tag.more && len(tags) == 0 { // the others are beside the first one
				tags = append(tags, c.tag())
			}
			found[c] = append(tags, tag.tag)
		}
	}
	for _, c := range all {
		more = append(more, c.withTags(found[c], taken, "longer-tag")...)
	}
	e.add(more)
}

// owner returns the image of which a tag names the version once more; nil if there is none,
// or several are.
func (tag *apartTag) owner(all []*candidate) (owner *candidate) {
	for _, c := range all {
		longer := isLonger(tag.tag, c.tag())
		switch {
		case !hasDigit(c.tag()), c.ref().HasDigest(), c.isPasted() && c.line > 0:
		case versionOf(c.tag()) != versionOf(tag.tag) && (!longer || c.line > 0 || tag.line == 0): // "rabbitmq 4" above "4.0-management"
		case c.tag() == tag.tag, owner != nil && c.repository() != owner.repository():
			return nil
		case !c.isBefore(tag.line, tag.at):
		case !longer && (!tag.more || c.line < tag.line): // "1.2-gpu, 1.2 too"
		case !tag.more && !tag.noun && c.line > 0 && (tag.elsewhere || c.line < tag.line): // somebody has that, too
		case c.line == 0 && !tag.noun && tag.elsewhere && !strings.Contains(tag.tag, "-"): // "we have 16.1" below "postgres 16"
		case owner == nil || longer || owner.line == 0:
			owner = c
		}
	}
	return owner
}

// letters: "a/b 1.2, with a v in front".
func letters(e *evidence) {
	all := e.with(taken)
	if !e.title.letter && !e.body.letter || slices.ContainsFunc(all, func(c *candidate) bool { return isVersion(c.tag()) && c.tag()[0] == 'v' }) {
		return
	}
	for _, c := range all {
		written := strings.HasSuffix(c.image.Written, ":"+c.tag()) && !c.has(RemovedSpace) && !c.has(JoinedLines)
		if isVersion(c.tag()) && !c.isPasted() && !written {
			c.withTags([]string{"v" + c.tag()}, taken, "letter")
		}
	}
}
