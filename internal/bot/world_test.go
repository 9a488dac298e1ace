package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// The users of the tests.
var (
	harbour  = fakeworld.Owner                       // owns the repository
	sailor   = event.User{ID: 2002, Login: "sailor"} // has write access
	stranger = event.User{ID: 3003, Login: "stranger"}
)

// world is everything around Ferry: registries, GitHub, a runner.
type world struct {
	*fakeworld.World

	github *fakegithub.Server
	fork   bool
	refuse string // the end of paths of GitHub's API for which the token has no permission
	wait   func(context.Context, time.Duration) error

	mu     sync.Mutex
	events int // number of past events
	now    time.Time
	ahead  time.Duration                // by which the runner's clock is ahead
	fault  func(n int) fakegithub.Fault // the fault of the n-th request to GitHub since disturb
	calls  int
}

// newWorld returns a world; changes are applied to its GitHub.
func newWorld(t *testing.T, changes ...func(*fakegithub.Config)) *world {
	t.Helper()
	w := &world{
		World: fakeworld.New(t),
		wait:  atOnce,
		now:   time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC),
	}
	config := fakegithub.Config{
		Repository: event.Repository{Owner: harbour.Login, Name: "ferry", OwnerID: harbour.ID},
		Tokens:     map[string]event.User{fakeworld.Token: fakegithub.Bot()},
		Roles:      map[string]string{sailor.Login: "write"},
		Fault:      w.trouble,
		Now:        w.clock,
	}
	for _, change := range changes {
		change(&config)
	}
	w.github = fakegithub.New(config)
	w.Environ["GITHUB_API_URL"] = "http://" + w.Serve(w.github)
	w.Environ["GITHUB_SERVER_URL"] = "https://github.com"
	w.Environ["GITHUB_OUTPUT"] = filepath.Join(w.Dir, "output")
	return w
}

// clock returns the time, which only later advances.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// later advances the time by an hour.
func (w *world) later() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Hour)
}

// disturb makes GitHub fail from now on; nil ends it. It returns how many
// requests the fault before has seen.
func (w *world) disturb(fault func(n int) fakegithub.Fault) (calls int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls = w.calls
	w.fault, w.calls = fault, 0
	return calls
}

func (w *world) trouble(_ int, r *http.Request) fakegithub.Fault {
	if w.refuse != "" && strings.HasSuffix(r.URL.Path, w.refuse) {
		return fakegithub.Fault{Status: http.StatusForbidden, Message: "Resource not accessible by integration"}
	}
	w.mu.Lock()
	fault := w.fault
	w.calls++
	n := w.calls
	w.mu.Unlock()
	if fault == nil {
		return fakegithub.Fault{}
	}
	return fault(n)
}

// atOnce replaces the waiting before another attempt.
func atOnce(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// byTheClock waits by advancing the time.
func (w *world) byTheClock(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return ctx.Err()
}

// open opens an issue and returns its number.
func (w *world) open(author event.User, title, body string, labels ...string) int {
	return w.github.Open(fakegithub.Draft{Author: author, Title: title, Body: body, Labels: labels})
}

// happens runs Ferry on an event about the current issue.
func (w *world) happens(kind, action string, number int, extra map[string]any) (status int, log string) {
	w.T.Helper()
	return w.happensIn(w.T.Context(), kind, action, number, extra)
}

func (w *world) happensIn(ctx context.Context, kind, action string, number int, extra map[string]any) (status int, log string) {
	w.T.Helper()
	payload := map[string]any{
		"repository": map[string]any{
			"name": "ferry", "full_name": harbour.Login + "/ferry", "private": false, "fork": w.fork,
			"owner": map[string]any{"login": harbour.Login, "id": harbour.ID, "type": "User"},
		},
		"sender": map[string]any{"login": harbour.Login, "id": harbour.ID, "type": "User"},
	}
	if action != "" {
		payload["action"] = action
	}
	if number > 0 {
		issue := w.github.Issue(number)
		state := "closed"
		if issue.Open {
			state = "open"
		}
		labels := []map[string]any{}
		for _, l := range issue.Labels {
			labels = append(labels, map[string]any{"name": l})
		}
		payload["issue"] = map[string]any{
			"number": number, "title": issue.Title, "body": issue.Body, "state": state, "labels": labels,
			"user": map[string]any{"login": issue.Author.Login, "id": issue.Author.ID, "type": "User"},
		}
	}
	maps.Copy(payload, extra)
	text, err := json.Marshal(payload)
	if err != nil {
		w.T.Fatal(err)
	}
	// Each run has its own files and environment, because two may run at once.
	w.mu.Lock()
	w.events++
	file, run := fmt.Sprintf("event-%d.json", w.events), fmt.Sprint(w.events)
	w.mu.Unlock()
	w.Write(file, string(text))
	environ := maps.Clone(w.Environ)
	environ["GITHUB_EVENT_NAME"], environ["GITHUB_EVENT_PATH"] = kind, filepath.Join(w.Dir, file)
	environ["GITHUB_RUN_ID"] = cmp.Or(w.Environ["GITHUB_RUN_ID"], run)
	return w.run(ctx, environ)
}

// run runs Ferry once and returns the output of both streams. The run has its own
// copy of At, because a connection that a cancelled run was opening may outlive it.
func (w *world) run(ctx context.Context, environ map[string]string) (status int, log string) {
	var said fakeworld.Output
	dry := environ["GITHUB_ACTIONS"] != "true"
	status, err := Run(ctx, wiring.Env{
		Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said,
		Getenv: func(key string) string { return environ[key] }, At: maps.Clone(w.At), Wait: w.wait, Tick: time.Millisecond,
		Now: func() time.Time { return w.clock().Add(w.ahead) },
	}, dry)
	if err != nil {
		fmt.Fprintln(&said, err)
	}
	return status, said.String()
}

// comment returns the only comment of Ferry on an issue. It fails the test if
// there is none or more than one.
func (w *world) comment(number int) string {
	w.T.Helper()
	comments := w.github.Issue(number).Comments
	var ours []string
	for _, c := range comments {
		if c.Author.Bot {
			ours = append(ours, c.Body)
		}
	}
	if len(ours) != 1 {
		w.T.Fatalf("issue %d has %d comments of Ferry's, want 1: %q", number, len(ours), ours)
	}
	return ours[0]
}
