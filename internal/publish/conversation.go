package publish

import (
	"context"
	"errors"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
)

const (
	// minInterval and maxInterval bound the time between two edits of a comment
	// that only show progress. In between it is a thirtieth of the time that has
	// passed: six hours make 170 edits, of GitHub's 1,000 requests an hour.
	minInterval, maxInterval = 10 * time.Second, 5 * time.Minute
	// Heartbeat is after how long a comment is edited at the latest while work
	// runs, whatever is left of the budget: other runs hold one that is silent
	// for longer for dead.
	Heartbeat = 10 * time.Minute
)

// Reaction is one of GitHub's eight.
type Reaction string

// The reactions that Ferry gives.
const (
	Eyes     Reaction = "eyes"     // received
	Rocket   Reaction = "rocket"   // done
	Confused Reaction = "confused" // refused
)

// State is what becomes of an issue.
type State string

// The states. The empty State leaves the issue as it is.
const (
	Open       State = "open"
	Completed  State = "completed"   // closed: done
	NotPlanned State = "not_planned" // closed: refused
)

// Outcome is the answer to a request: everything that is to be true of the
// issue once it is published.
type Outcome struct {
	Body     string         // the comment, with its marker
	Anew     bool           // as a new comment in the place of the one before, so that people are told
	Add      []ledger.Label // labels to have
	Remove   []string       // labels not to have
	Title    string         // the issue's title; empty to leave it
	Reaction Reaction       // to the issue; empty for none
	State    State
	// Yields leaves the issue closed if somebody has closed it, whatever State says.
	Yields bool
}

// Open looks for what Ferry has said on the issue before.
func (c *Client) Open(ctx context.Context, issue int) (*Conversation, error) {
	v := &Conversation{client: c, issue: issue}
	if err := v.look(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

// Body is Ferry's comment as it stands, empty if there is none.
func (v *Conversation) Body() string { return v.comment().body }

// URL is where people see Ferry's comment, empty if there is none.
func (v *Conversation) URL() string { return v.comment().url }

// Commands are the comments of people that are commands, as this run found them,
// oldest first.
func (v *Conversation) Commands() []Command {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.commands
}

// Edited is when Ferry's comment was last written as this run found it; zero if
// there was none.
func (v *Conversation) Edited() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.standing().edited
}

// React reacts to the issue. Doing so twice changes nothing.
func (v *Conversation) React(ctx context.Context, with Reaction) error {
	_, _, err := v.client.api.Reactions.CreateIssueReaction(ctx, v.client.owner, v.client.name, v.issue, string(with))
	if err != nil {
		return classify("reacting to the issue", err)
	}
	return nil
}

// ReactTo reacts to a comment on the issue. Doing so twice changes nothing.
func (v *Conversation) ReactTo(ctx context.Context, comment int64, with Reaction) error {
	_, _, err := v.client.api.Reactions.CreateIssueCommentReaction(ctx, v.client.owner, v.client.name, comment, string(with))
	if err != nil {
		return classify("reacting to a comment", err)
	}
	return nil
}

// Label puts one label on the issue and leaves the others.
func (v *Conversation) Label(ctx context.Context, label ledger.Label) error {
	return v.client.label(ctx, Issue{Issue: event.Issue{Number: v.issue}}, []ledger.Label{label}, nil)
}

// Reopen opens the issue, so that the sweep finds it if the work breaks off.
func (v *Conversation) Reopen(ctx context.Context) error {
	var want github.IssueRequest
	want.State, want.StateReason = transition(Open)
	_, err := v.client.edit(ctx, v.issue, want)
	return err
}

// Due reports whether Progress would send body.
func (v *Conversation) Due(body string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.due(body)
}

func (v *Conversation) due(body string) bool {
	switch {
	case v.finished, body == v.standing().body:
		return false
	case v.tried.IsZero():
		return true
	}
	now := v.client.transport.now()
	quiet := now.Sub(v.tried)
	return quiet >= Heartbeat || quiet >= min(max(now.Sub(v.began)/30, minInterval), maxInterval) && v.client.Room()
}

// Progress makes body the comment, if that is worth a request: the first time
// at once, then every ten seconds to five minutes, never if it says the same already
// or the budget is used up, and not after Finish. What is left out is made up
// for by the next call that is not. Cancel its context before calling Finish,
// which otherwise waits for it. The error is ErrBeaten if there was no comment
// and another run's came first.
func (v *Conversation) Progress(ctx context.Context, body string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.due(body) {
		return nil
	}
	v.tried = v.client.transport.now()
	if v.began.IsZero() {
		v.began = v.tried
	}
	return v.write(ctx, body, true, false)
}

// Finish publishes the answer. It can be repeated: only what differs is sent.
// The comment comes first and closing last, so that a run that breaks off
// leaves the issue open for the next sweep. What GitHub will never accept
// doesn't keep the rest from being done; an error that may pass does.
func (v *Conversation) Finish(ctx context.Context, o Outcome) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.finished = true
	err := v.write(ctx, o.Body, false, o.Anew)
	v.mute = isMute(err)
	if err != nil && !v.mute {
		return err
	}
	if v.mute && o.State == Open {
		o.State = NotPlanned // nothing would remember that it was tried
	}
	issue, err := v.client.Issue(ctx, v.issue)
	if err != nil {
		return err
	}
	if o.Yields && !issue.Open {
		o.State = ""
	}
	if o.Reaction != "" {
		_ = v.React(ctx, o.Reaction) // an extra: the comment says the same
	}
	var refused []error
	for _, step := range []func() error{
		func() error { return v.client.label(ctx, issue, o.Add, o.Remove) },
		func() error { return v.client.conclude(ctx, issue, o.Title, o.State) },
	} {
		err := step()
		if transient(err) {
			return errors.Join(append(refused, err)...)
		}
		refused = append(refused, err)
	}
	return errors.Join(refused...)
}

// Mute reports whether Finish could not post the answer, because nobody can comment
// on the issue: it is locked, or has too many comments.
func (v *Conversation) Mute() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mute
}

// conclude sets the title and the state, if they differ.
func (c *Client) conclude(ctx context.Context, now Issue, title string, state State) error {
	var want github.IssueRequest
	if title != "" && title != now.Title {
		want.Title = &title
	}
	settled := state == "" || (state == Open) == now.Open && (now.Open || now.Reason == string(state))
	if !settled {
		want.State, want.StateReason = transition(state)
	}
	if want == (github.IssueRequest{}) {
		return nil
	}
	got, err := c.edit(ctx, now.Number, want)
	if err != nil || settled || state == Open || got.GetStateReason() == string(state) {
		return err
	}
	// It was closed for another reason, and the description of the API says
	// that the reason is ignored unless the state changes.
	for _, s := range []State{Open, state} {
		var want github.IssueRequest
		want.State, want.StateReason = transition(s)
		if _, err := c.edit(ctx, now.Number, want); err != nil {
			return err
		}
	}
	return nil
}

// transition is how a state is asked for.
func transition(s State) (state, reason *string) {
	if s == Open {
		return new("open"), nil
	}
	return new("closed"), new(string(s))
}

func (c *Client) edit(ctx context.Context, number int, want github.IssueRequest) (*github.Issue, error) {
	got, _, err := c.api.Issues.Edit(ctx, c.owner, c.name, number, &want)
	if err != nil {
		return nil, classify("editing the issue", err)
	}
	return got, nil
}
