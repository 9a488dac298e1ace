package report

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/ledger"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/request"
)

// TestStates checks, for each state, the label, whether and why
// the issue is closed, and the counts.
func TestStates(t *testing.T) {
	type fate struct {
		state             ledger.State
		label             string
		close             ledger.CloseReason
		succeeded, failed int
	}
	want := map[string]fate{
		"received":        {ledger.Working, "ferry/working", ledger.StayOpen, 0, 0},
		"working":         {ledger.Working, "ferry/working", ledger.StayOpen, 1, 1},
		"working-divided": {ledger.Working, "ferry/working", ledger.StayOpen, 1, 1},
		"done-one":        {ledger.Done, "ferry/done", ledger.Completed, 1, 0},
		"present-one":     {ledger.Done, "ferry/done", ledger.Completed, 1, 0},
		"done-assumed":    {ledger.Done, "ferry/done", ledger.Completed, 1, 0},
		"done-digests":    {ledger.Done, "ferry/done", ledger.Completed, 2, 0},
		"done-many":       {ledger.Done, "ferry/done", ledger.Completed, 5, 0},
		"done-targets":    {ledger.Done, "ferry/done", ledger.Completed, 2, 0},
		"done-front":      {ledger.Done, "ferry/done", ledger.Completed, 2, 0},
		"done-public":     {ledger.Retry, "ferry/retry", ledger.StayOpen, 1, 1},
		"done-locked":     {ledger.Done, "ferry/done", ledger.Completed, 1, 0},
		"done-tags":       {ledger.Done, "ferry/done", ledger.Completed, 1, 0},
		"elsewhere":       {ledger.Refused, "ferry/refused", ledger.NotPlanned, 0, 1},
		"withdrawn-later": {ledger.Withdrawn, "ferry/refused", ledger.NotPlanned, 0, 0},
		"set-up-later":    {ledger.SetUp, "ferry/set-up", ledger.StayOpen, 0, 0},
		"done-platform":   {ledger.Done, "ferry/done", ledger.Completed, 1, 0},
		"left-out":        {ledger.Done, "ferry/done", ledger.Completed, 1, 0},
		"which-tag":       {ledger.Partial, "ferry/partial", ledger.Completed, 1, 1},
		"which-image":     {ledger.Refused, "ferry/refused", ledger.NotPlanned, 0, 1},
		"scattered":       {ledger.Partial, "ferry/partial", ledger.Completed, 0, 2},
		"partial":         {ledger.Partial, "ferry/partial", ledger.Completed, 1, 2},
		"retry":           {ledger.Retry, "ferry/retry", ledger.StayOpen, 1, 1},
		"retry-off":       {ledger.Retry, "ferry/retry", ledger.StayOpen, 0, 1},
		"fault":           {ledger.Retry, "ferry/retry", ledger.StayOpen, 0, 1},
		"unreachable":     {ledger.Retry, "ferry/retry", ledger.StayOpen, 0, 1},
		"refused":         {ledger.Refused, "ferry/refused", ledger.NotPlanned, 0, 1},
		"hostile":         {ledger.Refused, "ferry/refused", ledger.NotPlanned, 0, 2},
		"problems":        {ledger.Refused, "ferry/refused", ledger.NotPlanned, 0, 6},
		"empty":           {ledger.Empty, "ferry/refused", ledger.NotPlanned, 0, 0},
		"left-alone":      {ledger.Empty, "ferry/refused", ledger.NotPlanned, 0, 0},
		"set-up":          {ledger.SetUp, "ferry/set-up", ledger.StayOpen, 0, 0},
		"login":           {ledger.SetUp, "ferry/set-up", ledger.StayOpen, 0, 1},
		"no-place":        {ledger.SetUp, "ferry/set-up", ledger.StayOpen, 0, 1},
		"not-permitted":   {ledger.Refused, "ferry/refused", ledger.NotPlanned, 0, 0},
		"interrupted":     {ledger.Interrupted, "ferry/retry", ledger.StayOpen, 1, 1},
		"withdrawn":       {ledger.Withdrawn, "ferry/refused", ledger.NotPlanned, 0, 1},
		"withdrawn-early": {ledger.Withdrawn, "ferry/refused", ledger.NotPlanned, 0, 0},
		"given-up":        {ledger.GivenUp, "ferry/refused", ledger.NotPlanned, 0, 1},
		"given-up-unread": {ledger.GivenUp, "ferry/refused", ledger.NotPlanned, 0, 0},
		"too-often":       {ledger.Refused, "ferry/refused", ledger.NotPlanned, 0, 0},

		"given-up-in-part":      {ledger.Partial, "ferry/partial", ledger.Completed, 1, 1},
		"not-permitted-in-part": {ledger.Partial, "ferry/partial", ledger.Completed, 1, 2},
	}
	got := map[string]fate{}
	for name, in := range scenarios(t) {
		r := Render(in)
		got[name] = fate{r.State, r.Label.Name, r.Close, r.Outputs.Succeeded, r.Outputs.Failed}
		if !slices.Contains(ledger.Labels(), r.Label) {
			t.Errorf("%s: %q is none of the labels", name, r.Label.Name)
		}
		if r.State.Open() != (r.Close == ledger.StayOpen) {
			t.Errorf("%s: open %v, but closed as %q", name, r.State.Open(), r.Close)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if got[name] != want[name] {
			t.Errorf("%s: got %+v, want %+v", name, got[name], want[name])
		}
	}
}

func TestLabelsAreValidOnGitHub(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range ledger.Labels() {
		if seen[l.Name] || len(l.Name) > 50 || len([]rune(l.Description)) > 100 || len(l.Color) != 6 || strings.Trim(l.Color, "0123456789abcdef") != "" {
			t.Errorf("%+v", l)
		}
		seen[l.Name] = true
	}
}

// TestInterruptAfterLastResult ends runs by the time limit and by a signal after all
// images have their final results.
func TestInterruptAfterLastResult(t *testing.T) {
	for name, in := range scenarios(t) {
		want := Render(in).State
		if in.Phase != Finished || want == ledger.Retry {
			continue
		}
		for _, phase := range []Phase{Interrupted, GivenUp} {
			in.Phase = phase
			if got := Render(in).State; got != want {
				t.Errorf("%s: ended in phase %d it is %s, want %s", name, phase, got, want)
			}
		}
	}
}

// TestOnlyOurLinesAreKept adds to a comment everything that its editors could
// add.
func TestOnlyOurLinesAreKept(t *testing.T) {
	line := "- ✅ `gcr.io/a:1` · 1.5 MB · `amd64`, `arm64` +2"
	comment := line + "\n" + strings.Join([]string{
		"x " + line, line + " x", strings.Replace(line, "✅", "❌", 1), strings.Replace(line, "1.5 MB", "@octocat", 1),
		strings.Replace(line, "1.5 MB", "[x](http://evil.example)", 1), strings.Replace(line, "`gcr.io/a:1`", "gcr.io/a:1", 1),
		strings.Replace(line, "`gcr.io/a:1`", "`gcr.io/a:1` <b>`x`", 1),
	}, "\n")
	if got := listedBefore(comment); len(got) != 1 || got[0] != md(line) {
		t.Errorf("kept %q", got)
	}
	commands := "\n```sh\ndocker pull docker.io/u/a:1\ndocker tag docker.io/u/a:1 gcr.io/a/b:1\n```\n"
	if got := pastedBefore(commands + strings.Replace(commands, "pull ", "pull --platform linux/arm64 ", 1)); len(got) != 2 {
		t.Errorf("kept %q", got)
	}
	for _, added := range []string{"rm -rf /", "docker run docker.io/u/a:1", "docker pull docker.io/u/a:1; id", "docker pull $(id)", "docker pull nginx", "docker pull --privileged docker.io/u/a:1", "docker pull --platform $(id) docker.io/u/a:1"} {
		if got := pastedBefore(strings.Replace(commands, "docker tag", added+"\ndocker tag", 1)); got != nil {
			t.Errorf("%q: kept %q", added, got)
		}
	}
}

// TestNoImageIsLeftOut removes results: a missing result is reported as an
// internal error.
func TestNoImageIsLeftOut(t *testing.T) {
	in := scenarios(t)["done-many"]
	in.Results = in.Results[:2]
	r := Render(in)
	if r.State != ledger.Retry || r.Outputs.Succeeded != 2 || r.Outputs.Failed != 3 {
		t.Errorf("state %s, %d and %d", r.State, r.Outputs.Succeeded, r.Outputs.Failed)
	}
	for _, image := range in.Request.Images {
		if !strings.Contains(r.Comment, "`"+image.Reference.String()+"`") {
			t.Errorf("%s is left out", image.Reference)
		}
	}
}

func TestErrorsOfNoKnownKindAreFaults(t *testing.T) {
	r := Render(scenario(t).step(image(t, "gcr.io/a/b:1"), hub+"a.b:1", errors.New("secret: hunter2")).Input)
	if r.State != ledger.Retry || !strings.Contains(r.Outputs.Images, `"code":"internal"`) {
		t.Errorf("state %s, %s", r.State, r.Outputs.Images)
	}
	for _, text := range []string{r.Comment, r.Summary, r.Outputs.Images, r.Annotations[0].Message} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the wrapped error is shown: %s", text)
		}
	}
}

