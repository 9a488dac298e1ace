package publish_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

// TestHeartbeat checks that a comment is edited every ten minutes even without
// room for other requests, because other runs would regard this one as dead.
func TestHeartbeat(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	c := w.client(func(o *publish.Options) { o.Budget = 1 })
	v, err := c.Open(t.Context(), issue)
	if err != nil {
		t.Fatal(err)
	}
	edits := 0
	for minute := range 360 {
		before := len(w.github.Requests())
		if err := v.Progress(t.Context(), fmt.Sprintf("%s\nminute %d", marker, minute)); err != nil {
			t.Fatal(err)
		}
		if len(w.github.Requests()) > before {
			edits++
		}
		w.clock.Sleep(t.Context(), time.Minute)
	}
	if c.Room() || edits != 36 {
		t.Errorf("%d edits in six hours, room %t; want one every ten minutes, and no room", edits, c.Room())
	}
}

// TestProgress shows a copy of an hour whose state changes every second, and a
// second hour without changes.
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
	if len(edits) < 95 || len(edits) > 110 || last > 3600+120 {
		t.Errorf("%d edits, the last in second %d; want some 30 in the first five minutes, fewer and fewer later, none when nothing changed", len(edits), last)
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

// TestDeletedComment checks that the answer is posted again if somebody has
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

// TestOwnComment checks which comment is recognised as Ferry's: on the third
// page, with the marker, and by the token's account.
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

// TestAppsComment checks that comments of an App, whose token may not ask for
// its login, are identified by their signature, and within a run by GitHub's
// response.
func TestAppsComment(t *testing.T) {
	app := event.User{ID: 77, Login: "our-mirror[bot]", Bot: true}
	w := newWorld(t, func(c *fakegithub.Config) { c.Tokens = map[string]event.User{token: app} })
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	w.github.Comment(issue, requester, marker+"signed, says somebody")
	w.github.Comment(issue, event.User{ID: 78, Login: "translator[bot]", Bot: true}, marker+"forged")
	open := func() *publish.Conversation {
		v, err := w.client(func(o *publish.Options) {
			o.Signed = func(body string) bool { return strings.Contains(body, "signed") }
		}).Open(t.Context(), issue)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, body := range []string{marker + "signed working", marker + "not yet known", marker + "signed answer"} {
		v := open()
		for _, each := range []string{marker + "signed working", body} {
			if err := v.Finish(t.Context(), publish.Outcome{Body: each, Anew: true}); err != nil {
				t.Fatal(err)
			}
		}
		if body == marker+"not yet known" { // as without a secret for signing
			if err := v.Finish(t.Context(), publish.Outcome{Body: marker + "signed after all"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := w.github.Issue(issue).Comments; len(got) != 3 || got[2].Body != marker+"signed answer" {
		t.Errorf("comments %+v", got)
	}
}

// TestAnswerIsNews checks that the answer is a new comment, or replaces the
// existing one if GitHub allows no more.
func TestAnswerIsNews(t *testing.T) {
	for _, refused := range []bool{false, true} {
		w := newWorld(t, nil)
		issue := w.github.Open(fakegithub.Draft{Author: requester})
		v := w.open(issue)
		if err := v.Progress(t.Context(), marker+"working"); err != nil {
			t.Fatal(err)
		}
		first := w.github.Issue(issue).Comments[0].ID
		w.disturb(func(_ int, r *http.Request) fakegithub.Fault {
			if refused && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comments") {
				return fakegithub.Fault{Status: http.StatusForbidden}
			}
			return fakegithub.Fault{}
		})
		if err := v.Finish(t.Context(), publish.Outcome{Body: marker + "answer", Anew: true}); err != nil {
			t.Fatal(err)
		}
		got := w.github.Issue(issue).Comments
		if len(got) != 1 || got[0].Body != marker+"answer" || (got[0].ID == first) != refused {
			t.Errorf("refused %v: comments %+v", refused, got)
		}
	}
}

// TestMute checks that an issue on which nobody can comment, for any reason, is
// still labelled and closed, and that no missing permission is reported.
func TestMute(t *testing.T) {
	for _, message := range []string{
		"Unable to create comment because issue is locked.", "Commenting is disabled on issues with more than 2500 comments",
		"Interactions on this repository have been restricted to collaborators only", "User is blocked", "Only users with push access can comment here.", "",
	} {
		w := newWorld(t, nil)
		issue := w.github.Open(fakegithub.Draft{Author: requester})
		w.disturb(func(_ int, r *http.Request) fakegithub.Fault {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comments") {
				return fakegithub.Fault{Status: http.StatusForbidden, Message: message}
			}
			return fakegithub.Fault{}
		})
		err := w.open(issue).Finish(t.Context(), publish.Outcome{Body: marker + "later", Add: []ledger.Label{working}, State: publish.Open})
		if got := w.github.Issue(issue); err != nil || got.Open || got.Reason != "not_planned" || len(got.Labels) != 1 {
			t.Errorf("%q: %v; open %v, %q, %v", message, err, got.Open, got.Reason, got.Labels)
		}
	}
}

// TestLastingRefusals counts how often a comment is sent that GitHub refuses: once
// if nothing can change that.
func TestLastingRefusals(t *testing.T) {
	for _, c := range []struct {
		status  int
		message string
		want    int
	}{
		{http.StatusForbidden, "Resource not accessible by integration", 2},
		{http.StatusForbidden, "Repository was archived so is read-only.", 1},
		{http.StatusForbidden, "Unable to create comment because issue is locked.", 1},
		{http.StatusGone, "This issue was deleted", 1},
		{http.StatusNotFound, "Not Found", 1},
	} {
		w := newWorld(t, nil)
		issue := w.github.Open(fakegithub.Draft{Author: requester})
		sent := 0
		w.disturb(func(_ int, r *http.Request) fakegithub.Fault {
			if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comments") {
				sent++
				return fakegithub.Fault{Status: c.status, Message: c.message}
			}
			return fakegithub.Fault{}
		})
		if _ = w.open(issue).Finish(t.Context(), publish.Outcome{Body: marker + "later", State: publish.Open}); sent != c.want {
			t.Errorf("%d %q: sent %d times, want %d", c.status, c.message, sent, c.want)
		}
	}
}

// TestWithoutLabels checks that refused labels cost neither the answer nor the
// closing, and that those that exist are set.
func TestWithoutLabels(t *testing.T) {
	for _, match := range []string{"POST /repos/octo/mirror/labels", "GET /repos/octo/mirror/labels", "POST /repos/octo/mirror/issues/1/labels", "DELETE /repos/octo/mirror/issues/1/labels"} {
		w := newWorld(t, nil)
		issue := w.github.Open(fakegithub.Draft{Author: requester, Labels: []string{working.Name}})
		w.disturb(func(_ int, r *http.Request) fakegithub.Fault {
			if strings.HasPrefix(r.Method+" "+r.URL.Path, match) {
				return fakegithub.Fault{Status: http.StatusForbidden, Message: "Resource not accessible by integration"}
			}
			return fakegithub.Fault{}
		})
		v := w.open(issue)
		err := v.Finish(t.Context(), publish.Outcome{Body: marker + "done", Add: []ledger.Label{done}, Remove: []string{working.Name}, State: publish.Completed})
		got := w.github.Issue(issue)
		if err != nil || got.Open || len(got.Comments) != 1 {
			t.Errorf("%s: %v; open %v, %d comments", match, err, got.Open, len(got.Comments))
		}
		_, bare := v.Without()
		if set := len(got.Labels) == 1 && got.Labels[0] == done.Name; set != (bare == nil) {
			t.Errorf("%s: labels %v, refusal: %v", match, got.Labels, bare)
		}
	}
}

// TestMayNotWrite checks that a token without the permission gets an error and
// not the fault of the issue.
func TestMayNotWrite(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) { c.ReadOnly = true })
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	v := w.open(issue)
	err := v.Finish(t.Context(), publish.Outcome{Body: marker + "done", Add: []ledger.Label{done}, State: publish.Completed})
	if mute, _ := v.Without(); mute != nil || code(err) != string(publish.Permission) {
		t.Errorf("mute: %v; error: %v", mute, err)
	}
}

// TestManyComments checks issues with more comments than GitHub allows: the
// first ones are read, and Ferry's comment among them is edited. If there is
// none, it may be among the rest, so none is created; the issue is labelled and
// closed.
func TestManyComments(t *testing.T) {
	for _, ours := range []int{0, 1} {
		w := newWorld(t, nil)
		issue := w.github.Open(fakegithub.Draft{Author: requester})
		for range ours {
			w.github.Comment(issue, fakegithub.Bot(), marker+"working")
		}
		for range 3050 {
			w.github.Comment(issue, requester, "+1")
		}
		v := w.open(issue)
		err := v.Finish(t.Context(), publish.Outcome{Body: marker + "done", Add: []ledger.Label{working}, State: publish.Completed})
		got := w.github.Issue(issue)
		mute, _ := v.Without()
		if err != nil || got.Open || len(got.Labels) != 1 || len(got.Comments) != 3050+ours || (mute != nil) != (ours == 0) {
			t.Errorf("%d of ours: %v; open %v, %v, %d comments, mute: %v", ours, err, got.Open, got.Labels, len(got.Comments), mute)
		}
		if ours == 1 && got.Comments[0].Body != marker+"done" {
			t.Errorf("our comment is %q", got.Comments[0].Body)
		}
		if n := len(w.github.Requests()); n > 40 {
			t.Errorf("%d requests were made", n)
		}
	}
}

// TestClosedMeanwhile checks that an issue that somebody has closed stays
// closed for that reason.
func TestClosedMeanwhile(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	v := w.open(issue)
	w.github.Close(issue, "not_planned")
	if err := v.Finish(t.Context(), publish.Outcome{Body: marker + "done", State: publish.Completed, Yields: true}); err != nil {
		t.Fatal(err)
	}
	if got := w.github.Issue(issue); got.Open || got.Reason != "not_planned" {
		t.Errorf("open %v, %q", got.Open, got.Reason)
	}
}

// TestNoStateReason closes an issue at a server that does not know the reasons.
func TestNoStateReason(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	v := w.open(issue)
	w.disturb(func(_ int, r *http.Request) fakegithub.Fault {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPatch && bytes.Contains(body, []byte("state_reason")) {
			return fakegithub.Fault{Status: http.StatusUnprocessableEntity}
		}
		return fakegithub.Fault{}
	})
	if err := v.Finish(t.Context(), publish.Outcome{Body: marker + "done", State: publish.NotPlanned}); err != nil {
		t.Fatal(err)
	}
	if got := w.github.Issue(issue); got.Open {
		t.Error("the issue is open")
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
		found, err := c.OpenIssues(t.Context(), "", limit)
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
	// One more was opened long ago, and answered since.
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
	w := newWorld(t, func(c *fakegithub.Config) { c.Repository.Fork, c.NoIssues, c.Pages = true, true, true })
	got, err := w.client(nil).Settings(t.Context())
	if want := (publish.Settings{Fork: true, Pages: true, OwnerID: owner.ID}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
}
