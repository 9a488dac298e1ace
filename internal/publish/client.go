// Package publish writes an answer to GitHub: one comment, labels, a reaction,
// a title, a close reason. Each call first looks whether its effect is already
// there, so a run that was stopped at any point can be repeated.
//
// The parts, from the bottom: transport adds the token, waits when GitHub asks
// for it, and repeats requests that are safe to repeat; cache avoids reading
// unchanged pages; Client is one repository; Conversation is Ferry's side of
// one issue.
package publish

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
)

// Client is one repository on GitHub. It is safe for concurrent use.
type Client struct {
	api         *github.Client
	transport   *transport
	owner, name string
	ownerID     int64
	marked      func(string) bool
	signed      func(string) bool
	answers     func(string) bool

	mu     sync.Mutex
	told   bool            // whether GitHub has returned the login
	login  string          // of the token; empty until it is needed
	labels map[string]bool // the repository's labels in lower case; nil until they are needed
}

// New returns a client of the repository. It is an error if APIURL is not a
// URL.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(o.APIURL, "/") + "/")
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("reading the address of GitHub's API: %q is no URL", o.APIURL)
	}
	m := newTransport(o)
	api := github.NewClient(&http.Client{
		Transport: &cache{next: m, kept: map[string]page{}},
		// A redirect means that the repository or the issue has moved. Ferry
		// must not change anything there, and the transport adds the token to
		// every request.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	api.BaseURL = base // unchanged: WithEnterpriseURLs would add a path
	if o.UserAgent != "" {
		api.UserAgent = o.UserAgent
	}
	if o.Signed == nil {
		o.Signed = func(string) bool { return false }
	}
	if o.Answers == nil {
		o.Answers = func(string) bool { return true }
	}
	return &Client{
		api: api, transport: m, marked: o.Marked, signed: o.Signed, answers: o.Answers, login: o.Login, told: o.Login != "",
		owner: o.Repository.Owner, name: o.Repository.Name, ownerID: o.Repository.OwnerID,
	}, nil
}

// Room reports whether the run may still send requests that can wait: progress,
// and the next issue of a sweep. It is false when the run's budget is used up,
// when GitHub has asked for a pause, or when little is left of the 1,000
// requests per hour that the repository's workflows share. Answers are always
// sent.
func (c *Client) Room() bool { return c.transport.room() }

// AwaitRoom reports whether there is Room. If not, it first waits for the hour in
// which GitHub allows further requests, provided that it begins within most.
func (c *Client) AwaitRoom(ctx context.Context, most time.Duration) bool {
	return c.transport.await(ctx, most)
}

// Now returns the time by GitHub's clock, if a response has told it. GitHub's
// timestamps are compared with it, because the runner's clock may be wrong.
func (c *Client) Now() time.Time {
	c.transport.mu.Lock()
	defer c.transport.mu.Unlock()
	return c.transport.now().Add(c.transport.ahead)
}

// Standing returns the relation of a user to the repository: owner,
// collaborator (with write access), or anyone. It uses the permission, not
// author_association. If an organisation owns the repository, its
// administrators count as owners.
func (c *Client) Standing(ctx context.Context, user event.User) (config.Who, error) {
	if user.ID != 0 && user.ID == c.ownerID {
		return config.Owner, nil
	}
	level, _, err := c.api.Repositories.GetPermissionLevel(ctx, c.owner, c.name, url.PathEscape(user.Login))
	if isStatus(err, http.StatusNotFound) { // a deleted account, or an App
		return config.Anyone, nil
	}
	if err != nil {
		return config.Anyone, classify("asking for a permission", err)
	}
	switch level.GetPermission() {
	case "admin":
		return config.Owner, nil
	case "write":
		return config.Collaborators, nil
	}
	return config.Anyone, nil
}

// wrote reports whether the token's account has written a marked comment. An
// installation token may not ask for its login: it is github-actions[bot] or an
// App, whose comments are identified by their signature.
func (c *Client) wrote(ctx context.Context, comment *github.IssueComment) (bool, error) {
	self, told, err := c.self(ctx)
	if err != nil {
		return false, err
	}
	by := comment.GetUser()
	return strings.EqualFold(by.GetLogin(), self) || !told && by.GetType() == "Bot" && c.signed(comment.GetBody()), nil
}

// Personal reports whether the token belongs to an account, and not to a job or an App.
func (c *Client) Personal(ctx context.Context) (bool, error) {
	_, told, err := c.self(ctx)
	return told, err
}

// learn records the author of a comment that GitHub has just created as the
// token's login.
func (c *Client) learn(login string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if login != "" {
		c.login, c.told = login, true
	}
}

// self returns the token's login, and whether GitHub has told it.
func (c *Client) self(ctx context.Context) (login string, told bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.login != "" {
		return c.login, c.told, nil
	}
	user, _, err := c.api.Users.Get(ctx, "")
	switch {
	case isStatus(err, http.StatusForbidden):
		c.login = "github-actions[bot]" // logins of people contain no brackets
	case err != nil:
		return "", false, classify("asking who the token belongs to", err)
	default:
		c.login, c.told = user.GetLogin(), true
	}
	return c.login, c.told, nil
}
