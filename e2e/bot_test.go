package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imageferry/ferry/e2e/github"
	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
)

// The credentials of the tests. They must never show.
const (
	token    = "ghs_e2eTokenThatMustNotShow"
	password = "e2ePasswordThatMustNotShow"
)

var owner = parts.Account{Username: "user", Password: password}

// payload is an example of a webhook as GitHub publishes it.
type payload map[string]any

// example gives GitHub's first example of an event and its action; an empty
// action matches all.
func example(t *testing.T, kind, action string) payload {
	t.Helper()
	text, err := os.ReadFile(examplesFile())
	if err != nil {
		t.Fatal(err)
	}
	var events []struct {
		Name     string
		Examples []payload
	}
	if err := json.Unmarshal(text, &events); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		for _, p := range e.Examples {
			if e.Name == kind && (action == "" || p["action"] == action) {
				return p
			}
		}
	}
	t.Fatalf("GitHub has no example of %s %s", kind, action)
	return nil
}

// object is one of p's objects, to be changed.
func (p payload) object(name string) payload {
	o, _ := p[name].(map[string]any)
	return o
}

// bot is Ferry on a runner: a repository on GitHub and what the runner gives
// to the action.
type bot struct {
	repository *fakegithub.Server
	releases   *fakegithub.Releases
	env        map[string]string
}

// newBot makes the repository that the payload is from, with changes to its
// GitHub, and the runner.
func newBot(t *testing.T, p payload, changes ...func(*fakegithub.Config)) *bot {
	t.Helper()
	repository, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	full, _ := p.object("repository")["full_name"].(string)
	env := map[string]string{"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "-", "GITHUB_REPOSITORY": full}
	e, err := event.Read(func(name string) string { return env[name] }, func(string) ([]byte, error) { return repository, nil })
	if err != nil {
		t.Fatal(err)
	}
	config := fakegithub.Config{Repository: e.Repository, Tokens: map[string]event.User{token: fakegithub.Bot()}}
	for _, change := range changes {
		change(&config)
	}
	b := &bot{
		repository: fakegithub.New(config),
		env: map[string]string{
			"PATH":                os.Getenv("PATH"),
			"SSL_CERT_FILE":       os.Getenv("SSL_CERT_FILE"),
			"SSL_CERT_DIR":        os.Getenv("SSL_CERT_DIR"),
			"HOME":                t.TempDir(),
			"FERRY_TARGET":        "docker.io/user",
			"FERRY_USERNAME":      owner.Username,
			"FERRY_PASSWORD":      owner.Password,
			"GITHUB_TOKEN":        token,
			"GITHUB_ACTIONS":      "true",
			"GITHUB_API_URL":      "https://api.github.com",
			"GITHUB_SERVER_URL":   "https://github.com",
			"GITHUB_REPOSITORY":   full,
			"GITHUB_RUN_ID":       "1",
			"GITHUB_RUN_ATTEMPT":  "1",
			"GITHUB_WORKSPACE":    t.TempDir(),
			"GITHUB_OUTPUT":       filepath.Join(t.TempDir(), "output"),
			"GITHUB_STEP_SUMMARY": filepath.Join(t.TempDir(), "summary"),
		},
	}
	api, err := description()
	if err != nil {
		t.Fatal(err)
	}
	watched := api.Watch(b.repository, t.Errorf)
	b.releases = &fakegithub.Releases{URL: "https://api.github.com", Token: token}
	parts.Serve(t, authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/releases") || strings.HasPrefix(r.URL.Path, "/upload/") {
			b.releases.ServeHTTP(w, r)
		} else {
			watched.ServeHTTP(w, r)
		}
	}), "api.github.com")
	return b
}

// description is what GitHub says about its API. It is large: read it once.
var description = sync.OnceValues(func() (*github.Description, error) {
	text, err := os.ReadFile(apiFile())
	if err != nil {
		return nil, err
	}
	return github.Read(text)
})

