package fakegithub

import "github.com/imageferry/ferry/internal/event"

// Kind is the kind of an Event.
type Kind string

// The kinds of events in the repository.
const (
	IssueOpened    Kind = "issue-opened"
	CommentCreated Kind = "comment-created"
	CommentEdited  Kind = "comment-edited"
	CommentDeleted Kind = "comment-deleted"
	Labeled        Kind = "labeled"
	Unlabeled      Kind = "unlabeled"
	Reacted        Kind = "reacted"
	TitleChanged   Kind = "title-changed"
	Closed         Kind = "closed"
	Reopened       Kind = "reopened"
	Dispatched     Kind = "dispatched" // a workflow was started by hand; the text is its input "images"
)

// Event is an event in the repository.
type Event struct {
	Kind    Kind
	Issue   int
	Comment int64      // the comment's id, if it is about one
	User    event.User // the actor
	Text    string     // the comment, label, reaction, title or close reason

	Inputs map[string]string // of a workflow that was started by hand
	Run    int64             // its number
}
