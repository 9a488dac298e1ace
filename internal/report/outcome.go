package report

import (
	"strings"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// outcome is one image at one target. At most one of receipt and failure is
// set; neither is set while the image waits.
type outcome struct {
	image     request.Image
	platforms []reference.Platform // platforms to copy; empty for all
	mirror    reference.Reference  // zero if the image was refused before it got a mirror name
	target    string               // "host/namespace" of the one target that refused it a name; else empty
	receipt   *mirror.Receipt
	failure   *failure.Error
	elsewhere []mirror.Elsewhere
	final     bool // not retried, whatever the failure
}

// outcomes joins the plan with its results. Steps without a result get the
// failure missing; if it is nil, they wait.
func outcomes(p plan.Plan, results []mirror.Result, missing *failure.Error) []outcome {
	type key struct{ source, mirror reference.Reference }
	got := make(map[key]int, len(results))
	for i := range results {
		got[key{results[i].Image.Reference, results[i].Destination.Mirror}] = i
	}
	all := make([]outcome, 0, len(results)+len(p.Refusals))
	for _, step := range p.Steps {
		for _, d := range step.Destinations {
			o := outcome{image: step.Image, platforms: d.Platforms, mirror: d.Mirror, failure: missing}
			k := key{step.Image.Reference, d.Mirror}
			if i, ok := got[k]; ok {
				r := results[i]
				o.receipt, o.failure = r.Receipt, asFailure(r)
				o.mirror = nameOf(r)
				delete(got, k)
			}
			all = append(all, o)
		}
	}
	for _, r := range results { // results that the plan does not list are shown too
		k := key{r.Image.Reference, r.Destination.Mirror}
		if _, ok := got[k]; ok {
			delete(got, k)
			all = append(all, outcome{image: *r.Image, platforms: r.Destination.Platforms, mirror: nameOf(r), receipt: r.Receipt, failure: asFailure(r)})
		}
	}
	for _, r := range p.Refusals {
		f := r.Failure
		if f == nil {
			f = &failure.Error{Code: failure.Internal}
		}
		all = append(all, outcome{image: r.Image, target: r.Target, failure: f})
	}
	return all
}

// nameOf returns the name under which the image arrived, or the planned name.
func nameOf(r mirror.Result) reference.Reference {
	if r.Receipt == nil || r.Receipt.Mirror.IsZero() {
		return r.Destination.Mirror
	}
	return r.Receipt.Mirror
}

// asFailure returns nil if and only if the result has a receipt.
func asFailure(r mirror.Result) *failure.Error {
	if r.Receipt == nil && r.Failure == nil {
		return &failure.Error{Code: failure.Internal}
	}
	return r.Failure
}

// place names the target of the image, if it is known.
func (o outcome) place() string {
	if o.mirror.IsZero() {
		return o.target
	}
	return o.mirror.String()
}

// host returns the registry that failed; empty if unknown.
func (o outcome) host() string {
	if o.failure == nil || o.failure.Side != failure.Target {
		return o.image.Reference.Repository().Host()
	}
	host, _, _ := strings.Cut(o.place(), "/")
	return host
}

// retried reports whether Ferry retries the failure automatically.
func (o outcome) retried() bool {
	return o.failure != nil && o.failure.Kind() != failure.Refusal && !o.final
}

func (o outcome) status() Status {
	switch {
	case o.failure != nil:
		return Failed
	case o.receipt == nil:
		return Waiting
	case o.receipt.Present:
		return Present
	}
	return Copied
}

// Status is the outcome of a Record.
type Status string

// The statuses.
const (
	Copied  Status = "copied"
	Present Status = "present" // the target already had it
	Failed  Status = "failed"
	Waiting Status = "waiting" // not yet worked on
	Gone    Status = "gone"    // of a list: the source has it no more, and the target keeps it
)

func platformList(platforms []reference.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return oneLine(strings.Join(names, ", "))
}
