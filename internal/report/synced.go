package report

import (
	"encoding/json"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/selection"
)

// Synced is the result for an image of a list at one target.
type Synced struct {
	List   string        // where it stands: "images.txt:14"
	Result mirror.Result // without receipt and failure if nothing was copied
	Before v1.Hash       `json:",omitzero"` // the digest of the mirror before; zero for none
	Gone   bool          `json:",omitzero"` // the source no longer has it, and the target keeps it
	// Target is "host/namespace" of the one target that refused the name; else
	// empty.
	Target string `json:",omitzero"`
}

// Unlisted is an entry of a list whose tags could not be listed or selected.
type Unlisted struct {
	List       string
	Repository reference.Repository
	Failure    *failure.Error
	// Chosen is how many tags were selected, and Limit the maximum, if they
	// were too many.
	Chosen, Limit int
}

// Chosen is the result of a selection for the tags of a repository, or for the
// versions of an upstream.
type Chosen struct {
	List     string
	Source   string // the repository or the upstream
	Verdicts []selection.Verdict
}

// Sync is the result for all lists.
type Sync struct {
	Images   []Synced
	Unlisted []Unlisted
	Selected []Chosen
	Stocks   []plan.Stock // what the targets with a quota hold
	Check    bool         // nothing was copied
}

// Failed reports whether an image or an entry failed.
func (s Sync) Failed() bool {
	for _, i := range s.Images {
		if i.Result.Failure != nil {
			return true
		}
	}
	return len(s.Unlisted) > 0
}

// syncKind is the kind of a Synced, in the order of the output.
type syncKind int

const (
	syncNew syncKind = iota
	syncMoved
	syncGone
	syncFailed
	syncWaiting
	syncSame
	syncKinds
)

func (s Synced) kind() syncKind {
	r := s.Result
	switch {
	case r.Failure != nil && r.Failure.Code == failure.RateLimited:
		return syncWaiting
	case r.Failure != nil:
		return syncFailed
	case s.Gone:
		return syncGone
	case r.Receipt != nil && (r.Receipt.Present || r.Receipt.Digest == s.Before):
		return syncSame
	case s.Before != v1.Hash{}:
		return syncMoved
	}
	return syncNew
}

func (s Synced) outcome() outcome {
	o := outcome{image: *s.Result.Image, mirror: nameOf(s.Result), target: s.Target, receipt: s.Result.Receipt, failure: s.Result.Failure, final: true}
	if s.Gone {
		o.receipt = nil
	}
	return o
}

// Records returns the records of all lists, in their order. Entries that could
// not be listed come last, with the repository as the source.
func (s Sync) Records() []Record {
	list := make([]Record, 0, len(s.Images)+len(s.Unlisted))
	for _, i := range s.Images {
		r := i.outcome().record()
		r.List = i.List
		if i.Before != (v1.Hash{}) && i.kind() != syncSame {
			r.Before = i.Before.String()
		}
		if i.Gone {
			r.Status = Gone
		} else if i.kind() == syncWaiting {
			r.Status = Waiting
		}
		list = append(list, r)
	}
	for _, u := range s.Unlisted {
		r := u.outcome().record()
		r.List, r.Source = u.List, u.Repository.String()
		list = append(list, r)
	}
	return list
}

// Outputs are the outputs of the action: the records of what has changed or failed,
// and how many images are at every target and how many not.
func (s Sync) Outputs() Outputs {
	all := s.Records()
	failed := map[string]bool{}
	news := make([]Record, 0, len(all))
	for _, r := range all {
		if r.Status != Present {
			news = append(news, r)
		}
		failed[r.Source] = failed[r.Source] || r.Status == Failed || r.Status == Waiting
	}
	var out Outputs
	for _, f := range failed {
		if f {
			out.Failed++
		} else {
			out.Succeeded++
		}
	}
	text, err := json.Marshal(news)
	if err != nil {
		text = []byte("[]") // strings and numbers always marshal
	}
	out.Images = string(text)
	return out
}

func (u Unlisted) outcome() outcome {
	ref, err := u.Repository.Tagged("latest") // a repository is not an image; only its host is shown
	if err != nil {
		ref = reference.Reference{}
	}
	return outcome{image: request.Image{Reference: ref}, failure: u.Failure, final: true}
}

// CheckRecord is what "ferry sync --check --json" prints.
type CheckRecord struct {
	Selections []SelectionRecord `json:"selections"`
	Images     []Record          `json:"images"`
}

// SelectionRecord is the result of a selection for the tags of a repository.
type SelectionRecord struct {
	List   string      `json:"list"`
	Source string      `json:"source"` // the repository or the upstream
	Tags   []TagRecord `json:"tags"`
}

// TagRecord is the verdict for one tag.
type TagRecord struct {
	Tag    string           `json:"tag"`
	Chosen bool             `json:"chosen"`
	Reason selection.Reason `json:"reason"`
}

