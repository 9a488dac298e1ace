package ledger

// State is where a request stands. It is kept in the Marker of the comment, so
// that a later run knows what an earlier one left.
type State string

// The states.
const (
	Working     State = "working"     // a run is at it, or died at it
	Interrupted State = "interrupted" // a run was told to stop
	SetUp       State = "set-up"      // waits for the owner
	Retry       State = "retry"       // something failed that may work later
	Done        State = "done"        // every image is at every target
	Partial     State = "partial"     // some images are there, the others are not tried again
	Refused     State = "refused"     // nothing could be mirrored and nothing is left to try
	Empty       State = "empty"       // no image was asked for
	Withdrawn   State = "withdrawn"   // cancelled by a command
	GivenUp     State = "given-up"    // nothing could be mirrored for as long as the owner allows to try
)

// Open reports whether something is left to do, so that the sweep takes the
// request up again and the issue stays open.
func (s State) Open() bool {
	switch s {
	case Working, Interrupted, SetUp, Retry:
		return true
	case Done, Partial, Refused, Empty, Withdrawn, GivenUp:
	}
	return false
}

// CloseReason is GitHub's state_reason of a closed issue.
type CloseReason string

// The close reasons.
const (
	StayOpen   CloseReason = ""
	Completed  CloseReason = "completed"
	NotPlanned CloseReason = "not_planned"
)

// CloseReason is why an issue in this state is closed, or StayOpen.
func (s State) CloseReason() CloseReason {
	switch {
	case s.Open():
		return StayOpen
	case s == Done || s == Partial:
		return Completed
	}
	return NotPlanned
}

// Label is a label of the issue tracker, with what is needed to create it.
// Color is six hexadecimal digits; Description has at most 100 characters,
// GitHub's limit.
type Label struct{ Name, Color, Description string }

// Labels are all labels that Ferry sets. An issue bears exactly one of them,
// so that a search for a label is a list of the mirrored images.
func Labels() []Label {
	return []Label{labelWorking, labelDone, labelPartial, labelRetry, labelRefused, labelSetUp}
}

var (
	labelWorking = Label{"ferry/working", "fbca04", "正在搬运 · being mirrored"}
	labelDone    = Label{"ferry/done", "0e8a16", "已搬运完成 · mirrored"}
	labelPartial = Label{"ferry/partial", "bfd4f2", "部分完成 · mirrored in part"}
	labelRetry   = Label{"ferry/retry", "d4c5f9", "稍后自动重试 · tried again later"}
	labelRefused = Label{"ferry/refused", "e4e669", "未能搬运 · not mirrored"}
	labelSetUp   = Label{"ferry/set-up", "d93f0b", "需要仓库所有者完成设置 · waits for the owner's set-up"}
)

// Label is the one of Labels that an issue in this state bears.
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
