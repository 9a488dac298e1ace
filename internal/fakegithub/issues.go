package fakegithub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/event"
)

// maxText is how many characters a comment or an issue may hold. GitHub's
// error says so; https://github.com/dead-claudia/github-limits has measured it.
const maxText = 65536

// maxTitle is how many characters a title may hold, by the same source.
const maxTitle = 256

type issue struct {
	number           int
	id               int64
	title, body      string
	author           event.User
	closed           bool
	reason           string // "completed", "not_planned", "reopened" or empty
	pull             bool
	deleted          bool
	labels           []string // as the repository spells them
	comments         []*comment
	reactions        []reaction
	created, updated time.Time
	closedAt         time.Time
}

// find gives the issue that the path names, or the answer that there is none.
func (s *Server) find(c *call) (*issue, *answer) {
	n, err := strconv.Atoi(c.args[2])
	if err != nil || !s.here(c) || n < 1 || n > len(s.issues) {
		a := notFound()
		return nil, &a
	}
	if s.config.NoIssues {
		a := refuse(http.StatusGone, "Issues has been disabled in this repository.")
		return nil, &a
	}
	if s.issues[n-1].deleted {
		a := refuse(http.StatusGone, "This issue was deleted")
		return nil, &a
	}
	return s.issues[n-1], nil
}

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
	found := []any{}
	for _, i := range s.issues {
		switch {
		case i.deleted, s.config.NoIssues,
			state != "all" && (state == "closed") != i.closed,
			q.Get("creator") != "" && !strings.EqualFold(q.Get("creator"), i.author.Login),
			i.updated.Before(since),
			!i.hasLabels(q.Get("labels")):
			continue
		}
		found = append(found, s.issueJSON(c.base, i))
	}
	if q.Get("direction") != "asc" { // newest first
		slices.Reverse(found)
	}
	return paged(c, found)
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

// editIssue is PATCH /repos/{owner}/{repo}/issues/{number}, for what Ferry
// changes: the title, the state and its reason.
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

// paged cuts the page that the query asks for and says in the Link header
// where the others are.
func paged[T any](c *call, all []T) answer {
	q := c.URL.Query()
	number := func(name string, standard, most int) int {
		n, err := strconv.Atoi(q.Get(name))
		if err != nil || n < 1 {
			return standard
		}
		return min(n, most)
	}
	per := number("per_page", 30, 100)
	last := max((len(all)+per-1)/per, 1)
	page := number("page", 1, 1<<20)

	var links []string
	link := func(rel string, to int) {
		u := url.URL{Path: c.URL.Path}
		q.Set("page", strconv.Itoa(to))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel="%s"`, c.base, u.String(), rel))
	}
	if page > 1 {
		link("prev", page-1)
	}
	if page < last {
		link("next", page+1)
		link("last", last)
	}
	if page > 1 {
		link("first", 1)
	}
	a := ok(all[min((page-1)*per, len(all)):min(page*per, len(all))])
	if len(links) > 0 {
		a.header = http.Header{"Link": {strings.Join(links, ", ")}}
	}
	return a
}
