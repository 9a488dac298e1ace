package github

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

const (
	jobToken      = "ghs_job"
	personalToken = "ghp_person"
	marker        = "<!-- ferry -->"
)

var (
	person    = event.User{ID: 7, Login: "octo"}
	requester = event.User{ID: 9, Login: "some-body"}
)

// description is read once, by the first who needs it.
var description = sync.OnceValues(func() (*Description, error) {
	text, err := Fetch()
	if err != nil {
		return nil, err
	}
	return Read(text)
})

// serve serves a GitHub whose every answer, and whose every request, is held
// against the description.
func serve(t *testing.T, c fakegithub.Config) (*fakegithub.Server, string) {
	t.Helper()
	d, err := description()
	if err != nil {
		t.Fatal(err)
	}
	c.Repository = event.Repository{Owner: person.Login, Name: "mirror", OwnerID: person.ID}
	c.Tokens = map[string]event.User{jobToken: fakegithub.Bot(), personalToken: person}
	github := fakegithub.New(c)
	server := httptest.NewServer(d.Watch(github, t.Errorf))
	t.Cleanup(server.Close)
	return github, server.URL
}

func client(t *testing.T, url, token string) *publish.Client {
	t.Helper()
	c, err := publish.New(publish.Options{
		APIURL: url, Token: config.NewSecret(token),
		Repository: event.Repository{Owner: person.Login, Name: "mirror", OwnerID: person.ID},
		Marked:     func(body string) bool { return strings.HasPrefix(body, marker) },
		Sleep:      func(context.Context, time.Duration) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEverythingFerryDoes makes every call that Ferry knows, as the job's
// token and as a person's.
func TestEverythingFerryDoes(t *testing.T) {
	for _, token := range []string{jobToken, personalToken} {
		github, url := serve(t, fakegithub.Config{Workflows: map[string]string{
			".github/workflows/mirror.yml": "active", ".github/workflows/sweep.yml": "disabled_inactivity",
		}})
		issue := github.Open(fakegithub.Draft{Author: requester, Title: "nginx", Labels: []string{"a/b c", "question"}})
		github.Open(fakegithub.Draft{Author: requester, PullRequest: true})
		command := github.Comment(issue, requester, marker+" forged")
		for i := range 120 {
			github.Comment(issue, requester, fmt.Sprint("chatter ", i))
		}
		ctx, c := t.Context(), client(t, url, token)
		v, err := c.Open(ctx, issue)
		must(t, err)
		must(t, v.React(ctx, publish.Eyes))
		must(t, v.React(ctx, publish.Eyes))
		must(t, v.ReactTo(ctx, command, publish.Confused))
		must(t, v.Progress(ctx, marker+"working"))
		label := ledger.Label{Name: "ferry: done", Color: "0e8a16", Description: "Every image has arrived"}
		for _, state := range []publish.State{publish.Completed, publish.NotPlanned, publish.Open} {
			must(t, v.Finish(ctx, publish.Outcome{
				Body: marker + string(state), Add: []ledger.Label{label}, Remove: []string{"a/b c", "never there"},
				Title: "docker.io/library/nginx " + string(state), Reaction: publish.Rocket, State: state,
			}))
		}
		github.Comment(issue, actor(token), marker+"of another run")
		v, err = c.Open(ctx, issue)
		must(t, err)
		must(t, v.Finish(ctx, publish.Outcome{Body: marker + "alone"}))
		left := 0
		for _, comment := range github.Issue(issue).Comments {
			if strings.HasPrefix(comment.Body, marker) && comment.ID != command {
				left++
			}
		}
		if left != 1 {
			t.Errorf("%d comments were left, want one", left)
		}
		for _, u := range []event.User{person, requester, {ID: 404, Login: "ghost"}, {Login: "dependabot[bot]"}} {
			_, err = c.Standing(ctx, u)
			must(t, err)
		}
		_, err = c.OpenIssues(ctx, "", 1000)
		must(t, err)
		_, err = c.Asked(ctx, requester.Login, time.Now().Add(-24*time.Hour), 1000)
		must(t, err)
		_, err = c.Settings(ctx)
		must(t, err)
		_, err = c.Workflows(ctx)
		must(t, err)
		must(t, c.ProveLabels(ctx, []ledger.Label{label}))
		if err := c.StartWorkflow(ctx, "mirror.yml", "main", map[string]any{"images": "nginx:1"}); (err == nil) != (token == personalToken) {
			t.Errorf("starting a workflow: %v", err)
		}
		for _, conclusion := range []string{"failure", "success"} {
			r, err := c.LastRun(ctx, "mirror.yml", "nginx:1")
			must(t, err)
			if (r.ID != 0) != (token == personalToken) {
				t.Errorf("the run is %+v", r)
			}
			github.EndRun("nginx:1", conclusion, fakegithub.Annotation{Title: "nginx:1", Message: "not found"})
			if why, err := c.RunError(ctx, r.ID, "nginx:1"); token == personalToken && (why != "not found" || err != nil) {
				t.Errorf("the run failed because of %q: %v", why, err)
			}
		}
	}
}

func actor(token string) event.User {
	if token == personalToken {
		return person
	}
	return fakegithub.Bot()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// TestRefusals collects GitHub's refusals.
func TestRefusals(t *testing.T) {
	github, url := serve(t, fakegithub.Config{})
	issue := github.Open(fakegithub.Draft{Author: requester})
	deleted := github.Open(fakegithub.Draft{Author: requester})
	github.Delete(deleted)
	ctx := t.Context()
	finish := func(o publish.Outcome) error {
		v, err := client(t, url, jobToken).Open(ctx, issue)
		must(t, err)
		o.Body = marker + o.Body
		err = v.Finish(ctx, o)
		comment, labels := v.Without()
		return errors.Join(err, comment, labels)
	}
	limited, limitedURL := serve(t, fakegithub.Config{Limits: fakegithub.Limits{Requests: 3, Content: 1}})
	limited.Open(fakegithub.Draft{Author: requester})
	var v *publish.Conversation
	for what, tt := range map[string]struct {
		err  error
		want string
	}{
		"bad token":     {func() error { _, err := client(t, url, "wrong").Open(ctx, issue); return err }(), string(publish.Token)},
		"no issue":      {func() error { _, err := client(t, url, jobToken).Open(ctx, 4711); return err }(), string(publish.Gone)},
		"deleted":       {func() error { _, err := client(t, url, jobToken).Issue(ctx, deleted); return err }(), string(publish.Gone)},
		"long comment":  {finish(publish.Outcome{Body: strings.Repeat("x", 65537)}), string(publish.Rejected)},
		"long title":    {finish(publish.Outcome{Title: strings.Repeat("x", 257)}), string(publish.Rejected)},
		"no such label": {finish(publish.Outcome{Add: []ledger.Label{{Name: "long", Description: strings.Repeat("x", 101)}}}), string(publish.Rejected)},
		"too often": {func() (err error) {
			v, err = client(t, limitedURL, jobToken).Open(ctx, 1)
			must(t, err)
			must(t, v.React(ctx, publish.Eyes))
			return v.React(ctx, publish.Rocket)
		}(), string(failure.RateLimited)},
	} {
		got := string(failure.CodeOf(tt.err))
		if e, ok := errors.AsType[*publish.Error](tt.err); ok {
			got = string(e.Code)
		}
		if got != tt.want {
			t.Errorf("%s: got %v, want %s", what, tt.err, tt.want)
		}
	}
}

// TestRest makes the calls that the stand-in answers although Ferry doesn't
// make them.
func TestRest(t *testing.T) {
	github, url := serve(t, fakegithub.Config{})
	issue := github.Open(fakegithub.Draft{Author: requester, Labels: []string{"question"}})
	comment := github.Comment(issue, requester, "hello")
	v, err := client(t, url, jobToken).Open(t.Context(), issue)
	must(t, err)
	must(t, v.React(t.Context(), publish.Eyes))
	must(t, v.ReactTo(t.Context(), comment, publish.Eyes))
	for path, want := range map[string]int{
		"/user":       200,
		"/rate_limit": 200,
		fmt.Sprintf("/repos/octo/mirror/issues/comments/%d", comment):           200,
		fmt.Sprintf("/repos/octo/mirror/issues/comments/%d/reactions", comment): 200,
		"/repos/octo/mirror/issues/1/labels":                                    200,
		"/repos/octo/mirror/issues/1/reactions":                                 200,
		"/repos/octo/mirror/issues/comments/1":                                  404,
		"/repos/octo/another":                                                   404,
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+personalToken)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s is %d, want %d", path, answer.StatusCode, want)
		}
	}
}

// TestComplaints checks that the watch sees what is wrong.
func TestComplaints(t *testing.T) {
	d, err := description()
	if err != nil {
		t.Fatal(err)
	}
	comment := `{"body": "hello"}`
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"no such operation", "GET", "/repos/o/r/isues/1", "", 200, "{}"},
		{"no body", "POST", "/repos/o/r/issues/1/comments", "", 404, `{"message": "Not Found"}`},
		{"wrong type", "POST", "/repos/o/r/issues/1/comments", `{"body": 1}`, 404, `{"message": "Not Found"}`},
		{"unknown state", "PATCH", "/repos/o/r/issues/1", `{"state": "done"}`, 404, `{"message": "Not Found"}`},
		{"unknown reaction", "POST", "/repos/o/r/issues/1/reactions", `{"content": "rockets"}`, 404, `{"message": "Not Found"}`},
		{"number that is none", "GET", "/repos/o/r/issues/one", "", 404, `{"message": "Not Found"}`},
		{"labels that are no strings", "POST", "/repos/o/r/issues/1/labels", `[1]`, 404, `{"message": "Not Found"}`},
		{"poor answer", "POST", "/repos/o/r/issues/1/comments", comment, 201, `{"id": 1, "body": "hello"}`},
		{"undocumented status", "POST", "/repos/o/r/issues/1/comments", comment, 418, "{}"},
		{"error that is no object", "POST", "/repos/o/r/issues/1/comments", comment, 502, `"oh"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			complaints := 0
			watched := d.Watch(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.answer)
			}), func(string, ...any) { complaints++ })
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			watched.ServeHTTP(w, r)
			if complaints != 1 {
				t.Errorf("%d complaints, want one", complaints)
			}
			if w.Code != tt.status || w.Body.String() != tt.answer {
				t.Errorf("the answer was changed to %d %q", w.Code, w.Body)
			}
		})
	}
}
