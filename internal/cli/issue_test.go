package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/publish"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// divided is a world with an issue whose images several jobs copy.
type divided struct {
	fleet
	issue int
}

// newDivided opens an issue of a stranger for n images.
func newDivided(t *testing.T, n int, limits string) divided {
	d := divided{fleet: newFleet(t, n)}
	d.github = fakegithub.New(fakegithub.Config{
		Repository: event.Repository{Owner: harbour.Login, Name: "ferry", OwnerID: harbour.ID},
		Tokens:     map[string]event.User{"token-of-github": fakegithub.Bot()},
	})
	d.Environ["GITHUB_API_URL"] = "http://" + d.Serve(d.github)
	d.Environ["GITHUB_RUN_ID"], d.Environ["FERRY_JOBS"] = "7", "3-3"
	d.SetPolicy(fakeworld.Policy + "limits: {images: 100, images-per-job: 5" + limits + "}\n")
	text, err := os.ReadFile(d.list)
	if err != nil {
		t.Fatal(err)
	}
	d.issue = d.github.Open(fakegithub.Draft{Author: event.User{ID: 3003, Login: "stranger"}, Title: "please", Body: string(text)})
	return d
}

// happens runs "ferry run" for an event about the issue.
func (d divided) happens(kind, action string, environ ...string) string {
	d.T.Helper()
	issue := d.github.Issue(d.issue)
	text, err := json.Marshal(map[string]any{
		"action": action,
		"repository": map[string]any{
			"name": "ferry", "full_name": harbour.Login + "/ferry", "owner": map[string]any{"login": harbour.Login, "id": harbour.ID, "type": "User"},
		},
		"sender": map[string]any{"login": "stranger", "id": 3003, "type": "User"},
		"issue": map[string]any{
			"number": d.issue, "title": issue.Title, "body": issue.Body, "state": "open",
			"user": map[string]any{"login": "stranger", "id": 3003, "type": "User"},
		},
	})
	if err != nil {
		d.T.Fatal(err)
	}
	d.Write("event.json", string(text))
	d.Environ["GITHUB_EVENT_NAME"], d.Environ["GITHUB_EVENT_PATH"] = kind, filepath.Join(d.Dir, "event.json")
	for _, setting := range environ {
		name, value, _ := strings.Cut(setting, "=")
		before, set := d.Environ[name]
		d.Environ[name] = value
		defer func() {
			if d.Environ[name] = before; !set {
				delete(d.Environ, name)
			}
		}()
	}
	status, out := d.world.run(d.T.Context(), "run")
	d.WantStatus(status, wiring.StatusDone, out)
	return out
}

// plans begins with the request, which is to be divided.
func (d divided) plans() string {
	d.T.Helper()
	out := d.happens("issues", "opened", "FERRY_PLAN="+d.plan)
	if got := d.output("shards"); got != "[1,2,3]" {
		d.T.Fatalf("the shards are %s: %s", got, out)
	}
	return out
}

// copies runs its three jobs.
func (d divided) copies() {
	d.T.Helper()
	for shard := 1; shard <= 3; shard++ {
		status, out := d.shard(d.T.Context(), shard)
		d.WantStatus(status, wiring.StatusDone, out)
	}
}

// joins ends it.
func (d divided) joins() string {
	d.T.Helper()
	return d.happens("issues", "opened", "FERRY_PLAN="+d.plan, "FERRY_RECEIPTS="+d.receipts)
}

// comment returns the only comment of Ferry, and its marker.
func (d divided) comment() (string, ledger.Marker) {
	d.T.Helper()
	comments := d.github.Issue(d.issue).Comments
	if len(comments) != 1 {
		d.T.Fatalf("there are %d comments: %+v", len(comments), comments)
	}
	m, _ := ledger.ParseMarker(comments[0].Body)
	return comments[0].Body, m
}

