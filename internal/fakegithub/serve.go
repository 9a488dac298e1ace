package fakegithub

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// maxBody is larger than any request of the API.
const maxBody = 1 << 20

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Reading to the end also lets net/http notice when the client goes away.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return
	}

	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	s.mu.Lock()
	s.log = append(s.log, Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Body: string(body)})
	n := len(s.log)
	s.mu.Unlock()

	var fault Fault
	if s.config.Fault != nil {
		r.Body = io.NopCloser(bytes.NewReader(body))
		fault = s.config.Fault(n, r)
	}
	broken := fault.Status != 0 || fault.Cut || fault.Hang
	var a answer
	if !broken || fault.Effect {
		a = s.answer(r, body)
	}
	if fault.Hang {
		<-r.Context().Done()
	}
	if fault.Hang || fault.Cut {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	if fault.Status != 0 {
		a = refuse(fault.Status, cmp.Or(fault.Message, http.StatusText(fault.Status)))
		a.header = http.Header{}
		maps.Copy(a.header, fault.Header)
		a = a.seal(r, nil)
	}

	s.mu.Lock()
	s.log[n-1].Status = a.status
	s.mu.Unlock()
	a.write(w)
}

// answer handles one request.
func (s *Server) answer(r *http.Request, body []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.dispatch(r, body)
	if a.header == nil {
		a.header = http.Header{}
	}
	s.requests.describe(a.header, s.now())
	return a.seal(r, s.requests)
}

// dispatch checks the token and the rate, and finds the handler.
func (s *Server) dispatch(r *http.Request, body []byte) answer {
	token := strings.TrimPrefix(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), "token ")
	user, known := s.config.Tokens[token]
	if !known {
		return refuse(http.StatusUnauthorized, "Bad credentials")
	}
	if r.URL.Path != "/rate_limit" { // which costs nothing
		if a, limited := s.limit(r); limited {
			return a
		}
	}
	switch {
	case r.Method == http.MethodGet:
	case s.config.Archived:
		return refuse(http.StatusForbidden, "Repository was archived so is read-only.")
	case s.config.ReadOnly:
		return integration()
	}

	for _, route := range routes {
		if args, ok := route.match(r); ok {
			return route.handle(s, &call{Request: r, args: args, body: body, user: user, base: base(r)})
		}
	}
	return notFound()
}

// base returns the client's address of the API.
func base(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// route is one operation of the API; {} is a variable segment.
type route struct {
	method, pattern string
	handle          func(*Server, *call) answer
}

var routes = []route{
	{"GET", "/user", (*Server).getUser},
	{"GET", "/rate_limit", (*Server).getRateLimit},
	{"GET", "/repos/{}/{}", (*Server).getRepository},
	{"GET", "/repos/{}/{}/contents/{}/{}", (*Server).getFile},
	{"GET", "/repos/{}/{}/actions/workflows", (*Server).listWorkflows},
	{"PUT", "/repos/{}/{}/actions/workflows/{}/enable", (*Server).enableWorkflow},
	{"POST", "/repos/{}/{}/actions/workflows/{}/dispatches", (*Server).startWorkflow},
	{"GET", "/repos/{}/{}/actions/workflows/{}/runs", (*Server).listRuns},
	{"GET", "/repos/{}/{}/actions/runs/{}/jobs", (*Server).listJobs},
	{"GET", "/repos/{}/{}/check-runs/{}/annotations", (*Server).listAnnotations},
	{"GET", "/repos/{}/{}/collaborators/{}/permission", (*Server).getPermission},
	{"GET", "/repos/{}/{}/labels", (*Server).listLabels},
	{"POST", "/repos/{}/{}/labels", (*Server).createLabel},
	{"GET", "/repos/{}/{}/issues", (*Server).listIssues},
	{"POST", "/repos/{}/{}/issues", (*Server).createIssue},
	{"GET", "/repos/{}/{}/issues/comments", (*Server).listAllComments},
	{"GET", "/repos/{}/{}/issues/comments/{}", (*Server).getComment},
	{"PATCH", "/repos/{}/{}/issues/comments/{}", (*Server).editComment},
	{"DELETE", "/repos/{}/{}/issues/comments/{}", (*Server).deleteComment},
	{"GET", "/repos/{}/{}/issues/comments/{}/reactions", (*Server).listCommentReactions},
	{"POST", "/repos/{}/{}/issues/comments/{}/reactions", (*Server).reactToComment},
	{"GET", "/repos/{}/{}/issues/{}", (*Server).getIssue},
	{"PATCH", "/repos/{}/{}/issues/{}", (*Server).editIssue},
	{"GET", "/repos/{}/{}/issues/{}/comments", (*Server).listComments},
	{"POST", "/repos/{}/{}/issues/{}/comments", (*Server).createComment},
	{"GET", "/repos/{}/{}/issues/{}/labels", (*Server).listIssueLabels},
	{"POST", "/repos/{}/{}/issues/{}/labels", (*Server).addLabels},
	{"DELETE", "/repos/{}/{}/issues/{}/labels/{}", (*Server).removeLabel},
	{"GET", "/repos/{}/{}/issues/{}/reactions", (*Server).listReactions},
	{"POST", "/repos/{}/{}/issues/{}/reactions", (*Server).react},
	{"GET", "/repos/{}/{}/git/ref/heads/{}", (*Server).getRef},
	{"GET", "/repos/{}/{}/git/commits/{}", (*Server).getCommit},
	{"POST", "/repos/{}/{}/git/trees", (*Server).createTree},
	{"POST", "/repos/{}/{}/git/commits", (*Server).createCommit},
	{"POST", "/repos/{}/{}/git/refs", (*Server).createRef},
	{"PATCH", "/repos/{}/{}/git/refs/heads/{}", (*Server).updateRef},
}

// match returns the variable segments after the repository, unescaped.
func (p route) match(r *http.Request) ([]string, bool) {
	want := strings.Split(p.pattern, "/")
	have := strings.Split(r.URL.EscapedPath(), "/")
	if r.Method != p.method || len(want) != len(have) {
		return nil, false
	}
	var args []string
	for i, w := range want {
		segment, err := url.PathUnescape(have[i])
		switch {
		case err != nil, w != "{}" && w != segment:
			return nil, false
		case w == "{}":
			args = append(args, segment)
		}
	}
	return args, true
}
