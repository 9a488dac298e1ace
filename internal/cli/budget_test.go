package cli

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// limited lets the source allow a number of pulls, which it tells, and returns a
// function that sets it. A GET of a manifest is a pull, as at Docker Hub.
func (f fleet) limited(pulls int) (set func(int)) {
	var mu sync.Mutex
	f.Source.Inject(fakeregistry.Fault{Match: "/manifests/", Times: -1, Do: func(rw http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodGet && pulls == 0 {
			rw.Header().Set("RateLimit-Remaining", "0;w=21600")
			rw.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(rw, `{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit"}]}`)
			return true
		}
		if r.Method == http.MethodGet {
			pulls--
		}
		rw.Header().Set("RateLimit-Limit", "100;w=21600")
		rw.Header().Set("RateLimit-Remaining", fmt.Sprintf("%d;w=21600", pulls))
		return false
	}})
	return func(n int) {
		mu.Lock()
		defer mu.Unlock()
		pulls = n
	}
}

// TestPullsOver: an image costs three pulls. What the host does not allow waits, says
// so, is no failure in the catalog, and comes first in the next run.
func TestPullsOver(t *testing.T) {
	for _, jobs := range []string{"", "2-2"} {
		f := newFleet(t, 6)
		allow := f.limited(10)
		seen := filepath.Join(f.Dir, "seen")
		args := []string{f.list, "--seen", seen, "--json"}
		if jobs != "" {
			args = append(args, "--plan", f.plan, "--jobs", jobs)
		}
		status, out := f.run(t.Context(), args...)
		if jobs != "" {
			f.WantStatus(status, wiring.StatusDone, out)
			f.Source.Forget()
			for n := range 2 {
				status, out = f.shard(t.Context(), n+1)
				f.WantStatus(status, wiring.StatusDone, out)
			}
			// A request for img03, which the plan gave up, may arrive late.
			if n := f.Source.Count("^GET .*/img0[0-24-9]/manifests/"); n > 0 {
				t.Errorf("shards pull %d manifests", n)
			}
			for source, r := range f.joined(wiring.StatusFailed) {
				if want := map[bool]report.Status{true: report.Copied, false: report.Waiting}[source < "gcr.io/ns/img03"]; r.Status != want {
					t.Errorf("%s is %s, want %s", source, r.Status, want)
				}
			}
			status, out = f.run(t.Context(), "--plan", f.plan, "--join", f.receipts, "--seen", seen)
			fakeworld.WantText(t, "the summary", out, "3 new images:", "3 waiting until a limit ends")
		} else {
			fakeworld.WantText(t, "the output", out, `"status": "waiting"`, `"code": "rate-limited"`)
		}
		f.WantStatus(status, wiring.StatusFailed, out)
		if n := strings.Count(f.read(seen), "waits gcr.io/ns/img0"); n != 3 {
			t.Errorf("%d images wait: %s", n, f.read(seen))
		}

		// The next run begins with them, although the list has others before.
		f.Publish("ns/img00", "1", 77)
		allow(9)
		status, out = f.run(t.Context(), f.list, "--seen", seen)
		f.WantStatus(status, wiring.StatusFailed, out)
		fakeworld.WantText(t, "the output", out, "3 new images:", "1 waiting until a limit ends", "2 unchanged")
		allow(3)
		status, out = f.run(t.Context(), f.list, "--seen", seen)
		f.WantStatus(status, wiring.StatusDone, out)
		if strings.Contains(f.read(seen), "waits") {
			t.Error("images wait that are there")
		}
	}
}

// read returns the text of a file.
func (f fleet) read(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		f.T.Fatal(err)
	}
	return string(text)
}

// TestPlanQuota: the plan reserves the quota of a target for all shards.
func TestPlanQuota(t *testing.T) {
	f := newFleet(t, 6)
	f.SetPolicy(strings.Replace(fakeworld.Policy, "{to:", "{quota: {repositories: 4}, to:", 1))
	f.planned("2-2")
	var all sync.WaitGroup
	for n := range 2 {
		all.Go(func() { f.shard(t.Context(), n+1) })
	}
	all.Wait()
	statuses := map[report.Status]int{}
	for _, r := range f.joined(wiring.StatusFailed) {
		statuses[r.Status]++
		if r.Status == report.Failed && r.Error.Code != "quota" {
			t.Errorf("%s: %+v", r.Source, r.Error)
		}
	}
	if statuses[report.Copied] != 4 || statuses[report.Failed] != 2 {
		t.Errorf("the quota is 4: %v", statuses)
	}
}

// TestFailedJobsAgain: another attempt runs only the shard that failed and the join,
// which finds the receipts of both attempts.
func TestFailedJobsAgain(t *testing.T) {
	f := newFleet(t, 8)
	f.planned("2-2")
	p, err := shards.Read(f.plan)
	if err != nil {
		t.Fatal(err)
	}
	image := p.Steps[p.Lists[1][0]].Image.Reference.Repository().Path()
	var mended atomic.Bool
	f.Source.Inject(fakeregistry.Fault{Match: "/v2/" + image + "/blobs/", Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		if !mended.Load() {
			rw.WriteHeader(http.StatusForbidden)
		}
		return !mended.Load()
	}})
	status, out := f.shard(t.Context(), 2) // helps with all of the first list
	f.WantStatus(status, wiring.StatusFailed, out)
	status, out = f.shard(t.Context(), 1)
	f.WantStatus(status, wiring.StatusDone, out)
	first := filepath.Join(f.receipts, "shard-2.jsonl")
	if before := f.joined(wiring.StatusFailed); before["gcr.io/"+image+":1"].Status != report.Failed {
		t.Errorf("before: %+v", before)
	}
	earlier := f.read(first)

	f.Environ["GITHUB_RUN_ATTEMPT"] = "2"
	mended.Store(true)
	f.Target.Forget()
	status, out = f.shard(t.Context(), 2)
	f.WantStatus(status, wiring.StatusDone, out)
	if n := f.Target.Count("^PUT .*/manifests/.*:?1$"); n != 1 {
		t.Errorf("%d images are copied again", n)
	}
	for range 2 { // the artifact of the second attempt replaces the first, or stands beside it
		for source, r := range f.joined(wiring.StatusDone) {
			if r.Status != report.Copied {
				t.Errorf("%s: %+v", source, r)
			}
		}
		if err := os.WriteFile(filepath.Join(f.receipts, "zz-earlier.jsonl"), []byte(earlier), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPlanLargest: a matrix has at most 256 jobs, each with a list, and the last one
// can be run.
func TestPlanLargest(t *testing.T) {
	f := newFleet(t, 260)
	f.planned("256-256")
	if got := f.output("shards"); strings.Count(got, ",") != 255 || !strings.HasSuffix(got, ",256]") {
		t.Errorf("the shards are %s", got)
	}
	status, out := f.shard(t.Context(), 256)
	f.WantStatus(status, wiring.StatusDone, out)
	if all := f.joined(wiring.StatusDone); len(all) != 260 {
		t.Errorf("%d records", len(all))
	}
}
