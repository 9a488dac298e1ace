package mirror

import (
	"context"
	"time"
)

// slowTime is for how long a Run may move less than Options.MinRate asks for: a
// registry that asks to wait does so for minutes.
const slowTime = 15 * time.Minute

// keepPace cancels a run that moves too few bytes a second, until ctx ends. The
// images of a run share the way, so that one among others may be slow for long.
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
		moved, more := b.moved()
		if began && more && moved-before < minRate*int64(slowTime/time.Second) {
			cancel(errSlow)
			return
		}
		before, began = moved, more
	}
}
