package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/event"
)

// comment is a comment of Ferry.
type comment struct {
	id        int64
	body, url string
	edited    time.Time // or created, if it was not edited
	fresh     bool      // created by this run; a list may not include it yet
}

// Command is a comment of a person that begins like a command.
type Command struct {
	Author event.User
	Body   string
}

const commandPrefix = "/ferry"

// write makes body Ferry's only comment, whether there is none, one, or several
// because two runs began at the same time. Creating is the only call that
// cannot be repeated. After it, and after its response was lost, the comments
// are listed again: if two runs each create a comment, the later one sees both,
// and both choose the one that current returns. If that one belongs to another
// run, yields decides whether it keeps its body; the error is then ErrBeaten.
// With anew, body becomes a new comment that replaces the earlier ones unless
// GitHub refuses it, because GitHub only notifies people of new comments.
func (v *Conversation) write(ctx context.Context, body string, yields, anew bool) error {
	var err error
	created := false
	for try := 1; try <= tries; try++ {
		if v.unsure || v.lost {
			if err = v.look(ctx); err != nil {
				return err
			}
		}
		keep := v.current()
		if len(v.ours) == 0 && v.cut {
			return &Error{Code: Mute, Step: "creating the comment", Write: true, Err: fmt.Errorf("the issue has more than %d comments, and one of the rest may be ours", maxLooked*perPage)}
		}
		if len(v.ours) == 0 || anew && !created && v.ours[keep].body != body {
			created = true
			err = v.create(ctx, body)
			switch {
			case err == nil:
			case len(v.ours) > 0 && !transient(err):
				anew = false
			case !transient(err) || ctx.Err() != nil:
				return err
			default:
				v.lost, created = true, len(v.ours) == 0
				if err := v.client.transport.sleep(ctx, backoff.Delay(try)); err != nil {
					return classify("creating the comment", err)
				}
			}
			continue
		}
		for i := len(v.ours) - 1; i >= 0; i-- {
			if i == keep {
				continue
			}
			if err = v.delete(ctx, v.ours[i]); err != nil {
				return err
			}
		}
		v.ours = v.ours[keep : keep+1]
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

// current returns the index of Ferry's current comment: the last answer, or the
// oldest comment if all of them only show progress.
func (v *Conversation) current() int {
	for i := len(v.ours) - 1; i > 0; i-- {
		if v.client.answers(v.ours[i].body) {
			return i
		}
	}
	return 0
}

// perPage is how many comments GitHub lists at once, and maxLooked how many
// pages look reads. GitHub allows 2,500 comments on an issue.
const perPage, maxLooked = 100, 30

// look lists Ferry's comments: those with a marker that the token's account has
// written. A list may lack a comment that was just created, so known comments
// are kept until they prove to be deleted. Of an issue with more than maxLooked
// pages, the first ones are read.
func (v *Conversation) look(ctx context.Context) error {
	c := v.client
	var ours []comment
	var commands []Command
	v.cut = false
	for o := (&github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: perPage}}); ; {
		page, answer, err := c.api.Issues.ListComments(ctx, c.owner, c.name, v.issue, o)
		if err != nil {
			return classify("listing comments", err)
		}
		for _, each := range page {
			if by := user(each.GetUser()); strings.HasPrefix(each.GetBody(), commandPrefix) && !by.Bot {
				commands = append(commands, Command{by, each.GetBody()})
			}
			if !c.marked(each.GetBody()) {
				continue
			}
			mine, err := c.wrote(ctx, each)
			if err != nil {
				return err
			}
			if mine {
				ours = append(ours, comment{each.GetID(), each.GetBody(), each.GetHTMLURL(), each.GetUpdatedAt().Time, false})
			}
		}
		if v.cut = answer.NextPage > maxLooked; v.cut || answer.NextPage <= o.Page {
			break
		}
		o.Page = answer.NextPage
	}
	for _, known := range v.ours {
		if !known.fresh || slices.ContainsFunc(ours, func(c comment) bool { return c.id == known.id }) {
			continue
		}
		// The list is older than the comment, or another run has deleted it.
		_, _, err := c.api.Issues.GetComment(ctx, c.owner, c.name, known.id)
		switch {
		case err == nil:
			ours = append(ours, known)
		case !isStatus(err, http.StatusNotFound):
			return classify("reading the comment", err)
		}
	}
	if len(ours) > 0 {
		v.ours = ours
	}
	v.unsure, v.commands = false, commands
	return nil
}

