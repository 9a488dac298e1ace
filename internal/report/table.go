package report

import (
	"fmt"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
)

// table has a row for each image and target. It is left out where nothing has
// arrived and nothing will: the reasons name the images then.
func (a *answer) table() *block {
	if len(a.all) == 0 || a.arrived == 0 && a.state != StateWorking {
		return nil
	}
	t := a.l.table
	b := &block{name: t.image, rank: rankTable}
	b.open = "| | " + join([]md{t.image, t.mirror, t.digest, t.platforms, t.size, t.time}, " | ") + " |\n" +
		"| :-: | --- | --- | --- | --- | --: | --: |"
	var last string
	for _, o := range a.all {
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
	return b
}

func rowIcon(o outcome) md {
	switch {
	case o.failure == nil && o.receipt == nil:
		return "🚢"
	case o.failure == nil:
		return "✅"
	case o.failure.Kind() == failure.Refusal:
		return "❌"
	}
	return "⏳"
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
