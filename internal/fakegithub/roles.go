package fakegithub

import "strings"

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

// association returns GitHub's author_association: a relationship, not a
// permission.
func (s *Server) association(login string) string {
	switch s.role(login) {
	case "admin":
		return "OWNER"
	case "maintain", "write", "triage":
		return "COLLABORATOR"
	}
	return "NONE"
}