func TestRecords(t *testing.T) {
	until := noon.Add(time.Hour)
	receipt := changed(mirror.Subset)
	receipt.Referrers = 2
	s := scenario(t).
		step(image(t, "nginx"), hub+"docker.nginx:latest", receipt, acr+"docker.nginx:latest", present()).
		step(image(t, "gcr.io/a/b:1"), hub+"a.b:1", &failure.Error{Code: failure.RateLimited, Side: failure.Source, Until: until, Detail: "secret"}).
		step(image(t, "gcr.io/a/c:1"), hub+"a.c:1", nil).
		step(image(t, "gcr.io/a/d:1"), acr+"a.d:1", platformTags(t, acr+"a.d:1")).
		refuse(image(t, "evil.example/x/y:1"), &failure.Error{Code: failure.HostNotAllowed, Hints: []string{"gcr.io"}})
	s.Plan.Refusals = append(s.Plan.Refusals, plan.Refusal{Image: s.Request.Images[0], Target: "ghcr.io/user", Failure: &failure.Error{Code: failure.NameTaken, Side: failure.Target}})
	text, err := json.MarshalIndent(Records(s.Plan, s.Results), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "records.json", string(text)+"\n")
}

func TestOutputsOfFarFuture(t *testing.T) {
	in := scenario(t).step(image(t, "gcr.io/a/b:1"), hub+"a.b:1", &failure.Error{Code: failure.RateLimited, Until: time.Unix(1<<55, 0)}).Input
	var records []Record
	if err := json.Unmarshal([]byte(Render(in).Outputs.Images), &records); err != nil || len(records) != 1 {
		t.Errorf("%v: %+v", err, records)
	}
}