// Current reads Ferry's comment again, because another run may have edited it
// since. It is empty if there is none.
func (v *Conversation) Current(ctx context.Context) (string, error) {
	v.mu.Lock()
	ours := v.standing()
	v.mu.Unlock()
	if ours.id == 0 {
		return "", nil
	}
	got, _, err := v.client.api.Issues.GetComment(ctx, v.client.owner, v.client.name, ours.id)
	if isStatus(err, http.StatusNotFound) { // another run has replaced it, or somebody has deleted it
		v.mu.Lock()
		defer v.mu.Unlock()
		v.ours = nil
		if err := v.look(ctx); err != nil {
			return "", err
		}
		return v.standing().body, nil
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
	v.client.learn(made.GetUser().GetLogin())
	v.ours = append(v.ours, comment{made.GetID(), made.GetBody(), made.GetHTMLURL(), made.GetUpdatedAt().Time, true})
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

// maxSpoken is how many pages of comments Spoken reads, and maxSaid how many Said
// reads: 50,000 comments.
const maxSpoken, maxSaid = 10, 500

// Reply returns the last of an issue's first hundred comments that has a marker;
// empty if there is none. Anybody may have written it.
func (c *Client) Reply(ctx context.Context, issue int) (string, error) {
	page, _, err := c.api.Issues.ListComments(ctx, c.owner, c.name, issue, &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: perPage}})
	if err != nil {
		return "", classify("listing comments", err)
	}
	last := ""
	for _, each := range page {
		if c.marked(each.GetBody()) {
			last = each.GetBody()
		}
	}
	return last, nil
}

// Spoken returns the token's own marked comments that were written or edited
// since then, the last one of each issue, by issue number. It reads at most the
// latest thousand comments of the repository.
func (c *Client) Spoken(ctx context.Context, since time.Time) (map[int]string, error) {
	spoken := map[int]string{}
	_, err := c.eachOwn(ctx, "desc", since, maxSpoken, func(s Said) {
		if spoken[s.Issue] == "" {
			spoken[s.Issue] = s.Body
		}
	})
	return spoken, err
}

// Said is a comment of Ferry on an issue.
type Said struct {
	Issue  int
	Body   string
	Edited time.Time
}

// Said returns the token's own marked comments that were written or edited since
// then, the oldest first, and whether these are all of them.
func (c *Client) Said(ctx context.Context, since time.Time) (said []Said, all bool, err error) {
	all, err = c.eachOwn(ctx, "asc", since, maxSaid, func(s Said) { said = append(said, s) })
	return said, all, err
}

// eachOwn calls yield with the token's own marked comments, in the order of their
// last edits, from so many pages at most. It reports whether these were all.
func (c *Client) eachOwn(ctx context.Context, direction string, since time.Time, pages int, yield func(Said)) (all bool, err error) {
	o := &github.IssueListCommentsOptions{Sort: new("updated"), Direction: &direction, ListOptions: github.ListOptions{PerPage: perPage}}
	if !since.IsZero() {
		o.Since = &since
	}
	for range pages {
		page, answer, err := c.api.Issues.ListComments(ctx, c.owner, c.name, 0, o)
		if err != nil {
			return false, classify("listing the repository's comments", err)
		}
		for _, each := range page {
			number, err := strconv.Atoi(path.Base(each.GetIssueURL()))
			if err != nil || !c.marked(each.GetBody()) {
				continue
			}
			mine, err := c.wrote(ctx, each)
			if err != nil {
				return false, err
			}
			if mine {
				yield(Said{number, each.GetBody(), each.GetUpdatedAt().Time})
			}
		}
		if answer.NextPage == 0 {
			return true, nil
		}
		o.Page = answer.NextPage
	}
	return false, nil
}

// Conversation is Ferry's side of one issue: one comment, created or edited in
// place. It is safe for concurrent use.
type Conversation struct {
	client *Client
	issue  int

	mu       sync.Mutex
	commands []Command // of people, oldest first
	ours     []comment // known comments of Ferry, oldest first
	unsure   bool      // whether they must be listed before anything else
	lost     bool      // whether a comment may still appear that GitHub never confirmed
	cut      bool      // whether there are more comments than were listed
	mute     error     // why the answer could not be posted
	bare     error     // why labels could not be set
	began    time.Time // when progress was first sent
	tried    time.Time // when progress was last sent
	finished bool
}

func (v *Conversation) comment() comment {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.standing()
}

func (v *Conversation) standing() comment {
	if len(v.ours) == 0 {
		return comment{}
	}
	return v.ours[v.current()]
}

// ErrBeaten means that a concurrent run has created its comment first. Body
// returns that comment.
var ErrBeaten = errors.New("another run has answered first")
