package lists

import (
	"slices"
	"sort"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Parse reads a request like request.Parse, except that lists of other programs
// in it mean what they mean there. A range of tags is a problem, because a
// request names its tags.
func Parse(in request.Input) request.Request {
	in, problems, left := plainly(in)
	req := request.Parse(in)
	for _, l := range left {
		if !slices.ContainsFunc(req.Images, func(i request.Image) bool { return i.Reference == l.Reference }) {
			req.LeftOut = append(req.LeftOut, l)
		}
	}
	req.Problems = append(req.Problems, problems...)
	sort.SliceStable(req.Problems, func(i, j int) bool { return req.Problems[i].Line < req.Problems[j].Line })
	return req
}

// Explain is to Parse what request.Explain is to request.Parse.
func Explain(in request.Input) request.Explanation {
	in, _, _ = plainly(in)
	return request.Explain(in)
}

// plainly returns the input with plainText instead of its texts, and what else
// plainText returns for the body.
func plainly(in request.Input) (request.Input, []request.Problem, []request.LeftOut) {
	body, problems, left := plainText(in.Body)
	in.Body = body
	templates := make([]string, len(in.Templates))
	for i, template := range in.Templates { // a list there is an example, and has to look like that in the body
		templates[i], _, _ = plainText(template)
	}
	in.Templates = templates
	return in, problems, left
}

// plainText returns a text in which the lists of other programs are replaced by
// lines that request.Parse reads, at the line numbers of the originals, what
// cannot be read in the lists, and the images of settings that are not supported. A
// list is the whole text, or a fenced block of Markdown (GFM 4.5). Other text stays.
func plainText(text string) (_ string, problems []request.Problem, left []request.LeftOut) {
	if len(text) > request.MaxInput {
		return text, nil, nil
	}
	lines := strings.Split(text, "\n")
	read := func(begin, end int) {
		p, l := plain(lines, begin, end)
		problems, left = append(problems, p...), append(left, l...)
	}
	begin, fence, fenced := 0, "", false
	for i, line := range lines {
		mark := fenceOf(line)
		switch {
		case fence == "" && mark != "":
			begin, fence, fenced = i+1, mark, true
		case fence != "" && strings.HasPrefix(mark, fence):
			read(begin, i)
			fence = ""
		}
	}
	if !fenced || fence != "" { // without its end, a block has all the rest
		read(begin, len(lines))
	}
	return strings.Join(lines, "\n"), problems, left
}

// fenceOf returns the marks of a line that begins or ends a fenced block; empty
// for other lines.
func fenceOf(line string) string {
	line = strings.TrimSpace(line)
	for _, mark := range []string{"`", "~"} {
		if marks := line[:len(line)-len(strings.TrimLeft(line, mark))]; len(marks) >= 3 {
			return marks
		}
	}
	return ""
}

// plain replaces the lines from begin to end if they are a list of another
// program, and returns the faults of the list and the images of its settings that
// are not supported.
func plain(lines []string, begin, end int) (problems []request.Problem, left []request.LeftOut) {
	block := lines[begin:end]
	text := []byte(strings.Join(block, "\n"))
	if !structured(text) {
		return nil, nil
	}
	// The variables are those of another machine; destinations do not matter.
	list := Read(text, Options{Getenv: func(string) string { return "registry.invalid" }})
	if !list.foreign() {
		return nil, nil
	}
	last := 0
	for _, f := range list.Faults {
		if f.Line > last && f.Line <= len(block) {
			last = f.Line
			problems = append(problems, request.Problem{Code: request.Malformed, Written: shown(strings.TrimSpace(block[f.Line-1])), Line: begin + f.Line})
		}
	}
	for _, u := range list.Upstreams { // a request does not follow them
		if u.Line >= 1 && u.Line <= len(block) {
			problems = append(problems, request.Problem{Code: request.Malformed, Written: shown(strings.TrimSpace(block[u.Line-1])), Line: begin + u.Line})
		}
	}
	last = 0
	for _, n := range list.Notes { // a setting that is left out may name images
		for i := max(n.Line, last+1); n.Line >= 1 && i <= len(block) && (i == n.Line || deeper(block[i-1], block[n.Line-1])); i++ {
			last = i
			for _, image := range request.Parse(request.Input{Body: block[i-1]}).Images {
				left = append(left, request.LeftOut{Reference: image.Reference, Written: image.Written, Line: begin + i, Reason: request.LeftMention})
			}
		}
	}
	clear(block)
	for _, e := range list.Entries {
		if e.Line < 1 || e.Line > len(block) {
			continue
		}
		words := []string{block[e.Line-1]}
		named, ok := e.Named()
		if !ok {
			named, ok = literal(e)
		}
		if ok {
			for _, image := range named {
				words = append(words, image.String())
			}
			if len(e.Platforms) > 0 {
				words = append(words, "|")
			}
			for _, p := range e.Platforms {
				words = append(words, p.String())
			}
		} else {
			words = append(words, e.Source.String()+":*")
		}
		block[e.Line-1] = strings.TrimSpace(strings.Join(words, " "))
	}
	return problems, left
}

// literal returns the references of an entry whose regular expressions are tags as they
// stand, which is how regsync names tags. A request cannot have those of others.
func literal(e Entry) ([]reference.Reference, bool) {
	var tags []string
	for _, set := range e.Tags.Sets {
		if len(set.Ranges)+len(set.Deny) > 0 || len(set.Allow) == 0 {
			return nil, false
		}
		for _, pattern := range set.Allow {
			tag, ok := pattern.Literal()
			if !ok {
				return nil, false
			}
			tags = append(tags, tag)
		}
	}
	named := e.References(tags)
	return named, len(named) > 0 && len(named) == len(tags)
}

// deeper reports whether a line of YAML belongs to the value of the key of another
// line: it is indented further, or is an item of a list under the key.
func deeper(line, key string) bool {
	indent := func(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
	rest := strings.TrimLeft(line, " ")
	return rest == "" || indent(line) > indent(key) || indent(line) == indent(key) && strings.HasPrefix(rest, "- ")
}

// foreign reports whether the list is certainly one of another program. The
// pairs of image-syncer look like other mappings ("quay.io/a/b: 1.2"), unless
// each value is a repository somewhere else.
func (l List) foreign() bool {
	switch l.Format {
	case Skopeo, Regsync, Dregsy, Diun, Hauler, ImageSet:
		return len(l.Entries) > 0
	case ImageSyncer:
		if len(l.Entries) <= len(l.Faults) {
			return false
		}
		for _, e := range l.Entries {
			if len(e.To) == 0 || e.To[0].Repository.Host() == reference.DockerHub && strings.HasPrefix(e.To[0].Repository.Path(), "library/") {
				return false
			}
		}
		return true
	default: // Ferry's own lines are those of requests
		return false
	}
}
