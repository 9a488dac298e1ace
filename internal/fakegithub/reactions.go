package fakegithub

import (
	"encoding/json"
	"net/http"
	"slices"
)

func (s *Server) listReactions(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	return s.shownReactions(c, i.reactions)
}

func (s *Server) react(c *call) answer {
	i, missing := s.find(c)
	if missing != nil {
		return *missing
	}
	return s.addReaction(c, i, 0, &i.reactions)
}

func (s *Server) listCommentReactions(c *call) answer {
	_, found := s.findComment(c)
	if found == nil {
		return notFound()
	}
	return s.shownReactions(c, found.reactions)
}

func (s *Server) reactToComment(c *call) answer {
	i, found := s.findComment(c)
	if found == nil {
		return notFound()
	}
	return s.addReaction(c, i, found.id, &found.reactions)
}

// addReaction answers 200 instead of 201 if the user already has this reaction.
func (s *Server) addReaction(c *call, i *issue, comment int64, to *[]reaction) answer {
	var want struct {
		Content string `json:"content"`
	}
	if err := json.Unmarshal(c.body, &want); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	if !slices.Contains([]string{"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"}, want.Content) {
		return invalid(problem{Resource: "Reaction", Field: "content", Code: "invalid"})
	}
	for _, r := range *to {
		if r.content == want.Content && r.user.ID == c.user.ID {
			return ok(s.reactionJSON(c.base, r))
		}
	}
	made := reaction{s.id(), want.Content, c.user, s.now()}
	*to = append(*to, made)
	s.notify(Event{Kind: Reacted, Issue: i.number, Comment: comment, User: c.user, Text: want.Content})
	return answer{status: http.StatusCreated, body: s.reactionJSON(c.base, made)}
}

func (s *Server) shownReactions(c *call, all []reaction) answer {
	return paged(c, all, func(r reaction) map[string]any { return s.reactionJSON(c.base, r) })
}
