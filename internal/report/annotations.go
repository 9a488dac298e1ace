package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// annotations lists the failures for the owner, on the page of the run and in
// English: one for each image and target. The package runner escapes them.
func (a *answer) annotations() []Annotation {
	l := english
	var all []Annotation
	for _, f := range a.in.SetUp {
		all = append(all, Annotation{Error: true, Title: "set-up", Message: oneLine(f.String())})
	}
	if f := a.in.Plan.Refused; f != nil {
		all = append(all, Annotation{Title: "request refused", Message: string(l.explain(outcome{failure: f}, plain))})
	}
	for _, o := range a.failed() {
		title := o.image.Reference.String()
		if place := o.place(); place != "" {
			title += " → " + oneLine(place)
		}
		words := l.adviceFor(o.failure)
		all = append(all, Annotation{
			Error:   o.failure.Kind() != failure.Transient || o.final,
			Title:   title,
			Message: string(words.Name + ": " + l.explain(o, plain)),
		})
	}
	for _, p := range a.request.Problems {
		all = append(all, Annotation{Title: "request", Message: string(l.problem(p, plain))})
	}
	return all
}

// plain quotes a value for a terminal or a log, which do not show Markdown. The
// result must not go into a comment.
func plain(text string) md {
	return md(`"` + strings.ReplaceAll(reference.Clip(oneLine(text), maxCode), `"`, `'`) + `"`)
}
