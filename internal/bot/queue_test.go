package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/request"
)

// TestPoison checks that a request on which every run dies is given up, and
// does not delay others.
func TestPoison(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	poison := w.open(stranger, "please", "quay.io/ns/img:1.0")
	die := func(kind, action string, number int) { // nothing that the run sends arrives
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var once sync.Once
		// An address of its own: what a run that has died has still sent must not
		// be taken for the next one's.
		w.At["registry.example.com:80"] = w.Serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				once.Do(func() {
					w.disturb(func(int) fakegithub.Fault { return fakegithub.Fault{Cut: true} })
					cancel()
				})
			}
			w.Target.ServeHTTP(rw, r)
		}))
		w.happensIn(ctx, kind, action, number, nil)
		w.disturb(nil)
		w.later()
	}
	die("issues", "opened", poison)
	behind := w.open(sailor, "please", "docker.io/ns/img:1.0")
	w.Publish("ns/other", "1.0", 2)
	w.github.Edit(behind, "please", "gcr.io/ns/none:1.0")
	for range 3 {
		die("schedule", "", 0)
	}
	w.wantIssue(behind, false, "not_planned", "ferry/refused") // answered in the first sweep
	if m, _ := ledger.ParseMarker(w.comment(poison)); m.State != ledger.Working || m.Lost != 3 {
		t.Errorf("the comment says %+v", m)
	}
	w.At["registry.example.com:80"] = w.Serve(w.Target)
	w.happens("schedule", "", 0, nil)
	w.wantIssue(poison, false, "not_planned", "ferry/refused")
	if m, _ := ledger.ParseMarker(w.comment(poison)); m.State != ledger.GivenUp || m.Lost != 4 {
		t.Errorf("the comment says %+v", m)
	}
	// The requester may start over.
	w.says(stranger, poison, "/ferry retry")
	w.wantIssue(poison, false, "completed", "ferry/done")
}

// TestSweepSeesPastOthers checks that issues with other purposes hide no
// requests.
func TestSweepSeesPastOthers(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	for i := range 250 {
		w.open(stranger, fmt.Sprint("bug ", i), otherForms[0]+"\n\nnothing")
	}
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, false, "completed", "ferry/done")
}

// TestSweepFindsWhatHasNoLabel: in a repository with another purpose, too, what a
// run has left between its comment and its label is finished.
func TestSweepFindsWhatHasNoLabel(t *testing.T) {
	w := newWorld(t)
	w.Environ["FERRY_ACTION_REPOSITORY"] = "imageferry/ferry"
	w.Publish("ns/img", "1.0", 1)
	other := w.open(stranger, "it crashes", "gcr.io/ns/img:1.0")
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	m := ledger.Marker{Issue: n, Request: strings.Repeat("0", 64), State: ledger.Working, Tries: 1, Since: w.clock(), Run: 1}
	w.github.Comment(n, fakegithub.Bot(), m.String()+"\nworking")
	w.later()
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, false, "completed", "ferry/done")
	if got := w.github.Issue(other); len(got.Comments) != 0 {
		t.Errorf("an issue that was never given to Ferry: %+v", got)
	}
}

// TestTriedLeastComesFirst checks that the sweep begins with the issues tried
// least often, and of those with the oldest, whatever strangers comment.
func TestTriedLeastComesFirst(t *testing.T) {
	w := newWorld(t)
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/down", Times: -1, Status: http.StatusServiceUnavailable})
	var issues []int
	for i := range 3 {
		n := w.open(stranger, "please", fmt.Sprintf("gcr.io/ns/down-%d:1.0", i))
		w.happens("issues", "opened", n, nil)
		issues = append(issues, n)
		w.later()
	}
	w.says(stranger, issues[0], "/ferry retry")     // its second try
	w.github.Comment(issues[1], stranger, "me too") // comments of strangers do not change the order
	fresh := w.open(stranger, "please", "gcr.io/ns/down-3:1.0")
	w.later()
	_, log := w.happens("schedule", "", 0, nil)
	last := -1
	for _, n := range []int{fresh, issues[1], issues[2], issues[0]} {
		at := strings.Index(log, fmt.Sprintf("::group::issue #%d", n))
		if at <= last {
			t.Errorf("issue %d does not have its turn: %s", n, log)
		}
		last = at
	}
}

