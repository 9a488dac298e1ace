// Package fakegithub is the part of GitHub's REST API that Ferry uses, in
// memory: issues, comments, labels, reactions, permissions, rate limits, and
// the answers that GitHub gives when something is wrong. Tests and the demo
// talk to it over HTTP as they would talk to api.github.com. The end-to-end
// suite holds every answer against GitHub's own OpenAPI description.
package fakegithub

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/event"
)

// Bot is the account that GITHUB_TOKEN acts as, with its id on github.com.
func Bot() event.User {
	return event.User{ID: 41898282, Login: "github-actions[bot]", Bot: true}
}

// Config is the configuration of a Server. Only Repository and Tokens are required.
type Config struct {
	Repository event.Repository
	NoIssues   bool // the repository's Issues are switched off
	Archived   bool // nothing in the repository can be changed any more
	ReadOnly   bool // the tokens may change nothing, as without "issues: write"

	// Workflows are the states of the repository's workflows by their paths.
	Workflows map[string]string

	// Files are the repository's, on its default branch, by their paths.
	Files map[string]string

	// Tokens are the credentials that are accepted, and who acts with each.
	// A bot has the powers of GITHUB_TOKEN: it may not ask who it is.
	Tokens map[string]event.User

	// Roles are the collaborators by login: "admin", "maintain", "write",
	// "triage" or "read". The repository's owner is always "admin".
	Roles map[string]string

	// Now is the clock; time.Now if nil.
	Now func() time.Time

	// Limits bound the requests; zero for none.
	Limits Limits

	// Fault returns the fault of the n-th request, counted from 1.
	Fault func(n int, r *http.Request) Fault

	// Notify is called with each event of the repository, in order. It must not
	// call the Server, which is locked meanwhile.
	Notify func(Event)
}

// Fault is the fault of a request; zero for none.
type Fault struct {
	Status  int         // answer with this status
	Message string      // and these words; those of the status if empty
	Header  http.Header // and these headers
	Cut     bool        // break off the connection instead of answering
	Hang    bool        // don't answer until the client gives up
	Effect  bool        // what was asked happens all the same, only the answer is lost
}

// Request is one line of the log.
type Request struct {
	Method, Path, Query string
	Body                string
	Status              int // 0 if there was no answer
}

// String is "PATCH /repos/o/r/issues/1 200".
func (r Request) String() string { return fmt.Sprintf("%s %s %d", r.Method, r.Path, r.Status) }

// Server is one repository on GitHub. It is an http.Handler, safe for
// concurrent use.
type Server struct {
	config Config
	now    func() time.Time

	mu       sync.Mutex
	log      []Request
	issues   []*issue // by number - 1
	labels   []Label
	users    map[string]event.User // everybody who was seen, by lower-case login
	lastID   int64
	requests *window
	content  []*window
}

// New is a repository without issues.
func New(c Config) *Server {
	s := &Server{config: c, now: c.Now, users: map[string]event.User{}, lastID: 1000}
	if s.now == nil {
		s.now = time.Now
	}
	s.requests, s.content = c.Limits.windows()
	s.meet(event.User{ID: c.Repository.OwnerID, Login: c.Repository.Owner})
	for _, u := range c.Tokens {
		s.meet(u)
	}
	return s
}

func (s *Server) meet(u event.User) { s.users[strings.ToLower(u.Login)] = u }

func (s *Server) id() int64 {
	s.lastID++
	return s.lastID
}

// call is one request on its way to its handler.
type call struct {
	*http.Request
	args []string // the variable segments of the path
	body []byte
	user event.User
	base string // the API's address, without a slash at the end
}

// maxBody is more than any request of the API holds.
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

// dispatch checks who asks and how often, and finds the handler.
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

// base is the address by which the client knows the API.
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
	{"GET", "/repos/{}/{}/collaborators/{}/permission", (*Server).getPermission},
	{"GET", "/repos/{}/{}/labels", (*Server).listLabels},
	{"POST", "/repos/{}/{}/labels", (*Server).createLabel},
	{"GET", "/repos/{}/{}/issues", (*Server).listIssues},
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
}

// match gives the variable segments behind the repository, unescaped.
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

// here reports whether the path names this repository.
func (s *Server) here(c *call) bool {
	r := s.config.Repository
	return strings.EqualFold(c.args[0], r.Owner) && strings.EqualFold(c.args[1], r.Name)
}

// Requests is the log so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}
