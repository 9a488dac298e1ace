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
	seen := make(map[reference.Reference]int)
	for _, c := range e.with(taken) {
		ref := c.image.Reference
		if n, ok := seen[ref]; ok {
			merge(&req.Images[n], *c.image)
			continue
		}
		if len(req.Images) == MaxImages {
			e.notes = append(e.notes, Problem{Code: TooManyImages, Line: c.line, Suggestion: limit(MaxImages)})
			break
		}
		seen[ref] = len(req.Images)
		req.Images = append(req.Images, *c.image)
		req.Images[len(req.Images)-1].Line = c.line
	}
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
	req.Problems = e.problems(len(req.Images) > 0)
	if unread := e.unread(); len(unread) > 0 {
		req.Problems = append(req.Problems, unread...)
		sort.SliceStable(req.Problems, func(i, j int) bool { return req.Problems[i].Line < req.Problems[j].Line })
	}
	req.LeftOut = e.leftOut(req)
	if len(req.Images) > 0 {
		req.Problems = append(req.Problems, e.notes...)
	}
	return req
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
	prose, form := e.title.prose || e.body.prose, len(e.body.listed) > 0
	sum := e.score()
	return !prose || form || (e.title.tried || e.body.tried) && sum > hopeless || (e.title.wish || e.body.wish) && !e.title.defect && !e.body.defect && (sum > mentions || sum > hopeless && read)
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
// request.
func (e *evidence) leftOut(req Request) []LeftOut {
	seen := make(map[reference.Reference]bool)
	repositories := make(map[reference.Repository]bool)
	for _, image := range req.Images {
		seen[image.Reference] = true
		repositories[image.Reference.Repository()] = true
	}
	told := make(map[string]bool)
	for _, p := range req.Problems {
		told[p.Suggestion], told[p.Written] = true, true
	}
	var left []LeftOut
	for _, c := range append(e.with(dropped), e.with(asked)...) {
		ref := c.image.Reference
		if c.strength < tagged && !slices.Contains(c.reasons, "untagged") && !slices.Contains(c.reasons, "beside") || seen[ref] || told[ref.String()] || told[c.image.Written] || c.has(AssumedTag) && repositories[ref.Repository()] || isOwn(e.in.Repository, ref) || len(left) == maxLeftOut {
			continue
		}
		seen[ref] = true
		left = append(left, LeftOut{Reference: ref, Written: c.image.Written, Line: c.line, Reason: reasonOf(c)})
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
		has := func(i Image) bool { return i.Reference == image.Reference }
		if len(image.Platforms) == 0 {
			image.Platforms = slices.Clone(r.Platforms)
		}
		if !slices.ContainsFunc(r.Images, has) {
			r.Images = append(r.Images, image)
		}
		r.LeftOut = slices.DeleteFunc(r.LeftOut, func(l LeftOut) bool { return l.Reference == image.Reference })
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
func (e *evidence) problems(found bool) []Problem {
	var kept []Problem
	told, projects, all := map[string]bool{}, map[string]bool{}, e.with(taken)
	for _, c := range all {
		projects[c.image.Reference.Repository().Path()] = true
	}
	for _, t := range e.texts() {
		if t == &e.title && len(e.body.with(taken)) > 0 {
			continue
		}
		open, blanks := t.openBesideOthers(), t.spokenBlanks()
		for _, p := range t.problems() {
			if found && !t.listed[p.Line] && !open[p.Written] && (p.Code == HostOnly || p.Code == NotAnImage || p.Code == Ambiguous) || e.isMoot(t, p, all) {
				continue
			}
			if _, page, _ := strings.Cut(lower(p.Written), "://github.com/"); p.Code == NotAnImage && projects[page] {
				continue // the project of an image that is named elsewhere
			}
			if blanks[p.Written] && slices.ContainsFunc(all, func(c *candidate) bool { return c.strength >= tagged && !c.has(AssumedTag) }) {
				continue // "each goes to ghcr.io/<owner>/mirror/<name>:<tag>"
			}
			if p.Code == NotAnImage && e.in.Repository != "" && strings.HasSuffix(strings.TrimSuffix(p.Suggestion, ":latest"), "/"+strings.ToLower(e.in.Repository)) {
				p.Suggestion = ""
			}
			if key := string(p.Code) + " " + p.Written; !told[key] && len(kept) < MaxImages {
				kept, told[key] = append(kept, p), true
			}
		}
	}
	return kept
}

// isMoot reports whether a problem of a text is worth no answer beside the images of a
// request.
func (e *evidence) isMoot(t *text, p Problem, all []*candidate) bool {
	listed, found := t.listed[p.Line], len(all) > 0
	switch {
	case p.Code == NotAnImage: // a link in a story
		return strings.Contains(p.Written, "://") && !listed && !e.title.wanted && !e.body.wanted && e.title.told+e.body.told > 2*story
	case p.Code == AllTags: // "golang:*-alpine, so golang:1.23-alpine"; "nothing of gcr.io/* can be pulled"
		return strings.Contains(p.Written, "*") && slices.ContainsFunc(all, func(c *candidate) bool { return matches(p.Written, c) }) ||
			found && !listed && !t.wishesFor(p) && (t.mentions(p) || known.IsRegistry(strings.TrimRight(strings.Trim(p.Written, "`\"'(),."), "/*")))
	case p.Code == Placeholder:
		return found && isLoneVariable(p.Written) && (!listed || t.isFile()) || found && !listed && t.mentions(p)
	}
	return false
}

// wishesFor reports whether a problem stands in a sentence that asks for something.
func (t *text) wishesFor(p Problem) bool {
	return slices.ContainsFunc(t.flaws, func(f flaw) bool { return f.wished && f.problem.Written == p.Written })
}

// mentions reports whether a problem stands only in sentences that do not ask for it.
func (t *text) mentions(p Problem) bool {
	return !slices.ContainsFunc(t.flaws, func(f flaw) bool { return f.problem.Written == p.Written && (f.wished || !f.spoken) })
}

// spokenBlanks returns the words in sentences, as written, with a blank for the registry
// or the namespace.
func (t *text) spokenBlanks() map[string]bool {
	blanks := map[string]bool{}
	for _, f := range t.flaws {
		space, _, _ := cutLast(f.problem.Written)
		blanks[f.problem.Written] = f.spoken && f.problem.Code == Placeholder && strings.ContainsAny(space, "<>${}")
	}
	return blanks
}

// openBesideOthers returns the images, as written, that are in question beside others.
func (t *text) openBesideOthers() map[string]bool {
	open := map[string]bool{}
	for _, c := range t.with(asked) {
		if slices.Contains(c.reasons, "apart-tag") || slices.Contains(c.reasons, "untagged") {
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
	told, named, used, useful := map[int]bool{}, map[int]bool{}, map[[2]int]bool{}, false
	settled := map[string]bool{} // words that repeat a tag, or a name with its tag
	for _, f := range t.flaws {
		told[f.line] = true
	}
	for i := range t.candidates {
		c := &t.candidates[i]
		named[c.line] = named[c.line] || c.verdict == taken
		switch {
		case !t.listed[c.line]:
		case c.verdict == taken || c.verdict == asked || c.strength >= tagged || slices.ContainsFunc(c.reasons, explains):
			told[c.line] = true
		}
		if c.verdict == taken || c.verdict == asked || slices.ContainsFunc(c.reasons, explains) {
			used[[2]int{c.line, c.at}], settled[c.bareName()+":"+c.image.Reference.Tag()], settled[c.image.Reference.Tag()] = true, true, true
		}
		useful = useful || c.verdict == taken && (slices.Contains(c.reasons, "lone-tag") || slices.Contains(c.reasons, "shared-tag"))
	}
	var problems []Problem
	file := t.isFile()
	for _, one := range t.entries {
		switch {
		case one.beside > 0 && !named[one.beside], one.beside == 0 && file:
			continue
		case one.word && (one.beside == 0 && used[[2]int{one.line, one.at}] || settled[one.written]), !one.word && told[one.line], one.version && useful, len(problems) == MaxImages:
			continue
		}
		problems = append(problems, Problem{Code: Unread, Written: one.written, Line: one.line, Suggestion: cmp.Or(one.suggestion, completeName(one.written))})
	}
	if !strings.Contains(e.in.Body, "、") {
		return problems
	}
	for i, written := range strings.Split(bound(e.in.Body), "\n") {
		number := i + 1
		if !named[number] || len(problems) >= MaxImages {
			continue
		}
		for _, item := range enumerated(written) {
			problems = append(problems, Problem{Code: Unread, Written: clip(item), Line: number})
		}
	}
	return problems
}

// isFile reports whether the lines that have to name an image hold a file or a
// log that names some.
func (t *text) isFile() bool {
	return slices.ContainsFunc(t.candidates, func(c candidate) bool {
		return t.listed[c.line] && c.verdict == taken && c.place.stance == pasted && c.place != inCommand && c.place != inCell
	})
}

// explains reports whether a rule drops a candidate because another line says
// the same or more, and not because it doubts that the word is an image.
func explains(rule string) bool {
	return rule != "mention" && rule != "guess" && rule != "lone-tag"
}