// TestLeftover checks that the run of another issue continues a waiting request
// if the sweep's schedule is off.
func TestLeftover(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	var healed atomic.Bool
	w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img/", Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		if healed.Load() {
			return false
		}
		rw.WriteHeader(http.StatusServiceUnavailable)
		return true
	}})
	left := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", left, nil)
	w.wantIssue(left, true, "", "ferry/retry")
	healed.Store(true)
	other := func() { w.happens("issues", "opened", w.open(sailor, "please", "gcr.io/ns/none:1.0"), nil) }
	other()
	w.wantIssue(left, true, "", "ferry/retry") // the sweep may still run
	for range 6 {
		w.later()
	}
	other()
	w.wantIssue(left, false, "completed", "ferry/done")
}

// TestLabelsAreMadeUpFor checks that the sweep sets labels that GitHub refused
// while a request was answered.
func TestLabelsAreMadeUpFor(t *testing.T) {
	refuse := true
	w := newWorld(t, func(c *fakegithub.Config) {
		c.Fault = func(_ int, r *http.Request) fakegithub.Fault {
			if refuse && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/labels") {
				return fakegithub.Fault{Status: http.StatusForbidden}
			}
			return fakegithub.Fault{}
		}
	})
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.happens("issues", "opened", n, nil)
	if labels := w.github.Issue(n).Labels; len(labels) != 0 {
		t.Fatalf("it bears %q", labels)
	}
	refuse = false
	w.later()
	w.happens("schedule", "", 0, nil)
	w.wantIssue(n, false, "completed", "ferry/done")
}

// TestDailyLimitIsNotWashedOff checks that an answered request counts, whatever
// its later text.
func TestDailyLimitIsNotWashedOff(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {requests-per-day: 2}\n")
	served := 0
	for i := range 4 {
		w.Publish(fmt.Sprint("ns/img-", i), "1", uint64(i+1))
		n := w.open(stranger, "please", fmt.Sprintf("gcr.io/ns/img-%d:1", i))
		w.happens("issues", "opened", n, nil)
		if w.Mirrored(fmt.Sprint("ns.img-", i), "1") != "" {
			served++
		}
		w.github.Edit(n, "please", otherForms[0]+"\n\n-")
		w.happens("issues", "edited", n, nil)
	}
	if served != 2 {
		t.Errorf("%d requests were served, want 2", served)
	}
}

// TestBytesOfADay checks that the bytes sent for a stranger are limited over
// all issues of a day, whatever their results, and not for collaborators.
func TestBytesOfADay(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {bytes-per-day: 100KB}\n") // an image has some 42 kB
	ask := func(who event.User, i int) (issue int) {
		w.Publish(fmt.Sprint("ns/img-", i), "1", uint64(i+1))
		n := w.open(who, "please", fmt.Sprintf("gcr.io/ns/img-%d:1", i))
		w.happens("issues", "opened", n, nil)
		return n
	}
	served := func(i int) bool { return w.Mirrored(fmt.Sprint("ns.img-", i), "1") != "" }
	for i := range 2 {
		ask(stranger, i)
	}
	third := ask(stranger, 2)
	if !served(0) || !served(1) || served(2) {
		t.Errorf("served: %v, %v, %v", served(0), served(1), served(2))
	}
	fakeworld.WantText(t, "the answer", w.comment(third), "copied for you in 24 hours", "100000")
	w.wantIssue(third, false, "not_planned", "ferry/refused")
	for i := 3; i < 6; i++ {
		if ask(sailor, i); !served(i) {
			t.Errorf("request %d of a collaborator is not served", i)
		}
	}
	for range 25 {
		w.later()
	}
	w.says(stranger, third, "/ferry retry")
	if !served(2) {
		t.Error("the next day it is not served either")
	}
}

// TestBytesOfFailures checks that bytes count even if the image did not arrive.
func TestBytesOfFailures(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {bytes-per-day: 60KB}\n")
	w.Target.Inject(fakeregistry.Fault{Match: "^PUT .*/ns.img-0/manifests/", Times: -1, Status: http.StatusBadRequest})
	for i := range 2 {
		w.Publish(fmt.Sprint("ns/img-", i), "1", uint64(i+1))
		w.happens("issues", "opened", w.open(stranger, "please", fmt.Sprintf("gcr.io/ns/img-%d:1", i)), nil)
	}
	if w.Mirrored("ns.img-1", "1") != "" {
		t.Error("the second request is served")
	}
}

