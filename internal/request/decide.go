package request

import (
	"cmp"
	globs "path"
	"slices"
	"sort"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

// request returns the Request that results from the evidence after the rules
// were applied.
func (e *evidence) request() Request {
	req := Request{Archive: e.archive, Chinese: e.chinese, English: e.english, Platforms: addPlatform(slices.Clone(e.title.platforms), e.body.platforms...)}
	req.Images = e.images()
	for i := range req.Images {
		image := &req.Images[i]
		if len(image.Platforms) == 0 {
			image.Platforms = slices.Clone(req.Platforms)
		}
		if image.has(AssumedTag) {
			image.Alternatives = e.alternatives()
		}
		if image.has(Guessed) {
			image.Namesakes = namesakes(image.Reference.Repository())
		}
	}
	req.Problems = e.problems()
	if unread := e.unread(); len(unread) > 0 {
		req.Problems = append(req.Problems, unread...)
		sort.SliceStable(req.Problems, func(i, j int) bool { return req.Problems[i].Line < req.Problems[j].Line })
	}
	req.LeftOut = e.leftOut(req, tagged)
	if len(req.Images) > 0 {
		req.Problems = append(req.Problems, e.notes...)
	}
	return req
}

// images returns the images that are taken, each once. It notes if there are too many.
func (e *evidence) images() (images []Image) {
	seen := make(map[reference.Reference]int)
	for _, c := range e.with(taken) {
		if n, ok := seen[c.ref()]; ok {
			merge(&images[n], *c.image)
			continue
		}
		if len(images) == MaxImages {
			e.notes = append(e.notes, Problem{Code: TooManyImages, Line: c.line, Suggestion: limit(MaxImages)})
			return images
		}
		seen[c.ref()] = len(images)
		image := *c.image
		image.Line = c.line
		images = append(images, image)
	}
	return images
}

// namesakes returns where projects publish an image that is not official on
// Docker Hub: the namespace of the same name.
func namesakes(official reference.Repository) []reference.Repository {
	name := strings.TrimPrefix(official.Path(), "library/")
	if known.IsOfficial(name) {
		return nil
	}
	own, err := reference.NewRepository(official.Host(), name+"/"+name)
	if err != nil {
		return nil
	}
	return []reference.Repository{own}
}

// wishes reports whether a text without images asks for some: it is no prose, a
// line of it is a failed try to write an image, it is a form, or a sentence wishes
// for something other than a change of the project; and the other signals do not
// say the opposite, for which it takes more if read is set: the text names images.
func (e *evidence) wishes(read bool) bool {
	if !e.prose() || len(e.body.listed) > 0 {
		return true
	}
	sum := e.score()
	switch {
	case (e.title.tried || e.body.tried) && sum > hopeless:
		return true
	case !e.wishing(), e.title.defect || e.body.defect:
		return false
	case read:
		return sum > hopeless
	}
	return sum > mentions
}

// maxAlternatives limits the versions that are looked up at the registry.
const maxAlternatives = 8

// alternatives returns the versions in the text that do not belong to an image.
func (e *evidence) alternatives() []string {
	var versions []string
	for _, t := range e.texts() {
		for _, version := range t.mentioned {
			if len(versions) < maxAlternatives && !slices.Contains(versions, version) {
				versions = append(versions, version)
			}
		}
	}
	return versions
}

// maxLeftOut limits the list of references that were left out.
const maxLeftOut = 50

// leftOut returns the references that are neither images nor problems of a
// request, and have at least some strength.
func (e *evidence) leftOut(req Request, least strength) []LeftOut {
	seen := make(map[reference.Reference]bool)
	repositories := make(map[reference.Repository]bool)
	for _, image := range req.Images {
		seen[image.Reference] = true
		repositories[image.Reference.Repository()] = true
	}
	named := make(map[int]bool) // the lines of images
	paths := make(map[string]bool)
	for _, image := range req.Images {
		named[image.Line], paths[image.Reference.Repository().Path()] = true, true
	}
	told := make(map[string]bool)
	for _, p := range req.Problems {
		told[p.Suggestion], told[p.Written] = true, true
	}
	var left []LeftOut
	for _, c := range append(e.with(dropped), e.with(asked)...) {
		switch ref := c.ref(); {
		case c.strength < least && !c.judgedBy("untagged", "beside") && (!c.isOnlyPath() || !c.isMentioned() || !named[c.line]): // it may be no image
		case seen[ref], c.lacksTag() && repositories[ref.Repository()], c.isOnlyPath() && paths[ref.Repository().Path()]:
		case told[ref.String()], told[c.image.Written]:
		case isOwn(e.in.Repository, ref):
		case len(left) < maxLeftOut:
			seen[ref] = true
			left = append(left, LeftOut{Reference: ref, Written: c.image.Written, Line: c.line, Reason: reasonOf(c)})
		}
	}
	sort.SliceStable(left, func(i, j int) bool { return left[i].Line < left[j].Line })
	return left
}

// reasonOf returns why a candidate was left out.
func reasonOf(c *candidate) Reason {
	if r, ok := leftReasons[c.place.name]; ok {
		return r
	}
	for _, rule := range c.reasons {
		if r, ok := leftReasons[rule]; ok {
			return r
		}
	}
	return LeftMention
}

// leftReasons are the reasons by the place of a candidate, or by the rule that
// applied to it.
var leftReasons = map[string]Reason{
	isQuoted.String(): LeftQuoted, isExample.String(): LeftExample, isRemoved.String(): LeftDiff, isUnchanged.String(): LeftDiff, isNot.String(): LeftExcluded, isHidden.String(): LeftHidden,
	inExclusion.name: LeftExcluded, "excluded": LeftExcluded, "arrow": LeftDestination, "destination": LeftDestination, "log-done": LeftDone, "title-or-body": LeftTitle,
}

// Add adds images that the request does not have yet.
func (r *Request) Add(images ...Image) {
	for _, image := range images {
		has := false
		for i := range r.Images {
			has = has || r.Images[i].Reference == image.Reference
		}
		if len(image.Platforms) == 0 {
			image.Platforms = slices.Clone(r.Platforms)
		}
		if !has {
			r.Images = append(r.Images, image)
		}
		var left []LeftOut
		for _, l := range r.LeftOut {
			if l.Reference != image.Reference {
				left = append(left, l)
			}
		}
		r.LeftOut = left
	}
}

// merge adds a second mention to an image. If either mention asks for all
// platforms, all are requested.
func merge(image *Image, again Image) {
	if len(image.Platforms) > 0 && len(again.Platforms) > 0 {
		image.Platforms = addPlatform(slices.Clone(image.Platforms), again.Platforms...)
	} else if len(again.Platforms) > 0 {
		image.Platforms = again.Platforms
	}
	if image.As == (Alias{}) || image.As.Tag == "" && image.As.Path == again.As.Path {
		image.As = again.As
	}
}

// problems returns the problems of title and body that are worth an answer:
// words that are not images, or probably not meant, matter only if nothing else
// was found.
func (e *evidence) problems() []Problem {
	var kept []Problem
	told := map[string]bool{}
	for _, t := range e.texts() {
		if t == &e.title && len(e.body.with(taken)) > 0 {
			continue
		}
		beside := e.besideProblems(t)
		for _, p := range t.problems() {
			if beside.makesMoot(p) {
				continue
			}
			if p.Code == NotAnImage && e.in.Repository != "" && strings.HasSuffix(strings.TrimSuffix(p.Suggestion, ":latest"), "/"+strings.ToLower(e.in.Repository)) {
				p.Suggestion = "" // the repository with the issue
			}
			if key := string(p.Code) + " " + p.Written; !told[key] && len(kept) < MaxImages {
				kept, told[key] = append(kept, p), true
			}
		}
	}
	return kept
}

// besideProblems is what a request has besides the problems of one of its texts.
type besideProblems struct {
	text     *text
	images   []*candidate
	projects map[string]bool // the paths of their repositories
	open     map[string]bool // images, as written, that are in question beside others
	blanks   map[string]bool // words of sentences with a blank for the registry or the namespace
	wished   map[string]bool // words that a sentence asks for
	stated   map[string]bool // those, and words outside of sentences
	tells    bool            // it is a story that asks for no image
}

// besideProblems returns what the request has besides the problems of a text.
func (e *evidence) besideProblems(t *text) *besideProblems {
	b := &besideProblems{text: t, images: e.with(taken), projects: map[string]bool{}, open: t.openBesideOthers(), blanks: map[string]bool{}, wished: map[string]bool{}, stated: map[string]bool{}}
	b.tells = !e.wanted() && e.told() > 2*story
	for _, c := range b.images {
		b.projects[c.repository().Path()] = true
	}
	for _, f := range t.flaws {
		written := f.problem.Written
		space, _, _ := cutLast(written)
		b.blanks[written] = f.spoken && f.problem.Code == Placeholder && strings.ContainsAny(space, "<>${}")
		b.wished[written] = b.wished[written] || f.wished
		b.stated[written] = b.stated[written] || f.wished || !f.spoken
	}
	return b
}

// makesMoot reports whether a problem is worth no answer.
func (b *besideProblems) makesMoot(p Problem) bool {
	if b.isForm(p.Written) {
		return true
	}
	listed, found := b.text.listed[p.Line], len(b.images) > 0
	switch p.Code {
	case HostOnly, Ambiguous:
		return found && !listed && !b.open[p.Written]
	case NotAnImage:
		return found && !listed && !b.open[p.Written] || b.isLinkAside(p.Written, listed)
	case AllTags:
		return b.isPatternAside(p, listed)
	case Placeholder:
		return found && b.isBlankAside(p.Written, listed)
	default:
		return false
	}
}

// isLinkAside reports whether a link is that of the project of an image, or stands in a
// story.
func (b *besideProblems) isLinkAside(link string, listed bool) bool {
	_, page, _ := strings.Cut(lower(link), "://github.com/")
	return b.projects[page] || b.tells && !listed && strings.Contains(link, "://")
}

// isPatternAside reports whether an image has one of the tags for which a pattern stands, as
// in "golang:*-alpine, so golang:1.23-alpine", or sentences only mention the pattern, or all
// of a registry: "nothing of gcr.io/* can be pulled".
func (b *besideProblems) isPatternAside(p Problem, listed bool) bool {
	if strings.Contains(p.Written, "*") && slices.ContainsFunc(b.images, func(c *candidate) bool { return matches(p.Written, c) }) {
		return true
	}
	if len(b.images) == 0 || listed || b.wished[p.Written] {
		return false
	}
	host := strings.TrimRight(strings.Trim(p.Written, "`\"'(),."), "/*")
	return !b.stated[p.Written] || known.IsRegistry(host)
}

// isBlankAside reports whether a name with a blank beside images is only a variable, or only
// mentioned in sentences.
func (b *besideProblems) isBlankAside(written string, listed bool) bool {
	if listed {
		return isLoneVariable(written) && b.text.isFile()
	}
	return isLoneVariable(written) || !b.stated[written]
}

// isForm reports whether a word of a sentence only shows the form of names, beside an image
// with its tag: "each goes to ghcr.io/<owner>/mirror/<name>:<tag>".
func (b *besideProblems) isForm(written string) bool {
	return b.blanks[written] && slices.ContainsFunc(b.images, func(c *candidate) bool { return c.strength >= tagged && !c.lacksTag() })
}

// openBesideOthers returns the images, as written, that are in question beside others.
func (t *text) openBesideOthers() map[string]bool {
	open := map[string]bool{}
	for _, c := range t.with(asked) {
		if c.judgedBy("apart-tag", "untagged") {
			open[c.image.Written] = true
		}
	}
	return open
}

// matches reports whether a pattern with "*" matches a candidate as it is written.
func matches(pattern string, c *candidate) bool {
	same, _ := globs.Match(pattern, c.image.Written)
	return same
}

// problems returns the flaws of a text and the questions to its author, in
// order.
func (t *text) problems() []Problem {
	all := slices.Clone(t.flaws)
	seen := make(map[reference.Reference]bool)
	for _, c := range t.with(asked) {
		if seen[c.image.Reference] {
			continue
		}
		seen[c.image.Reference] = true
		suggestion := cmp.Or(gluedVersion(c.bareName()), c.image.Reference.String())
		all = append(all, flaw{line: c.line, at: c.at, problem: Problem{Code: Ambiguous, Written: c.image.Written, Line: c.line, Suggestion: suggestion}})
	}
	sort.SliceStable(all, func(i, j int) bool {
		return all[i].line < all[j].line || all[i].line == all[j].line && all[i].at < all[j].at
	})
	problems := make([]Problem, len(all))
	for i, f := range all {
		problems[i] = f.problem
	}
	return problems
}

// unread returns a problem for each line or word that has to name an image, if
// no rule has found a use for it. A file pasted into the field is no list of
// images.
func (e *evidence) unread() []Problem {
	t := &e.body
	uses, isFile := t.uses(), t.isFile()
	var problems []Problem
	for _, one := range t.entries {
		if one.beside == 0 && isFile || uses.has(one) {
			continue
		}
		if len(problems) == MaxImages {
			break
		}
		problems = append(problems, Problem{Code: Unread, Written: one.written, Line: one.line, Suggestion: cmp.Or(one.suggestion, completeName(one.written))})
	}
	if !strings.Contains(e.in.Body, "、") {
		return problems
	}
	for i, written := range strings.Split(bound(e.in.Body), "\n") {
		number := i + 1
		if !uses.named[number] || len(problems) >= MaxImages {
			continue
		}
		for _, item := range enumerated(written) {
			problems = append(problems, Problem{Code: Unread, Written: clip(item), Line: number})
		}
	}
	return problems
}

// uses are the lines and words of a text that name or complete images.
type uses struct {
	told    map[int]bool    // lines with a problem, or of which a word was understood
	named   map[int]bool    // lines with an image that is requested
	used    map[[2]int]bool // lines and offsets of words that were understood
	settled map[string]bool // words that repeat a tag, or a name with its tag
	tags    bool            // lines with versions were used as tags
}

// uses returns what was understood of a text.
func (t *text) uses() *uses {
	u := &uses{told: map[int]bool{}, named: map[int]bool{}, used: map[[2]int]bool{}, settled: map[string]bool{}}
	for _, f := range t.flaws {
		u.told[f.line] = true
	}
	for i := range t.candidates {
		c := &t.candidates[i]
		understood := c.verdict == taken || c.verdict == asked || slices.ContainsFunc(c.reasons, explains)
		if understood {
			u.used[[2]int{c.line, c.at}] = true
			u.settled[c.bareName()+":"+c.tag()], u.settled[c.tag()], u.settled[c.image.Written] = true, true, true
		}
		if t.listed[c.line] && (understood || c.strength >= tagged) {
			u.told[c.line] = true
		}
		if c.verdict == taken {
			u.named[c.line] = true
			u.tags = u.tags || c.judgedBy("lone-tag", "shared-tag")
		}
	}
	return u
}

// has reports whether nothing has to be said about a line or word that names no image.
func (u *uses) has(one entry) bool {
	switch {
	case one.beside > 0 && !u.named[one.beside]: // no list of images
		return true
	case one.version && u.tags:
		return true
	case !one.word:
		return u.told[one.line]
	}
	return u.settled[one.written] || one.beside == 0 && u.used[[2]int{one.line, one.at}]
}

// isFile reports whether the lines that have to name an image hold a file or a
// log that names some.
func (t *text) isFile() bool {
	return t.any(func(c *candidate) bool {
		return t.listed[c.line] && c.verdict == taken && c.isPasted() && c.place != inCommand && c.place != inCell
	})
}

// explains reports whether a rule drops a candidate because another line says
// the same or more, and not because it doubts that the word is an image.
func explains(rule string) bool {
	return rule != "mention" && rule != "guess" && rule != "lone-tag"
}
