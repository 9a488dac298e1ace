package plan_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// TestHeapOfPlan limits what a plan holds for each image: a run of 10,000 images has
// 64 MiB in all.
func TestHeapOfPlan(t *testing.T) {
	const n, most = 2000, 480 // bytes; 764 when a reference had 80
	req := request.Request{}
	for i := range n {
		ref, err := reference.Parse(fmt.Sprintf("quay.io/owner/image-%05d:v1.2.3", i))
		if err != nil {
			t.Fatal(err)
		}
		req.Images = append(req.Images, request.Image{Reference: ref})
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what pools have kept over one
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	cfg := settings(func(c *config.Config) { c.Limits.Images = n })
	before := heap()
	p, err := plan.Make(req, plan.Asker{Role: plan.Owner}, cfg)
	if err != nil || len(p.Steps) != n {
		t.Fatalf("%d steps, %v", len(p.Steps), err)
	}
	got := (heap() - before) / n
	runtime.KeepAlive(p)
	runtime.KeepAlive(req)
	if got > most {
		t.Errorf("a plan holds %d bytes for each image, want at most %d", got, most)
	}
}
