package report

import (
	"slices"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
)

// Limits of GitHub, in bytes.
const (
	// MaxComment stays below GitHub's limit of 65,536 characters ("body is too
	// long") even if every character is one byte.
	MaxComment = 60_000
	// MaxSummary stays below GitHub's limit of 1 MiB for a step summary, which
	// holds what does not fit into a comment.
	MaxSummary = 1_000_000
)

// maxHelp is the number of bytes that WithHelp may add to a comment.
const maxHelp = 2 << 10

// Render writes the answer. It never fails: values that it does not know are
// left out.
func Render(in Input) Report {
	a := newAnswer(in)
	marker := in.Marker
	marker.Issue, marker.Request, marker.State = in.Issue, ledger.Fingerprint(in.Request), a.state
	if a.state != ledger.Working {
		marker.Alive = time.Time{}
	}
	head := marker.Signed(in.Key) + "\n"
	blocks := a.blocks()
	// The summary must come first: each call of compose cuts further.
	summary := compose(a.l, MaxSummary-1, "", append(slices.Clip(blocks), a.stocks()...)) + "\n"
	r := Report{
		Comment:     head + compose(a.l, MaxComment-maxHelp-maxArchive-len(head)-1, in.RunURL, blocks) + "\n",
		Summary:     summary,
		State:       a.state,
		Label:       a.state.Label(),
		Close:       a.state.CloseReason(),
		Annotations: a.annotations(),
		Outputs:     outputs(a.all, a.unserved),
		Archive:     a.saving(),
	}
	if in.Issue > 0 && isBoilerplate(in.Title) {
		r.Title = titleOf(a.request.Images)
	}
	return r
}

// stocks says what the targets hold, which only the owner needs to know.
func (a *answer) stocks() (all []*block) {
	for _, s := range a.in.Stocks {
		all = append(all, paragraph(a.l.holding(s, code)))
	}
	return all
}

// blocks returns the whole answer in order of importance: the verdict, the
// commands, what arrived, what did not.
func (a *answer) blocks() []*block {
	blocks := []*block{a.verdict(), a.example(), a.setUp()}
	if a.state == ledger.Working { // keep a comment small that is edited every few seconds
		blocks = append(blocks, a.list(), a.failures(), a.problems(), a.leftOut())
	} else {
		blocks = append(blocks, a.commands(), a.archive(), a.list(), a.locked(), a.failures(), a.approval(), a.problems(), a.leftOut(), a.edit(), a.registryWords())
		blocks = append(blocks, a.changes(), a.assumptions(), a.public())
		blocks = append(blocks, a.otherCommands()...)
		blocks = append(blocks, a.originals())
		blocks = append(blocks, a.details())
	}
	blocks = append(blocks, a.foot())
	if a.in.Issue > 0 && a.state != ledger.Working {
		blocks = append(blocks, a.hiddenRecords())
	}
	return slices.DeleteFunc(blocks, func(b *block) bool { return b == nil })
}
