package request

import (
	"cmp"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// request is what the evidence comes to once the rules were applied.
func (e *evidence) request() Request {
	req := Request{Platforms: addPlatform(slices.Clone(e.title.platforms), e.body.platforms...)}
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
	}
	for i := range req.Images {
		if image := &req.Images[i]; len(image.Platforms) == 0 {
			image.Platforms = slices.Clone(req.Platforms)
		}
	}
	req.Problems = e.problems(len(req.Images) > 0)
	if len(req.Images) > 0 {
		req.Problems = append(req.Problems, e.notes...)
	}
	return req
}

// merge adds what a second mention says to an image that is there already. To
// ask for all platforms once is to ask for all of them.
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

// problems are those of title and body that are worth an answer: what is no
// image, or surely not meant, matters only if nothing else was found.
func (e *evidence) problems(found bool) []Problem {
	var kept []Problem
	for _, t := range e.texts() {
		if t == &e.title && len(e.body.with(taken)) > 0 {
			continue
		}
		for _, p := range t.problems() {
			if found && (p.Code == HostOnly || p.Code == NotAnImage || p.Code == Ambiguous) {
				continue
			}
			if p.Code == NotAnImage && e.in.Repository != "" && strings.HasSuffix(strings.TrimSuffix(p.Suggestion, ":latest"), "/"+strings.ToLower(e.in.Repository)) {
				p.Suggestion = ""
			}
			same := func(q Problem) bool { return q.Code == p.Code && q.Written == p.Written }
			if !slices.ContainsFunc(kept, same) && len(kept) < MaxImages {
				kept = append(kept, p)
			}
		}
	}
	return kept
}

// problems are the flaws of a text and what its author is to be asked, in order.
func (t *text) problems() []Problem {
	all := slices.Clone(t.flaws)
	seen := make(map[reference.Reference]bool)
	for _, c := range t.with(asked) {
		if seen[c.image.Reference] {
			continue
		}
		seen[c.image.Reference] = true
		suggestion := cmp.Or(gluedVersion(c.bareName()), c.image.Reference.String())
		all = append(all, flaw{c.line, c.at, Problem{Code: Ambiguous, Written: c.image.Written, Line: c.line, Suggestion: suggestion}})
	}
	slices.SortStableFunc(all, func(a, b flaw) int { return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.at, b.at)) })
	problems := make([]Problem, len(all))
	for i, f := range all {
		problems[i] = f.problem
	}
	return problems
}
