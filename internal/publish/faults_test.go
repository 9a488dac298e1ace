package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/publish"
)

var (
	done    = ledger.Label{Name: "ferry: done", Color: "0e8a16", Description: "Every image has arrived"}
	working = ledger.Label{Name: "ferry: working", Color: "fbca04", Description: "Being copied"}
)

// history is a request and its answer.
type history struct {
	name    string
	draft   fakegithub.Draft
	before  func(*world, int) // what happened to the issue before; nil for nothing
	outcome publish.Outcome
}

var histories = []history{
	{
		name:  "new request succeeds",
		draft: fakegithub.Draft{Author: requester, Title: "[PORTER]", Labels: []string{"question", "odd/name?50%"}},
		outcome: publish.Outcome{
			Body: marker + "\nhere it is", Add: []ledger.Label{done}, Remove: []string{"odd/name?50%"},
			Title: "docker.io/library/nginx:1", Reaction: publish.Rocket, State: publish.Completed,
		},
	},
	{
		name:  "request that was done is changed and refused",
		draft: fakegithub.Draft{Author: requester, Title: "nginx", Labels: []string{"ferry: done"}},
		before: func(w *world, issue int) {
			err := w.open(issue).Finish(w.t.Context(), publish.Outcome{Body: marker + "\ndone once", State: publish.Completed})
			if err != nil {
				w.t.Fatal(err)
			}
		},
		outcome: publish.Outcome{
			Body: marker + "\nno image in there", Remove: []string{"ferry: done", "ferry: never there"},
			Reaction: publish.Confused, State: publish.NotPlanned,
		},
	},
	{
		name:  "request that was done has to wait",
		draft: fakegithub.Draft{Author: requester, Title: "nginx"},
		before: func(w *world, issue int) {
			err := w.open(issue).Finish(w.t.Context(), publish.Outcome{Body: marker + "\ndone once", State: publish.Completed})
			if err != nil {
				w.t.Fatal(err)
			}
		},
		outcome: publish.Outcome{Body: marker + "\nlater", Add: []ledger.Label{working}, State: publish.Open},
	},
}

// allHistories returns the histories, each also with the answer as a new
// comment.
func allHistories() []history {
	all := slices.Clone(histories)
	for _, h := range histories {
		h.name += ", anew"
		h.outcome.Anew = true
		all = append(all, h)
	}
	return all
}

// begin returns a world in the state in which the run starts. It has a comment
// of a forger, which must never be taken for Ferry's.
func (h history) begin(t *testing.T) (*world, int) {
	w := newWorld(t, nil)
	issue := w.github.Open(h.draft)
	w.github.Comment(issue, requester, "mine: "+marker)
	if h.before != nil {
		h.before(w, issue)
	}
	return w, issue
}

// run does what the bot does about an issue.
func (h history) run(ctx context.Context, c *publish.Client, issue int) error {
	v, err := c.Open(ctx, issue)
	if err != nil {
		return err
	}
	if err := v.React(ctx, publish.Eyes); err != nil {
		return err
	}
	switch err := v.Progress(ctx, marker+"\nworking"); {
	case errors.Is(err, publish.ErrBeaten):
		return nil // the other run answers
	case err != nil:
		return err
	}
	return v.Finish(ctx, h.outcome)
}

// check checks what must be true in the end, whatever has failed.
func (h history) check(t *testing.T, w *world, issue int) {
	t.Helper()
	type state struct {
		Ours              []string
		Forged            int
		Open              bool
		Reason, Title     string
		Labels, Reactions []string
	}
	i := w.github.Issue(issue)
	got := state{Open: i.Open, Reason: i.Reason, Title: i.Title, Labels: i.Labels, Reactions: i.Reactions}
	for _, c := range i.Comments {
		if c.Author == fakegithub.Bot() {
			got.Ours = append(got.Ours, c.Body)
		} else {
			got.Forged++
		}
	}
	want := state{Ours: []string{h.outcome.Body}, Forged: 1, Title: h.draft.Title, Reactions: []string{"eyes"}}
	if h.outcome.Title != "" {
		want.Title = h.outcome.Title
	}
	if h.outcome.Reaction != "" && (!w.refused("/reactions") || slices.Contains(got.Reactions, string(h.outcome.Reaction))) {
		want.Reactions = append(want.Reactions, string(h.outcome.Reaction))
	}
	want.Reason = string(h.outcome.State)
	if h.outcome.State == publish.Open {
		want.Open, want.Reason = true, "reopened"
	}
	want.Labels = slices.DeleteFunc(slices.Clone(h.draft.Labels), func(l string) bool { return slices.Contains(h.outcome.Remove, l) })
	for _, l := range h.outcome.Add {
		want.Labels = append(want.Labels, l.Name)
		if !slices.ContainsFunc(w.github.Labels(), func(have fakegithub.Label) bool {
			return have.Name == l.Name && have.Color == l.Color && have.Description == l.Description
		}) {
			t.Errorf("label %q lacks its colour or description: %+v", l.Name, w.github.Labels())
		}
	}
	slices.Sort(got.Reactions)
	slices.Sort(want.Reactions)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// refused reports whether a request was refused whose path contains part.
func (w *world) refused(part string) bool {
	return slices.ContainsFunc(w.github.Requests(), func(r fakegithub.Request) bool {
		return r.Status == http.StatusForbidden && strings.Contains(r.Path, part)
	})
}

// faults are the ways in which a request can fail.
var faults = map[string]fakegithub.Fault{
	"refused":              {Status: http.StatusForbidden},
	"server error":         {Status: http.StatusInternalServerError},
	"bad gateway, done":    {Status: http.StatusBadGateway, Effect: true},
	"rate limited":         {Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"30"}}},
	"rate limited, long":   {Status: http.StatusForbidden, Header: http.Header{"Retry-After": {"1800"}}},
	"connection cut":       {Cut: true},
	"lost response":        {Cut: true, Effect: true},
	"silence":              {Hang: true},
	"silence, though done": {Hang: true, Effect: true},
}

