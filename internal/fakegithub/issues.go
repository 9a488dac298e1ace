package fakegithub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/event"
)

// maxTitle is the maximum length of a title in characters, from the same
// source.
const maxTitle = 256

func (s *Server) getIssue(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	return ok(s.issueJSON(c.base, i))
}

func (s *Server) listIssues(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	q := c.URL.Query()
	since, _ := time.Parse(time.RFC3339, q.Get("since")) // GitHub ignores what it can't read
	state := q.Get("state")
	if state == "" {
		state = "open"
	}
	var found []*issue
	for _, i := range s.issues {
		switch {
		case i.deleted, s.config.NoIssues,
			state != "all" && (state == "closed") != i.closed,
			q.Get("creator") != "" && !strings.EqualFold(q.Get("creator"), i.author.Login),
			i.updated.Before(since),
			!i.hasLabels(q.Get("labels")):
			continue
		}
		found = append(found, i)
	}
	if q.Get("direction") != "asc" { // newest first
		slices.Reverse(found)
	}
	return paged(c, found, func(i *issue) issueJSON { return s.issueJSON(c.base, i) })
}

func (i *issue) hasLabels(names string) bool {
	if names == "" {
		return true
	}
	for name := range strings.SplitSeq(names, ",") {
		if !slices.ContainsFunc(i.labels, func(l string) bool { return strings.EqualFold(l, name) }) {
			return false
		}
	}
	return true
}

// Draft is an issue to be opened.
type Draft struct {
	Author      event.User
	Title, Body string
	Labels      []string
	PullRequest bool
}

func (s *Server) open(d Draft) *issue {
	s.meet(d.Author)
	now := s.now()
	i := &issue{number: len(s.issues) + 1, id: s.id(), title: d.Title, body: d.Body, author: d.Author, pull: d.PullRequest, created: now, updated: now}
	for _, name := range d.Labels {
		l, exists := s.label(name)
		if !exists {
			l = s.newLabel(name, "", "")
		}
		i.labels = append(i.labels, l.Name)
	}
	s.issues = append(s.issues, i)
	s.notify(Event{Kind: IssueOpened, Issue: i.number, User: d.Author, Text: d.Title})
	return i
}

// createIssue is POST /repos/{owner}/{repo}/issues with a title and a body.
func (s *Server) createIssue(c *call) answer {
	var want struct{ Title, Body string }
	switch err := json.Unmarshal(c.body, &want); {
	case !s.here(c):
		return notFound()
	case s.config.NoIssues:
		return refuse(http.StatusGone, "Issues has been disabled in this repository.")
	case err != nil:
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	case want.Title == "":
		return invalid(problem{Resource: "Issue", Field: "title", Code: "missing_field"})
	case utf8.RuneCountInString(want.Body) > maxText:
		return invalid(problem{Resource: "Issue", Field: "body", Code: "custom", Message: "body is too long (maximum is 65536 characters)"})
	}
	made := s.issueJSON(c.base, s.open(Draft{Author: c.user, Title: want.Title, Body: want.Body}))
	return created(made.URL, made)
}

// editIssue is PATCH /repos/{owner}/{repo}/issues/{number} for the fields that
// Ferry changes: the title, the state and its reason.
func (s *Server) editIssue(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	var want struct {
		Title       *string `json:"title"`
		State       *string `json:"state"`
		StateReason *string `json:"state_reason"`
	}
	if err := json.Unmarshal(c.body, &want); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	if want.State != nil && *want.State != "open" && *want.State != "closed" {
		return invalid(problem{Resource: "Issue", Field: "state", Code: "invalid"})
	}
	reason := ""
	if want.StateReason != nil {
		reason = *want.StateReason
		if !slices.Contains([]string{"completed", "not_planned", "duplicate", "reopened"}, reason) {
			return invalid(problem{Resource: "Issue", Field: "state_reason", Code: "invalid"})
		}
	}
	if want.Title != nil {
		switch n := utf8.RuneCountInString(*want.Title); {
		case n == 0:
			return invalid(problem{Resource: "Issue", Field: "title", Code: "missing_field"})
		case n > maxTitle:
			return invalid(problem{Resource: "Issue", Field: "title", Code: "custom", Message: "title is too long (maximum is 256 characters)"})
		}
		if *want.Title != i.title {
			i.title = *want.Title
			s.notify(Event{Kind: TitleChanged, Issue: i.number, User: c.user, Text: i.title})
		}
	}
	// "state_reason: Ignored unless state is changed", says the description.
	if want.State != nil && (*want.State == "closed") != i.closed {
		s.setState(i, *want.State == "closed", reason, c.user)
	}
	i.updated = s.now()
	return ok(s.issueJSON(c.base, i))
}

func (s *Server) setState(i *issue, closed bool, reason string, by event.User) {
	i.closed, i.reason = closed, reason
	kind := Reopened
	if closed {
		kind, i.closedAt = Closed, s.now()
		if reason == "" {
			i.reason = "completed"
		}
	} else {
		i.reason = "reopened"
	}
	s.notify(Event{Kind: kind, Issue: i.number, User: by, Text: i.reason})
}
