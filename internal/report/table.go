package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/reference"
)

// table has a row for each image and target. It is left out where nothing has
// arrived and nothing will: the reasons name the images then.
func (a *answer) table() *block {
	t := a.l.table
	b := &block{name: t.image, rank: rankTable}
	b.open = "| | " + join([]md{t.image, t.mirror, t.digest, t.platforms, t.size, t.time}, " | ") + " |\n" +
		"| :-: | --- | --- | --- | --- | --: | --: |"
	if len(a.all) == 0 {
		b.items = arrivedBefore(a.in.Before)
	}
	if a.arrived == 0 && a.state != ledger.Working && b.items == nil {
		return nil
	}
	var last string
	for _, o := range sideBySide(a.all) {
		source := codeRef(o.image.Reference)
		if s := o.image.Reference.String(); s == last {
			source = ""
		} else {
			last = s
		}
		row := []md{rowIcon(o), source, code(o.place()), "", "", "", ""}
		switch {
		case o.failure != nil:
			row[3] = a.l.adviceFor(o.failure.Code, o.failure.Side).name
		case o.receipt == nil:
			row[6] = t.waiting
		default:
			row[3] = code(shortDigest(o.receipt.Digest.String()))
			row[4] = platforms(o.receipt, a.l.comma)
			row[5] = size(o.receipt.Size)
			row[6] = took(o.receipt.Took)
			if o.receipt.Present {
				row[6] = t.present
			}
		}
		line := md("|")
		for _, c := range row {
			line += " " + cell(c) + " |"
		}
		b.items = append(b.items, line)
	}
	if b.items == nil {
		return nil
	}
	return b
}

// sideBySide puts all targets of an image together, those first that have it.
func sideBySide(all []outcome) []outcome {
	place := map[reference.Reference]int{}
	for i, o := range all {
		if _, ok := place[o.image.Reference]; !ok {
			place[o.image.Reference] = i
		}
	}
	order := map[Status]int{Copied: 0, Present: 0, Waiting: 1, Failed: 2}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b outcome) int {
		return cmp.Or(place[a.image.Reference]-place[b.image.Reference], order[a.status()]-order[b.status()])
	})
	return all
}

// arrivedRow is a row of the table for an image that has arrived, as Render
// writes it: anybody who may write to the repository can edit a comment, so
// nothing else is taken over from one.
var arrivedRow = regexp.MustCompile("(?m)^\\| ✅ \\| (?:`[^`|]+`)? \\| (?:`[^`|]+` \\| ){2}[^|<>@#\\[\\]]* \\| [^|<>@#\\[\\]]* \\| [^|<>@#\\[\\]]* \\|$")

// arrivedBefore are the rows of the images that had arrived when the comment
// was written.
func arrivedBefore(comment string) []md {
	var rows []md
	for _, row := range arrivedRow.FindAllString(comment, -1) {
		rows = append(rows, md(row))
	}
	return rows
}

func rowIcon(o outcome) md {
	switch {
	case o.failure == nil && o.receipt == nil:
		return "🚢"
	case o.failure == nil:
		return "✅"
	case o.retried():
		return "⏳"
	}
	return "❌"
}

// shortDigest is the digest as docker shows it, with twelve digits.
func shortDigest(digest string) string {
	if short := len("sha256:") + 12; len(digest) > short {
		return digest[:short]
	}
	return digest
}

// platforms are the first few of the platforms that have arrived.
func platforms(r *mirror.Receipt, comma md) md {
	const most = 4
	var names []string
	for _, p := range r.Platforms[:min(len(r.Platforms), most)] {
		names = append(names, p.String())
	}
	text := joined(names, comma, most)
	if more := len(r.Platforms) - most; more > 0 {
		text += md(fmt.Sprintf(" +%d", more))
	}
	return text
}
