package publish_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/publish"
)

// TestProgress shows an hour's copy whose state changes every second, and a
// second hour in which nothing moves.
func TestProgress(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) { c.Limits = fakegithub.GitHubLimits() })
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	c := w.client(func(o *publish.Options) { o.Budget = 1000 })
	v, err := c.Open(t.Context(), issue)
	if err != nil {
		t.Fatal(err)
	}
	var edits []time.Time
	last := 0
	for second := range 7200 {
		body := fmt.Sprintf("%s\nsecond %d", marker, min(second, 3599))
		before := len(w.github.Requests())
		if err := v.Progress(t.Context(), body); err != nil {
			t.Fatal(err)
		}
		if n := len(w.github.Requests()); n > before {
			edits, last = append(edits, w.clock.Now()), second
		}
		w.clock.Sleep(t.Context(), time.Second)
	}
	for i := 1; i < len(edits); i++ {
		if d := edits[i].Sub(edits[i-1]); d < 10*time.Second {
			t.Errorf("edit %d came %v after the one before", i, d)
		}
	}
	if len(edits) < 300 || last > 3610 {
		t.Errorf("%d edits, the last in second %d; want most of 360, none when nothing changed", len(edits), last)
	}
	if got := w.github.Issue(issue).Comments; len(got) != 1 || got[0].Body != marker+"\nsecond 3599" {
		t.Errorf("comments %+v", got)
	}

	if err := v.Finish(t.Context(), publish.Outcome{Body: marker + "\ndone"}); err != nil {
		t.Fatal(err)
	}
	w.clock.Sleep(t.Context(), time.Hour)
	if err := v.Progress(t.Context(), marker+"\nlate"); err != nil || v.Body() != marker+"\ndone" {
		t.Errorf("progress after the answer: %q, %v", v.Body(), err)
	}
}

// TestDeletedComment checks that an answer comes back when somebody has
// deleted the comment in the meantime.
func TestDeletedComment(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	v := w.open(issue)
	if err := v.Progress(t.Context(), marker+"1"); err != nil {
		t.Fatal(err)
	}
	for i, act := range []func() error{
		func() error {
			w.clock.Sleep(t.Context(), time.Minute)
			return v.Progress(t.Context(), marker+"2")
		},
		func() error { return v.Finish(t.Context(), publish.Outcome{Body: marker + "3"}) },
	} {
		remove(t, w, w.github.Issue(issue).Comments[0].ID)
		if err := act(); err != nil {
			t.Fatal(err)
		}
		if got := w.github.Issue(issue).Comments; len(got) != 1 || got[0].Body != fmt.Sprint(marker, i+2) {
			t.Errorf("comments %+v", got)
		}
	}
	if v.URL() == "" || !strings.Contains(v.URL(), "issuecomment-") {
		t.Errorf("URL %q", v.URL())
	}
}

// remove deletes a comment as a maintainer would.
func remove(t *testing.T, w *world, id int64) {
	t.Helper()
	r := httptest.NewRequest(http.MethodDelete, fmt.Sprintf("/repos/octo/mirror/issues/comments/%d", id), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	answer := httptest.NewRecorder()
	if w.github.ServeHTTP(answer, r); answer.Code != http.StatusNoContent {
		t.Fatal(answer.Code, answer.Body)
	}
}

// TestOwnComment checks whose comment is taken for Ferry's: on the third page,
// with the marker, and by whoever the token acts as.
func TestOwnComment(t *testing.T) {
	app := event.User{ID: 77, Login: "our-mirror[bot]", Bot: true}
	person := event.User{ID: 78, Login: "octocat"}
	for _, tt := range []struct {
		name, login string
		actor       event.User
	}{
		{name: "GITHUB_TOKEN", actor: fakegithub.Bot()},
		{name: "personal token", actor: person},
		{name: "an App that was named", actor: app, login: app.Login},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(c *fakegithub.Config) { c.Tokens = map[string]event.User{token: tt.actor} })
			issue := w.github.Open(fakegithub.Draft{Author: requester})
			for i := range 250 {
				w.github.Comment(issue, requester, fmt.Sprint(marker, i))
			}
			w.github.Comment(issue, tt.actor, "no marker")
			w.github.Comment(issue, tt.actor, marker+"here")
			c := w.client(func(o *publish.Options) { o.Login = tt.login })
			v, err := c.Open(t.Context(), issue)
			if err != nil || v.Body() != marker+"here" {
				t.Errorf("found %q, %v", v.Body(), err)
			}
		})
	}
}

