package fakegithub

import (
	"slices"

	"github.com/imageferry/ferry/internal/event"
)

// Open opens an issue, as its author would, and gives its number.
func (s *Server) Open(d Draft) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open(d).number
}

// Edit changes an issue's title and body, as its author would.
func (s *Server) Edit(number int, title, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[number-1]
	i.title, i.body, i.updated = title, body, s.now()
}

// Reopen opens a closed issue again, as its author would.
func (s *Server) Reopen(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[number-1]
	s.setState(i, false, "", i.author)
	i.updated = s.now()
}

// Close closes an issue for a reason, as its author would.
func (s *Server) Close(number int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[number-1]
	s.setState(i, true, reason, i.author)
	i.updated = s.now()
}

// Delete deletes an issue: the API says 410 for it from now on.
func (s *Server) Delete(number int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issues[number-1].deleted = true
}

// Comment comments on an issue, as the author would, and gives the id.
func (s *Server) Comment(number int, author event.User, body string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meet(author)
	return s.comment(s.issues[number-1], author, body).id
}

// Issue is an issue as it stands.
type Issue struct {
	Number      int
	Title, Body string
	Author      event.User
	Open        bool
	Reason      string // "completed", "not_planned", "reopened" or empty
	Labels      []string
	Reactions   []string
	Comments    []Comment
}

// Comment is a comment as it stands.
type Comment struct {
	ID        int64
	Author    event.User
	Body      string
	Reactions []string
}

// Issue gives the issue of that number, which must exist.
func (s *Server) Issue(number int) Issue {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.issues[number-1]
	shown := Issue{
		Number: i.number, Title: i.title, Body: i.body, Author: i.author, Open: !i.closed, Reason: i.reason,
		Labels: slices.Clone(i.labels), Reactions: contents(i.reactions),
	}
	for _, c := range i.comments {
		shown.Comments = append(shown.Comments, Comment{c.id, c.author, c.body, contents(c.reactions)})
	}
	return shown
}

func contents(reactions []reaction) []string {
	var all []string
	for _, r := range reactions {
		all = append(all, r.content)
	}
	return all
}

// Labels are the repository's labels.
func (s *Server) Labels() []Label {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.labels)
}
