package report

import (
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// answer is a request and its results, counted.
type answer struct {
	in       Input
	request  request.Request // as it was served
	l        *language
	all      []outcome
	state    ledger.State
	gaveUp   bool // temporary failures are no longer retried
	images   int  // images requested
	arrived  int  // images that are at one target at least
	complete int  // images that are at every target
	present  int  // images that every target already had
	unserved int  // pieces of the request that could not be read as an image
}

func newAnswer(in Input) *answer {
	a := &answer{in: in, request: in.Request, l: speak(in.Language, in.Request, in.Owners)}
	if in.Settled != nil {
		a.request = *in.Settled
	}
	var missing *failure.Error
	switch in.Phase {
	case Running:
	case Finished:
		missing = &failure.Error{Code: failure.Internal}
	case Interrupted, Withdrawn, GivenUp:
		missing = &failure.Error{Code: failure.Cancelled}
	}
	a.all = outcomes(in.Plan, in.Results, missing)
	for i := range a.all {
		a.all[i].elsewhere = in.Elsewhere[a.all[i].image.Reference]
	}
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
		case Failed, Waiting, Gone:
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
	for _, p := range a.request.Problems {
		if !isNote(p.Code) {
			a.unserved++
		}
	}
}

// isNote reports whether a problem costs the requester no image.
func isNote(code request.ProblemCode) bool {
	return code == request.TitleIgnored || code == request.BadAlias
}

// decide returns the state of the request after this run.
func (a *answer) decide() ledger.State {
	switch a.in.Phase {
	case Running:
		return ledger.Working
	case Withdrawn:
		return ledger.Withdrawn
	case Finished, Interrupted, GivenUp:
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

// giveUp makes temporary failures final.
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

// reached returns the state that follows from the results of the images.
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
	case a.images == 0 && len(a.request.Problems) == 0:
		return ledger.Empty
	case a.arrived == 0:
		return ledger.Refused
	case a.complete < a.images || a.unserved > 0:
		return ledger.Partial
	}
	return ledger.Done
}
