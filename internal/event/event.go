// Package event reads the event that started the run, from environment
// variables and GitHub's payload file. It keeps the fields that Ferry needs.
// All text in an Event is hostile.
package event

// Kind is the kind of an event, as in GITHUB_EVENT_NAME.
type Kind string

// The events that Ferry handles.
const (
	Issues   Kind = "issues"
	Comment  Kind = "issue_comment"
	Dispatch Kind = "workflow_dispatch"
	Schedule Kind = "schedule"
	Push     Kind = "push"
)

// User is an account on GitHub. Compare the ID: a login can be renamed.
type User struct {
	ID    int64
	Login string
	Bot   bool
}

// Repository is where the event happened.
type Repository struct {
	Owner, Name string
	OwnerID     int64
	Fork        bool
	Private     bool
	Unknown     bool // the event lacks the owner and the other facts
}

// Issue is the issue of an issues or issue_comment event.
type Issue struct {
	Number      int
	Title, Body string
	Author      User
	Labels      []string
	Open        bool
	PullRequest bool // the comment is on a pull request, which GitHub also treats as an issue
}

// IssueComment is the comment of an issue_comment event.
type IssueComment struct {
	ID     int64
	Body   string
	Author User
}

// Event is one event. Issue and Comment are nil for kinds that have none.
type Event struct {
	Kind       Kind
	Action     string // "opened", "edited", "created", …; empty where the kind has no actions
	Repository Repository
	Issue      *Issue
	Comment    *IssueComment
	Sender     User
	Inputs     map[string]string // the inputs of a workflow_dispatch
}
