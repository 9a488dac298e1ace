package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/catalog"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/report"
	"github.com/imageferry/ferry/internal/shards"
	"github.com/imageferry/ferry/internal/wiring"
)

// fleet is a world with a list of images for several jobs.
type fleet struct {
	*world
	list, plan, receipts string
}

// newFleet publishes n images and lists them. Those in bad cannot be copied.
func newFleet(t *testing.T, n int, bad ...int) fleet {
	w := newHarvest(t, nil)
	var list strings.Builder
	for i := range n {
		name := fmt.Sprintf("ns/img%02d", i)
		w.Publish(name, "1", uint64(i))
		fmt.Fprintf(&list, "gcr.io/%s:1\n", name)
		if slices.Contains(bad, i) {
			w.Source.Inject(fakeregistry.Fault{Match: "/v2/" + name + "/blobs/", Times: -1, Status: http.StatusForbidden, Body: `{"errors":[{"code":"DENIED"}]}`})
		}
	}
	w.Environ["GITHUB_OUTPUT"] = filepath.Join(w.Dir, "output")
	return fleet{w, w.list("images.txt", list.String()), filepath.Join(w.Dir, "plan.json"), filepath.Join(w.Dir, "receipts")}
}

// run runs "ferry sync" with a clock that only waiting moves.
func (f fleet) run(ctx context.Context, args ...string) (status int, said string) {
	var out fakeworld.Output
	var mu sync.Mutex
	now := time.Date(2026, 11, 29, 3, 41, 0, 0, time.UTC)
	status = Run(ctx, wiring.Env{
		Args: append([]string{"sync"}, args...), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
		Getenv: func(key string) string { return f.Environ[key] }, At: f.At, Tick: 10 * time.Millisecond,
		Now: func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		},
		Wait: func(ctx context.Context, d time.Duration) error {
			mu.Lock()
			defer mu.Unlock()
			now = now.Add(d)
			return ctx.Err()
		},
	})
	return status, out.String()
}

// output returns the last value of an output of the action; empty if there is none.
func (f fleet) output(name string) string {
	f.T.Helper()
	text, err := os.ReadFile(f.Environ["GITHUB_OUTPUT"])
	if err != nil {
		f.T.Fatal(err)
	}
	at := strings.LastIndex(string(text), name+"<<")
	if at < 0 {
		return ""
	}
	end, value, _ := strings.Cut(string(text)[at+len(name)+2:], "\n")
	value, _, _ = strings.Cut(value, "\n"+end)
	return value
}

// planned plans the list for a number of jobs.
func (f fleet) planned(jobs string) {
	f.T.Helper()
	status, out := f.run(f.T.Context(), f.list, "--plan", f.plan, "--jobs", jobs)
	f.WantStatus(status, wiring.StatusDone, out)
}

// shard runs a shard.
func (f fleet) shard(ctx context.Context, number int) (int, string) {
	return f.run(ctx, "--plan", f.plan, "--shard", fmt.Sprint(number), "--receipts", f.receipts)
}

// joined joins the receipts and returns the final records.
func (f fleet) joined(want int) map[string]report.Record {
	f.T.Helper()
	status, out := f.run(f.T.Context(), "--plan", f.plan, "--join", f.receipts, "--json")
	f.WantStatus(status, want, out)
	var records []report.Record
	if err := json.Unmarshal([]byte(out[strings.Index(out, "[\n"):]), &records); err != nil {
		f.T.Fatalf("%v in %s", err, out)
	}
	all := map[string]report.Record{}
	for _, r := range records {
		if _, twice := all[r.Source]; twice {
			f.T.Errorf("%s has two records", r.Source)
		}
		all[r.Source] = r
	}
	return all
}

