package mirror

import (
	"runtime"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
)

// TestHeapOfManyImages limits what a run holds for each image that has ended, beside
// its step: a run of 10,000 images has 64 MiB in all. These images fail without a
// request, so that nothing else is counted.
func TestHeapOfManyImages(t *testing.T) {
	const n, most = 2000, 400 // bytes; a failure alone has 192
	w := newWorld(t, fakeregistry.Options{}, nil)
	step := plan.Step{Destinations: []plan.Destination{{Mirror: parse(t, "unknown.example/a:1")}}}
	step.Image.Reference = step.Destinations[0].Mirror
	steps := make([]plan.Step, 2*n)
	for i := range steps {
		steps[i] = step
	}
	held := func(steps []plan.Step) (bytes int64) {
		left := len(steps)
		w.mirror.Run(t.Context(), steps, func(e Event) {
			if e.Kind != Finished {
				return
			}
			if left--; left == 0 {
				runtime.GC()
				runtime.GC() // what pools have kept over one
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				bytes = int64(m.HeapAlloc)
			}
		})
		return bytes
	}
	held(steps[:1])
	one, two := held(steps[:n]), held(steps)
	if got := (two - one) / n; got > most {
		t.Errorf("a run holds %d bytes for each image that has ended, want at most %d", got, most)
	}
}