// TestIssueDivided: of the three jobs for an issue one never starts. The join answers
// once, and copies nothing that is there.
func TestIssueDivided(t *testing.T) {
	d := newDivided(t, 12, "")
	d.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img03/manifests/", Times: -1, Status: http.StatusNotFound})
	d.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img07/blobs/", Times: -1, Status: http.StatusForbidden, Body: `{"errors":[{"code":"DENIED"}]}`})
	d.plans()
	if n := d.Target.Count("^(PUT|POST|PATCH)"); n > 0 {
		t.Errorf("the plan writes to the target: %d requests", n)
	}
	body, m := d.comment()
	fakeworld.WantText(t, "the comment", body, "3 jobs copy them")
	if m.State != ledger.Working || m.Shards != 3 || m.Used.Bytes < 10*20_000 || m.Used.Repositories != 11 {
		t.Errorf("the marker is %+v", m)
	}
	// Neither the sweep nor an edit that changes nothing takes the issue.
	d.happens("schedule", "", "GITHUB_RUN_ID=8")
	d.happens("issues", "edited", "GITHUB_RUN_ID=9", "FERRY_PLAN="+d.plan+".other")
	if n := d.Target.Count("^(PUT|POST|PATCH)"); n > 0 {
		t.Errorf("another run writes to the target: %d requests", n)
	}
	for shard := 1; shard <= 2; shard++ {
		status, out := d.shard(t.Context(), shard)
		d.WantStatus(status, wiring.StatusDone, out) // the answer says what has failed
	}
	d.Target.Forget()
	d.Source.Forget()
	d.joins()
	if n := d.Target.Count("^PUT .*/manifests/"); n > 0 {
		t.Errorf("the join copies again: %d requests", n)
	}
	if n := d.Source.Count("^GET .*/manifests/sha256"); n > 0 {
		t.Errorf("the join reads %d manifests again", n)
	}
	body, m = d.comment()
	fakeworld.WantText(t, "the answer", body, "Mirrored 10 of 12 images")
	if strings.Contains(body, "already") {
		t.Errorf("the answer says that images were there: %s", body)
	}
	if m.State != ledger.Partial || m.Shards != 0 || m.Tries != 1 || m.Lost != 0 || m.Used.Repositories != 10 || m.Used.Bytes < 10*20_000 {
		t.Errorf("the marker is %+v", m)
	}
	for i := range 12 {
		if there := d.Mirrored(fmt.Sprintf("ns.img%02d", i), "1") != ""; there != (i != 3 && i != 7) {
			t.Errorf("img%02d is mirrored: %v", i, there)
		}
	}
	// The join again, as after "Re-run failed jobs".
	d.joins()
	if again, _ := d.comment(); again != body {
		t.Errorf("the answer has changed: %s", again)
	}
}

// TestIssueDividedArchive: of a divided request the join asks for the file, of all that
// was mirrored, once; the plan does not.
func TestIssueDividedArchive(t *testing.T) {
	d := newDivided(t, 12, "")
	d.SetPolicy(fakeworld.Policy + "limits: {images: 100, images-per-job: 5}\narchives: {requests: anyone, days: 4, release: true}\n")
	text, err := os.ReadFile(d.list)
	if err != nil {
		t.Fatal(err)
	}
	d.issue = d.github.Open(fakegithub.Draft{Author: event.User{ID: 3003, Login: "stranger"}, Title: "please", Body: string(text) + "/archive\n"})
	d.Source.Inject(fakeregistry.Fault{Match: "/v2/ns/img03/manifests/", Times: -1, Status: http.StatusNotFound})
	out := d.plans()
	if got := d.output("archive"); got != "" {
		t.Errorf("the plan asks for a file of %s: %s", got, out)
	}
	d.copies()
	d.joins()
	body, m := d.comment()
	fakeworld.WantText(t, "the answer", body, "Mirrored 11 of 12 images", "The tar file is being made")
	asked := d.output("archive")
	if n := strings.Count(asked, "@sha256:"); n != 11 || strings.Contains(asked, "img03") || d.output("archive-days") != "4" || d.output("archive-release") != "true" || m.Used.Archives != 1 {
		t.Errorf("the join asks for a file of %d images: %s; %+v", n, asked, m)
	}
	d.Write("record.json", `{"images":[],"size":3000000,"sha256":"`+strings.Repeat("5", 64)+`","files":[{"file":"images.tar","size":3000000,"sha256":"`+strings.Repeat("5", 64)+`"}]}`)
	d.happens("issues", "opened", "FERRY_ARCHIVE=https://github.com/"+harbour.Login+"/ferry/releases/download/ferry-archive-20261129-7", "FERRY_ARCHIVE_RECORD="+filepath.Join(d.Dir, "record.json"))
	body, m = d.comment()
	fakeworld.WantText(t, "the answer", body, "/releases/download/ferry-archive-20261129-7/images.tar), 3.0 MB", "docker load -i images.tar")
	if m.Used.Archives != 1 || m.State != ledger.Partial {
		t.Errorf("the marker is %+v", m)
	}
}