// open opens the issue that an "issues" payload tells of, after giving it
// another title and body.
func (b *bot) open(t *testing.T, p payload, title, body string) int {
	t.Helper()
	issue := p.object("issue")
	issue["title"], issue["body"], issue["labels"], issue["state"] = title, body, []any{}, "open"
	number := b.repository.Open(fakegithub.Draft{Author: author(p), Title: title, Body: body})
	issue["number"] = number
	return number
}

// author is who opened the issue of a payload.
func author(p payload) event.User {
	user := p.object("issue").object("user")
	id, _ := user["id"].(float64)
	login, _ := user["login"].(string)
	return event.User{ID: int64(id), Login: login}
}

func (p payload) write(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// outcome is what a run left behind on the runner.
type outcome struct {
	status               int
	log, output, summary string
}

// handle runs Ferry for an event.
func (b *bot) handle(t *testing.T, kind string, p payload) outcome {
	t.Helper()
	env := maps.Clone(b.env)
	env["GITHUB_EVENT_NAME"], env["GITHUB_EVENT_PATH"] = kind, p.write(t)
	for _, file := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		if err := os.WriteFile(env[file], nil, 0o600); err != nil { // the runner makes them, empty
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	ferry := exec.CommandContext(t.Context(), ferryFile(), "run")
	ferry.Dir = env["GITHUB_WORKSPACE"]
	ferry.Stdout, ferry.Stderr = &log, &log
	for name, value := range env {
		ferry.Env = append(ferry.Env, name+"="+value)
	}
	err := ferry.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	o := outcome{ferry.ProcessState.ExitCode(), log.String(), read(t, env["GITHUB_OUTPUT"]), read(t, env["GITHUB_STEP_SUMMARY"])}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s: status %d\n--- log\n%s--- outputs\n%s--- summary\n%s", kind, o.status, o.log, o.output, o.summary)
		}
	})
	b.mustKeepSecrets(t, o)
	mustObeyNobody(t, o.log)
	return o
}

// mustObeyNobody looks for lines that the runner would take for a command and
// that Ferry has no use for ("Workflow commands" in GitHub's documentation; the
// runner reads the older ##[command] anywhere in a line).
func mustObeyNobody(t *testing.T, log string) {
	t.Helper()
	used := regexp.MustCompile(`^::(add-mask|group|endgroup|debug|notice|warning|error)( title=[^:]*)?::`)
	for line := range strings.Lines(log) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "::") && !used.MatchString(line) || strings.Contains(line, "##[") {
			t.Errorf("the runner would execute %q", line)
		}
	}
}

// mustKeepSecrets looks for the credentials wherever somebody could read them.
// A line that tells the runner to mask a secret has to name it.
func (b *bot) mustKeepSecrets(t *testing.T, o outcome) {
	t.Helper()
	var shown strings.Builder
	for line := range strings.Lines(o.log) {
		if !strings.HasPrefix(line, "::add-mask::") {
			shown.WriteString(line)
		}
	}
	shown.WriteString(o.output + o.summary)
	for _, r := range b.repository.Requests() {
		shown.WriteString(r.Path + r.Query + r.Body)
	}
	for _, secret := range []string{token, password, clerk.Password} {
		if strings.Contains(shown.String(), secret) {
			t.Errorf("%q shows in the log, the outputs, the summary or a request to GitHub", secret)
		}
	}
}

// answer is the bot's comment, of which there must be exactly one.
func (b *bot) answer(t *testing.T, issue int) string {
	t.Helper()
	comments := slices.DeleteFunc(b.repository.Issue(issue).Comments, func(c fakegithub.Comment) bool {
		return c.Author.ID != fakegithub.Bot().ID
	})
	if len(comments) != 1 {
		t.Fatalf("the bot wrote %d comments, want one: %+v", len(comments), comments)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the answer:\n%s", comments[0].Body)
		}
	})
	return comments[0].Body
}

// mustStand checks how an issue ended: open, or closed for a reason.
func (b *bot) mustStand(t *testing.T, issue int, open bool, reason string) {
	t.Helper()
	if i := b.repository.Issue(issue); i.Open != open || i.Reason != reason {
		t.Errorf("issue is open: %t, reason %q; want %t, %q", i.Open, i.Reason, open, reason)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
