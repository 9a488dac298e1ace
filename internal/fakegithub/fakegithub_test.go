package fakegithub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
)

const (
	token    = "ghs_job"
	personal = "ghp_person"
)

var somebody = event.User{ID: 9, Login: "somebody"}

// fake is a served repository and a clock that stands still.
type fake struct {
	t *testing.T
	*fakegithub.Server
	url string
	now time.Time
}

func serve(t *testing.T, change func(*fakegithub.Config)) *fake {
	t.Helper()
	f := &fake{t: t, now: time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)}
	c := fakegithub.Config{
		Repository: event.Repository{Owner: "octo", Name: "mirror", OwnerID: 7},
		Tokens:     map[string]event.User{token: fakegithub.Bot(), personal: somebody},
		Now:        func() time.Time { return f.now },
	}
	if change != nil {
		change(&c)
	}
	f.Server = fakegithub.New(c)
	server := httptest.NewServer(f.Server)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

// call asks the repository; header may be nil.
func (f *fake) call(method, path, body string, header http.Header) reply {
	f.t.Helper()
	got, err := f.try(f.t.Context(), method, path, body, header)
	if err != nil {
		f.t.Fatal(err)
	}
	return got
}

func (f *fake) try(ctx context.Context, method, path, body string, header http.Header) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, f.url+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	maps.Copy(r.Header, header)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	return reply{answer.StatusCode, answer.Header, string(content)}, err
}

const repo = "/repos/octo/mirror"

// TestRefusals collects the answers to what is wrong.
func TestRefusals(t *testing.T) {
	f := serve(t, nil)
	f.Open(fakegithub.Draft{Author: somebody})
	f.Delete(f.Open(fakegithub.Draft{Author: somebody}))
	for _, tt := range []struct {
		method, path, body, token string
		status                    int
		says                      string
	}{
		{"GET", repo, "", "wrong", 401, "Bad credentials"},
		{"GET", "/user", "", "", 403, "Resource not accessible by integration"},
		{"GET", "/repos/octo/other", "", "", 404, "Not Found"},
		{"GET", repo + "/issues/3", "", "", 404, "Not Found"},
		{"GET", repo + "/issues/0", "", "", 404, "Not Found"},
		{"GET", repo + "/issues/2", "", "", 410, "This issue was deleted"},
		{"GET", repo + "/issues/2/comments", "", "", 410, "This issue was deleted"},
		{"PATCH", repo + "/issues/comments/1", `{"body": "x"}`, "", 404, "Not Found"},
		{"DELETE", repo + "/issues/comments/1", "", "", 404, "Not Found"},
		{"DELETE", repo + "/issues/1/labels/none", "", "", 404, "Label does not exist"},
		{"POST", repo + "/issues/1/comments", `{"body": " "}`, "", 422, "missing_field"},
		{"POST", repo + "/issues/1/comments", `{"body": `, "", 400, "Problems parsing JSON"},
		{"POST", repo + "/issues/1/comments", `{"body": "` + strings.Repeat("船", 65537) + `"}`, "", 422, "Body is too long (maximum is 65536 characters)"},
		{"PATCH", repo + "/issues/1", `{"title": "` + strings.Repeat("x", 257) + `"}`, "", 422, "title is too long"},
		{"POST", repo + "/issues", `{"body": "x"}`, "", 422, `"field":"title"`},
		{"POST", repo + "/issues", `{"title": "x", "body": "` + strings.Repeat("船", 65537) + `"}`, "", 422, "body is too long"},
		{"POST", "/repos/octo/other/issues", `{"title": "x"}`, "", 404, "Not Found"},
		{"PATCH", repo + "/issues/1", `{"state": "done"}`, "", 422, `"field":"state"`},
		{"PATCH", repo + "/issues/1", `{"state": "closed", "state_reason": "bored"}`, "", 422, `"field":"state_reason"`},
		{"POST", repo + "/issues/1/reactions", `{"content": "rockets"}`, "", 422, `"field":"content"`},
		{"POST", repo + "/labels", `{"name": ""}`, "", 422, "missing_field"},
	} {
		header := http.Header{}
		if tt.token != "" {
			header.Set("Authorization", "Bearer "+tt.token)
		}
		if got := f.call(tt.method, tt.path, tt.body, header); got.status != tt.status || !strings.Contains(got.body, tt.says) {
			t.Errorf("%s %s %.40s: got %d %s, want %d %s", tt.method, tt.path, tt.body, got.status, got.body, tt.status, tt.says)
		}
	}
	longest := `{"body": "` + strings.Repeat("船", 65536) + `"}`
	if got := f.call("POST", repo+"/issues/1/comments", longest, nil); got.status != 201 {
		t.Errorf("the longest comment got %d", got.status)
	}
	off := serve(t, func(c *fakegithub.Config) { c.NoIssues = true })
	off.Open(fakegithub.Draft{Author: somebody})
	if got := off.call("GET", repo+"/issues/1/comments", "", nil); got.status != 410 {
		t.Errorf("without Issues: %d", got.status)
	}
}

