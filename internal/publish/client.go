// Package publish brings an answer to GitHub: one comment, labels, a
// reaction, a title, a close reason. Every effect looks first whether it is
// there already, so that a run that was cut off anywhere can be run again and
// ends as if nothing had happened.
//
// The pieces, from the bottom: transport adds the token, waits when
// GitHub asks to and repeats what is safe to repeat; cache, above it, asks
// for nothing twice that has not changed; Client is one repository;
// Conversation is Ferry's side of one issue.
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
	told   bool            // whether GitHub has said who we are
	login  string          // who we are; empty until somebody had to know
	labels map[string]bool // the repository's, in lower case; nil until somebody had to know
}

// New is a client of the repository; the error is an APIURL that is none.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimSuffix(o.APIURL, "/") + "/")
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("reading the address of GitHub's API: %q is no URL", o.APIURL)
	}
	m := newTransport(o)
	api := github.NewClient(&http.Client{
		Transport: &cache{next: m, kept: map[string]page{}},
		// A redirect means that the repository or the issue has moved. What
		// is said there is not for us to change, and the token, which the
		// transport adds to everything, is for here.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	api.BaseURL = base // as it is: WithEnterpriseURLs would add a path
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

// Room reports whether the run may still send what can wait: progress, and the
// next issue of a sweep. It is false when the run's budget is used up, when
// GitHub has asked for a pause, or has little left for this repository, whose
// other workflows live off the same 1,000 requests an hour. Answers are never
// withheld.
func (c *Client) Room() bool { return c.transport.room() }

// Now is the time by GitHub's clock, as far as an answer has told it: what
// GitHub dates is compared with this, and a runner's clock may be wrong.
func (c *Client) Now() time.Time {
	c.transport.mu.Lock()
	defer c.transport.mu.Unlock()
	return c.transport.now().Add(c.transport.ahead)
}

// Standing tells what somebody is to the repository: its owner, a
// collaborator, who may write, or anyone. The permission is what counts;
// author_association, a mere relationship, is not asked. Where an
// organisation owns the repository its administrators are the owners.
func (c *Client) Standing(ctx context.Context, user event.User) (config.Who, error) {
	if user.ID != 0 && user.ID == c.ownerID {
		return config.Owner, nil
	}
	level, _, err := c.api.Repositories.GetPermissionLevel(ctx, c.owner, c.name, url.PathEscape(user.Login))
	if isStatus(err, http.StatusNotFound) { // an account that has gone, or an App
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
// installation token may not ask who it is: it is github-actions[bot]'s, or that
// of an App, which is known by the signature that its comments bear.
func (c *Client) wrote(ctx context.Context, comment *github.IssueComment) (bool, error) {
	self, told, err := c.self(ctx)
	if err != nil {
		return false, err
	}
	by := comment.GetUser()
	return strings.EqualFold(by.GetLogin(), self) || !told && by.GetType() == "Bot" && c.signed(comment.GetBody()), nil
}

// learn takes the author of a comment that GitHub has just created for the login
// that the token acts as.
func (c *Client) learn(login string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if login != "" {
		c.login, c.told = login, true
	}
}

// self is the login that the token acts as, and whether GitHub has told it.
func (c *Client) self(ctx context.Context) (login string, told bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.login != "" {
		return c.login, c.told, nil
	}
	user, _, err := c.api.Users.Get(ctx, "")
	switch {
	case isStatus(err, http.StatusForbidden):
		c.login = "github-actions[bot]" // people's logins have no brackets
	case err != nil:
		return "", false, classify("asking who the token belongs to", err)
	default:
		c.login, c.told = user.GetLogin(), true
	}
	return c.login, c.told, nil
}
