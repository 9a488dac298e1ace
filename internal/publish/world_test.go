package publish_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/publish"
)

const (
	token  = "ghs_the_token_of_the_job"
	marker = "<!-- ferry -->"
)

var (
	owner     = event.User{ID: 7, Login: "octo"}
	requester = event.User{ID: 9, Login: "somebody"}
)

// clock is time that passes when somebody waits.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// world is a repository on a fake GitHub.
type world struct {
	t      *testing.T
	clock  *clock
	github *fakegithub.Server

	mu    sync.Mutex
	fault func(n int, r *http.Request) fakegithub.Fault
	n     int
}

// newWorld returns a world; change may be nil.
func newWorld(t *testing.T, change func(*fakegithub.Config)) *world {
	t.Helper()
	w := &world{t: t, clock: newClock()}
	c := fakegithub.Config{
		Repository: event.Repository{Owner: owner.Login, Name: "mirror", OwnerID: owner.ID},
		Tokens:     map[string]event.User{token: fakegithub.Bot()},
		Now:        w.clock.Now,
		Fault: func(_ int, r *http.Request) fakegithub.Fault {
			w.mu.Lock()
			w.n++
			n, fault := w.n, w.fault
			w.mu.Unlock()
			if fault == nil {
				return fakegithub.Fault{}
			}
			return fault(n, r)
		},
	}
	if change != nil {
		change(&c)
	}
	w.github = fakegithub.New(c)
	return w
}

// RoundTrip answers without sockets, so that a thousand runs are fast. A cut
// connection is an error, as with a real transport.
func (w *world) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		why := recover()
		if e, _ := why.(error); errors.Is(e, http.ErrAbortHandler) {
			answer, err = nil, io.ErrUnexpectedEOF
		} else if why != nil {
			panic(why)
		}
	}()
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	out := httptest.NewRecorder()
	w.github.ServeHTTP(out, in)
	answer = out.Result()
	answer.Request = r
	return answer, nil
}

// disturb makes fault decide about requests from now on, counting from 1; nil
// ends it.
func (w *world) disturb(fault func(n int, r *http.Request) fakegithub.Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault, w.n = fault, 0
}

// client returns the client of a new run; change may be nil.
func (w *world) client(change func(*publish.Options)) *publish.Client {
	w.t.Helper()
	return client(w.t, w.clock, "https://api.github.com", func(o *publish.Options) {
		o.Transport = w
		if change != nil {
			change(o)
		}
	})
}

// client returns a client of the API at url; change may be nil.
func client(t *testing.T, c *clock, url string, change func(*publish.Options)) *publish.Client {
	t.Helper()
	o := publish.Options{
		APIURL: url, Token: config.NewSecret(token),
		Repository: event.Repository{Owner: owner.Login, Name: "mirror", OwnerID: owner.ID},
		Marked:     func(body string) bool { return strings.Contains(body, marker) },
		Answers:    func(body string) bool { return !strings.HasSuffix(body, "working") },
		Now:        c.Now, Sleep: c.Sleep,
	}
	if change != nil {
		change(&o)
	}
	made, err := publish.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// open opens a conversation, which must succeed.
func (w *world) open(issue int) *publish.Conversation {
	w.t.Helper()
	v, err := w.client(nil).Open(w.t.Context(), issue)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// changes returns the requests in the log from the n-th on, except GET.
func (w *world) changes(from int) []string {
	var found []string
	for _, r := range w.github.Requests()[from:] {
		if r.Method != http.MethodGet {
			found = append(found, r.String())
		}
	}
	return found
}

// code returns the code of an error of either package; empty for nil.
func code(err error) string {
	if e, ok := errors.AsType[*publish.Error](err); ok {
		return string(e.Code)
	}
	return string(failure.CodeOf(err))
}
