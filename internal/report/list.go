package report

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// list has a line for each image that has arrived or is being copied. Failed
// images are listed with their reasons instead.
func (a *answer) list() *block {
	b := &block{name: a.l.List.Images, rank: rankList}
	if len(a.all) == 0 {
		b.items = listedBefore(a.in.Before)
	}
	all := sideBySide(a.all)
	for i := 0; i < len(all); {
		copies := all[i : i+1]
		for i++; i < len(all) && all[i].image.Reference == copies[0].image.Reference; i++ {
			copies = all[i-len(copies) : i+1]
		}
		if item := a.listed(copies); item != "" {
			b.items = append(b.items, item)
		}
	}
	if b.items == nil {
		return nil
	}
	return b
}

// listed returns the line of one image; empty if no target has it and none is
// receiving it.
func (a *answer) listed(copies []outcome) md {
	var got *mirror.Receipt
	var at []string
	waits := false
	for _, o := range copies {
		switch {
		case o.failure != nil:
		case o.receipt == nil:
			waits = true
		default:
			host := o.mirror.Repository().Host()
			if got == nil || got.Size == 0 {
				got = o.receipt
			}
			if !slices.Contains(at, host) {
				at = append(at, host)
			}
		}
	}
	image := codeRef(copies[0].image.Reference)
	switch {
	case waits:
		return "- 🚢 " + image + " · " + a.l.List.Waiting
	case got == nil:
		return ""
	}
	parts := []md{image}
	alone := a.images == 1 && a.state == ledger.Done // the verdict has just named it
	if alone {
		parts = nil
	}
	if got.Size > 0 {
		parts = append(parts, size(got.Size))
	}
	if names := platforms(got, a.l.Comma); names != "" {
		parts = append(parts, names)
	}
	if got.Present && a.present < a.images {
		parts = append(parts, a.l.List.Present)
	}
	if alone {
		return join(parts, " · ")
	}
	icon := md("✅ ")
	if n := len(copies); slices.ContainsFunc(copies, func(o outcome) bool { return o.failure != nil }) {
		icon = "⚠️ "
		parts = append(parts, fill(a.l.List.Only, "{hosts}", joined(at, a.l.Comma, n)))
	}
	return "- " + icon + join(parts, " · ")
}

// sideBySide groups the outcomes by image and puts targets that have the image
// first.
func sideBySide(all []outcome) []outcome {
	place := map[reference.Reference]int{}
	for i, o := range all {
		if _, ok := place[o.image.Reference]; !ok {
			place[o.image.Reference] = i
		}
	}
	order := map[Status]int{Copied: 0, Present: 0, Waiting: 1, Failed: 2}
	all = slices.Clone(all)
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return cmp.Or(place[a.image.Reference]-place[b.image.Reference], order[a.status()]-order[b.status()]) < 0
	})
	return all
}

// listedLine matches the line of an image that has arrived, exactly as Render
// writes it. Anybody with write access can edit a comment, so nothing else is
// copied from one.
var listedLine = &pattern.Regexp{Text: "^- ✅ `[A-Za-z0-9._:/@-]+`(?: · [0-9.]+ [kMGTPE]?B)?(?: · `[a-z0-9/]+`(?:(?:, |、)`[a-z0-9/]+`)*(?: \\+[0-9]+)?)?$"}

// listedBefore returns the lines of the images that had arrived when the
// comment was written.
func listedBefore(comment string) []md {
	text, _ := unfenced(comment)
	var lines []md
	for _, line := range text {
		if listedLine.MatchString(line) {
			lines = append(lines, md(line))
		}
	}
	return lines
}

// platforms lists the first few platforms that have arrived, without the common
// prefix "linux/".
func platforms(r *mirror.Receipt, comma md) md {
	const most = 4
	var names []string
	for _, p := range r.Platforms[:min(len(r.Platforms), most)] {
		names = append(names, strings.TrimPrefix(p.String(), "linux/"))
	}
	text := joined(names, comma, most)
	if more := len(r.Platforms) - most; more > 0 {
		text += " +" + number(more)
	}
	return text
}

// details returns what few readers need: digests, times, signatures.
func (a *answer) details() *block {
	lines := &block{name: a.l.Headings.Details, rank: rankDetails}
	var all []clients.Mirror
	for _, o := range a.all {
		if o.failure != nil || o.receipt == nil {
			continue
		}
		all = append(all, arrivals(o)...)
		parts := []md{code(o.place()), code(shortDigest(o.receipt.Digest.String()))}
		if o.receipt.Digest == o.receipt.SourceDigest {
			parts = append(parts, a.l.List.Identical)
		}
		if o.receipt.Present {
			parts = append(parts, a.l.List.Present)
		} else {
			parts = append(parts, a.l.Units.took(o.receipt.Took.Round(time.Millisecond)))
		}
		if n := o.receipt.Referrers; n > 0 {
			parts = append(parts, a.l.List.Referrers.of(n))
		}
		lines.items = append(lines.items, "- "+join(parts, " · "))
	}
	if lines.items == nil {
		return nil
	}
	pinned := fenced(a.l.Headings.Details, rankDetails, "text", all, clients.Mirror.Pinned)
	if pinned != nil {
		pinned.open = a.l.Headings.Pinned + "\n\n" + pinned.open
	}
	return fold(a.l.Headings.Details, lines, pinned)
}

// shortDigest returns the first twelve digits of the digest, like docker.
func shortDigest(digest string) string {
	if short := len("sha256:") + 12; len(digest) > short {
		return digest[:short]
	}
	return digest
}
