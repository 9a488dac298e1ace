// Package fakegithub implements the part of GitHub's REST API that Ferry uses,
// in memory: issues, comments, labels, reactions, permissions, rate limits and
// GitHub's error responses. Tests and the demo use it over HTTP like
// api.github.com. The end-to-end suite checks every response against GitHub's
// OpenAPI description.
package fakegithub

import (
	"fmt"
	"net/http"
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
	NoIssues   bool // Issues are disabled
	Pages      bool // GitHub Pages is on
	Archived   bool // the repository is read-only
	ReadOnly   bool // the tokens may change nothing, as without "issues: write"

	// Workflows maps the paths of the repository's workflows to their states.
	Workflows map[string]string

	// Files are the files on the repository's default branch, by path.
	Files map[string]string

	// Tokens maps accepted tokens to their users. A bot has the permissions of
	// GITHUB_TOKEN: it may not call GET /user.
	Tokens map[string]event.User

	// Roles maps logins to roles: "admin", "maintain", "write", "triage" or
	// "read". The repository's owner is always "admin".
	Roles map[string]string

	// Now is the clock; time.Now if nil.
	Now func() time.Time

	// Limits bound the requests; zero for none.
	Limits Limits

	// Fault returns the fault of the n-th request, counted from 1.
	Fault func(n int, r *http.Request) Fault

	// Notify is called with each event of the repository, in order. It must not
	// call the Server, which is locked during the call.
	Notify func(Event)
}

// Fault is the fault of a request; zero for none.
type Fault struct {
	Status  int         // answer with this status
	Message string      // and this message; the text of the status if empty
	Header  http.Header // and these headers
	Cut     bool        // break off the connection instead of answering
	Hang    bool        // don't answer until the client gives up
	Effect  bool        // the request takes effect, only the response is lost
}

// Request is one line of the log.
type Request struct {
	Method, Path, Query string
	Body                string
	Status              int // 0 if there was no answer
}

// String returns the request as "PATCH /repos/o/r/issues/1 200".
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
	users    map[string]event.User // all users, by lower-case login
	lastID   int64
	runs     []*run // of workflows that were started by hand, newest first
	git      git
	requests *window
	content  []*window
}

// run is a run of a workflow; it has no conclusion until it has ended.
type run struct {
	id          int64
	file, title string
	conclusion  string
	created     time.Time
	annotations []Annotation
}

// Annotation is an error that a run's job notes.
type Annotation struct{ Title, Message string }

// New returns a repository without issues.
func New(c Config) *Server {
	s := &Server{config: c, now: c.Now, users: map[string]event.User{}, lastID: 1000, git: newGit()}
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

// Requests is the log so far.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func (s *Server) notify(e Event) {
	if s.config.Notify != nil {
		s.config.Notify(e)
	}
}

type issue struct {
	number           int
	id               int64
	title, body      string
	author           event.User
	closed           bool
	reason           string // "completed", "not_planned", "reopened" or empty
	pull             bool
	deleted          bool
	labels           []string // as the repository spells them
	comments         []*comment
	reactions        []reaction
	created, updated time.Time
	closedAt         time.Time
}

type comment struct {
	id               int64
	body             string
	author           event.User
	reactions        []reaction
	created, updated time.Time
}

type reaction struct {
	id      int64
	content string
	user    event.User
	created time.Time
}

// Label is a label of the repository.
type Label struct {
	Name, Color, Description string
	id                       int64
}

// label finds a label by name, whose case does not matter.
func (s *Server) label(name string) (Label, bool) {
	for _, l := range s.labels {
		if strings.EqualFold(l.Name, name) {
			return l, true
		}
	}
	return Label{}, false
}

// commit is a commit of the repository, with all its files by path.
type commit struct {
	sha, message string
	parents      []string
	tree         string
	time         string
}

// git is the part of a repository that the Git database API changes.
type git struct {
	trees    map[string]map[string]string // by hash
	commits  map[string]commit
	branches map[string]string // commits by branch
}

func newGit() git {
	return git{map[string]map[string]string{}, map[string]commit{}, map[string]string{}}
}
