package report

import (
	"encoding/json"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// Record is the result of one image at one target, in the stable format of the
// output "images" and of "ferry copy --json". Fields are added, never renamed
// or removed; docs/outputs.md describes them.
type Record struct {
	Source       string            `json:"source"`                  // canonical reference
	Mirror       string            `json:"mirror,omitempty"`        // canonical reference; empty if the image was refused before it got one
	Target       string            `json:"target,omitempty"`        // "host/namespace", if one target alone refused the image before it got a name
	Status       Status            `json:"status"`                  //
	SourceDigest string            `json:"source_digest,omitempty"` // digest of the source's tag
	Digest       string            `json:"digest,omitempty"`        // digest of the mirror's tag
	Platforms    []string          `json:"platforms,omitempty"`     // that have arrived
	Size         int64             `json:"size,omitempty"`          // bytes of the image
	Sent         int64             `json:"sent,omitempty"`          // bytes sent to this target
	Mounted      int64             `json:"mounted,omitempty"`       // bytes that the target already had in other repositories
	Seconds      float64           `json:"seconds,omitempty"`       //
	Referrers    int               `json:"referrers,omitempty"`     // signatures, attestations and other referrers copied
	Changes      []string          `json:"changes,omitempty"`       // mirror.Change, in order
	Missing      []string          `json:"missing,omitempty"`       // platforms of the parts that are missing; unknown/unknown for an attestation
	Tags         []RecordTag       `json:"tags,omitempty"`          // beside the mirror's own tag, one for each platform
	Elsewhere    []RecordElsewhere `json:"elsewhere,omitempty"`     // what public mirrors have
	List         string            `json:"list,omitempty"`          // where the image stands in a list, "FILE:LINE", and the upstream that names it
	Before       string            `json:"before,omitempty"`        // what the mirror's tag named before it was moved
	Kept         string            `json:"kept,omitempty"`          // the mirror of what Before names, if it is kept
	Error        *RecordError      `json:"error,omitempty"`         // if Status is Failed
}

// RecordTag is the tag of one platform's image at a target that refuses
// indexes.
type RecordTag struct {
	Platform string `json:"platform"`
	Mirror   string `json:"mirror"`
	Digest   string `json:"digest"`
}

// RecordElsewhere is what a public mirror has of an image.
type RecordElsewhere struct {
	Mirror   string             `json:"mirror"` // with a digest if the content is that of the source
	State    mirror.PublicState `json:"state"`
	Platform string             `json:"platform,omitempty"` // of the content, if it is one of several
}

// RecordError describes a failure by codes, not by text.
type RecordError struct {
	Code  failure.Code `json:"code"`
	Side  failure.Side `json:"side,omitempty"`
	Retry bool         `json:"retry"` // whether Ferry retries it automatically
	Hints []string     `json:"hints,omitempty"`
	Until *time.Time   `json:"until,omitempty"` // RFC 3339
}

// Records returns the records of a plan and its results so far, in the order of
// the plan, refusals last. A step without a result is Waiting.
func Records(p plan.Plan, results []mirror.Result) []Record {
	return records(outcomes(p, results, nil))
}

func records(all []outcome) []Record {
	list := make([]Record, len(all))
	for i, o := range all {
		list[i] = o.record()
	}
	return list
}

func (o outcome) record() Record {
	r := Record{Source: o.image.Reference.String(), Mirror: o.mirror.String(), Target: o.target, Status: o.status()}
	for _, e := range o.elsewhere {
		platform := ""
		if e.State == mirror.OnePlatform {
			platform = e.Platform.String()
		}
		r.Elsewhere = append(r.Elsewhere, RecordElsewhere{e.Mirror.String(), e.State, platform})
	}
	if f := o.failure; f != nil {
		r.Error = &RecordError{Code: f.Code, Side: f.Side, Retry: o.retried(), Hints: f.Hints}
		if year := f.Until.Year(); year > 1 && year <= 9999 { // RFC 3339 cannot write other years
			until := f.Until.UTC().Truncate(time.Second)
			r.Error.Until = &until
		}
		return r
	}
	if o.receipt == nil {
		return r
	}
	receipt := *o.receipt
	if r.Digest = receipt.Digest.String(); receipt.SourceDigest.Hex != "" { // unknown if the source was not asked
		r.SourceDigest = receipt.SourceDigest.String()
	}
	r.Size, r.Sent, r.Mounted = receipt.Size, receipt.Sent, receipt.Mounted
	r.Seconds = receipt.Took.Round(time.Millisecond).Seconds()
	r.Referrers, r.Kept = receipt.Referrers, receipt.Kept.String()
	for _, p := range receipt.Platforms {
		r.Platforms = append(r.Platforms, p.String())
	}
	for _, p := range receipt.Missing {
		r.Missing = append(r.Missing, p.String())
	}
	for _, t := range receipt.Tags {
		r.Tags = append(r.Tags, RecordTag{t.Platform.String(), t.Mirror.String(), t.Digest.String()})
	}
	for _, c := range receipt.Changes {
		r.Changes = append(r.Changes, string(c))
	}
	return r
}

// outputs counts images, not copies: an image has succeeded if it is at every
// target.
func outputs(all []outcome, unserved int) Outputs {
	failed := map[reference.Reference]bool{}
	for _, o := range all {
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
	text, err := json.Marshal(records(all))
	if err != nil {
		text = []byte("[]") // strings, numbers and times of this century always marshal
	}
	out.Images = string(text)
	return out
}
