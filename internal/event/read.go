package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/pattern"
)

// maxPayload is the largest payload that is read, in bytes: GitHub limits
// webhook payloads to 25 MB ("Webhook events and payloads").
const maxPayload = 25 << 20

// UnhandledError is returned for an event that Ferry does not handle.
type UnhandledError struct {
	Name string // as in GITHUB_EVENT_NAME; empty outside a workflow
}

func (e *UnhandledError) Error() string {
	problem := fmt.Sprintf("event %q is not handled", e.Name)
	if e.Name == "" {
		problem = "GITHUB_EVENT_NAME is not set"
	}
	return fmt.Sprintf("%s: the events that are handled are %s, %s, %s, %s and %s",
		problem, Issues, Comment, Dispatch, Schedule, Push)
}

// repositoryPattern matches "owner/name" as GitHub allows it. Both are used in
// addresses of its API.
var repositoryPattern = &pattern.Regexp{Text: `^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$`}

// Read reads the event that the runner describes by GITHUB_EVENT_NAME,
// GITHUB_EVENT_PATH and GITHUB_REPOSITORY; readFile is os.ReadFile outside
// tests. The text is that of the time of the event; the issue may have been
// edited since.
//
// The error is an *UnhandledError for an event that Ferry does not handle.
func Read(getenv func(string) string, readFile func(string) ([]byte, error)) (Event, error) {
	kind := Kind(getenv("GITHUB_EVENT_NAME"))
	switch kind {
	case Issues, Comment, Dispatch, Schedule, Push:
	default:
		return Event{}, &UnhandledError{string(kind)}
	}
	path := getenv("GITHUB_EVENT_PATH")
	if path == "" {
		return Event{}, fmt.Errorf("reading the payload of %s: GITHUB_EVENT_PATH is not set", kind)
	}
	data, err := readFile(path)
	if err != nil {
		return Event{}, fmt.Errorf("reading the payload of %s: %w", kind, err)
	}
	event, err := parse(kind, getenv("GITHUB_REPOSITORY"), data)
	if err != nil {
		return Event{}, fmt.Errorf("reading the payload of %s from %s: %w", kind, path, err)
	}
	return event, nil
}

func parse(kind Kind, repository string, data []byte) (Event, error) {
	if len(data) > maxPayload {
		return Event{}, fmt.Errorf("it has %d bytes; the limit is %d", len(data), maxPayload)
	}
	var p payload
	if err := json.Unmarshal(data, &p); err != nil {
		return Event{}, fmt.Errorf("parsing JSON: %w", err)
	}
	e := Event{Kind: kind, Action: p.Action, Sender: p.Sender.user()}
	var err error
	if e.Repository, err = p.Repository.repository(repository); err != nil {
		return Event{}, err
	}
	if kind == Issues || kind == Comment {
		if p.Issue == nil || p.Issue.Number <= 0 {
			return Event{}, fmt.Errorf("it has no issue with a number")
		}
		e.Issue = p.Issue.issue()
	}
	if kind == Comment {
		if p.Comment == nil || p.Comment.ID == 0 {
			return Event{}, fmt.Errorf("it has no comment with an id")
		}
		e.Comment = &IssueComment{ID: p.Comment.ID, Body: p.Comment.Body, Author: p.Comment.User.user()}
	}
	if kind == Dispatch {
		if e.Inputs, err = inputs(p.Inputs); err != nil {
			return Event{}, err
		}
	}
	return e, nil
}

// payload is the part of GitHub's payloads that Ferry uses ("Webhook events and
// payloads" in GitHub's documentation). Fields that may be null are pointers,
// or types for which null is the zero value.
type payload struct {
	Action     string             `json:"action"`
	Sender     *payloadUser       `json:"sender"`
	Repository *payloadRepository `json:"repository"`
	Issue      *payloadIssue      `json:"issue"`
	Comment    *struct {
		ID   int64        `json:"id"`
		Body string       `json:"body"`
		User *payloadUser `json:"user"`
	} `json:"comment"`
	Inputs map[string]json.RawMessage `json:"inputs"`
}

type payloadUser struct {
	ID    int64  `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"` // the owner's login in push payloads without a login
	Type  string `json:"type"`
}

// user returns the zero User for a deleted account, which is null in payloads.
func (u *payloadUser) user() User {
	if u == nil {
		return User{}
	}
	return User{ID: u.ID, Login: u.Login, Bot: u.Type == "Bot"}
}

type payloadRepository struct {
	Name    string      `json:"name"`
	Owner   payloadUser `json:"owner"`
	Fork    bool        `json:"fork"`
	Private bool        `json:"private"`
}

// repository falls back to fullName, "owner/name" from GITHUB_REPOSITORY,
// because the payload of a schedule does not always name the repository.
func (r *payloadRepository) repository(fullName string) (Repository, error) {
	repo := Repository{Unknown: true}
	if r != nil && r.Name != "" {
		owner := r.Owner.Login
		if owner == "" {
			owner = r.Owner.Name
		}
		fullName = owner + "/" + r.Name
		repo = Repository{OwnerID: r.Owner.ID, Fork: r.Fork, Private: r.Private}
	}
	if !repositoryPattern.MatchString(fullName) {
		return Repository{}, fmt.Errorf("neither it nor GITHUB_REPOSITORY names the repository as owner/name")
	}
	repo.Owner, repo.Name, _ = strings.Cut(fullName, "/")
	return repo, nil
}

type payloadIssue struct {
	Number int          `json:"number"`
	Title  string       `json:"title"`
	Body   string       `json:"body"`
	User   *payloadUser `json:"user"`
	Labels []struct {
		Name string `json:"name"`
	} `json:"labels"`
	State       string    `json:"state"`
	PullRequest *struct{} `json:"pull_request"`
}

func (i *payloadIssue) issue() *Issue {
	issue := &Issue{
		Number:      i.Number,
		Title:       i.Title,
		Body:        i.Body,
		Author:      i.User.user(),
		Open:        i.State == "open",
		PullRequest: i.PullRequest != nil,
	}
	for _, label := range i.Labels {
		issue.Labels = append(issue.Labels, label.Name)
	}
	return issue
}

// inputs returns the inputs of a workflow_dispatch as text. The payload has
// strings, booleans and numbers, depending on the types in the workflow.
func inputs(raw map[string]json.RawMessage) (map[string]string, error) {
	texts := make(map[string]string, len(raw))
	for name, data := range raw {
		var value any
		if err := json.Unmarshal(data, &value); err != nil {
			return nil, fmt.Errorf("parsing input %q: %w", name, err)
		}
		switch value := value.(type) {
		case nil:
			texts[name] = ""
		case string:
			texts[name] = value
		case bool:
			texts[name] = strconv.FormatBool(value)
		case float64:
			texts[name] = string(data)
		default:
			return nil, fmt.Errorf("input %q is not text, a number or a boolean", name)
		}
	}
	return texts, nil
}
