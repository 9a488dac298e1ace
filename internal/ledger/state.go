package ledger

// State is the state of a request. The Marker of the comment stores it for
// later runs.
type State string

// The states.
const (
	Working     State = "working"     // a run is working on it, or died
	Interrupted State = "interrupted" // a run was stopped
	SetUp       State = "set-up"      // waits for the owner
	Retry       State = "retry"       // a temporary failure
	Done        State = "done"        // every image is at every target
	Partial     State = "partial"     // some images are mirrored, the others are not retried
	Refused     State = "refused"     // nothing was mirrored, and nothing is left to try
	Empty       State = "empty"       // no image was requested
	Withdrawn   State = "withdrawn"   // cancelled by a command
	GivenUp     State = "given-up"    // nothing was mirrored within the time that the owner allows
)

// Open reports whether something is left to do. The issue then stays open, and
// the sweep continues the request.
func (s State) Open() bool {
	switch s {
	case Working, Interrupted, SetUp, Retry:
		return true
	case Done, Partial, Refused, Empty, Withdrawn, GivenUp:
	}
	return false
}

// CloseReason is the state_reason of a closed issue on GitHub.
type CloseReason string

// The close reasons.
const (
	StayOpen   CloseReason = ""
	Completed  CloseReason = "completed"
	NotPlanned CloseReason = "not_planned"
)

// CloseReason returns why an issue in this state is closed, or StayOpen.
func (s State) CloseReason() CloseReason {
	switch {
	case s.Open():
		return StayOpen
	case s == Done || s == Partial:
		return Completed
	}
	return NotPlanned
}

// Label is a label on GitHub, with the values for creating it. Color is six
// hexadecimal digits; Description has at most 100 characters, which is GitHub's
// limit.
type Label struct{ Name, Color, Description string }

// Labels returns all labels that Ferry sets. An issue has exactly one of them,
// so a search for a label lists the mirrored images.
func Labels() []Label {
	return labels
}

var (
	labelWorking = Label{"ferry/working", "fbca04", "正在搬运 · being mirrored"}
	labelDone    = Label{"ferry/done", "0e8a16", "已搬运完成 · mirrored"}
	labelPartial = Label{"ferry/partial", "bfd4f2", "部分完成 · mirrored in part"}
	labelRetry   = Label{"ferry/retry", "d4c5f9", "稍后自动重试 · tried again later"}
	labelRefused = Label{"ferry/refused", "e4e669", "未能搬运 · not mirrored"}
	labelSetUp   = Label{"ferry/set-up", "d93f0b", "需要仓库所有者完成设置 · waits for the owner's set-up"}

	labels = []Label{labelWorking, labelDone, labelPartial, labelRetry, labelRefused, labelSetUp}
)

// Label returns the label of an issue in this state.
func (s State) Label() Label {
	switch s {
	case Working:
		return labelWorking
	case Done:
		return labelDone
	case Partial:
		return labelPartial
	case Retry, Interrupted:
		return labelRetry
	case SetUp:
		return labelSetUp
	case Refused, Empty, Withdrawn, GivenUp:
	}
	return labelRefused
}
