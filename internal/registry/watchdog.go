package registry

import (
	"context"
	"errors"
	"time"
)

const (
	// firstByteTime is how long a server may take until the first byte of a
	// blob: a pull-through cache fetches the blob first, which was seen to take
	// more than three minutes.
	firstByteTime = 5 * time.Minute
	// stallTime is how long a transfer may stall, or crawl, once it has begun.
	stallTime = time.Minute
	// crawl is the number of bytes that must be transferred within stallTime.
	// Less is not a slow network, but a server that keeps a connection idle.
	crawl = 32 << 10
)

var errStalled = errors.New("transfer stalled")

// watchdog ends a transfer whose other end does not respond. Only the waiting
// for the other end is counted, between begin and end.
type watchdog struct {
	timer  *time.Timer
	limit  time.Duration // until something has moved
	moved  int64
	waited time.Duration
	since  time.Time
}

// newWatchdog gives the other end a time within which the first bytes must
// move.
func newWatchdog(cancel context.CancelCauseFunc, first time.Duration) *watchdog {
	w := &watchdog{limit: first}
	w.timer = time.AfterFunc(first, func() { cancel(errStalled) })
	w.timer.Stop()
	return w
}

// begin starts the wait for the other end.
func (w *watchdog) begin() {
	w.since = time.Now()
	w.timer.Reset(w.limit - w.waited)
}

// end stops the wait, in which n bytes have moved.
func (w *watchdog) end(n int) {
	if !w.timer.Stop() {
		return // not running, or already fired
	}
	w.waited += time.Since(w.since)
	if n > 0 && w.moved == 0 && w.limit > stallTime {
		w.limit, w.waited = stallTime, 0
	}
	w.moved += int64(n)
	if w.moved >= crawl {
		w.moved, w.waited = 0, 0
	}
	w.waited = min(w.waited, w.limit)
}

func (w *watchdog) stop() { w.timer.Stop() }