// TestFanOut: of four shards one dies, one never starts, and the others finish
// their lists. The join has one record for each image.
func TestFanOut(t *testing.T) {
	f := newFleet(t, 60, 7, 20, 59)
	f.planned("4-4")
	if got := f.output("shards"); got != "[1,2,3,4]" {
		t.Fatalf("the shards are %s", got)
	}
	if n := f.Target.Count("^(PUT|POST)"); n > 0 {
		t.Errorf("the plan writes to the target: %d requests", n)
	}
	f.Source.Forget()
	dying, kill := context.WithCancel(t.Context())
	go func() {
		for f.Target.Count("^PUT .*/manifests/") < 3 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		kill()
	}()
	var all sync.WaitGroup
	statuses := make([]int, 4)
	outs := make([]string, 4)
	for n, ctx := range []context.Context{dying, t.Context(), t.Context()} {
		all.Go(func() { statuses[n], outs[n] = f.shard(ctx, n+1) })
	}
	all.Wait()
	if statuses[0] != wiring.StatusInterrupted {
		t.Errorf("the dying shard ends with %d: %s", statuses[0], outs[0])
	}
	if n := f.Source.Count("^GET .*/manifests/sha256"); n > 0 {
		t.Errorf("%d manifests are read again", n)
	}
	records := f.joined(wiring.StatusFailed)
	if len(records) != 60 {
		t.Errorf("%d records of 60", len(records))
	}
	for i := range 60 {
		name := fmt.Sprintf("img%02d", i)
		r, bad := records["gcr.io/ns/"+name+":1"], slices.Contains([]int{7, 20, 59}, i)
		switch {
		case bad && (r.Status != report.Failed || r.Error.Code != "source-refused" && r.Error.Code != "private"):
			t.Errorf("%s: %+v, %+v", name, r, r.Error)
		case !bad && (r.Status != report.Copied || r.Digest != f.Mirrored("ns."+name, "1") || r.List == ""):
			t.Errorf("%s: %+v", name, r)
		}
	}
	status, out := f.run(t.Context(), "--plan", f.plan, "--join", f.receipts)
	f.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the summary", out, "57 new images:", "3 failed:")

	// A job that runs again copies nothing.
	f.Environ["GITHUB_RUN_ATTEMPT"] = "2"
	f.Target.Forget()
	status, out = f.shard(t.Context(), 1)
	if n := f.Target.Count("^PUT .*/manifests/"); n > 0 {
		t.Errorf("%d manifests are written again", n)
	}
	fakeworld.WantText(t, "the output", out, "shard 1: ")
	if again := f.joined(wiring.StatusFailed); len(again) != 60 || again["gcr.io/ns/img00:1"].Status != report.Copied {
		t.Errorf("after another attempt: %+v (%d)", again["gcr.io/ns/img00:1"], status)
	}
}

// TestFanOutLost: without any receipt the target says what is there.
func TestFanOutLost(t *testing.T) {
	f := newFleet(t, 6)
	f.planned("2-2")
	status, out := f.shard(t.Context(), 1) // finishes the other list, too
	f.WantStatus(status, wiring.StatusDone, out)
	if err := os.RemoveAll(f.receipts); err != nil {
		t.Fatal(err)
	}
	for source, r := range f.joined(wiring.StatusDone) {
		if r.Status != report.Copied || r.Size == 0 {
			t.Errorf("%s: %+v", source, r)
		}
	}

	f = newFleet(t, 6)
	f.planned("2-2")
	for source, r := range f.joined(wiring.StatusFailed) {
		if r.Status != report.Failed || r.Error.Code != "cancelled" {
			t.Errorf("%s: %+v", source, r)
		}
	}
}

// TestPlanSmall: work that is not worth several jobs is done by the job of the plan,
// and a night without changes writes an empty matrix.
func TestPlanSmall(t *testing.T) {
	f := newFleet(t, 3, 2)
	for _, test := range []struct {
		status int
		said   string
	}{{wiring.StatusFailed, "2 new images:"}, {wiring.StatusFailed, "2 unchanged"}} {
		status, out := f.run(t.Context(), f.list, "--plan", f.plan)
		f.WantStatus(status, test.status, out)
		fakeworld.WantText(t, "the output", out, test.said)
		if got := f.output("shards"); got != "[]" {
			t.Errorf("the shards are %s", got)
		}
		status, out = f.run(t.Context(), "--plan", f.plan, "--join", f.receipts)
		f.WantStatus(status, wiring.StatusDone, out)
	}
}

