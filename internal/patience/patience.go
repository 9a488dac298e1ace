// Package patience is how Ferry waits before it tries something again: for how
// long, and until when a server asked to be left alone.
package patience

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Sleep waits for d or until ctx ends, whose error it then returns.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Backoff is the delay before a try: exponential, with jitter so that clients
// which failed together do not come back together.
type Backoff struct {
	First time.Duration // the longest delay before the second try; it doubles with each further one
	Most  time.Duration // the longest delay of all
}

// Delay is the time to wait after a number of failed tries, one or more: between
// half of its bound and the whole.
func (b Backoff) Delay(failed int) time.Duration {
	bound := b.First
	for ; failed > 1 && bound < b.Most; failed-- {
		bound *= 2
	}
	bound = min(bound, b.Most)
	return bound/2 + rand.N(bound/2+1)
}

// RetryAfter reads the header of that name (RFC 9110 §10.2.3), seconds or a
// date, into the time to wait from now on: zero for a date that has passed. It
// returns false for anything else, an empty header included.
func RetryAfter(text string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(date.Sub(now), 0), true
	}
	return 0, false
}
