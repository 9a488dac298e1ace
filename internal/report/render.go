package report

import (
	"slices"
	"time"

	"github.com/imageferry/ferry/internal/ledger"
)

// Limits of what GitHub stores, in bytes.
const (
	// MaxComment keeps below GitHub's 65,536 characters ("body is too long"),
	// whatever they are: no character has less than one byte.
	MaxComment = 60_000
	// MaxSummary keeps below the 1 MiB of a step's summary, which holds what is
	// too much for a comment.
	MaxSummary = 1_000_000
)

// maxHelp is what WithHelp may add to a comment.
const maxHelp = 2 << 10

// Render makes the answer. It never fails: what it does not know it leaves out.
func Render(in Input) Report {
	a := newAnswer(in)
	marker := in.Marker
	marker.Issue, marker.Request, marker.State = in.Issue, ledger.Fingerprint(in.Request), a.state
	if a.state != ledger.Working {
		marker.Alive = time.Time{}
	}
	head := marker.Signed(in.Key) + "\n"
	blocks := a.blocks()
	// The summary is first: compose goes on cutting where it left off.
	summary := compose(a.l, MaxSummary-1, "", blocks) + "\n"
	r := Report{
		Comment:     head + compose(a.l, MaxComment-maxHelp-len(head)-1, in.RunURL, blocks) + "\n",
		Summary:     summary,
		State:       a.state,
		Label:       a.state.Label(),
		Close:       a.state.CloseReason(),
		Annotations: a.annotations(),
		Outputs:     outputs(a.all, a.unserved),
	}
	if in.Issue > 0 && isBoilerplate(in.Title) {
		r.Title = titleOf(in.Request.Images)
	}
	return r
}

// blocks are the whole answer, in the order in which people need it: what
// became of the request, how to get the images, what arrived, what did not.
func (a *answer) blocks() []*block {
	blocks := []*block{a.verdict(), a.example(), a.setUp()}
	if a.state == ledger.Working { // a comment that is edited every few seconds stays small
		blocks = append(blocks, a.list(), a.failures(), a.problems(), a.leftOut())
	} else {
		blocks = append(blocks, a.commands(), a.list(), a.locked(), a.failures(), a.approval(), a.problems(), a.leftOut(), a.edit(), a.registryWords())
		blocks = append(blocks, a.changes(), a.assumptions())
		blocks = append(blocks, a.otherCommands()...)
		blocks = append(blocks, a.details())
	}
	blocks = append(blocks, a.foot())
	return slices.DeleteFunc(blocks, func(b *block) bool { return b == nil })
}