// TestPlanMoved: a moved tag, one that is gone and entries without a result are in the
// joined result, and comparisons are remembered by it.
func TestPlanMoved(t *testing.T) {
	f := newFleet(t, 4)
	seen := filepath.Join(f.Dir, "seen")
	status, out := f.run(t.Context(), f.list, "--platform", "linux/amd64", "--seen", seen)
	f.WantStatus(status, wiring.StatusDone, out)
	before := f.Mirrored("ns.img01", "1")
	for i := range 3 {
		f.Publish(fmt.Sprintf("ns/img%02d", i), "1", uint64(100+i))
	}
	f.Write("images.txt", "gcr.io/ns/img00:1\ngcr.io/ns/img01:1\ngcr.io/ns/img02:1\ngcr.io/ns/img03:1\ngcr.io/ns/none:*\nno such: image\n")
	status, out = f.run(t.Context(), f.list, "--platform", "linux/amd64", "--plan", f.plan, "--jobs", "2-2", "--seen", seen)
	f.WantStatus(status, wiring.StatusDone, out)
	for n := range 2 {
		status, out = f.shard(t.Context(), n+1)
		f.WantStatus(status, wiring.StatusDone, out)
	}
	status, out = f.run(t.Context(), "--plan", f.plan, "--join", f.receipts, "--seen", seen)
	f.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, "3 moved tags copied again:", before+" → sha256:", "1 unchanged", "1 selection without a result:", "gcr.io/ns/none")
	f.Source.Forget()
	status, out = f.run(t.Context(), f.list, "--platform", "linux/amd64", "--seen", seen)
	f.WantStatus(status, wiring.StatusFailed, out)
	fakeworld.WantText(t, "the output", out, "4 unchanged")
	if n := f.Source.Count("^GET .*/manifests/"); n > 0 {
		t.Errorf("%d manifests are read for images that have been compared", n)
	}
	// The rates of the jobs are known to the next plan.
	text, err := os.ReadFile(seen)
	if err != nil || !strings.Contains(string(text), "rates\t60000000 6250\n") {
		t.Errorf("the rates are not noted: %v: %s", err, text)
	}
	if err := os.WriteFile(seen, append(text, "rates\t30000000 50000\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	f.Publish("ns/img00", "1", 300)
	f.Publish("ns/img01", "1", 301)
	status, out = f.run(t.Context(), f.list, "--platform", "linux/amd64", "--plan", f.plan, "--jobs", "2-2", "--seen", seen)
	f.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "2 images for 2 jobs, which take 50s or longer")
}

