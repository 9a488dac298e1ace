package mirror

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
)

// TestQuota checks that a run fills a target up to its quota, in the order of the
// steps, refuses the rest before anything of it is sent, and still updates what is
// there, whether the registry lists its repositories or the caller knows them.
func TestQuota(t *testing.T) {
	for _, listed := range []bool{true, false} {
		t.Run(fmt.Sprint("listed ", listed), func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Catalog: listed})
			if host := w.to[0]; !listed {
				w.mirror.opts.Held = func(context.Context) map[string]int { return map[string]int{host + "/m/one": 1, host + "/m/two": 1} }
			}
			w.mirror.opts.Quotas = []Quota{{Target: "elsewhere.example/x", Repositories: 1}, {Target: w.to[0] + "/m", Repositories: 4}}
			for i, name := range []string{"one", "two", "three", "four", "five", "six"} {
				w.source.Add(name, "1", fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
			}
			run := func(names ...string) (codes []failure.Code) {
				var steps []plan.Step
				for _, name := range names {
					steps = append(steps, w.step(name))
				}
				for _, r := range w.mirror.Run(t.Context(), steps, nil) {
					code := failure.Code("")
					if r.Failure != nil {
						code = r.Failure.Code
					}
					codes = append(codes, code)
				}
				return codes
			}
			if got := run("one:1", "two:1"); fmt.Sprintf("%q", got) != `["" ""]` {
				t.Fatalf("the first two: %q", got)
			}
			w.source.Add("one", "2", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
			if got := run("three:1", "one:2", "four:1", "five:1", "two:1", "six:1"); fmt.Sprintf("%q", got) != `["" "" "" "quota" "" "quota"]` {
				t.Errorf("the codes are %q", got)
			}
			for _, name := range []string{"five", "six"} {
				if n := w.targets[0].Count("(POST|PUT|PATCH) /v2/m/" + name); n > 0 {
					t.Errorf("%d requests wrote %s", n, name)
				}
			}
			for _, s := range w.mirror.Counted() {
				if repositories, _ := s.Count(); repositories != 4 || s.Target != w.to[0]+"/m" {
					t.Errorf("counted %d at %s", repositories, s.Target)
				}
			}
			if got := run("five:1", "three:1"); listed && fmt.Sprintf("%q", got) != `["quota" ""]` {
				t.Errorf("later: %q", got)
			}
		})
	}
}

// TestQuotaIsCountedOnce runs one image at a time, as shards do. What the target
// holds is counted again only when the quota seems to be used up.
func TestQuotaIsCountedOnce(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Catalog: true})
	w.targets[0].Add("m/other", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	known := 0
	w.mirror.opts.Held = func(context.Context) map[string]int { known++; return nil }
	w.mirror.opts.Quotas = []Quota{{Target: w.to[0] + "/m", Repositories: 3, Tags: 4}}
	steps := w.steps(3)
	for i := range steps {
		w.source.Add(fmt.Sprint("r", i), "1", fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	}
	for i, want := range []struct {
		step, counts int
		code         failure.Code
	}{{0, 1, ""}, {1, 1, ""}, {1, 1, ""}, {1, 2, ""}, {0, 2, ""}, {2, 3, failure.Quota}} {
		result := w.run(steps[want.step])[0]
		if code(result.Failure) != want.code {
			t.Errorf("run %d: %v, want %q", i, result.Failure, want.code)
		}
		if n := w.targets[0].Count("/_catalog"); n != want.counts || known != want.counts {
			t.Errorf("run %d: listed %d times and asked what is known %d times, want %d", i, n, known, want.counts)
		}
	}
	if n := w.targets[0].Count("/m/r[01]/tags/list"); n != 4 { // by the second and the third count
		t.Errorf("listed tags %d times", n)
	}
}

// TestQuotaOfTags checks the limit of tags with a registry that lists repositories. The
// tag of a signature does not count.
func TestQuotaOfTags(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Catalog: true})
	for tag := range 3 {
		w.source.Add("one", fmt.Sprint(tag), fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(tag + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	}
	w.mirror.Run(t.Context(), []plan.Step{w.step("one:0")}, nil)
	w.targets[0].Add("m/one", "sha256-"+strings.Repeat("0", 64)+".sig", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
	w.mirror.opts.Quotas = []Quota{{Target: w.to[0] + "/m", Tags: 2}}
	results := w.mirror.Run(t.Context(), []plan.Step{w.step("one:1"), w.step("one:2"), w.step("one:0")}, nil)
	if results[0].Failure != nil || results[1].Failure == nil || results[1].Failure.Hints[0] != "2" || results[2].Failure != nil {
		t.Errorf("the results are %v, %v, %v", results[0].Failure, results[1].Failure, results[2].Failure)
	}
}

// TestQuotaCountsTheTarget: the list of the target counts, not the catalog, which does
// not know what others have pushed or deleted there.
func TestQuotaCountsTheTarget(t *testing.T) {
	for catalog, held := range map[string]map[string]int{
		"knows less": {},
		"knows more": {"gone1": 1, "gone2": 1, "gone3": 1, "gone4": 1},
	} {
		w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Catalog: true})
		for i := range 3 {
			w.targets[0].Add(fmt.Sprint("m/other", i), "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
		}
		w.mirror.opts.Held = func(context.Context) map[string]int {
			names := map[string]int{}
			for name, tags := range held {
				names[w.to[0]+"/m/"+name] = tags
			}
			return names
		}
		w.mirror.opts.Quotas = []Quota{{Target: w.to[0] + "/m", Repositories: 4}}
		steps := w.steps(2)
		for i := range steps {
			w.source.Add(fmt.Sprint("r", i), "1", fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
		}
		results := w.mirror.Run(t.Context(), steps, nil)
		if code(results[0].Failure) != "" || code(results[1].Failure) != failure.Quota {
			t.Errorf("the catalog %s: %v, %v", catalog, results[0].Failure, results[1].Failure)
		}
	}
}

// TestMovedTagsAreCountedOnce: a tag that gets other content is no new one.
func TestMovedTagsAreCountedOnce(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Catalog: true})
	w.mirror.opts.Quotas = []Quota{{Target: w.to[0] + "/m", Tags: 10}}
	for seed := range uint64(3) {
		w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: seed + 1, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
		if r := w.one(w.step("a:1")); r.Present {
			t.Fatalf("%+v", r)
		}
		if repositories, tags := w.mirror.Counted()[0].Count(); repositories != 1 || tags != 1 {
			t.Errorf("after %d copies: %d repositories, %d tags", seed+1, repositories, tags)
		}
	}
}