// TestRepositoriesOfADay checks that a stranger's requests create a limited
// number of repositories per day, and any number of tags in existing ones.
func TestRepositoriesOfADay(t *testing.T) {
	w := newWorld(t)
	w.SetPolicy(fakeworld.Policy + "limits: {repositories-per-day: 3}\n")
	var texts []string
	for i := range 4 {
		w.Publish(fmt.Sprint("ns/img-", i), "1", uint64(i+1))
		w.Publish(fmt.Sprint("ns/img-", i), "2", uint64(i+11))
		texts = append(texts, fmt.Sprintf("gcr.io/ns/img-%d:1 gcr.io/ns/img-%d:2", i, i))
	}
	ask := func(lines ...string) int {
		n := w.open(stranger, "please", strings.Join(lines, "\n"))
		w.happens("issues", "opened", n, nil)
		return n
	}
	ask(texts[0], texts[1])
	last := ask(texts[2:]...)
	created := 0
	for i := range 4 {
		if one, two := w.Mirrored(fmt.Sprint("ns.img-", i), "1"), w.Mirrored(fmt.Sprint("ns.img-", i), "2"); one != "" && two != "" {
			created++
		} else if one != two {
			t.Errorf("of image %d one tag is there", i)
		}
	}
	if created != 3 {
		t.Errorf("%d repositories were created, want 3", created)
	}
	fakeworld.WantText(t, "the answer", w.comment(last), "new repositories in 24 hours", "The limit is `3`")
	w.Publish("ns/img-0", "3", 30)
	ask("gcr.io/ns/img-0:3")
	if w.Mirrored("ns.img-0", "3") == "" {
		t.Error("a further tag of a repository that is there is refused")
	}
}

// TestSkewedClock checks that a runner whose clock is ahead does not regard a
// live run as dead.
func TestSkewedClock(t *testing.T) {
	w := newWorld(t)
	w.Publish("ns/img", "1.0", 1)
	n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
	w.disturb(func(i int) fakegithub.Fault { return fakegithub.Fault{Cut: i > 8} })
	w.happens("issues", "opened", n, nil) // appears to others to be working
	w.disturb(nil)
	if m, _ := ledger.ParseMarker(w.comment(n)); m.State != ledger.Working {
		t.Fatalf("the comment says %+v", m)
	}
	w.ahead = 3 * time.Hour
	w.Source.Forget()
	w.happens("schedule", "", 0, nil)
	if got := len(w.Source.Requests()); got != 0 {
		t.Errorf("the sweep made %d requests for what another run is at", got)
	}
}

// interrupted stops the run of a command as soon as it sends something.
func (w *world) interrupted(who event.User, issue int, command string) {
	w.T.Helper()
	ctx, cancel := context.WithCancel(w.T.Context())
	defer cancel()
	var over atomic.Bool
	defer over.Store(true)
	w.Target.Inject(fakeregistry.Fault{Match: "^POST .*/uploads/", Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		if over.Load() {
			return false
		}
		cancel()
		rw.WriteHeader(http.StatusServiceUnavailable) // so that nothing arrives that makes it complete
		return true
	}})
	id := w.github.Comment(issue, who, command)
	w.happensIn(ctx, "issue_comment", "created", issue, map[string]any{"comment": commented(who, id, command)})
	if m, _ := ledger.ParseMarker(w.comment(issue)); !m.State.Open() {
		w.T.Fatalf("the run was not interrupted: %+v", m)
	}
}

func (w *world) sweepLater() {
	w.later()
	w.happens("schedule", "", 0, nil)
}

// unsign removes the signature from Ferry's comment, as if it were signed with
// another secret.
func (w *world) unsign(issue int) {
	w.T.Helper()
	w.rewrite(issue, regexp.MustCompile(" signed=[0-9a-f]+").ReplaceAllString(w.comment(issue), ""))
}

// rewrite replaces Ferry's comment, as another workflow can.
func (w *world) rewrite(issue int, text string) {
	w.T.Helper()
	body, err := json.Marshal(map[string]string{"body": text})
	if err != nil {
		w.T.Fatal(err)
	}
	for _, c := range w.github.Issue(issue).Comments {
		if !c.Author.Bot {
			continue
		}
		address := fmt.Sprintf("%s/repos/%s/ferry/issues/comments/%d", w.Environ["GITHUB_API_URL"], fakeworld.Owner.Login, c.ID)
		patch, err := http.NewRequestWithContext(w.T.Context(), http.MethodPatch, address, bytes.NewReader(body))
		if err != nil {
			w.T.Fatal(err)
		}
		patch.Header.Set("Authorization", "Bearer "+w.Environ["GITHUB_TOKEN"])
		response, err := http.DefaultClient.Do(patch)
		if err != nil {
			w.T.Fatal(err)
		}
		response.Body.Close()
	}
}

