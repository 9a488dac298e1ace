package fakegithub

import (
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/imageferry/ferry/internal/event"
)

func (s *Server) listComments(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	return paged(c, i.comments, func(each *comment) commentJSON { return s.commentJSON(c.base, i, each) })
}

// listAllComments is GET /repos/…/issues/comments: those of all issues, by "since",
// "sort" and "direction".
func (s *Server) listAllComments(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	type placed struct {
		issue   *issue
		comment *comment
	}
	query := c.URL.Query()
	since, _ := time.Parse(time.RFC3339, query.Get("since"))
	var found []placed
	for _, i := range s.issues {
		for _, each := range i.comments {
			if !i.deleted && !each.updated.Before(since) {
				found = append(found, placed{i, each})
			}
		}
	}
	sort.SliceStable(found, func(i, j int) bool {
		a, b := found[i], found[j]
		order := a.comment.created.Compare(b.comment.created)
		if query.Get("sort") == "updated" {
			order = a.comment.updated.Compare(b.comment.updated)
		}
		if query.Get("direction") == "desc" {
			order = -order
		}
		return order < 0
	})
	return paged(c, found, func(p placed) commentJSON { return s.commentJSON(c.base, p.issue, p.comment) })
}

// text reads the body of a comment from the request, or returns an error
// answer.
func text(c *call) (string, *answer) {
	var a answer
	var want struct {
		Body *string `json:"body"`
	}
	switch err := json.Unmarshal(c.body, &want); {
	case err != nil:
		a = refuse(http.StatusBadRequest, "Problems parsing JSON")
	case want.Body == nil, strings.TrimSpace(*want.Body) == "":
		a = invalid(problem{Resource: "IssueComment", Field: "body", Code: "missing_field"})
	case utf8.RuneCountInString(*want.Body) > maxText:
		a = invalid(problem{Resource: "IssueComment", Field: "data", Code: "unprocessable", Message: "Body is too long (maximum is 65536 characters)"})
	default:
		return *want.Body, nil
	}
	return "", &a
}

func (s *Server) createComment(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	body, wrong := text(c)
	if wrong != nil {
		return *wrong
	}
	made := s.comment(i, c.user, body)
	shown := s.commentJSON(c.base, i, made)
	return created(shown.URL, shown)
}

func (s *Server) comment(i *issue, by event.User, body string) *comment {
	made := &comment{id: s.id(), body: body, author: by, created: s.now(), updated: s.now()}
	i.comments = append(i.comments, made)
	i.updated = made.created
	s.notify(Event{Kind: CommentCreated, Issue: i.number, Comment: made.id, User: by, Text: body})
	return made
}

// findComment returns the comment in the path and its issue, or nil.
func (s *Server) findComment(c *call) (*issue, *comment) {
	id, err := strconv.ParseInt(c.args[2], 10, 64)
	if err != nil || !s.here(c) {
		return nil, nil
	}
	for _, i := range s.issues {
		for _, each := range i.comments {
			if each.id == id && !i.deleted {
				return i, each
			}
		}
	}
	return nil, nil
}

func (s *Server) getComment(c *call) answer {
	i, found := s.findComment(c)
	if found == nil {
		return notFound()
	}
	return ok(s.commentJSON(c.base, i, found))
}

func (s *Server) editComment(c *call) answer {
	i, found := s.findComment(c)
	if found == nil {
		return notFound()
	}
	body, wrong := text(c)
	if wrong != nil {
		return *wrong
	}
	found.body, found.updated, i.updated = body, s.now(), s.now()
	s.notify(Event{Kind: CommentEdited, Issue: i.number, Comment: found.id, User: c.user, Text: body})
	return ok(s.commentJSON(c.base, i, found))
}

func (s *Server) deleteComment(c *call) answer {
	i, found := s.findComment(c)
	if found == nil {
		return notFound()
	}
	i.comments = slices.DeleteFunc(i.comments, func(each *comment) bool { return each == found })
	s.notify(Event{Kind: CommentDeleted, Issue: i.number, Comment: found.id, User: c.user})
	return answer{status: http.StatusNoContent}
}
