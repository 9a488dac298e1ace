package shards

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fanout"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/report"
)

// TestPresent checks that an image counts as copied although another job was faster, if
// the target did not have it when it was planned.
func TestPresent(t *testing.T) {
	old, now := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("0", 64)}, v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("1", 64)}
	p := &Plan{Images: []report.Synced{{}, {Before: old}, {Before: now}}}
	folder := t.TempDir()
	file, err := p.Create(folder, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Images {
		if err := file.Add(&Receipt{Index: i, Receipt: &mirror.Receipt{Digest: now, Present: true}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := p.Receipts(folder, func(format string, _ ...any) { t.Error(format) })
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, false, true} {
		if got[i] == nil || got[i].Receipt.Present != want {
			t.Errorf("%d: %+v, want present: %v", i, got[i], want)
		}
	}
}

// TestAttempts checks that of two attempts a copy counts, then the later failure, in
// whatever order the files are read.
func TestAttempts(t *testing.T) {
	copied := &mirror.Receipt{Digest: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("1", 64)}}
	early, late := &failure.Error{Code: failure.Unavailable}, &failure.Error{Code: failure.RateLimited}
	for _, order := range [][2]int{{1, 2}, {2, 1}} {
		p := &Plan{ID: "plan", Images: make([]report.Synced, 3)}
		folder := t.TempDir()
		for shard, attempt := range order {
			file, err := p.Create(folder, shard+1, attempt)
			if err != nil {
				t.Fatal(err)
			}
			lines := []Receipt{{Index: 0, Receipt: copied}, {Index: 1, Failure: early}, {Index: 2, Failure: early}}
			if attempt == 2 {
				lines = []Receipt{{Index: 0, Failure: late}, {Index: 1, Receipt: copied}, {Index: 2, Failure: late}}
			}
			for i := range lines {
				if err := file.Add(&lines[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
		}
		got, err := p.Receipts(folder, func(format string, _ ...any) { t.Error(format) })
		if err != nil || got[0].Receipt == nil || got[1].Receipt == nil || got[2].Failure == nil || got[2].Failure.Code != failure.RateLimited {
			t.Errorf("attempts %v: %+v, %v", order, got, err)
		}
	}
}

// TestShardNumbers checks plans without shards, with the most that a matrix may have, and
// with one more.
func TestShardNumbers(t *testing.T) {
	for _, n := range []int{0, 1, fanout.MaxJobs, fanout.MaxJobs + 1} {
		p := &Plan{Steps: make([]plan.Step, n), Indices: make([][]int, n), Sizes: make([]int64, n)}
		p.Fresh = make([]int64, n)
		for i := range n {
			p.Lists = append(p.Lists, []int{i})
		}
		file := filepath.Join(t.TempDir(), "plan.json")
		if err := p.Write(file); err != nil {
			t.Fatal(err)
		}
		var numbers []int
		if err := json.Unmarshal([]byte(p.Numbers()), &numbers); err != nil || len(numbers) != n || n > 0 && numbers[n-1] != n {
			t.Errorf("the numbers of %d shards are %s, %v", n, p.Numbers(), err)
		}
		if _, err := Read(file); (err == nil) != (n <= fanout.MaxJobs) {
			t.Errorf("a plan with %d shards: %v", n, err)
		}
	}
}