// TestPlanDigest: what was planned is copied although the tags move meanwhile, and
// the next run copies what the tags hold then.
func TestPlanDigest(t *testing.T) {
	f := newFleet(t, 6)
	f.planned("2-2")
	planned := map[string]string{}
	p, err := shards.Read(f.plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range p.Steps {
		ref := step.Image.Reference
		planned[ref.Repository().String()+":"+ref.Tag()] = ref.Digest().String()
	}
	for i := range 6 {
		f.Publish(fmt.Sprintf("ns/img%02d", i), "1", uint64(200+i))
	}
	status, out := f.shard(t.Context(), 1)
	f.WantStatus(status, wiring.StatusDone, out)
	records := f.joined(wiring.StatusDone)
	for source, digest := range planned {
		if records[source].Digest != digest {
			t.Errorf("%s: %+v, want %s", source, records[source], digest)
		}
	}
	status, out = f.run(t.Context(), f.list)
	f.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output of the next run", out, "6 moved tags copied again:")
}

// TestHomes: a blob that the home of the plan has got meanwhile is not sent again.
func TestHomes(t *testing.T) {
	f := newFleet(t, 6)
	f.Target = fakeregistry.New(fakeregistry.Options{Tokens: true, Username: f.Environ["FERRY_USERNAME"], Password: f.Environ["FERRY_PASSWORD"]})
	f.At["registry.example.com:80"] = f.Serve(f.Target)
	for i := range 6 {
		f.Publish(fmt.Sprintf("ns/img%02d", i), "1", 1)
	}
	f.planned("2-2")
	p, err := shards.Read(f.plan)
	if err != nil || len(p.Homes) != 4 && len(p.Homes) != 6 {
		t.Fatalf("the homes are %v; %v", p.Homes, err)
	}
	for _, home := range p.Homes {
		status, out := f.world.run(t.Context(), "copy", p.Steps[home].Image.Reference.Repository().String()+":1")
		f.WantStatus(status, wiring.StatusDone, out)
	}
	f.Target.Forget()
	for n := range 2 {
		status, out := f.shard(t.Context(), n+1)
		f.WantStatus(status, wiring.StatusDone, out)
	}
	if n := f.Target.Count("^(PUT|PATCH) .*/blobs/"); n > 0 {
		t.Errorf("%d blobs are sent", n)
	}
	if records := f.joined(wiring.StatusDone); len(records) != 6 {
		t.Errorf("%d records", len(records))
	}
}

// TestPlanFaults: a plan that cannot be used has an answer.
func TestPlanFaults(t *testing.T) {
	f := newFleet(t, 6)
	f.planned("2-2")
	whole, err := os.ReadFile(f.plan)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(f.Dir, "other.json")
	for name, test := range map[string]struct {
		text string
		said string
	}{
		"half":          {string(whole[:len(whole)/2]), "is not a plan, or is incomplete"},
		"another one":   {`{"version":3}`, "of another version"},
		"no plan":       {`{}`, "of another version"},
		"changed":       {strings.Replace(string(whole), "ns/img01", "ns/img02", 1), "has been changed"},
		"a list":        {"nginx\n", "is not a plan"},
		"empty":         {"", "is not a plan"},
		"without files": {"-", "there is no plan"},
	} {
		if test.text == "-" {
			_ = os.Remove(other)
		} else if err := os.WriteFile(other, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"--shard", "1"}, {"--join", f.receipts}} {
			status, out := f.run(t.Context(), append(args, "--plan", other)...)
			f.WantStatus(status, wiring.StatusUsage, out)
			fakeworld.WantText(t, name, out, test.said)
		}
	}
	for args, said := range map[string]string{
		"--shard 3 --plan " + f.plan:           `the shard is "3"; ` + f.plan + " has shards 1 to 2",
		"--shard 0 --plan " + f.plan:           "has shards 1 to 2",
		"--shard 1/2 --plan " + f.plan:         "has shards 1 to 2",
		"--shard 1":                            "there is no plan",
		"--join x":                             "there is no plan",
		"--join x --shard 1 --plan " + f.plan:  "set one of them",
		f.list + " --shard 1 --plan " + f.plan: "name no list",
		"--check --shard 1 --plan " + f.plan:   "--check with the lists",
		f.list + " --plan x --jobs 0":          "the number of jobs is",
		f.list + " --plan x --jobs 257":        "from 1 to 256",
		f.list + " --plan x --jobs 8-4":        "a range such as 4-8",
	} {
		status, out := f.run(t.Context(), strings.Fields(args)...)
		f.WantStatus(status, wiring.StatusUsage, out)
		fakeworld.WantText(t, args, out, said)
	}
	// Receipts of another plan, of another version, and half a line.
	status, out := f.shard(t.Context(), 1)
	f.WantStatus(status, wiring.StatusDone, out)
	for name, text := range map[string]string{
		"a.jsonl": `{"version":2,"plan":"other","shard":1,"attempt":1}` + "\n",
		"b.jsonl": `{"version":7}` + "\n", "c.jsonl": "", "d.jsonl": `{"vers`,
	} {
		if err := os.WriteFile(filepath.Join(f.receipts, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(f.receipts, "shard-1.jsonl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text[:len(text)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	status, out = f.run(t.Context(), "--plan", f.plan, "--join", f.receipts)
	f.WantStatus(status, wiring.StatusDone, out)
	fakeworld.WantText(t, "the output", out, "a.jsonl belongs to another plan", "b.jsonl is of another version", "c.jsonl has no receipts", "d.jsonl has no receipts",
		"shard-1.jsonl has a line that is incomplete", "6 new images:")
}

// TestJoinLog: the join notes changes in the branch catalog, those of shards and
// those of a plan without shards, and commits nothing if there are none.
func TestJoinLog(t *testing.T) {
	f := newFleet(t, 6, 5)
	join := func(run, want string) {
		t.Helper()
		f.Environ["GITHUB_RUN_ID"] = run
		_, out := f.run(t.Context(), "--plan", f.plan, "--join", f.receipts, "--log", f.checkout())
		fakeworld.WantText(t, "the output of run "+run, out, want)
	}
	f.planned("2-2")
	for n := range 2 {
		f.shard(t.Context(), n+1)
	}
	join("1", "6 changes\n")
	f.Publish("ns/img00", "1", 77)
	status, out := f.run(t.Context(), f.list, "--plan", f.plan)
	f.WantStatus(status, wiring.StatusFailed, out)
	join("2", "1 changes\n")
	status, out = f.run(t.Context(), f.list, "--plan", f.plan)
	f.WantStatus(status, wiring.StatusFailed, out)
	join("3", "")
	files, commits := f.github.Branch("catalog")
	whats := map[catalog.What]int{}
	for path, text := range files {
		if strings.HasPrefix(path, catalog.Folder) {
			changes, faults := catalog.Read([]byte(text))
			if len(faults) > 0 {
				t.Errorf("%s: %v", path, faults)
			}
			for _, c := range changes {
				whats[c.What]++
			}
		}
	}
	if diff := cmp.Diff(map[catalog.What]int{catalog.Copied: 5, catalog.Failed: 1, catalog.Moved: 1}, whats); diff != "" || commits != 2 {
		t.Errorf("%d commits; %s", commits, diff)
	}
	if !strings.Contains(files["docs/api/v1/index.json"], "gcr.io/ns/img00") {
		t.Error("the site is not made")
	}
	delete(f.Environ, "GITHUB_TOKEN")
	f.Publish("ns/img01", "1", 78)
	f.run(t.Context(), f.list, "--plan", f.plan)
	join("4", "there is no repository to write to")
}
