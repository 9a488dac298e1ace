package request

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// decision weighs what the title and the body were read as against one another.
type decision struct {
	in          Input
	title, body *scan
	tagged      string // what stands in brackets in front of the title, in lower case
}

// titleTag is the word in brackets at the beginning of a title, in lower case.
func titleTag(title string) string {
	if rest := cutBracketTag(title); rest != title {
		return strings.ToLower(strings.Trim(title[:strings.IndexByte(title, ']')], "[ "))
	}
	return ""
}

// request is the outcome.
func (d *decision) request() Request {
	req := Request{Platforms: addPlatform(slices.Clone(d.title.platforms), d.body.platforms...)}
	finds, ignored := d.choose()
	asks := d.asks()
	elsewhere := namedInFull(finds)
	seen, asked := make(map[reference.Reference]int), make(map[reference.Reference]bool)
	for _, f := range finds {
		ref := f.image.Reference
		if isOwn(d.in.Repository, ref) || elsewhere.says(f) {
			continue
		}
		if asks && (f.stance != listed || d.body.report && f.weight < certain) {
			if !asked[ref] {
				asked[ref] = true
				req.Problems = append(req.Problems, Problem{Code: Ambiguous, Written: f.image.Written, Line: f.line, Suggestion: ref.String()})
			}
			continue
		}
		if n, ok := seen[ref]; ok {
			merge(&req.Images[n], *f.image)
			continue
		}
		if len(req.Images) == MaxImages {
			req.Problems = append(req.Problems, Problem{Code: TooManyImages, Line: f.line, Suggestion: limit(MaxImages)})
			break
		}
		seen[ref] = len(req.Images)
		req.Images = append(req.Images, *f.image)
	}
	for i := range req.Images {
		if image := &req.Images[i]; len(image.Platforms) == 0 {
			image.Platforms = slices.Clone(req.Platforms)
		}
	}
	req.Problems = append(req.Problems, d.problems(len(req.Images) > 0)...)
	if ignored != nil && len(req.Images) > 0 {
		req.Problems = append(req.Problems, *ignored)
	}
	if len(req.Images) == 0 && len(req.Problems) == 0 && !asks {
		d.guess(&req)
	}
	return req
}

// full is what the images of a request say that others of them leave out.
type full struct {
	tagged map[reference.Repository]bool // those that have a tag of their own
	hosted map[string]bool               // the paths of those that name their host
}

func namedInFull(finds []find) full {
	in := full{map[reference.Repository]bool{}, map[string]bool{}}
	for _, f := range finds {
		repository := f.image.Reference.Repository()
		if !slices.Contains(f.image.Assumptions, AssumedTag) {
			in.tagged[repository] = true
		}
		if !slices.Contains(f.image.Assumptions, AssumedHost) {
			in.hosted[repository.Path()] = true
		}
	}
	return in
}

