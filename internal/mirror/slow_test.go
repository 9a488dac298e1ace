package mirror

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

// A run ends if all of its images together move too little for too long, and
// not while it waits for registries, or is fast enough.
func TestSlowRunsEnd(t *testing.T) {
	const minRate, total = 1000, 1 << 40
	for _, test := range []struct {
		name  string
		rates []int64 // bytes a second of each image
		want  failure.Code
	}{
		{"fast", []int64{1100}, ""},
		{"one of them is", []int64{0, 10, 1100}, ""},
		{"slow", []int64{900}, failure.TooSlow},
		{"all are slow", []int64{100, 200}, failure.TooSlow},
		{"nothing to copy yet", nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				p := newProgress(nil)
				p.tell(Started, len(test.rates), 0, nil)
				go p.keepPace(ctx, minRate, cancel)
				for range 4 * slowTime / time.Second {
					for i, rate := range test.rates {
						p.tell(Progress, i, 0, func(e *Event) { e.Total, e.Done = total, e.Done+rate })
					}
					time.Sleep(time.Second)
				}
				var got failure.Code
				if ctx.Err() != nil {
					got = typed(ctx, context.Cause(ctx)).Code
				}
				if got != test.want {
					t.Errorf("it ended as %q, want %q", got, test.want)
				}
			})
		})
	}
}