// TestInterruptedCommands checks that the sweep finishes the request of a
// command, with the rights of its author.
func TestInterruptedCommands(t *testing.T) {
	t.Run("refresh", func(t *testing.T) {
		for _, giver := range []event.User{sailor, stranger} {
			w := newWorld(t)
			w.Environ["FERRY_PROFILE"] = "last"
			want := w.Publish("ns/img", "1.0", 1)
			w.Target.Add("mirror/img", "1.0", fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0 gcr.io/ns/other:1.0")
			w.happens("issues", "opened", n, nil)
			w.Publish("ns/other", "1.0", 4) // so that there is something to send
			w.Target.Inject(fakeregistry.Fault{Match: "^PUT .*/img/manifests/", Times: 1, Status: http.StatusServiceUnavailable})
			w.interrupted(giver, n, "/ferry refresh")
			w.sweepLater()
			if got := w.Mirrored("img", "1.0"); (got == want) != (giver == sailor) {
				t.Errorf("after the refresh of %s the mirror is %s", giver.Login, got)
			}
		}
	})
	t.Run("add and platform", func(t *testing.T) {
		for command, want := range map[string]string{"/ferry add gcr.io/ns/more:1.0": "ns.more", "/ferry platform linux/arm64 ": "ns.img"} {
			w := newWorld(t)
			w.Publish("ns/img", "1.0", 1)
			w.Publish("ns/more", "1.0", 2)
			n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
			if want == "ns.img" {
				w.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img/", Times: 1, Status: http.StatusNotFound})
			}
			w.happens("issues", "opened", n, nil)
			w.interrupted(stranger, n, command)
			w.sweepLater()
			if w.Mirrored(want, "1.0") == "" {
				t.Errorf("%s: %s", command, w.comment(n))
			}
			if got := w.comment(n); want == "ns.img" && !strings.Contains(got, "--platform linux/arm64") {
				t.Errorf("%s: %s", command, got)
			}
		}
	})
	t.Run("approval, without a signature that lasts", func(t *testing.T) {
		w := newWorld(t)
		w.fork = true
		w.Publish("ns/img", "1.0", 1)
		n := w.open(stranger, "please", "gcr.io/ns/img:1.0")
		w.happens("issues", "opened", n, nil)
		approve := w.approval(n)
		defer func() {
			if w.Mirrored("ns.img", "1.0") == "" {
				t.Errorf("the approval is lost: %s", w.comment(n))
			}
		}()
		w.interrupted(sailor, n, approve)
		w.unsign(n)
		w.sweepLater()
	})
	t.Run("approval of the text, then a command", func(t *testing.T) {
		w, n := askedOf(t, "gcr.io/nothing/*", "gcr.io/ns/img:1.0", "ns/img", "ns/secret")
		w.says(sailor, n, w.approval(n))
		w.Publish("ns/img", "1.0", 3)
		w.working(stranger, n, "/ferry add gcr.io/ns/secret:1.0")
		w.sweepLater()
		if w.Mirrored("ns.secret", "1.0") != "" {
			t.Errorf("what the collaborator has not seen is mirrored: %s", w.comment(n))
		}
	})
	t.Run("approval of a command, without a signature that lasts", func(t *testing.T) {
		w, n := askedOf(t, "gcr.io/nothing/*", "gcr.io/ns/img:1.0", "ns/img", "ns/more")
		w.says(stranger, n, "/ferry add gcr.io/ns/more:1.0")
		w.interrupted(sailor, n, w.approval(n))
		w.unsign(n)
		w.sweepLater()
		if w.Mirrored("ns.more", "1.0") == "" {
			t.Errorf("the approval is lost: %s", w.comment(n))
		}
	})
}

// working posts a command whose run is lost while it works on it: its marker has
// no signature.
func (w *world) working(author event.User, number int, text string) {
	w.T.Helper()
	w.github.Comment(number, author, text)
	title, body := w.github.Issue(number).Title, w.github.Issue(number).Body
	own := request.Parse(request.Input{Title: title, Body: body})
	changed := own
	command, ok := request.ParseCommand(text)
	if !ok {
		w.T.Fatalf("%q is not a command", text)
	}
	change(&changed, command)
	m := ledger.Marker{Issue: number, Request: ledger.Fingerprint(changed), Text: ledger.Fingerprint(own), State: ledger.Working, Tries: 1, Since: w.clock(), Run: 1}
	w.rewrite(number, m.String()+"\nworking")
	w.github.Reopen(number)
}