// TestHistory plays a request and compares what was heard and what is left.
func TestHistory(t *testing.T) {
	var heard []string
	f := serve(t, func(c *fakegithub.Config) {
		c.Notify = func(e fakegithub.Event) {
			heard = append(heard, fmt.Sprintf("%d %s %s %q", e.Issue, e.User.Login, e.Kind, e.Text))
		}
	})
	f.Open(fakegithub.Draft{Author: somebody, Title: "nginx", Labels: []string{"Question"}})
	for _, call := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/labels", `{"name": "done", "color": "0e8a16", "description": "all there"}`, 201},
		{"POST", "/labels", `{"name": "DONE"}`, 422},
		{"POST", "/issues/1/labels", `["Done", "new"]`, 200},
		{"POST", "/issues/1/labels", `{"labels": ["done"]}`, 200},
		{"DELETE", "/issues/1/labels/question", "", 200},
		{"POST", "/issues/1/reactions", `{"content": "eyes"}`, 201},
		{"POST", "/issues/1/reactions", `{"content": "eyes"}`, 200},
		{"POST", "/issues/1/comments", `{"body": "working"}`, 201},
		{"PATCH", "/issues/1", `{"title": "docker.io/library/nginx:latest"}`, 200},
		{"PATCH", "/issues/1", `{"state": "closed", "state_reason": "not_planned"}`, 200},
		{"PATCH", "/issues/1", `{"state": "closed", "state_reason": "completed"}`, 200}, // ignored
		{"PATCH", "/issues/1", `{"state": "open"}`, 200},
		{"PATCH", "/issues/1", `{"state": "closed"}`, 200},
	} {
		if got := f.call(call.method, repo+call.path, call.body, nil); got.status != call.status {
			t.Errorf("%+v: got %d %s", call, got.status, got.body)
		}
	}
	id := f.Issue(1).Comments[0].ID
	f.call("PATCH", fmt.Sprintf("%s/issues/comments/%d", repo, id), `{"body": "done"}`, nil)
	f.call("POST", fmt.Sprintf("%s/issues/comments/%d/reactions", repo, id), `{"content": "heart"}`, nil)

	bot := fakegithub.Bot()
	wantIssue := fakegithub.Issue{
		Number: 1, Title: "docker.io/library/nginx:latest", Author: somebody, Reason: "completed",
		Labels: []string{"done", "new"}, Reactions: []string{"eyes"},
		Comments: []fakegithub.Comment{{ID: id, Author: bot, Body: "done", Reactions: []string{"heart"}}},
	}
	if diff := cmp.Diff(wantIssue, f.Issue(1)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	wantHeard := []string{
		`1 somebody issue-opened "nginx"`,
		`1 github-actions[bot] labeled "done"`,
		`1 github-actions[bot] labeled "new"`,
		`1 github-actions[bot] unlabeled "Question"`,
		`1 github-actions[bot] reacted "eyes"`,
		`1 github-actions[bot] comment-created "working"`,
		`1 github-actions[bot] title-changed "docker.io/library/nginx:latest"`,
		`1 github-actions[bot] closed "not_planned"`,
		`1 github-actions[bot] reopened "reopened"`,
		`1 github-actions[bot] closed "completed"`,
		`1 github-actions[bot] comment-edited "done"`,
		`1 github-actions[bot] reacted "heart"`,
	}
	if diff := cmp.Diff(wantHeard, heard); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// A label that the repository hadn't got came with the first issue, grey.
	var looks []string
	for _, l := range f.Labels() {
		looks = append(looks, fmt.Sprintf("%s %s %q", l.Name, l.Color, l.Description))
	}
	if diff := cmp.Diff([]string{`Question ededed ""`, `done 0e8a16 "all there"`, `new ededed ""`}, looks); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestPages follows the Link headers through all comments.
func TestPages(t *testing.T) {
	f := serve(t, nil)
	f.Open(fakegithub.Draft{Author: somebody})
	for i := range 65 {
		f.Comment(1, somebody, strconv.Itoa(i))
	}
	path := repo + "/issues/1/comments"
	var seen []string
	var rels []string
	for path != "" {
		got := f.call("GET", path, "", nil)
		var page []struct{ Body string }
		if err := json.Unmarshal([]byte(got.body), &page); err != nil {
			t.Fatal(err)
		}
		for _, c := range page {
			seen = append(seen, c.Body)
		}
		path = ""
		var here []string
		for link := range strings.SplitSeq(got.header.Get("Link"), ", ") {
			address, rel, _ := strings.Cut(link, "; rel=")
			here = append(here, strings.Trim(rel, `"`))
			if rel == `"next"` {
				path = strings.TrimPrefix(strings.Trim(address, "<>"), f.url)
			}
		}
		rels = append(rels, strings.Join(here, " "))
	}
	if len(seen) != 65 || seen[64] != "64" {
		t.Errorf("saw %d comments: %v", len(seen), seen)
	}
	if diff := cmp.Diff([]string{"next last", "prev next last first", "prev first"}, rels); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestListIssues(t *testing.T) {
	f := serve(t, nil)
	f.Open(fakegithub.Draft{Author: somebody, Labels: []string{"Wait"}})
	f.Open(fakegithub.Draft{Author: event.User{ID: 8, Login: "another"}})
	f.Open(fakegithub.Draft{Author: somebody, PullRequest: true})
	f.call("PATCH", repo+"/issues/2", `{"state": "closed"}`, nil)
	for query, want := range map[string][]int{
		"":                              {3, 1},
		"?state=all&direction=asc":      {1, 2, 3},
		"?state=closed":                 {2},
		"?creator=SOMEBODY":             {3, 1},
		"?labels=wait":                  {1},
		"?since=2024-05-01T12:00:01Z":   {},
		"?per_page=1&page=2":            {1},
		"?per_page=1&page=7":            {},
		"?per_page=no&page=-1&since=no": {3, 1},
	} {
		var found []struct{ Number int }
		if err := json.Unmarshal([]byte(f.call("GET", repo+"/issues"+query, "", nil).body), &found); err != nil {
			t.Fatal(err)
		}
		got := []int{}
		for _, i := range found {
			got = append(got, i.Number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
}

// TestLimits reaches each limit and waits until it is over.
func TestLimits(t *testing.T) {
	post := func(f *fake) reply { return f.call("POST", repo+"/issues/1/comments", `{"body": "x"}`, nil) }
	for _, tt := range []struct {
		name   string
		limits fakegithub.Limits
		wait   time.Duration
		says   string
	}{
		{"primary", fakegithub.Limits{Requests: 3}, time.Hour, "API rate limit exceeded"},
		{"content a minute", fakegithub.Limits{Content: 3}, time.Minute, "secondary rate limit"},
		{"content an hour", fakegithub.Limits{ContentHourly: 3}, time.Hour, "secondary rate limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := serve(t, func(c *fakegithub.Config) { c.Limits = tt.limits })
			f.Open(fakegithub.Draft{Author: somebody})
			for range 3 {
				if got := post(f); got.status != 201 {
					t.Fatalf("below the limit: %d %s", got.status, got.body)
				}
			}
			got := post(f)
			if got.status != 403 || !strings.Contains(got.body, tt.says) {
				t.Fatalf("above the limit: %d %s", got.status, got.body)
			}
			// What the answer says about time must be enough to wait, and not
			// be a moment too early.
			var wait time.Duration
			if after := got.header.Get("Retry-After"); after != "" {
				seconds, _ := strconv.Atoi(after)
				wait = time.Duration(seconds) * time.Second
			} else {
				reset, _ := strconv.ParseInt(got.header.Get("X-RateLimit-Reset"), 10, 64)
				wait = time.Unix(reset, 0).Sub(f.now)
			}
			if wait < tt.wait || wait > tt.wait+2*time.Second {
				t.Errorf("says to wait %v, want %v", wait, tt.wait)
			}
			if f.call("GET", "/rate_limit", "", nil).status != 200 {
				t.Error("asking for the limit is limited")
			}
			f.now = f.now.Add(wait)
			if got := post(f); got.status != 201 {
				t.Errorf("after the wait: %d", got.status)
			}
		})
	}
}

// TestConditional asks again for what has not changed, which costs nothing.
func TestConditional(t *testing.T) {
	f := serve(t, nil)
	f.Open(fakegithub.Draft{Author: somebody})
	first := f.call("GET", repo+"/issues/1", "", nil)
	known := http.Header{"If-None-Match": {first.header.Get("ETag")}}
	again := f.call("GET", repo+"/issues/1", "", known)
	if again.status != 304 || again.body != "" {
		t.Errorf("unchanged: %d %q", again.status, again.body)
	}
	f.Comment(1, somebody, "news")
	changed := f.call("GET", repo+"/issues/1", "", known)
	if changed.status != 200 || changed.header.Get("X-RateLimit-Remaining") != "998" {
		t.Errorf("changed: %d, %s left; want 200, 998", changed.status, changed.header.Get("X-RateLimit-Remaining"))
	}
}

// TestFaults injects each fault once and looks at what the client sees and at
// what has happened all the same.
func TestFaults(t *testing.T) {
	for name, tt := range map[string]struct {
		fault    fakegithub.Fault
		status   int // 0 for no answer
		comments int
	}{
		"none":          {fakegithub.Fault{}, 201, 1},
		"status":        {fakegithub.Fault{Status: 502}, 502, 0},
		"status, done":  {fakegithub.Fault{Status: 502, Effect: true}, 502, 1},
		"cut":           {fakegithub.Fault{Cut: true}, 0, 0},
		"lost response": {fakegithub.Fault{Cut: true, Effect: true}, 0, 1},
		"silence":       {fakegithub.Fault{Hang: true}, 0, 0},
		"silence, done": {fakegithub.Fault{Hang: true, Effect: true}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, giveUp := context.WithCancel(t.Context())
			defer giveUp()
			f := serve(t, func(c *fakegithub.Config) {
				c.Fault = func(n int, _ *http.Request) fakegithub.Fault {
					if tt.fault.Hang {
						time.AfterFunc(10*time.Millisecond, giveUp)
					}
					if n != 1 {
						t.Errorf("request %d, want 1", n)
					}
					return tt.fault
				}
			})
			f.Open(fakegithub.Draft{Author: somebody})
			got, err := f.try(ctx, "POST", repo+"/issues/1/comments", `{"body": "x"}`, nil)
			if (err != nil) != (tt.status == 0) || got.status != tt.status {
				t.Errorf("got %d, %v; want %d", got.status, err, tt.status)
			}
			if n := len(f.Issue(1).Comments); n != tt.comments {
				t.Errorf("%d comments, want %d", n, tt.comments)
			}
			if log := f.Requests(); len(log) != 1 || log[0].Status != tt.status || log[0].Body != `{"body": "x"}` {
				t.Errorf("log %+v", log)
			}
		})
	}
}

// TestPermission compares the roles of today with the permissions of old.
func TestPermission(t *testing.T) {
	f := serve(t, func(c *fakegithub.Config) {
		c.Roles = map[string]string{"Somebody": "maintain"}
	})
	f.Open(fakegithub.Draft{Author: event.User{ID: 5, Login: "guest"}})
	for login, want := range map[string]string{"somebody": "write", "OCTO": "admin", "guest": "read", "ghost": ""} {
		got := f.call("GET", repo+"/collaborators/"+login+"/permission", "", nil)
		var level struct{ Permission string }
		if err := json.Unmarshal([]byte(got.body), &level); err != nil || level.Permission != want {
			t.Errorf("%s: %s, want %q", login, got.body, want)
		}
	}
}

// TestCrowd has many clients comment at once; every comment must be there.
func TestCrowd(t *testing.T) {
	f := serve(t, nil)
	f.Open(fakegithub.Draft{Author: somebody})
	var crowd sync.WaitGroup
	for range 8 {
		crowd.Go(func() {
			for range 25 {
				if _, err := f.try(t.Context(), "POST", repo+"/issues/1/comments", `{"body": "x"}`, nil); err != nil {
					t.Error(err)
				}
				f.Issue(1)
			}
		})
	}
	crowd.Wait()
	if n := len(f.Issue(1).Comments); n != 200 {
		t.Errorf("%d comments, want 200", n)
	}
}
