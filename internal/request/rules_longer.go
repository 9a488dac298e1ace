package request

import (
	"slices"
	"strings"
)

// The rule for longer tags of the version of an image.

// longerTags: "a/b:1.2, as 1.2-alpine".
func longerTags(e *evidence) {
	tags := only(append(slices.Clip(e.title.apart), e.body.apart...), func(tag *apartTag) bool { return hasDigit(tag.tag) })
	if len(tags) == 0 {
		return
	}
	byVersion, title := map[string][]*candidate{}, e.title.with(taken)
	for _, c := range e.with(taken) {
		if version := versionOf(c.tag()); !c.lacksTag() && !c.ref().HasDigest() && (!c.isPasted() || c.line == 0) {
			byVersion[version] = append(byVersion[version], c)
		}
	}
	found, keep := map[*candidate][]string{}, map[*candidate]bool{}
	for _, tag := range tags {
		all := byVersion[versionOf(tag.tag)]
		if len(all) == 0 && len(title) == 1 && tag.line > 0 && len(e.body.with(taken)) == 0 && strings.HasPrefix(versionOf(tag.tag), versionOf(title[0].tag())+".") {
			all = title // "rabbitmq 4" above "4.0-management"
		}
		if c := tag.owner(all); c != nil {
			keep[c] = keep[c] || tag.more && len(found[c]) == 0 // the others are beside the first one
			found[c] = append(found[c], tag.tag)
		}
	}
	for _, c := range e.with(taken) {
		tags := found[c]
		if len(tags) == 0 {
			continue
		}
		if keep[c] {
			tags = append([]string{c.tag()}, tags...)
		}
		e.add(c.withTags(tags, taken, "longer-tag"))
	}
}

// owner returns which of some images of one version has a tag; nil if it is not certain.
func (tag *apartTag) owner(all []*candidate) (owner *candidate) {
	const most = 4 // images of a version
	if len(all) > most {
		return nil
	}
	for _, c := range all {
		switch {
		case c.tag() == tag.tag, c.repository() != all[0].repository():
			return nil
		case !c.isBefore(tag.line, tag.at):
		case !isLonger(tag.tag, c.tag()) && (!tag.more || c.line < tag.line): // "1.2-gpu, 1.2 too"
		case !tag.more && c.line > 0 && c.line < tag.line && !tag.noun: // somebody has that, too
		case owner == nil || isLonger(tag.tag, c.tag()):
			owner = c
		}
	}
	return owner
}
