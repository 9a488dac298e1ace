package report

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Record is what became of one image at one target, in the stable shape of the
// output "images" and of "ferry copy --json". Fields are added, never renamed
// or removed; docs/outputs.md describes them.
type Record struct {
	Source       string       `json:"source"`                  // canonical reference
	Mirror       string       `json:"mirror,omitempty"`        // canonical reference; empty if the image was refused before it got one
	Target       string       `json:"target,omitempty"`        // "host/namespace", if one target alone refused the image before it got a name
	Status       Status       `json:"status"`                  //
	SourceDigest string       `json:"source_digest,omitempty"` // what the source's tag named
	Digest       string       `json:"digest,omitempty"`        // what the mirror's tag names
	Platforms    []string     `json:"platforms,omitempty"`     // that arrived
	Size         int64        `json:"size,omitempty"`          // bytes of the image
	Sent         int64        `json:"sent,omitempty"`          // bytes sent to this target
	Mounted      int64        `json:"mounted,omitempty"`       // bytes that the target took from its own repositories
	Seconds      float64      `json:"seconds,omitempty"`       //
	Referrers    int          `json:"referrers,omitempty"`     // signatures, attestations and the like copied along
	Changes      []string     `json:"changes,omitempty"`       // mirror.Change, in order
	Error        *RecordError `json:"error,omitempty"`         // if Status is Failed
}

// RecordError says what went wrong in codes, not in text.
type RecordError struct {
	Code  failure.Code `json:"code"`
	Side  failure.Side `json:"side,omitempty"`
	Retry bool         `json:"retry"` // whether Ferry tries it again by itself
	Hints []string     `json:"hints,omitempty"`
	Until *time.Time   `json:"until,omitempty"` // RFC 3339
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

// Records are the records of a plan and of the results it has had so far, in
// the order of the plan; refusals come last. A step without a result counts as
// Waiting.
func Records(p plan.Plan, results []mirror.Result) []Record {
	rows := outcomes(p, results, nil)
	records := make([]Record, 0, len(rows))
	for _, o := range rows {
		records = append(records, o.record())
	}
	return records
}

// outcome is one image at one target. At most one of receipt and failure is
// set; neither while it waits.
type outcome struct {
	image   request.Image
	mirror  reference.Reference // zero if it was refused before it got a name
	target  string              // "host/namespace" of the one target that refused it a name; else empty
	receipt *mirror.Receipt
	failure *failure.Error
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
			o := outcome{image: step.Image, mirror: d.Mirror, failure: missing}
			k := key{step.Image.Reference, d.Mirror}
			if r, ok := got[k]; ok {
				o.receipt, o.failure = r.Receipt, asFailure(r)
				delete(got, k)
			}
			all = append(all, o)
		}
	}
	for _, r := range results { // steps that the plan does not list: "ferry copy" hands in none
		k := key{r.Step.Image.Reference, r.Destination.Mirror}
		if _, ok := got[k]; ok {
			delete(got, k)
			all = append(all, outcome{image: r.Step.Image, mirror: r.Destination.Mirror, receipt: r.Receipt, failure: asFailure(r)})
		}
	}
	for _, r := range p.Refusals {
		err := r.Err
		if err == nil {
			err = &failure.Error{Code: failure.Internal}
		}
		all = append(all, outcome{image: r.Image, target: r.Target, failure: err})
	}
	return all
}

// asFailure is nil exactly if the result has a receipt.
func asFailure(r mirror.Result) *failure.Error {
	if r.Receipt != nil && r.Err == nil {
		return nil
	}
	if f, ok := errors.AsType[*failure.Error](r.Err); ok {
		return f
	}
	return &failure.Error{Code: failure.Internal, Err: r.Err}
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

func (o outcome) record() Record {
	r := Record{Source: o.image.Reference.String(), Mirror: o.mirror.String(), Target: o.target, Status: o.status()}
	if f := o.failure; f != nil {
		r.Error = &RecordError{Code: f.Code, Side: f.Side, Retry: f.Kind() != failure.Refusal, Hints: f.Hints}
		if year := f.Until.Year(); year > 1 && year <= 9999 { // what RFC 3339 can write
			until := f.Until.UTC().Truncate(time.Second)
			r.Error.Until = &until
		}
		return r
	}
	if o.receipt == nil {
		return r
	}
	receipt := *o.receipt
	r.SourceDigest, r.Digest = receipt.SourceDigest.String(), receipt.Digest.String()
	r.Size, r.Sent, r.Mounted = receipt.Size, receipt.Sent, receipt.Mounted
	r.Seconds = receipt.Took.Round(time.Millisecond).Seconds()
	r.Referrers = receipt.Referrers
	for _, p := range receipt.Platforms {
		r.Platforms = append(r.Platforms, p.String())
	}
	for _, c := range receipt.Changes {
		r.Changes = append(r.Changes, string(c))
	}
	return r
}

// outputs counts images, not copies: an image has succeeded if every target
// has it.
func outputs(all []outcome, unserved int) Outputs {
	records := make([]Record, 0, len(all))
	failed := map[reference.Reference]bool{}
	for _, o := range all {
		records = append(records, o.record())
		failed[o.image.Reference] = failed[o.image.Reference] || o.receipt == nil || o.failure != nil
	}
	out := Outputs{Failed: unserved}
	for _, f := range failed {
		if f {
			out.Failed++
		} else {
			out.Succeeded++
		}
	}
	text, err := json.Marshal(records)
	if err != nil {
		text = []byte("[]") // strings, numbers and times of this century always marshal
	}
	out.Images = string(text)
	return out
}