func TestAnnotations(t *testing.T) {
	in := scenarios(t)["partial"]
	in.Language = "zh" // annotations are in English whatever the language of the answer
	got := Render(in).Annotations
	want := []Annotation{
		{true, "quay.io/prometheus/node-exporter:v1.8.3 → docker.io/user/quay.prometheus.node-exporter:v1.8.3",
			`not found: Did you mean "v1.8.2", "v1.8.1"? "quay.io" has no such image or tag, or requires a login to see it.`},
		{true, "evil.example/a/b:1",
			`source not allowed: "evil.example" is not an allowed source here. The owner can add it to ` + "`sources` in `.github/ferry.yaml`" + `. Allowed sources: "docker.io", "gcr.io", "ghcr.io", "quay.io", "registry.k8s.io".`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := Render(scenarios(t)["retry"]).Annotations; len(got) != 1 || got[0].Error {
		t.Errorf("a temporary failure must be a warning: %+v", got)
	}
	if got := Render(scenarios(t)["done-many"]).Annotations; got != nil {
		t.Errorf("nothing failed: %+v", got)
	}
}

func TestTitle(t *testing.T) {
	for title, boilerplate := range map[string]bool{
		"": true, "   ": true, "[PORTER]": true, "[porter] ": true, "【镜像】": true, "镜像": true, "请求搬运镜像": true, "请帮我同步一下镜像，谢谢": true,
		"Mirror images": true, "mirror request": true, "hub-mirror": true, "[hub-mirror] 请求": true, "...": true, "搬运镜像 / Mirror images": true,
		"[PORTER]gcr.io/a/b:1": false, "nginx": false, "immich": false, "求助：拉取失败": false, "Bug in the parser": false, "镜像站怎么用": false, "mirrored": false,
	} {
		if got := isBoilerplate(title); got != boilerplate {
			t.Errorf("isBoilerplate(%q) = %v", title, got)
		}
	}
	in := scenarios(t)["done-many"]
	if r := Render(in); r.Title != "" {
		t.Errorf("the requester's title became %q", r.Title)
	}
	in.Title = "[PORTER]"
	want := "registry.k8s.io/kube-apiserver:v1.30.2, registry.k8s.io/kube-controller-manager:v1.30.2, registry.k8s.io/kube-scheduler:v1.30.2, registry.k8s.io/kube-proxy:v1.30.2, docker.io/library/nginx:latest (+1)"
	in.Request.Images = append(in.Request.Images, image(t, "quay.io/prometheus/node-exporter:v1.8.2"))
	if r := Render(in); r.Title != want {
		t.Errorf("title %q", r.Title)
	}
	for _, name := range []string{"empty", "problems"} {
		in := scenarios(t)[name]
		in.Title = ""
		if r := Render(in); r.Title != "" {
			t.Errorf("%s: title %q", name, r.Title)
		}
	}
	long := request.Image{Reference: ref(t, "gcr.io/"+strings.Repeat("a", 240)+":"+strings.Repeat("t", 128)+"@"+digest("a").String())}
	if title := titleOf(slices.Repeat([]request.Image{long}, 1000)); len(title) > 256 {
		t.Errorf("a title of %d bytes", len(title))
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[int64]md{
		0: "0 B", 999: "999 B", 1000: "1.0 kB", 1500: "1.5 kB", 99_949: "99.9 kB", 123_456_789: "123 MB", 999_600: "1.0 MB", 2_500_000_000: "2.5 GB", 1 << 62: "4.6 EB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]md{
		0: "0 ms", 850 * time.Millisecond: "850 ms", 2340 * time.Millisecond: "2.3 s", 59_900 * time.Millisecond: "59 s",
		200 * time.Second: "3 min 20 s", 100 * time.Minute: "1 h 40 min",
	} {
		if got := english.Units.took(d); got != want {
			t.Errorf("took(%s) = %s, want %s", d, got, want)
		}
	}
	for _, c := range []struct {
		done, all int64
		want      int
	}{{0, 0, 0}, {5, 0, 0}, {1, 3, 33}, {999, 1000, 99}, {1 << 62, 1<<62 + 1, 99}, {7, 7, 100}, {9, 7, 100}, {-1, 7, 0}} {
		if got := percent(c.done, c.all); got != c.want {
			t.Errorf("percent(%d, %d) = %d", c.done, c.all, got)
		}
	}
}

// TestProgressOfAnything renders impossible progress.
func TestProgressOfAnything(t *testing.T) {
	for _, p := range []Progress{{}, {Bytes: 1}, {Bytes: 10, BytesDone: 99, Rate: 1}, {Bytes: 1 << 62, Rate: 1}, {Layers: -1, Bytes: -5, Rate: -5}} {
		in := scenarios(t)["working"]
		in.Progress = p
		for _, complaint := range inspect(Render(in).Comment) {
			t.Errorf("%+v: %s", p, complaint)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	in := scenarios(b)["done-many"]
	for b.Loop() {
		Render(in)
	}
}

// What a registry says, which stands in fences, is nothing that has arrived.
func TestForeignTextIsNothingThatArrived(t *testing.T) {
	row, commands := "- ✅ `docker.io/evil/img:1.0`", "docker pull docker.io/evil/img:1.0"
	for _, text := range []string{row, "x\n" + row, "\n```sh\n" + commands + "\n```\n", "````\n" + row + "\n```sh\n" + commands + "\n```", "~~~\n" + row} {
		in := scenario(t).step(image(t, "gcr.io/a/b:1"), "docker.io/ferryman/a.b:1", &failure.Error{Code: failure.NotFound, Side: failure.Source, Detail: text}).Input
		comment := Render(in).Comment
		if got := listedBefore(comment); got != nil {
			t.Errorf("%q has arrived: %q", text, got)
		}
		if got := pastedBefore(comment); got != nil {
			t.Errorf("%q is a command: %q", text, got)
		}
	}
}
