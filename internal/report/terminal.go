package report

import (
	"fmt"
	"strings"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Understood shows on a terminal, in English, what a request asks for: an
// image on a line of its own with its particulars below, then the problems.
func Understood(r request.Request) string {
	l := english()
	var b strings.Builder
	for _, image := range r.Images {
		fmt.Fprintln(&b, image.Reference)
		if len(image.Platforms) > 0 {
			fmt.Fprintf(&b, "    platforms: %s\n", platformList(image.Platforms))
		}
		if as := oneLine(image.As.String()); as != "" {
			fmt.Fprintf(&b, "    mirror name: %s\n", as)
		}
		for i, assumption := range image.Assumptions {
			if i == 0 {
				fmt.Fprintf(&b, "    written as %s\n", plain(image.Written))
			}
			fmt.Fprintf(&b, "    - %s\n", l.assumptions[assumption])
		}
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&b, "%s\n", Problem(p))
	}
	return clean(b.String())
}

// Problem is one problem of a request as English sentences on one line, for a
// terminal or a log.
func Problem(p request.Problem) string { return string(english().problem(p, plain)) }

// Copies shows on a terminal, in English, what has become of a plan: a line
// for each image and target, with its particulars below; of a plan without
// results, what goes where. It holds no control characters, whatever the
// registries said.
func Copies(p plan.Plan, results []mirror.Result) string {
	l := english()
	var b strings.Builder
	if p.Refused != nil {
		fmt.Fprintln(&b, l.explain(outcome{failure: p.Refused}, plain))
	}
	for _, o := range outcomes(p, results, nil) {
		fmt.Fprint(&b, o.image.Reference)
		if place := o.place(); place != "" {
			fmt.Fprintf(&b, " → %s", oneLine(place))
		}
		l.writeOutcome(&b, o)
	}
	return clean(b.String())
}

func (l *language) writeOutcome(b *strings.Builder, o outcome) {
	switch o.status() {
	case Waiting:
		fmt.Fprintln(b)
		return
	case Failed:
		fmt.Fprintf(b, ": %s\n    %s\n", l.adviceFor(o.failure.Code, o.failure.Side).name, l.explain(o, plain))
		if said := oneLine(o.failure.Detail); said != "" {
			fmt.Fprintf(b, "    %s: %s\n", l.headings.registryWords, plain(said))
		} else if cause := o.failure.Err; cause != nil && o.failure.Kind() != failure.Refusal {
			fmt.Fprintf(b, "    %s\n", plain(cause.Error())) // there is no log to look it up in
		}
		return
	}
	r := o.receipt
	effort := took(r.Took)
	if r.Present {
		effort = l.list.present
	}
	fmt.Fprintf(b, ": %s, %s, %s\n", oneLine(r.Digest.String()), size(r.Size), effort)
	if len(r.Platforms) > 0 {
		fmt.Fprintf(b, "    %s\n", platformList(r.Platforms))
	}
	for _, c := range r.Changes {
		fmt.Fprintf(b, "    - %s\n", l.changes[c])
	}
}

func platformList(platforms []reference.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return oneLine(strings.Join(names, ", "))
}
