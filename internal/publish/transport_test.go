package publish_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/publish"
)

// TestPauses checks how long a refused request waits before it is repeated, and
// when it is given up instead.
func TestPauses(t *testing.T) {
	start := newClock().Now()
	for _, tt := range []struct {
		name     string
		status   int
		header   http.Header
		body     string
		least    time.Duration // pause after the first answer
		most     time.Duration
		givesUp  string // code of the error, instead of waiting
		tillThen time.Time
	}{
		{name: "server error", status: 500, least: 500 * time.Millisecond, most: 1500 * time.Millisecond},
		{name: "server error that says when", status: 503, header: http.Header{"Retry-After": {"40"}}, least: 40 * time.Second, most: 40 * time.Second},
		{name: "secondary limit", status: 403, header: http.Header{"Retry-After": {"60"}}, least: time.Minute, most: time.Minute},
		{name: "secondary limit, new style", status: 429, header: http.Header{"Retry-After": {"60"}}, least: time.Minute, most: time.Minute},
		{name: "secondary limit without a time", status: 403, least: time.Minute, most: time.Minute,
			body: `{"documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`},
		{name: "secondary limit that points to the terms of service", status: 403, least: time.Minute, most: time.Minute,
			body: `{"message": "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.", "documentation_url": "https://docs.github.com/site-policy/github-terms/github-terms-of-service"}`},
		{name: "secondary limit as a page", status: 403, least: time.Minute, most: time.Minute,
			body: `<html><p>You have exceeded a secondary rate limit.</p></html>`},
		{name: "secondary limit as a validation", status: 422, least: time.Minute, most: time.Minute,
			body: `{"message": "Validation Failed: was submitted too quickly"}`},
		{name: "abuse detection", status: 403, least: time.Minute, most: time.Minute,
			body: `{"message": "You have triggered an abuse detection mechanism. Please wait a few minutes before you try again."}`},
		{name: "429 without a time", status: 429, least: time.Minute, most: time.Minute},
		{name: "primary limit, nearly over", status: 403, least: 31 * time.Second, most: 31 * time.Second,
			header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(start.Unix()+30, 10)}}},
		{name: "primary limit, far from over", status: 403, givesUp: string(failure.RateLimited), tillThen: start.Add(1801 * time.Second),
			header: http.Header{"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(start.Unix()+1800, 10)}}},
		{name: "no permission", status: 403, body: `{"message": "Resource not accessible by integration"}`, givesUp: string(publish.Permission)},
		{name: "a token that is not known yet", status: 401, least: 2 * time.Second, most: 2 * time.Second},
		{name: "deleted", status: 410, givesUp: string(publish.Gone)},
		{name: "moved", status: 301, header: http.Header{"Location": {"/elsewhere"}}, givesUp: string(publish.Gone)},
		{name: "invalid", status: 422, givesUp: string(publish.Rejected)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls++; calls > 1 {
					fmt.Fprint(w, `{"number": 1}`)
					return
				}
				maps.Copy(w.Header(), tt.header)
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			}))
			defer server.Close()
			var pauses []time.Duration
			c := client(t, newClock(), server.URL, func(o *publish.Options) {
				o.Sleep = func(_ context.Context, d time.Duration) error {
					pauses = append(pauses, d)
					return nil
				}
			})
			_, err := c.Issue(t.Context(), 1)
			if tt.givesUp != "" {
				var until time.Time
				if f, ok := failure.As(err); ok {
					until = f.Until
				}
				if code(err) != tt.givesUp || !until.Equal(tt.tillThen) || len(pauses) > 0 {
					t.Errorf("got %+v after pauses of %v, want %s until %v", err, pauses, tt.givesUp, tt.tillThen)
				}
				return
			}
			if err != nil || len(pauses) != 1 || pauses[0] < tt.least || pauses[0] > tt.most {
				t.Errorf("pauses %v, error %v; want one of %v to %v", pauses, err, tt.least, tt.most)
			}
		})
	}
}

// TestChangesAreWaitedFor ends the context of a request while GitHub is
// processing it. The change may still take effect, so the next request must
// wait for it.
func TestChangesAreWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, `[]`)
			return
		}
		calls++
		cancel()
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id": 1, "content": "eyes"}`)
	}))
	defer server.Close()
	v, err := client(t, newClock(), server.URL, func(*publish.Options) {}).Open(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.React(ctx, publish.Eyes); err != nil || calls != 1 {
		t.Errorf("a reaction that was on its way: %v after %d calls", err, calls)
	}
	if err := v.React(ctx, publish.Eyes); err == nil || calls != 1 {
		t.Errorf("a reaction that was not: %v after %d calls", err, calls)
	}
}

