package ledger

import "testing"

func TestStates(t *testing.T) {
	for _, test := range []struct {
		state State
		open  bool
		close CloseReason
		label string
	}{
		{Working, true, StayOpen, "ferry/working"},
		{Interrupted, true, StayOpen, "ferry/retry"},
		{SetUp, true, StayOpen, "ferry/set-up"},
		{Retry, true, StayOpen, "ferry/retry"},
		{Done, false, Completed, "ferry/done"},
		{Partial, false, Completed, "ferry/partial"},
		{Refused, false, NotPlanned, "ferry/refused"},
		{Empty, false, NotPlanned, "ferry/refused"},
		{Withdrawn, false, NotPlanned, "ferry/refused"},
		{GivenUp, false, NotPlanned, "ferry/refused"},
	} {
		if test.state.Open() != test.open || test.state.CloseReason() != test.close || test.state.Label().Name != test.label {
			t.Errorf("%s: open %t, closed as %q, label %q", test.state, test.state.Open(), test.state.CloseReason(), test.state.Label().Name)
		}
	}
}
