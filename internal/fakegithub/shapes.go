package fakegithub

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/event"
)

// The shapes of the answers: what GitHub's OpenAPI description requires, and
// what Ferry reads besides.

// site is GitHub's website.
const site = "https://github.com/"

func nodeID(kind string, id int64) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s%d", kind, id))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

type userJSON map[string]any

func (s *Server) userJSON(base string, u event.User) userJSON {
	at := base + "/users/" + url.PathEscape(u.Login)
	kind := "User"
	if u.Bot {
		kind = "Bot"
	}
	return userJSON{
		"login": u.Login, "id": u.ID, "node_id": nodeID("User", u.ID), "type": kind, "site_admin": false,
		"avatar_url":  fmt.Sprintf("https://avatars.githubusercontent.com/u/%d?v=4", u.ID),
		"gravatar_id": "", "url": at, "html_url": site + url.PathEscape(u.Login),
		"followers_url": at + "/followers", "following_url": at + "/following{/other_user}",
		"gists_url": at + "/gists{/gist_id}", "starred_url": at + "/starred{/owner}{/repo}",
		"subscriptions_url": at + "/subscriptions", "organizations_url": at + "/orgs",
		"repos_url": at + "/repos", "events_url": at + "/events{/privacy}",
		"received_events_url": at + "/received_events",
	}
}

// accountJSON is a user as GET /user shows them to a token without the scope
// for more.
func (s *Server) accountJSON(base string, u event.User) userJSON {
	shown := s.userJSON(base, u)
	for _, null := range []string{"name", "company", "blog", "location", "email", "hireable", "bio"} {
		shown[null] = nil
	}
	for _, zero := range []string{"public_repos", "public_gists", "followers", "following"} {
		shown[zero] = 0
	}
	shown["user_view_type"] = "public"
	shown["created_at"], shown["updated_at"] = stamp(s.now()), stamp(s.now())
	return shown
}

func (s *Server) repositoryPath() string {
	return s.config.Repository.Owner + "/" + s.config.Repository.Name
}

func (s *Server) repositoryJSON(base string) map[string]any {
	r := s.config.Repository
	open := 0
	for _, i := range s.issues {
		if !i.closed && !i.deleted {
			open++
		}
	}
	at, web := base+"/repos/"+s.repositoryPath(), site+s.repositoryPath()
	visibility := "public"
	if r.Private {
		visibility = "private"
	}
	shown := map[string]any{
		"id": 1, "node_id": nodeID("Repository", 1), "name": r.Name, "full_name": s.repositoryPath(),
		"owner":   s.userJSON(base, event.User{ID: r.OwnerID, Login: r.Owner}),
		"private": r.Private, "visibility": visibility, "fork": r.Fork, "has_issues": !s.config.NoIssues,
		"url": at, "html_url": web, "clone_url": web + ".git", "git_url": "git://github.com/" + s.repositoryPath() + ".git",
		"ssh_url": "git@github.com:" + s.repositoryPath() + ".git", "svn_url": web,
		"description": nil, "homepage": nil, "language": nil, "license": nil, "mirror_url": nil,
		"default_branch": "main", "archived": s.config.Archived, "disabled": false,
		"has_projects": false, "has_wiki": false, "has_pages": s.config.Pages, "has_discussions": false,
		"forks": 0, "forks_count": 0, "network_count": 0, "size": 0, "stargazers_count": 0,
		"subscribers_count": 0, "watchers": 0, "watchers_count": 0,
		"open_issues": open, "open_issues_count": open,
		"created_at": stamp(s.now()), "updated_at": stamp(s.now()), "pushed_at": stamp(s.now()),
	}
	for name := range strings.FieldsSeq(`archive assignees blobs branches collaborators comments commits compare
		contents contributors deployments downloads events forks git_commits git_refs git_tags hooks issue_comment
		issue_events issues keys labels languages merges milestones notifications pulls releases stargazers statuses
		subscribers subscription tags teams trees`) {
		shown[name+"_url"] = at + "/" + name
	}
	return shown
}

