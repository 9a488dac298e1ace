package publish

import (
	"context"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/event"
)

// Issue is an issue on GitHub.
type Issue struct {
	event.Issue
	Created, Updated time.Time
	Closed           time.Time // zero if it is open
	Reason           string    // why it was closed: "completed", "not_planned", …
}

// Issue reads an issue.
func (c *Client) Issue(ctx context.Context, number int) (Issue, error) {
	i, _, err := c.api.Issues.Get(ctx, c.owner, c.name, number)
	if err != nil {
		return Issue{}, classify("reading the issue", err)
	}
	return read(i), nil
}

// Create opens an issue and returns its number. It is sent only once, because GitHub
// would open another issue.
func (c *Client) Create(ctx context.Context, title, body string) (int, error) {
	made, _, err := c.api.Issues.Create(ctx, c.owner, c.name, &github.IssueRequest{Title: &title, Body: &body})
	if err != nil {
		return 0, classify("opening an issue", err)
	}
	return made.GetNumber(), nil
}

// OpenIssues returns at most limit open issues, without pull requests, oldest
// first. If a label is given, only issues with that label are returned.
func (c *Client) OpenIssues(ctx context.Context, label string, limit int) ([]Issue, error) {
	options := &github.IssueListByRepoOptions{State: "open", Sort: "created", Direction: "asc"}
	if label != "" {
		options.Labels = []string{label}
	}
	var found []Issue
	err := c.eachIssue(ctx, options, func(i Issue) bool {
		found = append(found, i)
		return len(found) < limit
	})
	return found, err
}

// ClosedIssues returns at most limit closed issues, without pull requests, in
// which something has happened since then, latest first.
func (c *Client) ClosedIssues(ctx context.Context, since time.Time, limit int) ([]Issue, error) {
	options := &github.IssueListByRepoOptions{State: "closed", Sort: "updated", Direction: "desc", Since: since}
	var found []Issue
	err := c.eachIssue(ctx, options, func(i Issue) bool {
		found = append(found, i)
		return len(found) < limit
	})
	return found, err
}

// Asked returns at most limit issues of a person that were opened or closed
// since then, oldest first: that person's requests and the answers. It takes
// one request for each hundred issues that were updated.
func (c *Client) Asked(ctx context.Context, login string, since time.Time, limit int) ([]Issue, error) {
	options := &github.IssueListByRepoOptions{State: "all", Creator: login, Sort: "created", Direction: "asc", Since: since}
	var found []Issue
	err := c.eachIssue(ctx, options, func(i Issue) bool {
		if !i.Created.Before(since) || !i.Closed.Before(since) { // "since" is about any change
			found = append(found, i)
		}
		return len(found) < limit
	})
	return found, err
}

// eachIssue reads pages until yield returns false.
func (c *Client) eachIssue(ctx context.Context, o *github.IssueListByRepoOptions, yield func(Issue) bool) error {
	o.ListOptions = github.ListOptions{PerPage: 100}
	for {
		page, answer, err := c.api.Issues.ListByRepo(ctx, c.owner, c.name, o)
		if err != nil {
			return classify("listing issues", err)
		}
		for _, i := range page {
			if !i.IsPullRequest() && !yield(read(i)) {
				return nil
			}
		}
		if answer.NextPage == 0 {
			return nil
		}
		o.Page = answer.NextPage
	}
}

func read(i *github.Issue) Issue {
	found := Issue{
		Issue: event.Issue{
			Number: i.GetNumber(), Title: i.GetTitle(), Body: i.GetBody(), Author: user(i.GetUser()),
			Open: i.GetState() == "open", PullRequest: i.IsPullRequest(),
		},
		Created: i.GetCreatedAt().Time, Updated: i.GetUpdatedAt().Time, Closed: i.GetClosedAt().Time, Reason: i.GetStateReason(),
	}
	for _, l := range i.Labels {
		found.Labels = append(found.Labels, l.GetName())
	}
	return found
}

func user(u *github.User) event.User {
	return event.User{ID: u.GetID(), Login: u.GetLogin(), Bot: u.GetType() == "Bot"}
}