// CheckRecord lists what a run would do.
func (s Sync) CheckRecord() CheckRecord {
	c := CheckRecord{Selections: make([]SelectionRecord, 0, len(s.Selected)), Images: s.Records()}
	for _, chosen := range s.Selected {
		r := SelectionRecord{List: chosen.List, Source: chosen.Source, Tags: make([]TagRecord, len(chosen.Verdicts))}
		for i, v := range chosen.Verdicts {
			r.Tags[i] = TagRecord(v)
		}
		c.Selections = append(c.Selections, r)
	}
	return c
}

// Chosen shows which tags a selection selects and the reasons for the others.
func (t Terminal) Chosen(c Chosen) string {
	l := t.language()
	in := 0
	for _, v := range c.Verdicts {
		if v.Chosen {
			in++
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s%s%s\n", oneLine(c.List), c.Source, l.Colon,
		fill(l.Terminal.Sync.Chosen, "{n}", number(in), "{all}", number(len(c.Verdicts))))
	for _, v := range c.Verdicts {
		if v.Chosen {
			fmt.Fprintf(&b, "  + %s\n", oneLine(v.Tag))
		} else {
			fmt.Fprintf(&b, "  - %s  %s\n", oneLine(v.Tag), l.Terminal.Sync.Reasons.of(v.Reason))
		}
	}
	return clean(b.String())
}

// Synced shows the result by kind: new, moved, gone and failed images with
// reasons, and the number of unchanged ones.
func (t Terminal) Synced(s Sync) string {
	l := t.language()
	words := l.Terminal.Sync
	var by [syncKinds][]Synced
	for _, i := range s.Images {
		by[i.kind()] = append(by[i.kind()], i)
	}
	heads := [syncKinds]count{words.Added, words.Moved, words.Gone, words.Failed, words.Waiting, words.Same}
	if s.Check {
		heads[syncNew], heads[syncMoved] = words.ToAdd, words.ToMove
	}
	heading := func(b *strings.Builder, head md) { fmt.Fprintf(b, "%s\n", strings.TrimSpace(string(head+l.Colon))) }
	var b strings.Builder
	for kind, images := range by {
		switch {
		case len(images) == 0 || t.Quiet && (syncKind(kind) < syncFailed || syncKind(kind) == syncSame):
			continue
		case syncKind(kind) == syncSame:
			fmt.Fprintln(&b, heads[kind].of(len(images)))
			continue
		}
		heading(&b, heads[kind].of(len(images)))
		if syncKind(kind) >= syncFailed {
			t.writeCauses(l, &b, images)
			continue
		}
		for _, i := range images {
			fmt.Fprintf(&b, "  %s → %s", i.Result.Image.Reference, i.outcome().place())
			digest := ""
			if r := i.Result.Receipt; r != nil && !i.Gone {
				digest = r.Digest.String()
			}
			if i.Before != (v1.Hash{}) && !i.Gone {
				digest = strings.TrimSuffix(i.Before.String()+" → "+digest, " → ")
			}
			if digest != "" {
				fmt.Fprintf(&b, "%s%s", l.Colon, digest)
			}
			if r := i.Result.Receipt; r != nil && !r.Kept.IsZero() {
				fmt.Fprintf(&b, "\n    %s %s", words.Kept, r.Kept)
			}
			fmt.Fprintln(&b)
		}
	}
	if len(s.Unlisted) > 0 {
		heading(&b, words.Unlisted.of(len(s.Unlisted)))
		for _, u := range s.Unlisted {
			fmt.Fprintf(&b, "  %s %s", oneLine(u.List), u.Repository)
			if u.Limit > 0 {
				fmt.Fprintf(&b, "%s%s\n", l.Colon, fill(words.TooMany, "{n}", number(u.Chosen), "{limit}", number(u.Limit)))
				continue
			}
			t.writeOutcome(l, &b, u.outcome())
		}
	}
	for _, stock := range s.Stocks {
		if !t.Quiet || stock.Scarce() {
			fmt.Fprintln(&b, l.holding(stock, plain))
		}
	}
	return clean(b.String())
}

// writeCauses writes failures by cause, and explains each cause once.
func (t Terminal) writeCauses(l *language, b *strings.Builder, images []Synced) {
	type cause struct {
		name, why md
		images    []outcome
	}
	var causes []*cause
	at := map[[2]md]*cause{}
	for _, i := range images {
		o := i.outcome()
		name := l.adviceFor(o.failure).Name
		if special, ok := l.Terminal.Causes.find(t.cause(o.failure)); ok {
			name = special.Name
		}
		why := t.explain(l, o)
		c := at[[2]md{name, why}]
		if c == nil {
			c = &cause{name: name, why: why}
			at[[2]md{name, why}] = c
			causes = append(causes, c)
		}
		c.images = append(c.images, o)
	}
	for _, c := range causes {
		for _, o := range c.images {
			fmt.Fprintf(b, "  %s", o.image.Reference)
			if place := o.place(); place != "" {
				fmt.Fprintf(b, " → %s", oneLine(place))
			}
			fmt.Fprintf(b, "%s%s\n", l.Colon, c.name)
		}
		fmt.Fprintf(b, "    %s\n", c.why)
		if said := oneLine(c.images[0].failure.Detail); said != "" {
			fmt.Fprintf(b, "    %s%s%s\n", l.Headings.RegistryWords, l.Colon, plain(said))
		}
	}
}