func TestReactTo(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	id := w.github.Comment(issue, requester, "/ferry retry")
	for range 2 {
		if err := w.open(issue).ReactTo(t.Context(), id, publish.Eyes); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.github.Issue(issue).Comments[0].Reactions; len(got) != 1 || got[0] != "eyes" {
		t.Errorf("reactions %v", got)
	}
}

func TestStanding(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) {
		c.Roles = map[string]string{"admin": "admin", "maintainer": "maintain", "writer": "write", "triager": "triage", "reader": "read"}
	})
	for i, login := range []string{"admin", "maintainer", "writer", "triager", "reader", "stranger"} {
		w.github.Open(fakegithub.Draft{Author: event.User{ID: int64(100 + i), Login: login}})
	}
	for login, want := range map[string]config.Who{
		"octo": config.Owner, "admin": config.Owner,
		"maintainer": config.Collaborators, "writer": config.Collaborators,
		"triager": config.Anyone, "reader": config.Anyone, "stranger": config.Anyone,
		"ghost": config.Anyone, "dependabot[bot]": config.Anyone, "stranger/../octo": config.Anyone,
	} {
		got, err := w.client(nil).Standing(t.Context(), event.User{ID: 100, Login: login})
		if err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", login, got, err, want)
		}
	}
	renamed := event.User{ID: owner.ID, Login: "has-a-new-name"}
	if got, err := w.client(nil).Standing(t.Context(), renamed); err != nil || got != config.Owner {
		t.Errorf("the owner under a new name is %q, %v", got, err)
	}
}

func TestIssues(t *testing.T) {
	w := newWorld(t, nil)
	var want []int
	for i := range 230 {
		d := fakegithub.Draft{Author: requester, Title: fmt.Sprint(i), PullRequest: i%10 == 0}
		if i%3 == 0 {
			d.Author = owner
		}
		n := w.github.Open(d)
		if !d.PullRequest {
			want = append(want, n)
		}
		w.clock.Sleep(t.Context(), time.Minute)
	}
	c := w.client(nil)
	for _, limit := range []int{5, 1000} {
		found, err := c.OpenIssues(t.Context(), limit)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, i := range found {
			got = append(got, i.Number)
		}
		if diff := cmp.Diff(want[:min(limit, len(want))], got); diff != "" {
			t.Errorf("limit %d, -want +got:\n%s", limit, diff)
		}
	}

	hourAgo := w.clock.Now().Add(-60 * time.Minute) // 60 issues: 36 by the requester that are no pull requests
	w.github.Comment(1, requester, "brings an old issue up to date")
	// One more was opened long ago, and has its answer since.
	v, err := c.Open(t.Context(), 2)
	if err == nil {
		err = v.Finish(t.Context(), publish.Outcome{Body: marker, State: publish.Completed})
	}
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]int{1000: 37, 10: 10} {
		got, err := c.Asked(t.Context(), requester.Login, hourAgo, limit)
		if err != nil || len(got) != want || got[0].Number != 2 {
			t.Errorf("asked %d, %v; want %d", len(got), err, want)
		}
	}

	i, err := c.Issue(t.Context(), 2)
	wantIssue := event.Issue{Number: 2, Title: "1", Author: requester}
	if diff := cmp.Diff(wantIssue, i.Issue); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
}

func TestSettings(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) { c.Repository.Fork, c.NoIssues = true, true })
	got, err := w.client(nil).Settings(t.Context())
	if want := (publish.Settings{Fork: true}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}
