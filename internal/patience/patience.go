// Package patience decides how long Ferry waits before it tries something
// again, including waits that a server asked for.
package patience

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Sleep waits for d or until ctx ends, and returns the error of ctx.
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

// Backoff is the delay before an attempt: exponential, with jitter so that
// clients that failed together do not retry together.
type Backoff struct {
	First time.Duration // longest delay before the second attempt; it doubles with each further one
	Most  time.Duration // longest delay of all
}

// Delay returns the time to wait after the given number of failed attempts, at
// least one: between half of its bound and the whole.
func (b Backoff) Delay(failed int) time.Duration {
	bound := b.First
	for ; failed > 1 && bound < b.Most; failed-- {
		bound *= 2
	}
	bound = min(bound, b.Most)
	return bound/2 + rand.N(bound/2+1)
}

// RetryAfter parses the header of that name (RFC 9110 §10.2.3), seconds or a
// date, into the time to wait from now on: zero for a date in the past. It
// returns false for anything else, including an empty header.
func RetryAfter(text string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(text); err == nil {
		return max(date.Sub(now), 0), true
	}
	return 0, false
}