// TestIssueDividedLimits: the requester's limits hold for all jobs together.
func TestIssueDividedLimits(t *testing.T) {
	for limits, says := range map[string]string{
		", repositories-per-day: 8": "repositories",
		", request-bytes: 180000":   "180000",
		", bytes-per-day: 180000":   "180000",
	} {
		d := newDivided(t, 12, limits)
		d.plans()
		d.copies()
		d.joins()
		there := 0
		for i := range 12 {
			if d.Mirrored(fmt.Sprintf("ns.img%02d", i), "1") != "" {
				there++
			}
		}
		body, m := d.comment()
		fakeworld.WantText(t, limits, body, fmt.Sprintf("Mirrored %d of 12 images", there))
		if there == 0 || there > 8 || m.Used.Repositories != there {
			t.Errorf("%s (%s): %d images, %+v", limits, says, there, m)
		}
	}
}

// TestIssueDividedLost: without plan and receipts, the join copies everything.
func TestIssueDividedLost(t *testing.T) {
	d := newDivided(t, 7, "")
	d.plans()
	_, planned := d.comment()
	reserved := planned.Reserved
	if reserved.Repositories != 7 || reserved.Bytes == 0 {
		t.Errorf("the marker is %+v", planned)
	}
	if err := os.WriteFile(d.plan, []byte(`{"Version":1,"ID":"`), 0o600); err != nil {
		t.Fatal(err)
	}
	out := d.joins()
	fakeworld.WantText(t, "the log", out, "is not a plan, or is incomplete")
	body, m := d.comment()
	fakeworld.WantText(t, "the answer", body, "Mirrored 7 images.")
	if m.State != ledger.Done || m.Used.Repositories != 7 || m.Used.Bytes > reserved.Bytes {
		t.Errorf("the marker is %+v", m)
	}
}

// TestIssueDividedElsewhere: the answer says what public mirrors told the first job, for
// images that other jobs have copied.
func TestIssueDividedElsewhere(t *testing.T) {
	d := newDivided(t, 7, "")
	d.plans()
	p, err := shards.Read(d.plan)
	if err != nil {
		t.Fatal(err)
	}
	image, err := reference.Parse("gcr.io/ns/img03:1")
	if err != nil {
		t.Fatal(err)
	}
	there, err := reference.Parse("m.example.com/gcr.io/ns/img03:1")
	if err != nil {
		t.Fatal(err)
	}
	p.Elsewhere = map[reference.Reference][]mirror.Elsewhere{image: {{Mirror: there, State: mirror.Older}}}
	if err := p.Write(d.plan); err != nil {
		t.Fatal(err)
	}
	d.copies()
	d.joins()
	body, _ := d.comment()
	fakeworld.WantText(t, "the answer", body, "Mirrored 7 images.", "m.example.com")
}

// TestIssueDividedDead: the receipts of a job are lost. What it has copied was not at the
// target before the request, whatever the join finds.
func TestIssueDividedDead(t *testing.T) {
	d := newDivided(t, 7, "")
	d.plans()
	status, out := d.shard(t.Context(), 1)
	d.WantStatus(status, wiring.StatusDone, out)
	if err := os.RemoveAll(d.receipts); err != nil {
		t.Fatal(err)
	}
	d.joins()
	body, _ := d.comment()
	fakeworld.WantText(t, "the answer", body, "Mirrored 7 images.")
	if strings.Contains(body, "already") {
		t.Errorf("the answer says that images were there: %s", body)
	}
}

// TestIssueDividedMute: GitHub refuses the comment that says how many jobs copy. The
// issue stays open, and the join answers.
func TestIssueDividedMute(t *testing.T) {
	d := newDivided(t, 7, "")
	text := d.github.Issue(d.issue).Body
	var answers atomic.Bool
	d.github = fakegithub.New(fakegithub.Config{
		Repository: event.Repository{Owner: harbour.Login, Name: "ferry", OwnerID: harbour.ID},
		Tokens:     map[string]event.User{"token-of-github": fakegithub.Bot()},
		Fault: func(_ int, r *http.Request) (f fakegithub.Fault) {
			if !answers.Load() && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/comments") {
				f.Status = http.StatusForbidden
			}
			return f
		},
	})
	d.Environ["GITHUB_API_URL"] = "http://" + d.Serve(d.github)
	d.issue = d.github.Open(fakegithub.Draft{Author: event.User{ID: 3003, Login: "stranger"}, Title: "please", Body: text})
	d.plans()
	if !d.github.Issue(d.issue).Open {
		t.Error("the issue is closed while jobs work on it")
	}
	d.copies()
	answers.Store(true)
	d.joins()
	body, m := d.comment()
	fakeworld.WantText(t, "the answer", body, "Mirrored 7 images.")
	if m.State != ledger.Done {
		t.Errorf("the marker is %+v", m)
	}
}

