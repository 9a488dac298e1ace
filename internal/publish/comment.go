package publish

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"
)

// comment is a comment of ours.
type comment struct {
	id        int64
	body, url string
	edited    time.Time // last, or created
}

// settle makes body the one comment of ours, whatever is there: none, one, or
// several because two runs began at the same time. Creating is the one call
// that can't be repeated, so that after it, and all the more after an answer
// to it was lost, the comments are listed again: of two runs that both create
// one, the later sees both. All agree on the oldest. If that is another run's,
// yields decides whether it keeps its body, upon which the error is ErrBeaten.
func (v *Conversation) settle(ctx context.Context, body string, yields bool) error {
	var err error
	created := false
	for try := 1; try <= tries; try++ {
		if v.unsure || v.lost {
			if err = v.look(ctx); err != nil {
				return err
			}
		}
		if len(v.ours) == 0 {
			created = true
			if err = v.create(ctx, body); err == nil {
				continue
			}
			if !transient(err) || ctx.Err() != nil {
				return err
			}
			v.lost = true
			if err := v.client.manners.sleep(ctx, backoff.Delay(try)); err != nil {
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
		if created && yields {
			return ErrBeaten
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
				ours = append(ours, comment{each.GetID(), each.GetBody(), each.GetHTMLURL(), each.GetUpdatedAt().Time})
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

// Current reads our comment as it stands now: another run may have written it
// since. It is empty if there is none.
func (v *Conversation) Current(ctx context.Context) (string, error) {
	v.mu.Lock()
	ours := v.oldest()
	v.mu.Unlock()
	if ours.id == 0 {
		return "", nil
	}
	got, _, err := v.client.api.Issues.GetComment(ctx, v.client.owner, v.client.name, ours.id)
	if isStatus(err, http.StatusNotFound) {
		return "", nil
	}
	if err != nil {
		return "", classify("reading the comment", err)
	}
	return got.GetBody(), nil
}

func (v *Conversation) create(ctx context.Context, body string) error {
	v.unsure = true
	made, _, err := v.client.api.Issues.CreateComment(ctx, v.client.owner, v.client.name, v.issue, &github.IssueComment{Body: &body})
	if err != nil {
		return classify("creating the comment", err)
	}
	v.ours = []comment{{made.GetID(), made.GetBody(), made.GetHTMLURL(), made.GetUpdatedAt().Time}}
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
