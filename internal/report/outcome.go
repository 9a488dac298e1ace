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
// set; neither while it waits.
type outcome struct {
	image     request.Image
	platforms []reference.Platform // that were to go there; empty for all
	mirror    reference.Reference  // zero if it was refused before it got a name
	target    string               // "host/namespace" of the one target that refused it a name; else empty
	receipt   *mirror.Receipt
	failure   *failure.Error
	final     bool // whatever the failure, it is not tried again
}

// outcomes joins the plan with what became of it. missing stands for the
// results that there are not; nil lets those outcomes wait.
func outcomes(p plan.Plan, results []mirror.Result, missing *failure.Error) []outcome {
	type key struct{ source, mirror reference.Reference }
	got := make(map[key]mirror.Result, len(results))
	for _, r := range results {
		got[key{r.Step.Image.Reference, r.Destination.Mirror}] = r
	}
	var all []outcome
	for _, step := range p.Steps {
		for _, d := range step.Destinations {
			o := outcome{image: step.Image, platforms: d.Platforms, mirror: d.Mirror, failure: missing}
			k := key{step.Image.Reference, d.Mirror}
			if r, ok := got[k]; ok {
				o.receipt, o.failure = r.Receipt, asFailure(r)
				o.mirror = nameOf(r)
				delete(got, k)
			}
			all = append(all, o)
		}
	}
	for _, r := range results { // a result that the plan does not list is shown all the same
		k := key{r.Step.Image.Reference, r.Destination.Mirror}
		if _, ok := got[k]; ok {
			delete(got, k)
			all = append(all, outcome{image: r.Step.Image, platforms: r.Destination.Platforms, mirror: nameOf(r), receipt: r.Receipt, failure: asFailure(r)})
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

// nameOf is the name that has the image, the planned one if it has not arrived.
func nameOf(r mirror.Result) reference.Reference {
	if r.Receipt == nil || r.Receipt.Mirror.IsZero() {
		return r.Destination.Mirror
	}
	return r.Receipt.Mirror
}

// asFailure is nil exactly if the result has a receipt.
func asFailure(r mirror.Result) *failure.Error {
	if r.Receipt == nil && r.Failure == nil {
		return &failure.Error{Code: failure.Internal}
	}
	return r.Failure
}

// place is where the image goes, as far as that is known.
func (o outcome) place() string {
	if o.mirror.IsZero() {
		return o.target
	}
	return o.mirror.String()
}

// host is the registry that the failure is about; empty if none is known.
func (o outcome) host() string {
	if o.failure == nil || o.failure.Side != failure.Target {
		return o.image.Reference.Repository().Host()
	}
	host, _, _ := strings.Cut(o.place(), "/")
	return host
}

// retried reports whether Ferry tries again by itself what has failed.
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
)

func platformList(platforms []reference.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return oneLine(strings.Join(names, ", "))
}
