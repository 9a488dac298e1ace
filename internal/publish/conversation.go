package publish

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/ledger"
)

const (
	// minInterval and maxInterval limit the time between two edits that only
	// show progress. In between, it is a thirtieth of the time since the start:
	// six hours make 170 edits, of the 1,000 requests per hour that GitHub
	// allows.
	minInterval, maxInterval = 10 * time.Second, 5 * time.Minute
	// Heartbeat is the longest time between two edits while a run works,
	// whatever is left of the budget: other runs regard a run that is silent
	// for longer as dead.
	Heartbeat = 10 * time.Minute
)

// Reaction is one of the eight reactions of GitHub.
type Reaction string

// The reactions that Ferry uses.
const (
	Eyes     Reaction = "eyes"     // received
	Rocket   Reaction = "rocket"   // done
	Confused Reaction = "confused" // refused
)

// State is the state of an issue after the answer.
type State string

// The states. The empty State leaves the issue as it is.
const (
	Open       State = "open"
	Completed  State = "completed"   // closed: done
	NotPlanned State = "not_planned" // closed: refused
)

// Outcome is the answer to a request, with everything that it sets on the
// issue.
type Outcome struct {
	Body     string         // the comment, with its marker
	Anew     bool           // post a new comment in place of the old one, so that people are notified
	Add      []ledger.Label // labels to add
	Remove   []string       // labels to remove
	Title    string         // title of the issue; empty to keep it
	Reaction Reaction       // on the issue; empty for none
	State    State
	// Yields leaves the issue closed if somebody has closed it, whatever State
	// is.
	Yields bool
}

// Open reads Ferry's earlier comments on the issue.
func (c *Client) Open(ctx context.Context, issue int) (*Conversation, error) {
	v := &Conversation{client: c, issue: issue}
	if err := v.look(ctx); err != nil {
		return nil, err
	}
	return v, nil
}

// Body returns Ferry's comment; empty if there is none.
func (v *Conversation) Body() string { return v.comment().body }

// URL returns the address of Ferry's comment; empty if there is none.
func (v *Conversation) URL() string { return v.comment().url }

// Commands returns the comments with commands of people that this run found,
// oldest first.
func (v *Conversation) Commands() []Command {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.commands
}

// Edited returns when Ferry's comment was last edited before this run; zero if
// there was none.
func (v *Conversation) Edited() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.standing().edited
}

// React reacts to the issue. Repeating it changes nothing.
func (v *Conversation) React(ctx context.Context, with Reaction) error {
	_, _, err := v.client.api.Reactions.CreateIssueReaction(ctx, v.client.owner, v.client.name, v.issue, string(with))
	if err != nil {
		return classify("reacting to the issue", err)
	}
	return nil
}

// ReactTo reacts to a comment on the issue. Repeating it changes nothing.
func (v *Conversation) ReactTo(ctx context.Context, comment int64, with Reaction) error {
	_, _, err := v.client.api.Reactions.CreateIssueCommentReaction(ctx, v.client.owner, v.client.name, comment, string(with))
	if err != nil {
		return classify("reacting to a comment", err)
	}
	return nil
}

// Label adds one label to the issue and keeps the others.
func (v *Conversation) Label(ctx context.Context, label ledger.Label) error {
	return v.client.label(ctx, Issue{Issue: event.Issue{Number: v.issue}}, []ledger.Label{label}, nil)
}

// Reopen opens the issue, so that the sweep finds it if the run dies.
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

// Progress makes body the comment if it is worth a request: at once the first
// time, then every ten seconds to five minutes, not if the text is the same or
// the budget is used up, and not after Finish. The next call sends what was
// skipped. Cancel its context before calling Finish, which otherwise waits for
// it. The error is ErrBeaten if there was no comment and another run created
// one first.
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

// Finish publishes the answer. It can be repeated: only differences are sent.
// The comment comes first and closing last, so that a run that dies leaves the
// issue open for the next sweep. Labels are optional: see Without. So is the
// comment if GitHub refuses it, twice unless the reason is a lasting one, but
// closes the issue: then the token may write, and the reason
// is the issue. Open becomes NotPlanned then, because nothing else would record
// the attempt. An error that may be temporary ends it.
func (v *Conversation) Finish(ctx context.Context, o Outcome) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.finished = true
	mute := v.write(ctx, o.Body, false, o.Anew)
	if code := refusedWrite(mute); code == Permission || code == Refused || code == Rejected {
		mute = v.write(ctx, o.Body, false, o.Anew) // it may pass
	}
	code := refusedWrite(mute)
	if mute != nil && code == "" {
		return mute
	}
	issue, err := v.client.Issue(ctx, v.issue)
	switch {
	case err != nil:
		return errors.Join(mute, err)
	case mute != nil && code != Mute && !issue.Open:
		return mute // closing it would prove nothing
	case mute != nil && o.State == Open:
		o.State = NotPlanned
	}
	if o.Yields && !issue.Open {
		o.State = ""
	}
	if o.Reaction != "" {
		_ = v.React(ctx, o.Reaction) // optional: the comment says the same
	}
	labels := v.client.label(ctx, issue, o.Add, o.Remove)
	if transient(labels) {
		return errors.Join(mute, labels)
	}
	if err := v.client.conclude(ctx, issue, o.Title, o.State); err != nil {
		return errors.Join(mute, err)
	}
	v.mute, v.bare = mute, labels
	return nil
}

// Without returns GitHub's refusals of the comment and of labels if Finish
// succeeded without them; nil for none.
func (v *Conversation) Without() (comment, labels error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mute, v.bare
}

// conclude sets the title and the state if they differ.
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
	// The issue was closed for another reason. According to the API's
	// documentation the reason is ignored unless the state changes.
	for _, s := range []State{Open, state} {
		var want github.IssueRequest
		want.State, want.StateReason = transition(s)
		if _, err := c.edit(ctx, now.Number, want); err != nil {
			return err
		}
	}
	return nil
}

// transition returns the values of the API for a state.
func transition(s State) (state, reason *string) {
	if s == Open {
		return new("open"), nil
	}
	return new("closed"), new(string(s))
}

func (c *Client) edit(ctx context.Context, number int, want github.IssueRequest) (*github.Issue, error) {
	got, _, err := c.api.Issues.Edit(ctx, c.owner, c.name, number, &want)
	if isStatus(err, http.StatusUnprocessableEntity) && want.StateReason != nil {
		// GitHub Enterprise Server before 3.4 does not know the field.
		plain := want
		plain.StateReason = nil
		if got, _, err := c.api.Issues.Edit(ctx, c.owner, c.name, number, &plain); err == nil {
			got.StateReason = want.StateReason
			return got, nil
		}
	}
	if err != nil {
		return nil, classify("editing the issue", err)
	}
	return got, nil
}