type issueJSON struct {
	ID            int64       `json:"id"`
	NodeID        string      `json:"node_id"`
	Number        int         `json:"number"`
	Title         string      `json:"title"`
	Body          string      `json:"body"`
	State         string      `json:"state"`
	StateReason   *string     `json:"state_reason"`
	Locked        bool        `json:"locked"`
	User          userJSON    `json:"user"`
	Labels        []labelJSON `json:"labels"`
	Assignee      any         `json:"assignee"`
	Assignees     []any       `json:"assignees"`
	Milestone     any         `json:"milestone"`
	Comments      int         `json:"comments"`
	Association   string      `json:"author_association"`
	Pull          any         `json:"pull_request,omitempty"`
	CreatedAt     string      `json:"created_at"`
	UpdatedAt     string      `json:"updated_at"`
	ClosedAt      *string     `json:"closed_at"`
	URL           string      `json:"url"`
	HTMLURL       string      `json:"html_url"`
	RepositoryURL string      `json:"repository_url"`
	LabelsURL     string      `json:"labels_url"`
	CommentsURL   string      `json:"comments_url"`
	EventsURL     string      `json:"events_url"`
}

func (s *Server) issueJSON(base string, i *issue) issueJSON {
	repository := base + "/repos/" + s.repositoryPath()
	at := fmt.Sprintf("%s/issues/%d", repository, i.number)
	shown := issueJSON{
		ID: i.id, NodeID: nodeID("Issue", i.id), Number: i.number, Title: i.title, Body: i.body, State: "open",
		User: s.userJSON(base, i.author), Labels: []labelJSON{}, Assignees: []any{}, Comments: len(i.comments),
		Association: s.association(i.author.Login), CreatedAt: stamp(i.created), UpdatedAt: stamp(i.updated),
		URL: at, HTMLURL: s.issueURL(i), RepositoryURL: repository, LabelsURL: at + "/labels{/name}",
		CommentsURL: at + "/comments", EventsURL: at + "/events",
	}
	for _, name := range i.labels {
		l, _ := s.label(name) // an issue's labels are the repository's
		shown.Labels = append(shown.Labels, s.labelJSON(base, l))
	}
	if i.reason != "" {
		shown.StateReason = &i.reason
	}
	if i.closed {
		at := stamp(i.closedAt)
		shown.State, shown.ClosedAt = "closed", &at
	}
	if i.pull {
		web := site + s.repositoryPath() + fmt.Sprintf("/pull/%d", i.number)
		shown.Pull = map[string]string{
			"url": fmt.Sprintf("%s/pulls/%d", repository, i.number), "html_url": web,
			"diff_url": web + ".diff", "patch_url": web + ".patch",
		}
	}
	return shown
}

func (s *Server) issueURL(i *issue) string {
	return fmt.Sprintf("%s%s/issues/%d", site, s.repositoryPath(), i.number)
}

type commentJSON struct {
	ID          int64    `json:"id"`
	NodeID      string   `json:"node_id"`
	Body        string   `json:"body"`
	User        userJSON `json:"user"`
	Association string   `json:"author_association"`
	CreatedAt   string   `json:"created_at"`
	UpdatedAt   string   `json:"updated_at"`
	URL         string   `json:"url"`
	HTMLURL     string   `json:"html_url"`
	IssueURL    string   `json:"issue_url"`
}

func (s *Server) commentJSON(base string, i *issue, c *comment) commentJSON {
	repository := base + "/repos/" + s.repositoryPath()
	return commentJSON{
		ID: c.id, NodeID: nodeID("IssueComment", c.id), Body: c.body, User: s.userJSON(base, c.author),
		Association: s.association(c.author.Login), CreatedAt: stamp(c.created), UpdatedAt: stamp(c.updated),
		URL:      fmt.Sprintf("%s/issues/comments/%d", repository, c.id),
		HTMLURL:  fmt.Sprintf("%s#issuecomment-%d", s.issueURL(i), c.id),
		IssueURL: fmt.Sprintf("%s/issues/%d", repository, i.number),
	}
}

type labelJSON struct {
	ID          int64   `json:"id"`
	NodeID      string  `json:"node_id"`
	URL         string  `json:"url"`
	Name        string  `json:"name"`
	Color       string  `json:"color"`
	Default     bool    `json:"default"`
	Description *string `json:"description"`
}

func (s *Server) labelJSON(base string, l Label) labelJSON {
	shown := labelJSON{
		ID: l.id, NodeID: nodeID("Label", l.id), Name: l.Name, Color: l.Color,
		URL: base + "/repos/" + s.repositoryPath() + "/labels/" + url.PathEscape(l.Name),
	}
	if l.Description != "" {
		shown.Description = &l.Description
	}
	return shown
}

func (s *Server) reactionJSON(base string, r reaction) map[string]any {
	return map[string]any{
		"id": r.id, "node_id": nodeID("Reaction", r.id), "user": s.userJSON(base, r.user),
		"content": r.content, "created_at": stamp(r.created),
	}
}