// says reports whether f says less than another image, which it thus only speaks
// of: a link or a word of a sentence that names no tag, or no host either.
func (in full) says(f find) bool {
	repository := f.image.Reference.Repository()
	has := func(a Assumption) bool { return slices.Contains(f.image.Assumptions, a) }
	return has(AssumedTag) && ((has(ReadLink) || f.stance == embedded) && in.tagged[repository] ||
		has(AssumedHost) && f.stance == embedded && in.hosted[repository.Path()])
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

// choose takes the images of the body, if it has any, else those of the
// title. What a sentence of the body merely mentions gives way to a title that
// is an image. A title that the body contradicts is reported.
func (d *decision) choose() (finds []find, ignored *Problem) {
	title, body := d.title.finds, d.body.finds
	switch {
	case len(body) == 0:
		return d.tagFromBody(title), nil
	case len(title) == 0:
		return body, nil
	}
	tagFromTitle(body, title)
	if slices.ContainsFunc(title, func(f find) bool { return f.stance != embedded }) {
		inBody := func(f find) bool {
			return slices.ContainsFunc(body, func(b find) bool { return sameImage(*f.image, *b.image) })
		}
		if d.body.also {
			return append(slices.Clone(title), body...), nil
		}
		if !slices.ContainsFunc(body, func(b find) bool { return b.stance != embedded || b.wished }) && !slices.ContainsFunc(title, inBody) {
			return title, nil
		}
		for _, f := range title {
			if !inBody(f) && f.stance != embedded {
				return body, &Problem{Code: TitleIgnored, Written: clip(d.in.Title), Suggestion: f.image.Reference.String()}
			}
		}
	}
	return body, nil
}

// tagFromTitle gives the images of the body that lack a tag the one that the
// title names: "a/b:v1" above a link to the page of a/b.
func tagFromTitle(body, title []find) {
	tagged := make(map[reference.Repository]reference.Reference)
	for _, f := range title {
		if !slices.Contains(f.image.Assumptions, AssumedTag) {
			tagged[f.image.Reference.Repository()] = f.image.Reference
		}
	}
	for _, f := range body {
		if ref, ok := tagged[f.image.Reference.Repository()]; ok && slices.Contains(f.image.Assumptions, AssumedTag) {
			*f.image = f.image.named(ref)
		}
	}
}

// tagFromBody gives the only image of a title that lacks a tag the versions
// that the body names: "bitnami/kafka" above "3.6.1".
func (d *decision) tagFromBody(title []find) []find {
	versions := d.body.versions
	if len(title) != 1 || len(versions) == 0 || len(versions) > maxUses || !slices.Contains(title[0].image.Assumptions, AssumedTag) {
		return title
	}
	var tagged []find
	for i, version := range versions {
		ref, err := title[0].image.Reference.Repository().Tagged(version)
		if err != nil {
			return title
		}
		if slices.Contains(versions[:i], version) {
			continue
		}
		image := title[0].image.named(ref)
		image.Assumptions = append(image.Assumptions, JoinedLines)
		f := title[0]
		f.image = &image
		tagged = append(tagged, f)
	}
	return tagged
}

// sameImage reports whether a title that reads as a says no more than what b
// says in the body: the same image, or its name without the tag.
func sameImage(a, b Image) bool {
	if a.Reference == b.Reference {
		return true
	}
	vague := slices.Contains(a.Assumptions, AssumedTag)
	if vague && slices.Contains(a.Assumptions, AssumedHost) {
		// "[image-mirror] nginx" above "quay.io/nginx/nginx-ingress:3.4".
		path, name := b.Reference.Repository().Path(), a.Reference.Repository().Path()
		return strings.Contains("/"+path, "/"+strings.TrimPrefix(name, "library/"))
	}
	if slices.Contains(a.Assumptions, AssumedHost) && a.Reference.Tag() == b.Reference.Tag() && a.Reference.Repository().Path() == b.Reference.Repository().Path() {
		return true
	}
	return vague && a.Reference.Repository() == b.Reference.Repository()
}

// asks reports whether the author wants an answer rather than an image.
func (d *decision) asks() bool {
	switch d.tagged {
	case "question", "bug", "feature", "feature request", "discussion", "help", "问题", "提问", "求助", "咨询", "建议", "疑问":
		return true
	}
	return (d.title.question || d.body.question || d.body.report) && !d.title.wish && !d.body.wish && len(d.title.finds) == 0
}

// problems are those of title and body that are worth an answer: what is no
// image matters only if nothing else was found.
func (d *decision) problems(found bool) []Problem {
	var kept []Problem
	for _, s := range []*scan{d.title, d.body} {
		if s == d.title && len(d.body.finds) > 0 {
			continue
		}
		for _, f := range s.flaws {
			if found && (f.problem.Code == HostOnly || f.problem.Code == NotAnImage || f.problem.Code == Ambiguous) {
				continue
			}
			if f.problem.Code == NotAnImage && d.in.Repository != "" && strings.HasSuffix(strings.TrimSuffix(f.problem.Suggestion, ":latest"), "/"+strings.ToLower(d.in.Repository)) {
				f.problem.Suggestion = ""
			}
			same := func(p Problem) bool { return p.Code == f.problem.Code && p.Written == f.problem.Written }
			if !slices.ContainsFunc(kept, same) && len(kept) < MaxImages {
				kept = append(kept, f.problem)
			}
		}
	}
	return kept
}

// guess takes a bare word as an official image of Docker Hub, for want of
// anything better: the title's, or else those that have a line of their own. A
// word with capitals is a word of a sentence, unless it stands all alone.
func (d *decision) guess(req *Request) {
	guesses, lone := d.title.guesses, !d.title.prose && !d.body.prose
	if d.body.words > talk || d.body.doubt {
		guesses = nil
	}
	if len(guesses) == 0 {
		guesses, lone = d.body.guesses, false
	}
	for _, g := range guesses {
		name := g.bareName()
		if meant := gluedVersion(name); meant != "" {
			req.Problems = append(req.Problems, Problem{Code: Ambiguous, Written: g.image.Written, Line: g.line, Suggestion: meant})
			continue
		}
		if len(req.Images) >= MaxExpansion || !isGuess(name) || slices.Contains(g.image.Assumptions, Lowered) && !lone {
			continue
		}
		g.image.Assumptions = append(g.image.Assumptions, Guessed)
		g.image.Platforms = addPlatform(g.image.Platforms, req.Platforms...)
		if !slices.ContainsFunc(req.Images, func(i Image) bool { return i.Reference == g.image.Reference }) {
			req.Images = append(req.Images, *g.image)
		}
	}
}
