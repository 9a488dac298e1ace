package event

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read reads a payload as the runner writes it.
func read(t *testing.T, kind Kind, payload string) (Event, error) {
	t.Helper()
	env := map[string]string{
		"GITHUB_EVENT_NAME": string(kind), "GITHUB_EVENT_PATH": "/runner/event.json", "GITHUB_REPOSITORY": "octo-org/mirrors",
	}
	return Read(func(k string) string { return env[k] }, func(name string) ([]byte, error) {
		if name != "/runner/event.json" {
			t.Errorf("read %q", name)
		}
		return []byte(payload), nil
	})
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

var (
	owner     = User{ID: 101, Login: "octo-org"}
	requester = User{ID: 202, Login: "hubot-fan"}
	mirrors   = Repository{Owner: "octo-org", Name: "mirrors", OwnerID: 101, Fork: true}
)

func TestRead(t *testing.T) {
	opened := Event{
		Kind: Issues, Action: "opened", Repository: mirrors, Sender: requester,
		Issue: &Issue{
			Number: 7, Title: "[PORTER] gcr.io/google-samples/node-hello:1.0", Body: "### Images\n\nquay.io/a/b:1 ::add-mask::x\n",
			Author: requester, Labels: []string{"mirror", "help wanted"}, Open: true,
		},
	}
	labeled := opened
	labeled.Action = "labeled"
	comment := Event{
		Kind: Comment, Action: "created", Repository: mirrors, Sender: owner, Issue: opened.Issue,
		Comment: &IssueComment{ID: 9001, Body: "/retry", Author: owner},
	}
	for _, test := range []struct {
		file string
		want Event
	}{
		{"issues.opened.json", opened},
		{"issues.labeled.json", labeled},
		{"issue_comment.created.json", comment},
		{"workflow_dispatch.json", Event{Kind: Dispatch, Repository: mirrors, Sender: owner, Inputs: map[string]string{
			"images": "gcr.io/a/b:1\nquay.io/c/d", "platforms": "", "issue": "7", "dry-run": "true", "target": ""}}},
		{"schedule.json", Event{Kind: Schedule, Repository: mirrors}},
		{"push.json", Event{Kind: Push, Repository: mirrors, Sender: owner}},
	} {
		t.Run(test.file, func(t *testing.T) {
			got, err := read(t, test.want.Kind, testdata(t, test.file))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// with returns the payload of an opened issue with some members replaced.
func with(t *testing.T, path string, value any) string {
	t.Helper()
	var payload map[string]any
	if err := json.Unmarshal([]byte(testdata(t, "issues.opened.json")), &payload); err != nil {
		t.Fatal(err)
	}
	at := payload
	parts := strings.Split(path, ".")
	for _, part := range parts[:len(parts)-1] {
		at = at[part].(map[string]any)
	}
	at[parts[len(parts)-1]] = value
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWhatMayBeNull(t *testing.T) {
	for _, path := range []string{"issue.body", "issue.user", "issue.labels", "sender", "label", "changes"} {
		if _, err := read(t, Issues, with(t, path, nil)); err != nil {
			t.Errorf("%s is null: %v", path, err)
		}
	}
	e, err := read(t, Dispatch, `{"inputs": null}`)
	if err != nil || len(e.Inputs) != 0 {
		t.Errorf("inputs are null: %v, %v", e.Inputs, err)
	}
	if want := (Repository{Owner: "octo-org", Name: "mirrors", Unknown: true}); e.Repository != want {
		t.Errorf("without a repository in the payload it is %v, want %v", e.Repository, want)
	}
}

func TestStates(t *testing.T) {
	e, err := read(t, Issues, with(t, "issue.state", "closed"))
	if err != nil || e.Issue.Open {
		t.Errorf("a closed issue is open: %v, %v", e.Issue, err)
	}
	e, err = read(t, Issues, with(t, "sender.type", "Bot"))
	if err != nil || !e.Sender.Bot {
		t.Errorf("a bot is none: %v, %v", e.Sender, err)
	}
	e, err = read(t, Issues, with(t, "issue.pull_request", map[string]any{"url": "https://api.github.com/x"}))
	if err != nil || !e.Issue.PullRequest {
		t.Errorf("a pull request is none: %v, %v", e.Issue, err)
	}
}

func TestPayloadsThatAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		kind    Kind
		payload string
		want    string
	}{
		"empty":             {Issues, "", "parsing JSON"},
		"cut off":           {Issues, testdata(t, "issues.opened.json")[:500], "parsing JSON"},
		"not an object":     {Issues, "[]", "parsing JSON"},
		"no issue":          {Issues, `{"action": "opened"}`, "no issue"},
		"issue 0":           {Issues, with(t, "issue.number", 0), "no issue"},
		"issue of text":     {Issues, with(t, "issue.number", "7"), "parsing JSON"},
		"no comment":        {Comment, testdata(t, "issues.opened.json"), "no comment"},
		"a path for a name": {Issues, with(t, "repository.name", "../../user"), "owner/name"},
		"an owner with a ?": {Issues, with(t, "repository.owner.login", "a?b"), "owner/name"},
		"nested input":      {Dispatch, `{"inputs": {"images": ["a"]}}`, `"images"`},
		"inputs in a list":  {Dispatch, `{"inputs": []}`, "parsing JSON"},
		"too large":         {Push, strings.Repeat(" ", maxPayload) + "{}", "the limit is"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := read(t, test.kind, test.payload)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "/runner/event.json") {
				t.Errorf("the error is %v, want one with %q and the file", err, test.want)
			}
			if diff := cmp.Diff(Event{}, e); diff != "" {
				t.Errorf("with an error comes an event: %s", diff)
			}
		})
	}
}

func TestEnvironmentsThatAreRefused(t *testing.T) {
	full := map[string]string{"GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": "e", "GITHUB_REPOSITORY": "a/b"}
	for _, test := range []struct {
		name, value, want string
		unhandled         bool
	}{
		{"GITHUB_EVENT_NAME", "", "GITHUB_EVENT_NAME is not set: the events that are handled are issues, issue_comment, workflow_dispatch, schedule and push", true},
		{"GITHUB_EVENT_NAME", "pull_request", `event "pull_request" is not handled: the events`, true},
		{"GITHUB_EVENT_PATH", "", "GITHUB_EVENT_PATH is not set", false},
		{"GITHUB_EVENT_PATH", "nowhere", "file does not exist", false},
		{"GITHUB_REPOSITORY", "", "owner/name", false},
		{"GITHUB_REPOSITORY", "a/b/c", "owner/name", false},
	} {
		env := maps.Clone(full)
		env[test.name] = test.value
		_, err := Read(func(k string) string { return env[k] }, func(name string) ([]byte, error) {
			if name == "nowhere" {
				return nil, fs.ErrNotExist
			}
			return []byte("{}"), nil
		})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s=%q gives %v, want %q", test.name, test.value, err, test.want)
		}
		var unhandled *UnhandledError
		if errors.As(err, &unhandled) != test.unhandled {
			t.Errorf("%s=%q gives an error of type %T", test.name, test.value, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, kind := range []Kind{Issues, Comment, Dispatch, Schedule, Push} {
			e, err := parse(kind, "octo-org/mirrors", payload)
			if err != nil {
				continue
			}
			if e.Repository.Owner == "" || e.Repository.Name == "" || strings.ContainsAny(e.Repository.Owner+e.Repository.Name, "/?#%\n ") {
				t.Errorf("the repository is %+v", e.Repository)
			}
			if about := kind == Issues || kind == Comment; about != (e.Issue != nil) || (kind == Comment) != (e.Comment != nil) {
				t.Errorf("%s has the issue %v and the comment %v", kind, e.Issue, e.Comment)
			}
		}
	})
}