// TestStubbornServer checks that no request is repeated for ever.
func TestStubbornServer(t *testing.T) {
	for _, fault := range []fakegithub.Fault{
		{Status: http.StatusBadGateway},
		{Cut: true},
		{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}},
	} {
		w := newWorld(t, nil)
		issue := w.github.Open(fakegithub.Draft{Author: requester})
		w.disturb(func(int, *http.Request) fakegithub.Fault { return fault })
		c := w.client(nil)
		_, err := c.Open(t.Context(), issue)
		if f, ok := failure.As(err); !ok || f.Kind() != failure.Transient {
			t.Errorf("%+v: got %v, want a transient error", fault, err)
		}
		if len(w.github.Requests()) != 5 {
			t.Errorf("%+v: %d calls, want 5", fault, len(w.github.Requests()))
		}
	}
}

// TestLongPause checks that nothing is sent while GitHub has asked for a pause.
func TestLongPause(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	w.disturb(func(n int, _ *http.Request) fakegithub.Fault {
		if n == 1 {
			return fakegithub.Fault{Status: http.StatusForbidden, Header: http.Header{"Retry-After": {"600"}}}
		}
		return fakegithub.Fault{}
	})
	c := w.client(nil)
	for range 3 {
		if _, err := c.Issue(t.Context(), issue); err == nil || len(w.github.Requests()) != 1 || c.Room() {
			t.Errorf("in the pause: error %v, %d calls, room %t; want one call and no room", err, len(w.github.Requests()), c.Room())
		}
	}
	w.clock.Sleep(t.Context(), 9*time.Minute)
	before := w.clock.Now()
	if _, err := c.Issue(t.Context(), issue); err != nil || len(w.github.Requests()) != 2 || !c.Room() {
		t.Errorf("after the pause: %v, %d calls", err, len(w.github.Requests()))
	}
	if waited := w.clock.Now().Sub(before); waited != time.Minute {
		t.Errorf("waited %v for the last minute of the pause", waited)
	}
}

// TestSilentServer waits, in real time, for a response that does not come.
func TestSilentServer(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	w.disturb(func(n int, _ *http.Request) fakegithub.Fault { return fakegithub.Fault{Hang: n == 1} })
	server := httptest.NewServer(w.github)
	defer server.Close()
	c := client(t, w.clock, server.URL, func(o *publish.Options) { o.Timeout = 100 * time.Millisecond })
	if _, err := c.Issue(t.Context(), issue); err != nil || len(w.github.Requests()) < 2 {
		t.Errorf("%d calls, error %v; want another after the one without an answer", len(w.github.Requests()), err)
	}
}

// TestLostCommentIsLookedFor checks that a POST whose response was lost is not
// repeated before the comments were listed.
func TestLostCommentIsLookedFor(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	w.disturb(func(_ int, r *http.Request) fakegithub.Fault {
		lost := r.Method == http.MethodPost
		return fakegithub.Fault{Cut: lost, Effect: lost}
	})
	if err := w.open(issue).Progress(t.Context(), marker); err != nil {
		t.Fatal(err)
	}
	if changes := w.changes(0); len(changes) != 1 {
		t.Errorf("changes %v, want one", changes)
	}
}

// TestLateComment has a comment appear long after its creation seemed to have
// failed.
func TestLateComment(t *testing.T) {
	w := newWorld(t, nil)
	issue := w.github.Open(fakegithub.Draft{Author: requester})
	w.disturb(func(n int, _ *http.Request) fakegithub.Fault { return fakegithub.Fault{Cut: n == 2} })
	v := w.open(issue)
	if err := v.Progress(t.Context(), marker+"working"); err != nil {
		t.Fatal(err)
	}
	w.github.Comment(issue, fakegithub.Bot(), marker+"working")
	if err := v.Finish(t.Context(), publish.Outcome{Body: marker + "done"}); err != nil {
		t.Fatal(err)
	}
	if got := w.github.Issue(issue).Comments; len(got) != 1 || got[0].Body != marker+"done" {
		t.Errorf("comments %+v", got)
	}
}

// TestOnlyOneWaits checks that go-github does not refuse requests by the
// machine's clock after the last request of an hour.
func TestOnlyOneWaits(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-RateLimit-Limit", "1000")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Unix()+3600, 10))
		fmt.Fprint(w, `{"number": 1}`)
	}))
	defer server.Close()
	c := client(t, newClock(), server.URL, nil)
	for range 2 {
		if _, err := c.Issue(t.Context(), 1); err != nil {
			t.Error(err)
		}
	}
}

// TestTokenStaysHere checks that the token is sent to the API's host only, and
// appears in no error.
func TestTokenStaysHere(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s went to another host, with Authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 307, 308, 401, 403, 404, 422, 500} {
		here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Authorization"); got != "Bearer "+token {
				t.Errorf("Authorization %q", got)
			}
			w.Header().Set("Location", elsewhere.URL+r.URL.Path)
			w.WriteHeader(status)
		}))
		c := client(t, newClock(), here.URL, nil)
		_, err := c.Open(t.Context(), 1)
		if err == nil {
			t.Errorf("%d: no error", status)
		}
		if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, token) {
			t.Errorf("%d: the error tells the token: %s", status, text)
		}
		here.Close()
	}
}

