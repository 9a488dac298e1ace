package site

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// exchange meters one request and its answer and lets a fault cut either.
type exchange struct {
	http.ResponseWriter
	body  io.ReadCloser
	site  *Site
	fault *armed // strikes while bodies pass; nil for none
	mount bool   // asked for
	cut   bool

	status         int
	received, sent int64
}

var errCut = errors.New("cut by a fault")

func (s *Site) serveRegistry(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, body: r.Body, site: s, status: http.StatusOK}
	defer s.trace(r, x, time.Now())
	r.Body = x
	s.count(func(t *Traffic) { t.Requests++ })
	token := tokenOf(r)
	if !token.allows(r) {
		s.challenge(x, r)
		return
	}
	x.fault = s.faultFor(r)
	if f := x.fault; f != nil && f.Status != 0 {
		if f.RetryAfter > 0 {
			x.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
		refuse(x, f.Status, "TOOMANYREQUESTS", "slow down")
		return
	}
	if q := r.URL.Query(); q.Has("mount") {
		x.mount = token.has(q.Get("from"), "pull")
		if !x.mount { // as registries do: without the right to read there, it is a plain upload
			r.URL.RawQuery = ""
		}
	}
	habits := s.currentHabits()
	time.Sleep(habits.Think)
	if content := s.contents[r.Host]; content != "" && habits.Lend > 0 && r.Method == http.MethodGet && blobPath.MatchString(r.URL.Path) {
		until := time.Now().Add(habits.Lend).UnixMilli()
		http.Redirect(x, r, fmt.Sprintf("https://%s%s?until=%d", content, r.URL.Path, until), http.StatusTemporaryRedirect)
		return
	}
	if habits.RefusePut && r.Method == http.MethodPut && r.ContentLength != 0 && uploadPath.MatchString(r.URL.Path) {
		refuse(x, http.StatusMethodNotAllowed, "UNSUPPORTED", "data comes by PATCH")
		return
	}
	s.registry.ServeHTTP(x, r)
	if x.cut {
		if x.fault.Reset {
			s.wire.Sever()
		}
		panic(http.ErrAbortHandler) // net/http's way to end a stream or connection
	}
}

var (
	uploadPath = regexp.MustCompile(`/blobs/uploads/`)
	blobPath   = regexp.MustCompile(`/blobs/sha256:`)
)

// serveContent gives a blob to everybody who has an address that is valid still.
func (s *Site) serveContent(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, body: r.Body, site: s, status: http.StatusOK}
	defer s.trace(r, x, time.Now())
	s.count(func(t *Traffic) { t.Requests++ })
	until, err := strconv.ParseInt(r.URL.Query().Get("until"), 10, 64)
	if err != nil || time.Now().UnixMilli() > until {
		http.Error(x, "Request has expired", http.StatusForbidden)
		return
	}
	s.registry.ServeHTTP(x, r)
}

func (s *Site) currentHabits() Habits {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.habits
}

// WriteHeader passes the status on and notes a mount.
func (x *exchange) WriteHeader(status int) {
	if x.cut {
		return
	}
	if x.mount && status == http.StatusCreated {
		x.site.count(func(t *Traffic) { t.Mounts++ })
	}
	x.status = status
	x.ResponseWriter.WriteHeader(status)
}

// Write meters the answer and cuts it where the fault strikes.
func (x *exchange) Write(b []byte) (int, error) {
	if x.cut {
		return 0, errCut
	}
	n, err := x.ResponseWriter.Write(b)
	x.sent += int64(n)
	x.site.count(func(t *Traffic) { t.Sent += int64(n) })
	if x.strikes(n, false) {
		http.NewResponseController(x.ResponseWriter).Flush()
		return n, errCut
	}
	return n, err
}

// Read meters the request's body and cuts it where the fault strikes.
func (x *exchange) Read(b []byte) (int, error) {
	if x.cut {
		return 0, errCut
	}
	n, err := x.body.Read(b)
	x.received += int64(n)
	x.site.count(func(t *Traffic) { t.Received += int64(n) })
	if x.strikes(n, true) {
		return n, errCut
	}
	return n, err
}

// Close closes the request's body.
func (x *exchange) Close() error { return x.body.Close() }

// Unwrap is for http.ResponseController.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

func (x *exchange) strikes(n int, request bool) bool {
	x.cut = x.fault != nil && x.fault.Request == request && x.site.passed(x.fault, n)
	return x.cut
}

func (s *Site) count(add func(*Traffic)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.meter)
}

// trace writes what became of a request that came at begin: when it came and
// how long it took, seen from the registry, in milliseconds.
func (s *Site) trace(r *http.Request, x *exchange, begin time.Time) {
	if s.log == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	outcome := strconv.Itoa(x.status)
	if x.cut {
		outcome = "cut"
	}
	fmt.Fprintf(s.log, "%s %6d +%-6d %s %-5s %s %s in %d out %d %s\n", s.name,
		begin.Sub(s.begun).Milliseconds(), time.Since(begin).Milliseconds(),
		r.Proto, r.Method, r.URL.RequestURI(), outcome, x.received, x.sent, r.Header.Get("Range"))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

// token is a subject and scopes, "repository:NAME:pull,push". It is not signed:
// what is measured is the way that tokens cost, not their strength.
type token []string

func tokenOf(r *http.Request) token {
	bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return nil
	}
	scopes, err := base64.RawURLEncoding.DecodeString(bearer)
	if err != nil {
		return nil
	}
	return strings.Split(string(scopes), " ")
}

func (t token) has(repository, action string) bool {
	for _, scope := range t {
		p := strings.Split(scope, ":")
		if len(p) == 3 && p[0] == "repository" && p[1] == repository && slices.Contains(strings.Split(p[2], ","), action) {
			return true
		}
	}
	return false
}

func (t token) allows(r *http.Request) bool {
	if repository := repositoryOf(r); repository != "" {
		return t.has(repository, action(r))
	}
	return t != nil
}

func action(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return "pull"
	}
	return "push"
}

var repositoryPath = regexp.MustCompile(`^/v2/(.+?)/(?:blobs|manifests|tags|referrers)/`)

// repositoryOf is empty for requests about the registry as a whole.
func repositoryOf(r *http.Request) string {
	if m := repositoryPath.FindStringSubmatch(r.URL.Path); m != nil {
		return m[1]
	}
	return ""
}

func (s *Site) challenge(w http.ResponseWriter, r *http.Request) {
	server := s.tokens[r.Host]
	challenge := fmt.Sprintf(`Bearer realm=%q,service=%q`, server.Realm, server.Service)
	if repository := repositoryOf(r); repository != "" {
		actions := "pull"
		if action(r) == "push" {
			actions = "pull,push"
		}
		challenge += fmt.Sprintf(`,scope="repository:%s:%s"`, repository, actions)
	}
	w.Header().Set("WWW-Authenticate", challenge)
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}

// serveToken gives everybody what they ask for.
func (s *Site) serveToken(w http.ResponseWriter, r *http.Request) {
	x := &exchange{ResponseWriter: w, site: s, status: http.StatusOK}
	defer s.trace(r, x, time.Now())
	s.count(func(t *Traffic) { t.Requests++; t.Tokens++ })
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	scopes := append(token{"anyone"}, r.Form["scope"]...)
	t := base64.RawURLEncoding.EncodeToString([]byte(strings.Join(scopes, " ")))
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"token": t, "access_token": t, "expires_in": 300})
}
