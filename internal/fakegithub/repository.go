package fakegithub

import (
	"strings"
)

// getUser is GET /user, which GITHUB_TOKEN may not ask.
func (s *Server) getUser(c *call) answer {
	if c.user.Bot {
		return integration()
	}
	return ok(s.accountJSON(c.base, c.user))
}

func (s *Server) getRepository(c *call) answer {
	if !s.here(c) {
		return notFound()
	}
	return ok(s.repositoryJSON(c.base))
}

// getPermission answers as GitHub does: the roles of today are folded into
// the permissions of old, and everybody may read a public repository.
func (s *Server) getPermission(c *call) answer {
	user, known := s.users[strings.ToLower(c.args[2])]
	if !s.here(c) || !known {
		return notFound()
	}
	role := s.role(user.Login)
	permission := map[string]string{"maintain": "write", "triage": "read"}[role]
	if permission == "" {
		permission = role
	}
	shown := s.userJSON(c.base, user)
	shown["role_name"] = role
	return ok(map[string]any{"permission": permission, "role_name": role, "user": shown})
}

func (s *Server) role(login string) string {
	if strings.EqualFold(login, s.config.Repository.Owner) {
		return "admin"
	}
	for l, role := range s.config.Roles {
		if strings.EqualFold(l, login) {
			return role
		}
	}
	if s.config.Repository.Private {
		return "none"
	}
	return "read"
}

// association is GitHub's author_association: a relationship, no permission.
func (s *Server) association(login string) string {
	switch s.role(login) {
	case "admin":
		return "OWNER"
	case "maintain", "write", "triage":
		return "COLLABORATOR"
	}
	return "NONE"
}
