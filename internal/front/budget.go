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
	b.level = min(b.size, b.level+now.Sub(b.at).Seconds()*b.rate)
	b.at = now
	if b.level >= 1 {
		return 0, true
	}
	return time.Duration((1 - b.level) / b.rate * float64(time.Second)), false
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

// after returns the budget to use after old, which may be nil: old itself if the
// limit is the same. Otherwise what was taken from old counts.
func (b *Budget) after(old *Budget) *Budget {
	if b == nil || old == nil || b == old {
		return b
	}
	old.mu.Lock()
	defer old.mu.Unlock()
	if old.bucket.size == b.bucket.size && old.bucket.rate == b.bucket.rate {
		return old
	}
	old.bucket.fill(old.now())
	b.bucket.level = max(0, b.bucket.size-(old.bucket.size-old.bucket.level))
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
