package publish

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"
)

// interval is the least time between two edits of a comment that only show
// progress: an hour's copy then makes at most 360 requests, well below the
// 1,000 an hour and the 80 changes a minute that GitHub allows.
const interval = 10 * time.Second

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
	Body     string   // the comment, with its marker
	Add      []Label  // labels to have
	Remove   []string // labels not to have
	Title    string   // the issue's title; empty to leave it
	Reaction Reaction // to the issue; empty for none
	State    State
}

// Conversation is Ferry's side of one issue: one comment, created or edited
// in place. It is safe for concurrent use.
type Conversation struct {
	client *Client
	issue  int

	mu       sync.Mutex
	ours     []comment // our comments by what we know, oldest first
	unsure   bool      // whether they must be listed before anything is done
	lost     bool      // whether a comment may still turn up that GitHub never confirmed
	tried    time.Time // when progress was last sent
	finished bool
}

// comment is a comment of ours.
type comment struct {
	id        int64
	body, url string
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

func (v *Conversation) comment() comment {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.oldest()
}

func (v *Conversation) oldest() comment {
	if len(v.ours) == 0 {
		return comment{}
	}
	return v.ours[0]
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

// Progress makes body the comment, if that is worth a request: the first time
// at once, then at most every ten seconds, never if it says the same already
// or the budget is used up, and not after Finish. What is left out is made up
// for by the next call that is not. Cancel its context before calling Finish,
// which otherwise waits for it.
func (v *Conversation) Progress(ctx context.Context, body string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.client.manners.now()
	switch {
	case v.finished, body == v.oldest().body:
		return nil
	case !v.tried.IsZero() && (now.Sub(v.tried) < interval || !v.client.Room()):
		return nil
	}
	v.tried = now
	return v.settle(ctx, body)
}

// Finish publishes the answer. It can be repeated: only what differs is sent.
// The comment comes first and closing last, so that a run that breaks off
// leaves the issue open for the next sweep. What GitHub will never accept
// doesn't keep the rest from being done; an error that may pass does.
func (v *Conversation) Finish(ctx context.Context, o Outcome) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.finished = true
	if err := v.settle(ctx, o.Body); err != nil {
		return err
	}
	issue, err := v.client.Issue(ctx, v.issue)
	if err != nil {
		return err
	}
	var refused []error
	for _, step := range []func() error{
		func() error { return v.client.label(ctx, issue, o.Add, o.Remove) },
		func() error {
			if o.Reaction == "" {
				return nil
			}
			return v.React(ctx, o.Reaction)
		},
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

// settle makes body the one comment of ours, whatever is there: none, one, or
// several because two runs began at the same time. Creating is the one call
// that can't be repeated, so that after it, and all the more after an answer
// to it was lost, the comments are listed again: of two runs that both create
// one, the later sees both. All agree on the oldest.
func (v *Conversation) settle(ctx context.Context, body string) error {
	var err error
	for try := 1; try <= tries; try++ {
		if v.unsure || v.lost {
			if err = v.look(ctx); err != nil {
				return err
			}
		}
		if len(v.ours) == 0 {
			if err = v.create(ctx, body); err == nil {
				continue
			}
			if !transient(err) || ctx.Err() != nil {
				return err
			}
			v.lost = true
			if err := v.client.manners.sleep(ctx, backoff(try)); err != nil {
				return classify("creating the comment", err)
			}
			continue
		}
		for last := len(v.ours) - 1; last > 0; last-- {
			if err = v.delete(ctx, v.ours[last]); err != nil {
				return err
			}
			v.ours = v.ours[:last]
		}
		if v.ours[0].body == body {
			return nil
		}
		if err = v.edit(ctx, body); !isStatus(err, http.StatusNotFound) {
			return err
		}
		v.ours, v.unsure = nil, true // somebody has deleted it
	}
	return err
}

// look lists our comments: those that carry the marker and are by the account
// that the token acts as. A comment that was just created may be too new for
// a list; what we know of stays until it proves to be gone.
func (v *Conversation) look(ctx context.Context) error {
	c := v.client
	var ours []comment
	for o := (&github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}); ; {
		page, answer, err := c.api.Issues.ListComments(ctx, c.owner, c.name, v.issue, o)
		if err != nil {
			return classify("listing comments", err)
		}
		for _, each := range page {
			if !c.marked(each.GetBody()) {
				continue
			}
			self, err := c.self(ctx)
			if err != nil {
				return err
			}
			if strings.EqualFold(each.GetUser().GetLogin(), self) {
				ours = append(ours, comment{each.GetID(), each.GetBody(), each.GetHTMLURL()})
			}
		}
		if answer.NextPage == 0 {
			break
		}
		o.Page = answer.NextPage
	}
	if len(ours) > 0 {
		v.ours = ours
	}
	v.unsure = false
	return nil
}

func (v *Conversation) create(ctx context.Context, body string) error {
	v.unsure = true
	made, _, err := v.client.api.Issues.CreateComment(ctx, v.client.owner, v.client.name, v.issue, &github.IssueComment{Body: &body})
	if err != nil {
		return classify("creating the comment", err)
	}
	v.ours = []comment{{made.GetID(), made.GetBody(), made.GetHTMLURL()}}
	return nil
}

func (v *Conversation) edit(ctx context.Context, body string) error {
	_, _, err := v.client.api.Issues.EditComment(ctx, v.client.owner, v.client.name, v.ours[0].id, &github.IssueComment{Body: &body})
	if err != nil {
		return classify("editing the comment", err)
	}
	v.ours[0].body = body
	return nil
}

func (v *Conversation) delete(ctx context.Context, c comment) error {
	_, err := v.client.api.Issues.DeleteComment(ctx, v.client.owner, v.client.name, c.id)
	if err != nil && !isStatus(err, http.StatusNotFound) {
		return classify("deleting a comment of a run at the same time", err)
	}
	return nil
}
