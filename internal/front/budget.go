package front

import (
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

// bucket fills by rate a second up to size; what is taken may leave it in debt.
type bucket struct {
	size, rate float64
	level      float64
	at         time.Time
}

// newBucket is full, and is filled once in a period.
func newBucket(size float64, period time.Duration, now time.Time) bucket {
	return bucket{size, size / period.Seconds(), size, now}
}

// fill reports whether so much is in the bucket, and else when there will be.
func (b *bucket) fill(now time.Time, much float64) (wait time.Duration, ok bool) {
	if b.size == 0 {
		return 0, true
	}
	b.level = min(b.size, b.level+now.Sub(b.at).Seconds()*b.rate)
	b.at = now
	if b.level >= much {
		return 0, true
	}
	return time.Duration((much - b.level) / b.rate * float64(time.Second)), false
}

// Budget bounds what is asked for of one place by all guests together, so that
// none of them uses up what the place grants its owner.
type Budget struct {
	mu     sync.Mutex
	bucket bucket
	now    func() time.Time
}

// NewBudget grants so many questions an hour, as many at once.
func NewBudget(anHour int, now func() time.Time) *Budget {
	return &Budget{bucket: newBucket(float64(anHour), time.Hour, now()), now: now}
}

// take takes one question. It returns a failure if there is none left. A nil
// Budget has no end.
func (b *Budget) take() *failure.Error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait, ok := b.bucket.fill(b.now(), 1); !ok {
		return &failure.Error{Code: failure.RateLimited, Side: failure.Source, Step: "asking a place", Until: b.now().Add(wait)}
	}
	b.bucket.level--
	return nil
}
