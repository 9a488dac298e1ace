package fakegithub

import (
	"encoding/base64"
	"strings"
)

// getUser is GET /user, which GITHUB_TOKEN may not call.
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

// getFile returns a file in a folder.
func (s *Server) getFile(c *call) answer {
	path := c.args[2] + "/" + c.args[3]
	text, known := s.config.Files[path]
	if branch := c.URL.Query().Get("ref"); branch != "" {
		text, known = s.git.trees[s.git.commits[s.git.branches[branch]].tree][path]
	}
	if !s.here(c) || !known {
		return notFound()
	}
	sum := blobSum(text)
	page := c.base + "/repos/" + s.config.Repository.Owner + "/" + s.config.Repository.Name
	links := map[string]any{"self": page + "/contents/" + path, "git": page + "/git/blobs/" + sum, "html": page + "/blob/main/" + path}
	return ok(map[string]any{
		"type": "file", "encoding": "base64", "size": len(text), "name": c.args[3], "path": path, "sha": sum,
		"content": base64.StdEncoding.EncodeToString([]byte(text)), "_links": links,
		"url": links["self"], "git_url": links["git"], "html_url": links["html"], "download_url": page + "/raw/main/" + path,
	})
}

// getPermission answers like GitHub: newer roles are mapped to the older
// permissions, and everyone can read a public repository.
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