// TestIssueDividedEdited: if a newer text was answered meanwhile, the join leaves it.
func TestIssueDividedEdited(t *testing.T) {
	d := newDivided(t, 7, "")
	d.plans()
	d.github.Edit(d.issue, "please", "gcr.io/ns/img00:1")
	d.happens("issues", "edited", "GITHUB_RUN_ID=8", "FERRY_PLAN="+d.plan+".other")
	before, m := d.comment()
	if m.State != ledger.Done {
		t.Fatalf("the newer text is not answered: %s", before)
	}
	d.joins()
	if after, _ := d.comment(); after != before {
		t.Errorf("the join has changed the answer: %s", after)
	}
}

// TestIssueDividedWithdrawn: jobs copy nothing of a request that was withdrawn, or that
// another run serves, and the join says that they have stopped, and copies nothing.
func TestIssueDividedWithdrawn(t *testing.T) {
	for what, test := range map[string]struct {
		state  ledger.State
		run    int64
		copies bool
		says   string
	}{
		"withdrawn":        {ledger.Withdrawn, 8, false, "the request was withdrawn by a command"},
		"another run":      {ledger.Working, 8, false, "another run has taken over the request"},
		"answered":         {ledger.Done, 8, false, "another run has taken over the request"},
		"the same run":     {ledger.Working, 7, true, ""},
		"by somebody else": {ledger.Withdrawn, 0, true, ""},
		"GitHub is silent": {ledger.Withdrawn, -1, true, ""},
		"during the copy":  {ledger.Withdrawn, 9, false, "the request was withdrawn by a command"},
	} {
		d := newDivided(t, 12, "")
		d.plans()
		body, m := d.comment()
		before, _, _ := strings.Cut(body, "\n")
		m.Run, m.State = test.run, test.state
		if test.run <= 0 {
			m.Run = 8
		}
		body = m.String() + strings.TrimPrefix(body, before)
		hub, err := wiring.NewGitHub(wiring.Env{Getenv: func(key string) string { return d.Environ[key] }})
		if err != nil {
			t.Fatal(err)
		}
		talk, err := hub.Open(t.Context(), d.issue)
		if err != nil {
			t.Fatal(err)
		}
		withdraw := sync.OnceFunc(func() {
			if test.run == 0 {
				d.github.Comment(d.issue, harbour, body)
			} else if err := talk.Finish(t.Context(), publish.Outcome{Body: body}); err != nil {
				t.Error(err)
			}
		})
		if test.run != 9 {
			withdraw()
		}
		if test.run < 0 {
			d.Environ["GITHUB_TOKEN"] = "another-token"
		}
		d.Target.Behave(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") && test.run == 9 {
					withdraw()
					_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice
					<-r.Context().Done()               // the job gives up
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		status, out := d.shard(t.Context(), 1)
		d.WantStatus(status, wiring.StatusDone, out)
		if says := strings.Contains(out, "shard 1: stopped: the request was withdrawn, or another run has taken it over"); says == test.copies {
			t.Errorf("%s: %s", what, out)
		}
		copied := func() (n int) {
			for i := range 12 {
				if d.Mirrored(fmt.Sprintf("ns.img%02d", i), "1") != "" {
					n++
				}
			}
			return n
		}
		if n := copied(); (n > 0) != test.copies {
			t.Errorf("%s: %d images are copied: %s", what, n, out)
		}
		if test.copies {
			continue
		}
		out = d.joins()
		fakeworld.WantText(t, what, out, "shard-1.jsonl: stopped: "+test.says, "nothing to do: ")
		if n := copied(); n > 0 {
			t.Errorf("%s: the join copies %d images: %s", what, n, out)
		}
	}
}

// TestIssueNotDivided: few images, little work and a workflow without other jobs are
// one job's.
func TestIssueNotDivided(t *testing.T) {
	for _, test := range []struct {
		images  int
		environ []string
	}{{5, []string{"FERRY_PLAN=plan.json"}}, {7, nil}, {7, []string{"FERRY_PLAN=plan.json", "FERRY_JOBS="}}, {7, []string{"FERRY_PLAN=plan.json", "FERRY_JOBS=many"}}} {
		d := newDivided(t, test.images, "")
		d.happens("issues", "opened", test.environ...)
		body, m := d.comment()
		if m.State != ledger.Done {
			t.Errorf("%d images, %v: %s", test.images, test.environ, body)
		}
		if n := d.Source.Count("^GET .*/manifests/sha256"); n > 2*test.images {
			t.Errorf("%d images, %v: %d manifests are read", test.images, test.environ, n)
		}
	}
}
