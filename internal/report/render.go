package report

import (
	"slices"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Limits of what GitHub stores, in bytes.
const (
	// MaxComment keeps below GitHub's 65,536 characters ("body is too long"),
	// whatever they are: no character has less than one byte.
	MaxComment = 60_000
	// MaxSummary keeps below the 1 MiB of a step's summary.
	MaxSummary = 512 << 10
)

// maxHelp is what WithHelp may add to a comment.
const maxHelp = 2 << 10

// Render makes the answer. It never fails: what it does not know it leaves out.
func Render(in Input) Report {
	a := newAnswer(in)
	marker := ledger.Marker{
		Issue: in.Issue, Request: ledger.Fingerprint(in.Request), State: a.state,
		Tries: in.Tries, Since: in.Since, Run: in.Run, Asker: in.Asker, Repeats: in.Repeats,
	}
	head := marker.String() + "\n"
	blocks := a.blocks()
	summary := compose(a.l, MaxSummary-1, blocks) + "\n" // first: compose goes on cutting where it left off
	r := Report{
		Comment:     head + compose(a.l, MaxComment-maxHelp-len(head)-1, blocks) + "\n",
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

// answer is one request with all that is told about it.
type answer struct {
	in       Input
	l        *language
	all      []outcome
	state    ledger.State
	gaveUp   bool // what failed for now is not tried again
	images   int  // that were asked for
	arrived  int  // of them, at one target at least
	complete int  // of them, at every target
	present  int  // of them, at every target before
	unserved int  // pieces of the request that name no image that could be read
}

func newAnswer(in Input) *answer {
	a := &answer{in: in, l: speak(in.Language, in.Request.Chinese)}
	var missing *failure.Error
	switch in.Phase {
	case Running:
	case Finished:
		missing = &failure.Error{Code: failure.Internal}
	default:
		missing = &failure.Error{Code: failure.Cancelled}
	}
	a.all = outcomes(in.Plan, in.Results, missing)
	a.count()
	a.state = a.decide()
	return a
}

func (a *answer) count() {
	type tally struct{ arrived, present, copies int }
	images := map[reference.Reference]*tally{}
	for _, o := range a.all {
		t := images[o.image.Reference]
		if t == nil {
			t = &tally{}
			images[o.image.Reference] = t
		}
		t.copies++
		switch o.status() {
		case Present:
			t.present++
			t.arrived++
		case Copied:
			t.arrived++
		}
	}
	a.images = len(images)
	for _, t := range images {
		if t.arrived > 0 {
			a.arrived++
		}
		if t.arrived == t.copies {
			a.complete++
		}
		if t.present == t.copies {
			a.present++
		}
	}
	for _, p := range a.in.Request.Problems {
		if !isNote(p.Code) {
			a.unserved++
		}
	}
}

// isNote reports whether a problem takes no image away from the requester.
func isNote(code request.ProblemCode) bool {
	return code == request.TitleIgnored || code == request.BadAlias
}

// decide finds the state that the request is left in.
func (a *answer) decide() ledger.State {
	switch a.in.Phase {
	case Running:
		return ledger.Working
	case Withdrawn:
		return ledger.Withdrawn
	}
	state := a.reached()
	switch {
	case state != ledger.Retry:
	case a.in.Phase == Interrupted:
		return ledger.Interrupted
	case a.in.Phase == GivenUp:
		return a.giveUp()
	}
	return state
}

// giveUp makes failures that might pass final.
func (a *answer) giveUp() ledger.State {
	a.gaveUp = true
	for i := range a.all {
		a.all[i].final = true
	}
	if a.arrived > 0 {
		return ledger.Partial
	}
	return ledger.GivenUp
}

// reached is the state by what has become of the images.
func (a *answer) reached() ledger.State {
	if len(a.in.SetUp) > 0 {
		return ledger.SetUp
	}
	if refused := a.in.Plan.Refused; refused != nil {
		if refused.Kind() == failure.Refusal {
			return ledger.Refused
		}
		return ledger.Retry
	}
	waits := false
	for _, o := range a.all {
		switch {
		case o.failure == nil:
		case o.failure.Kind() != failure.Refusal:
			return ledger.Retry
		case o.failure.ForOwner():
			waits = true
		}
	}
	if waits {
		return ledger.SetUp
	}
	switch {
	case a.images == 0 && len(a.in.Request.Problems) == 0:
		return ledger.Empty
	case a.arrived == 0:
		return ledger.Refused
	case a.complete < a.images || a.unserved > 0:
		return ledger.Partial
	}
	return ledger.Done
}

// blocks are the whole answer, in the order in which people need it. The ranks
// tell what goes first when there is too much: the least useful, and what the
// reader can make of the rest by himself.
func (a *answer) blocks() []*block {
	blocks := []*block{a.verdict(), a.example(), a.setUp(), a.table(), a.failures(), a.problems(), a.changes(), a.referrers(), a.locked()}
	if a.state != ledger.Working { // a comment that is edited every few seconds stays small
		blocks = append(blocks, a.pullCommands()...)
	}
	blocks = append(blocks, a.assumptions(), a.registryWords(), a.foot())
	return slices.DeleteFunc(blocks, func(b *block) bool { return b == nil })
}

// The ranks of the blocks, from the last that is cut to the first.
const (
	rankTable = iota + 1
	rankFailures
	rankProblems
	rankDocker
	rankChanges
	rankAssumptions
	rankTools
	rankManifests
	rankOtherTargets
	rankPinned
	rankWords
)
