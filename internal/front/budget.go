package front

import (
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

// bucket is a token bucket: it fills at rate per second up to size. Taking
// tokens may leave it negative.
type bucket struct {
	size, rate float64
	level      float64
	at         time.Time
}

// newBucket returns a full bucket, which takes period to fill.
func newBucket(size float64, period time.Duration, now time.Time) bucket {
	return bucket{size, size / period.Seconds(), size, now}
}

// fill reports whether the bucket has a token, or how long until it has.
func (b *bucket) fill(now time.Time) (wait time.Duration, ok bool) {
	if b.size == 0 {
		return 0, true
	}
	b.level = min(b.size, b.level+max(0, now.Sub(b.at).Seconds())*b.rate) // the clock may be set back
	b.at = now
	if b.level >= 1 {
		return 0, true
	}
	return time.Duration((1 - b.level) / b.rate * float64(time.Second)), false
}

// after returns the bucket to use after old: old itself if the limit is the same.
// Otherwise what was taken from old counts.
func (b bucket) after(old bucket, now time.Time) bucket {
	switch {
	case old.size == b.size && old.rate == b.rate:
		return old
	case old.size == 0: // it had no limit
		return b
	}
	old.fill(now)
	b.level = max(b.size-(old.size-old.level), min(0, old.level))
	return b
}

// Budget limits the requests of all guests together to one place, so that no
// guest uses up the limit that the place sets for its owner.
type Budget struct {
	mu     sync.Mutex
	bucket bucket
	now    func() time.Time
}

// NewBudget allows so many requests in a period, and as many at once.
func NewBudget(requests int, period time.Duration, now func() time.Time) *Budget {
	return &Budget{bucket: newBucket(float64(requests), period, now()), now: now}
}

// after returns the budget to use after old, which may be nil.
func (b *Budget) after(old *Budget) *Budget {
	if b == nil || old == nil || b == old {
		return b
	}
	old.mu.Lock()
	defer old.mu.Unlock()
	after := b.bucket.after(old.bucket, old.now())
	if after == old.bucket {
		return old // running requests take from it
	}
	b.bucket = after
	return b
}

// take takes one request. It returns a failure if none is left. A nil Budget
// has no limit.
func (b *Budget) take() *failure.Error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait, ok := b.bucket.fill(b.now()); !ok {
		return &failure.Error{Code: failure.RateLimited, Side: failure.Source, Step: "asking a place", Until: b.now().Add(wait)}
	}
	b.bucket.level--
	return nil
}