// TestEveryCallCanFail makes every single request of a run fail in every way,
// once, or permanently as if the process had been killed, and then runs again.
// The issue must end as if nothing had failed.
func TestEveryCallCanFail(t *testing.T) {
	for _, h := range allHistories() {
		w, issue := h.begin(t)
		start := len(w.github.Requests())
		if err := h.run(t.Context(), w.client(nil), issue); err != nil {
			t.Fatalf("%s: undisturbed: %v", h.name, err)
		}
		h.check(t, w, issue)
		calls := len(w.github.Requests()) - start
		t.Logf("%s: %d calls", h.name, calls)

		for what, fault := range faults {
			for n := 1; n <= calls; n++ {
				for _, ever := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s at %d, ever %t", h.name, what, n, ever), func(t *testing.T) {
						t.Parallel()
						h.survive(t, fault, n, ever)
					})
				}
			}
		}
	}
}

func (h history) survive(t *testing.T, fault fakegithub.Fault, n int, ever bool) {
	w, issue := h.begin(t)
	broken := func(i int) bool { return i == n || ever && i > n }
	w.disturb(func(i int, _ *http.Request) fakegithub.Fault {
		if broken(i) && !fault.Hang {
			return fault
		}
		return fakegithub.Fault{}
	})
	c := w.client(func(o *publish.Options) {
		if fault.Hang {
			o.Transport = &silence{next: w, broken: broken, effect: fault.Effect}
		}
	})
	err := h.run(t.Context(), c, issue)
	passing := fault.Status != http.StatusForbidden
	switch {
	case err == nil && w.refused("/labels"): // the next run sets them
	case err == nil:
		h.check(t, w, issue)
	case passing && !ever:
		t.Errorf("one fault that passes ended the run: %v", err)
	case passing && w.github.Issue(issue).Reason == string(h.outcome.State):
		h.check(t, w, issue) // nobody would look at a closed issue again
	}
	w.disturb(nil)
	if err := h.run(t.Context(), w.client(nil), issue); err != nil {
		t.Fatalf("running again: %v", err)
	}
	h.check(t, w, issue)
}

// silence is a transport that times out at once where a real one waits for half
// a minute.
type silence struct {
	next   http.RoundTripper
	broken func(n int) bool
	effect bool
	n      int
}

func (s *silence) RoundTrip(r *http.Request) (*http.Response, error) {
	s.n++
	if !s.broken(s.n) {
		return s.next.RoundTrip(r)
	}
	if s.effect {
		if _, err := s.next.RoundTrip(r); err != nil {
			return nil, err
		}
	}
	return nil, os.ErrDeadlineExceeded
}

// TestTwoRunsAtOnce runs a second run before every single request of the first.
func TestTwoRunsAtOnce(t *testing.T) {
	for _, h := range allHistories() {
		for n := 1; n <= 20; n++ {
			w, issue := h.begin(t)
			w.disturb(func(i int, _ *http.Request) fakegithub.Fault {
				if i == n {
					if err := h.run(t.Context(), w.client(nil), issue); err != nil {
						t.Errorf("the run between: %v", err)
					}
				}
				return fakegithub.Fault{}
			})
			if err := h.run(t.Context(), w.client(nil), issue); err != nil {
				t.Fatal(err)
			}
			h.check(t, w, issue)
			if t.Failed() {
				t.Fatalf("%s, before call %d", h.name, n)
			}
		}
	}
}

// TestRepeatingChangesNothing publishes the same answer twice.
func TestRepeatingChangesNothing(t *testing.T) {
	for _, h := range allHistories() {
		w, issue := h.begin(t)
		if err := h.run(t.Context(), w.client(nil), issue); err != nil {
			t.Fatal(err)
		}
		before := len(w.github.Requests())
		h.outcome.Reaction = ""
		if err := w.open(issue).Finish(t.Context(), h.outcome); err != nil {
			t.Fatal(err)
		}
		if changes := w.changes(before); len(changes) > 0 {
			t.Errorf("%s: published again: %v", h.name, changes)
		}
	}
}