// TestRoom checks that requests that can wait are skipped when the budget is
// used up or GitHub has little left, and that the answer is sent.
func TestRoom(t *testing.T) {
	for _, tt := range []struct {
		name   string
		left   int // the requests that GitHub allows
		budget int
	}{
		{name: "budget", left: 1000, budget: 4},
		{name: "GitHub's limit", left: 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(c *fakegithub.Config) { c.Limits.Requests = tt.left })
			issue := w.github.Open(fakegithub.Draft{Author: requester})
			c := w.client(func(o *publish.Options) { o.Budget = tt.budget })
			if !c.Room() {
				t.Error("no room before the first request")
			}
			v, err := c.Open(t.Context(), issue)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				if err := v.Progress(t.Context(), fmt.Sprint(marker, i)); err != nil {
					t.Fatal(err)
				}
				w.clock.Sleep(t.Context(), time.Minute)
			}
			if got := v.Body(); c.Room() || got != marker+"0" && got != marker+"1" {
				t.Errorf("room %t, comment %q; want the first and no more than one edit", c.Room(), got)
			}
			if err := v.Finish(t.Context(), publish.Outcome{Body: marker + "done"}); err != nil || v.Body() != marker+"done" {
				t.Errorf("the answer was withheld: %v", err)
			}
		})
	}
}

// TestHundredsOfIssues answers more issues than GitHub's real limits allow in an hour.
// Each run gives up if it would have to wait too long, and is repeated later.
func TestHundredsOfIssues(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) { c.Limits = fakegithub.GitHubLimits() })
	const issues = 300
	h := histories[0]
	for range issues {
		w.github.Open(h.draft)
	}
	var queue []int
	for i := range issues {
		queue = append(queue, i+1)
	}
	for round := 0; len(queue) > 0; round++ {
		if round > 100 {
			t.Fatalf("%d issues without an answer after %d rounds", len(queue), round)
		}
		var mu sync.Mutex
		var again []int
		var runs sync.WaitGroup
		slots := make(chan struct{}, 20) // concurrent jobs of a free account
		for _, issue := range queue {
			runs.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if err := h.run(t.Context(), w.client(nil), issue); err != nil {
					if failure.CodeOf(err) != failure.RateLimited {
						t.Errorf("issue %d: %v", issue, err)
					}
					mu.Lock()
					defer mu.Unlock()
					again = append(again, issue)
				}
			})
		}
		runs.Wait()
		queue = again
		w.clock.Sleep(t.Context(), time.Hour)
	}
	for i := range issues {
		answers := 0
		shown := w.github.Issue(i + 1)
		for _, c := range shown.Comments {
			if c.Body == h.outcome.Body {
				answers++
			}
		}
		if answers != 1 || len(shown.Comments) != 1 || shown.Reason != string(publish.Completed) {
			t.Errorf("issue %d: %d answers of %d comments, closed as %q", i+1, answers, len(shown.Comments), shown.Reason)
		}
	}
}

// TestMemory requests unchanged pages twice, which GitHub does not count, and
// again when they have changed.
func TestMemory(t *testing.T) {
	w := newWorld(t, func(c *fakegithub.Config) { c.Limits.Requests = 3 })
	for i := range 120 { // two pages, because the headers matter as well
		w.github.Open(fakegithub.Draft{Author: requester, Title: fmt.Sprint(i)})
	}
	c := w.client(nil)
	ask := func(want int) {
		t.Helper()
		asked, err := c.Asked(t.Context(), requester.Login, newClock().Now(), 1000)
		if err != nil || len(asked) != want {
			t.Errorf("asked %d, %v; want %d", len(asked), err, want)
		}
	}
	ask(120)
	for range 5 {
		ask(120)
	}
	w.github.Edit(1, "another title", "")
	if _, err := c.Asked(t.Context(), requester.Login, newClock().Now(), 50); err != nil {
		t.Error(err)
	}
	var statuses []int
	for _, r := range w.github.Requests() {
		statuses = append(statuses, r.Status)
	}
	want := []int{200, 200, 304, 304, 304, 304, 304, 304, 304, 304, 304, 304, 200}
	if diff := cmp.Diff(want, statuses); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestBadAddress checks that a wrong GITHUB_API_URL is an error at once.
func TestBadAddress(t *testing.T) {
	for _, address := range []string{"", "api.github.com", "http://%zz"} {
		_, err := publish.New(publish.Options{APIURL: address, Token: config.NewSecret(token), Repository: event.Repository{Owner: "o", Name: "n"}})
		if err == nil {
			t.Errorf("%q was accepted", address)
		}
	}
}
