package fakegithub

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Branch returns the files of a branch, by path, and the number of its commits.
func (s *Server) Branch(name string) (files map[string]string, commits int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.git.branches[name]
	files = maps.Clone(s.git.trees[s.git.commits[at].tree])
	for at != "" {
		commits++
		parents := s.git.commits[at].parents
		if len(parents) == 0 {
			break
		}
		at = parents[0]
	}
	return files, commits
}

func (s *Server) gitURL(base, rest string) string {
	return base + "/repos/" + s.config.Repository.Owner + "/" + s.config.Repository.Name + "/git/" + rest
}

func (s *Server) refJSON(base, branch string) map[string]any {
	sha := s.git.branches[branch]
	return map[string]any{
		"ref": "refs/heads/" + branch, "node_id": nodeID("Ref", 1), "url": s.gitURL(base, "refs/heads/"+branch),
		"object": map[string]any{"type": "commit", "sha": sha, "url": s.gitURL(base, "commits/"+sha)},
	}
}

func (s *Server) commitJSON(base string, c commit) map[string]any {
	person := map[string]any{"date": c.time, "name": "github-actions[bot]", "email": "41898282+github-actions[bot]@users.noreply.github.com"}
	parents := []map[string]any{}
	for _, p := range c.parents {
		parents = append(parents, map[string]any{"sha": p, "url": s.gitURL(base, "commits/"+p), "html_url": site + p})
	}
	return map[string]any{
		"sha": c.sha, "node_id": nodeID("Commit", 1), "url": s.gitURL(base, "commits/"+c.sha), "html_url": site + c.sha,
		"author": person, "committer": person, "message": c.message, "parents": parents,
		"tree":         map[string]any{"sha": c.tree, "url": s.gitURL(base, "trees/"+c.tree)},
		"verification": map[string]any{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil},
	}
}

func (s *Server) getRef(c *call) answer {
	if _, known := s.git.branches[c.args[2]]; !known || !s.here(c) {
		return notFound()
	}
	return ok(s.refJSON(c.base, c.args[2]))
}

func (s *Server) getCommit(c *call) answer {
	made, known := s.git.commits[c.args[2]]
	if !known || !s.here(c) {
		return notFound()
	}
	return ok(s.commitJSON(c.base, made))
}

func (s *Server) createTree(c *call) answer {
	var want struct {
		Base string `json:"base_tree"`
		Tree []struct{ Path, Mode, Type, Content string }
	}
	if err := json.Unmarshal(c.body, &want); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	files, known := s.git.trees[want.Base]
	if !s.here(c) || want.Base != "" && !known {
		return notFound()
	}
	files = maps.Clone(files)
	if files == nil {
		files = map[string]string{}
	}
	for _, entry := range want.Tree {
		if entry.Path == "" || strings.HasPrefix(entry.Path, "/") || entry.Mode != "100644" || entry.Type != "blob" {
			return refuse(http.StatusUnprocessableEntity, "tree.path contains a malformed path component")
		}
		files[entry.Path] = entry.Content
	}
	paths := slices.Sorted(maps.Keys(files))
	all := sha1.New()
	entries := []map[string]any{}
	for _, path := range paths {
		sum := blobSum(files[path])
		fmt.Fprintf(all, "%s %s\n", path, sum)
		entries = append(entries, map[string]any{"path": path, "mode": "100644", "type": "blob", "sha": sum, "size": len(files[path]), "url": s.gitURL(c.base, "blobs/"+sum)})
	}
	sha := fmt.Sprintf("%x", all.Sum(nil))
	s.git.trees[sha] = files
	return created(s.gitURL(c.base, "trees/"+sha), map[string]any{"sha": sha, "url": s.gitURL(c.base, "trees/"+sha), "truncated": false, "tree": entries})
}

func (s *Server) createCommit(c *call) answer {
	var want struct {
		Message, Tree string
		Parents       []string
	}
	if err := json.Unmarshal(c.body, &want); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	if !s.here(c) || s.git.trees[want.Tree] == nil {
		return refuse(http.StatusUnprocessableEntity, "Tree SHA does not exist")
	}
	made := commit{message: want.Message, tree: want.Tree, parents: want.Parents, time: stamp(s.now())}
	made.sha = fmt.Sprintf("%x", sha1.Sum(fmt.Append(nil, made)))
	s.git.commits[made.sha] = made
	return created(s.gitURL(c.base, "commits/"+made.sha), s.commitJSON(c.base, made))
}

func (s *Server) createRef(c *call) answer {
	var want struct{ Ref, SHA string }
	if err := json.Unmarshal(c.body, &want); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	branch, named := strings.CutPrefix(want.Ref, "refs/heads/")
	switch _, there := s.git.branches[branch]; {
	case !named || !s.here(c) || s.git.commits[want.SHA].sha == "":
		return refuse(http.StatusUnprocessableEntity, "Object does not exist")
	case there:
		return refuse(http.StatusUnprocessableEntity, "Reference already exists")
	}
	s.git.branches[branch] = want.SHA
	return created(s.gitURL(c.base, want.Ref), s.refJSON(c.base, branch))
}

// updateRef moves a branch, unless commits would be lost.
func (s *Server) updateRef(c *call) answer {
	var want struct {
		SHA   string
		Force bool
	}
	if err := json.Unmarshal(c.body, &want); err != nil {
		return refuse(http.StatusBadRequest, "Problems parsing JSON")
	}
	now, there := s.git.branches[c.args[2]]
	made := s.git.commits[want.SHA]
	switch {
	case !there || !s.here(c):
		return refuse(http.StatusUnprocessableEntity, "Reference does not exist")
	case made.sha == "":
		return refuse(http.StatusUnprocessableEntity, "Object does not exist")
	case !want.Force && !slices.Contains(made.parents, now):
		return refuse(http.StatusUnprocessableEntity, "Update is not a fast forward")
	}
	s.git.branches[c.args[2]] = made.sha
	return ok(s.refJSON(c.base, c.args[2]))
}

// blobSum returns the name that git gives to a file.
func blobSum(text string) string {
	return fmt.Sprintf("%x", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text)))
}
