package fakegithub

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

func (s *Server) listLabels(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	return paged(c, s.labels, func(l Label) labelJSON { return s.labelJSON(c.base, l) })
}

func (s *Server) createLabel(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	var want struct {
		Name        string `json:"name"`
		Color       string `json:"color"`
		Description string `json:"description"`
	}
	if err := json.Unmarshal(c.body, &want); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	if want.Name == "" {
		return invalid(problem{Resource: "Label", Field: "name", Code: "missing_field"})
	}
	if _, exists := s.label(want.Name); exists {
		return invalid(problem{Resource: "Label", Field: "name", Code: "already_exists"})
	}
	if len(want.Description) > 100 {
		return invalid(problem{Resource: "Label", Field: "description", Code: "custom", Message: "description is too long (maximum is 100 characters)"})
	}
	l := s.newLabel(want.Name, want.Color, want.Description)
	shown := s.labelJSON(c.base, l)
	return created(shown.URL, shown)
}

func (s *Server) newLabel(name, color, description string) Label {
	if color == "" {
		color = "ededed"
	}
	l := Label{name, color, description, s.id()}
	s.labels = append(s.labels, l)
	return l
}

// shownLabels answers requests for an issue's labels.
func (s *Server) shownLabels(c *call, i *issue) answer {
	return paged(c, i.labels, func(name string) labelJSON {
		l, _ := s.label(name) // an issue's labels are the repository's
		return s.labelJSON(c.base, l)
	})
}

func (s *Server) listIssueLabels(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	return s.shownLabels(c, i)
}

// addLabels takes an object or, as the description's prose allows, an array.
// A label that the repository hasn't got is created, grey and undescribed
// (https://github.com/github/docs/issues/35718).
func (s *Server) addLabels(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	var names []string
	var object struct {
		Labels []string `json:"labels"`
	}
	if json.Unmarshal(c.body, &names) != nil {
		if json.Unmarshal(c.body, &object) != nil {
			return refuse(http.StatusBadRequest, "Problems parsing JSON")
		}
		names = object.Labels
	}
	for _, name := range names {
		if name == "" {
			return invalid(problem{Resource: "Label", Field: "name", Code: "missing_field"})
		}
		l, exists := s.label(name)
		if !exists {
			l = s.newLabel(name, "", "")
		}
		if !slices.Contains(i.labels, l.Name) {
			i.labels = append(i.labels, l.Name)
			s.notify(Event{Kind: Labeled, Issue: i.number, User: c.user, Text: l.Name})
		}
	}
	i.updated = s.now()
	return s.shownLabels(c, i)
}

func (s *Server) removeLabel(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	at := slices.IndexFunc(i.labels, func(l string) bool { return strings.EqualFold(l, c.args[3]) })
	if at < 0 {
		return refuse(http.StatusNotFound, "Label does not exist")
	}
	s.notify(Event{Kind: Unlabeled, Issue: i.number, User: c.user, Text: i.labels[at]})
	i.labels = slices.Delete(i.labels, at, at+1)
	i.updated = s.now()
	return s.shownLabels(c, i)
}
