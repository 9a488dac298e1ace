package bot

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/wiring"
)

// The people of the tests.
var (
	harbour  = event.User{ID: 1001, Login: "octo-harbour"} // owns the repository
	sailor   = event.User{ID: 2002, Login: "sailor"}       // may write to it
	stranger = event.User{ID: 3003, Login: "stranger"}
)

// world is everything around Ferry: registries, GitHub, a runner.
type world struct {
	t       *testing.T
	source  *fakeregistry.Registry // gcr.io, quay.io, ghcr.io, registry.k8s.io and docker.io in one
	target  *fakeregistry.Registry // registry.example.com/mirror
	github  *fakegithub.Server
	environ map[string]string
	at      map[string]string
	dir     string
	fork    bool
	wait    func(context.Context, time.Duration) error

	mu     sync.Mutex
	events int // that have happened
	now    time.Time
	ahead  time.Duration                // the runner's clock is ahead of it
	fault  func(n int) fakegithub.Fault // what goes wrong with the n-th call to GitHub since disturb
	calls  int
}

const worldPolicy = `
targets:
  - {to: registry.example.com/mirror, private: true, plain-http: true}
sources:
  - {host: gcr.io, private: true, plain-http: true, requests: anyone}
  - {host: quay.io, private: true, plain-http: true, requests: anyone}
  - {host: ghcr.io, private: true, plain-http: true, requests: anyone}
  - {host: docker.io, private: true, plain-http: true, requests: anyone}
  - {host: registry.k8s.io, private: true, plain-http: true, requests: anyone}
`

// newWorld makes a world; changes are made to its GitHub.
func newWorld(t *testing.T, changes ...func(*fakegithub.Config)) *world {
	t.Helper()
	w := &world{
		t:      t,
		source: fakeregistry.New(fakeregistry.Options{}),
		target: fakeregistry.New(fakeregistry.Options{Username: "mate", Password: "sesame-of-the-target"}),
		dir:    t.TempDir(),
		wait:   atOnce,
		now:    time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC),
	}
	config := fakegithub.Config{
		Repository: event.Repository{Owner: harbour.Login, Name: "ferry", OwnerID: harbour.ID},
		Tokens:     map[string]event.User{"token-of-github": fakegithub.Bot()},
		Roles:      map[string]string{sailor.Login: "write"},
		Fault:      w.trouble,
		Now:        w.clock,
	}
	for _, change := range changes {
		change(&config)
	}
	w.github = fakegithub.New(config)
	source, target := w.serve(w.source), w.serve(w.target)
	w.at = map[string]string{
		"gcr.io:80": source, "quay.io:80": source, "ghcr.io:80": source, "registry-1.docker.io:80": source, "registry.k8s.io:80": source,
		"registry.example.com:80": target,
	}
	w.environ = map[string]string{
		"GITHUB_ACTIONS":      "true",
		"GITHUB_API_URL":      "http://" + w.serve(w.github),
		"GITHUB_SERVER_URL":   "https://github.com",
		"GITHUB_REPOSITORY":   harbour.Login + "/ferry",
		"GITHUB_TOKEN":        "token-of-github",
		"GITHUB_OUTPUT":       filepath.Join(w.dir, "output"),
		"GITHUB_STEP_SUMMARY": filepath.Join(w.dir, "summary"),
		"FERRY_CONFIG":        filepath.Join(w.dir, "ferry.yaml"),
		"FERRY_USERNAME":      "mate",
		"FERRY_PASSWORD":      "sesame-of-the-target",
	}
	w.policy(worldPolicy)
	return w
}

// clock is the time of day in this world, which passes by later alone.
func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// later lets an hour pass.
func (w *world) later() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Hour)
}

// disturb makes GitHub fail from now on; nil ends it. It returns how many calls
// the fault before has seen.
func (w *world) disturb(fault func(n int) fakegithub.Fault) (calls int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls = w.calls
	w.fault, w.calls = fault, 0
	return calls
}

func (w *world) trouble(int, *http.Request) fakegithub.Fault {
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

// atOnce is how tests wait before another try.
func atOnce(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// byTheClock waits by letting the time of day pass.
func (w *world) byTheClock(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
	return ctx.Err()
}

func (w *world) serve(h http.Handler) string {
	server := httptest.NewServer(h)
	w.t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// forgetPassword makes the set-up incomplete: a target on the internet, and no
// password for it.
func (w *world) forgetPassword() {
	w.policy("targets: [{to: docker.io/mate}]\n")
	delete(w.environ, "FERRY_PASSWORD")
}

func (w *world) policy(text string) { w.write("ferry.yaml", text) }

func (w *world) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// publish puts a multi-platform image into the source and gives its digest.
func (w *world) publish(repository, tag string, seed uint64) string {
	image := fakeregistry.Generate(fakeregistry.Spec{
		Seed: seed, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{20_000, 300},
	})
	w.source.Add(repository, tag, image)
	return fakeregistry.Digest(image.Root().Body)
}

// open opens an issue and gives its number.
func (w *world) open(author event.User, title, body string, labels ...string) int {
	return w.github.Open(fakegithub.Draft{Author: author, Title: title, Body: body, Labels: labels})
}

// happens runs Ferry on an event about an issue as it stands now.
func (w *world) happens(kind, action string, number int, extra map[string]any) (status int, log string) {
	w.t.Helper()
	return w.happensIn(w.t.Context(), kind, action, number, extra)
}

func (w *world) happensIn(ctx context.Context, kind, action string, number int, extra map[string]any) (status int, log string) {
	w.t.Helper()
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
		w.t.Fatal(err)
	}
	// Files and environment of its own: two runs may be under way at once.
	w.mu.Lock()
	w.events++
	file, run := fmt.Sprintf("event-%d.json", w.events), fmt.Sprint(w.events)
	w.mu.Unlock()
	w.write(file, string(text))
	environ := maps.Clone(w.environ)
	environ["GITHUB_EVENT_NAME"], environ["GITHUB_EVENT_PATH"] = kind, filepath.Join(w.dir, file)
	environ["GITHUB_RUN_ID"] = cmp.Or(w.environ["GITHUB_RUN_ID"], run)
	return w.run(ctx, environ)
}

// run runs Ferry once and gives everything it said on either stream.
func (w *world) run(ctx context.Context, environ map[string]string) (status int, log string) {
	var said safeBuffer
	dry := environ["GITHUB_ACTIONS"] != "true"
	status, err := Run(ctx, wiring.Env{
		Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said,
		Getenv: func(key string) string { return environ[key] }, At: w.at, Wait: w.wait, Tick: time.Millisecond,
		Now: func() time.Time { return w.clock().Add(w.ahead) },
	}, dry)
	if err != nil {
		fmt.Fprintln(&said, err)
	}
	return status, said.String()
}

// comment is the one comment of an issue. More than one, or none, is a failure.
func (w *world) comment(number int) string {
	w.t.Helper()
	comments := w.github.Issue(number).Comments
	var ours []string
	for _, c := range comments {
		if c.Author.Bot {
			ours = append(ours, c.Body)
		}
	}
	if len(ours) != 1 {
		w.t.Fatalf("issue %d has %d comments of Ferry's, want 1: %q", number, len(ours), ours)
	}
	return ours[0]
}

// mirrored is the digest that a tag of the target names, empty if none.
func (w *world) mirrored(repository, tag string) string {
	_, body, ok := w.target.Manifest("mirror/"+repository, tag)
	if !ok {
		return ""
	}
	return fakeregistry.Digest(body)
}

// safeBuffer is a buffer that several goroutines may write to.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
