package registry

import (
	"context"
	"errors"
	"time"
)

const (
	// stallTime is how long a transfer may stand still, or crawl.
	stallTime = 30 * time.Second
	// crawl is what must move within stallTime: less than that is no slow
	// network but a server that holds us up.
	crawl = 32 << 10
)

var errStalled = errors.New("transfer stalled")

// watchdog ends a transfer whose other end does not move. Only the time that
// the other end takes is counted: it runs between begin and end.
type watchdog struct {
	timer  *time.Timer
	moved  int64
	waited time.Duration
	since  time.Time
}

func newWatchdog(cancel context.CancelCauseFunc) *watchdog {
	w := &watchdog{}
	w.timer = time.AfterFunc(stallTime, func() { cancel(errStalled) })
	w.timer.Stop()
	return w
}

// begin starts the wait for the other end.
func (w *watchdog) begin() {
	w.since = time.Now()
	w.timer.Reset(stallTime - w.waited)
}

// end stops the wait; n bytes have moved meanwhile.
func (w *watchdog) end(n int) {
	if !w.timer.Stop() {
		return // it was not running, or it has bitten
	}
	w.waited += time.Since(w.since)
	w.moved += int64(n)
	if w.moved >= crawl {
		w.moved, w.waited = 0, 0
	}
	w.waited = min(w.waited, stallTime)
}

func (w *watchdog) stop() { w.timer.Stop() }
