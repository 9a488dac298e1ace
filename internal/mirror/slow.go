package mirror

import (
	"context"
	"time"
)

// slowTime is how long a Run may be slower than Options.MinRate: a registry
// that asks clients to wait does so for minutes.
const slowTime = 15 * time.Minute

// keepPace cancels a run that copies too few bytes per second. It returns when
// ctx ends. The images of a run share the bandwidth, so the rate of one image
// does not matter.
func (b *progress) keepPace(ctx context.Context, minRate int64, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(slowTime)
	defer tick.Stop()
	var before int64
	var began bool
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		moved, more := b.sum()
		if began && more && moved-before < minRate*int64(slowTime/time.Second) {
			cancel(errSlow)
			return
		}
		before, began = moved, more
	}
}
