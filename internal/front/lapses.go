package front

import (
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

const (
	// lapse is how long a failing place is skipped.
	lapse = 5 * time.Second
	// longest limits the wait that a place can ask for.
	longest = time.Minute
	// absent is how long it is remembered that a place lacks something.
	absent = 10 * time.Second
	// maxLapses is how many lapses are remembered.
	maxLapses = 20000
)

// lapses remembers recent failures of places, so that they are not asked again
// at once.
type lapses struct {
	now  func() time.Time
	held *memory[string, lapsed]
}

type lapsed struct {
	until time.Time
	err   *failure.Error
}

func newLapses(now func() time.Time) *lapses {
	return &lapses{now, newMemory[string, lapsed](maxLapses)}
}

// keys returns the scopes of a failure: one resource, a repository, the whole
// place.
func keys(p *Place, s spot) [3]string {
	return [3]string{p.String() + " " + s.String(), p.String() + " " + s.repository.Path(), p.String()}
}

// of returns the failure because of which p is not asked for s, or nil.
func (l *lapses) of(p *Place, s spot) *failure.Error {
	for _, key := range keys(p, s) {
		if held, ok := l.held.get(key); ok && l.now().Before(held.until) {
			return held.err
		}
	}
	return nil
}

// whole returns the failure because of which p is not asked for anything, or
// nil.
func (l *lapses) whole(p *Place) *failure.Error {
	if held, ok := l.held.get(p.String()); ok && l.now().Before(held.until) {
		return held.err
	}
	return nil
}

// note remembers err for the scope that it concerns.
func (l *lapses) note(p *Place, s spot, err *failure.Error) {
	k := keys(p, s)
	switch {
	case err.Code == failure.Cancelled:
	case err.Code == failure.RateLimited:
		wait := min(max(err.Until.Sub(l.now()), lapse), longest)
		l.held.put(k[2], lapsed{l.now().Add(wait), err}, 1)
	case err.Kind() == failure.Transient:
		l.held.put(k[2], lapsed{l.now().Add(lapse), err}, 1)
	case err.Code == failure.NotFound, err.Kind() == failure.Fault:
		l.held.put(k[0], lapsed{l.now().Add(absent), err}, 1)
	default: // it requires another login, which concerns the repository
		l.held.put(k[1], lapsed{l.now().Add(absent), err}, 1)
	}
}

// forget drops the failures of the whole place p, because it has answered.
func (l *lapses) forget(p *Place) { l.held.drop(p.String()) }

// retry drops what is remembered of p with regard to s.
func (l *lapses) retry(p *Place, s spot) {
	for _, key := range keys(p, s) {
		l.held.drop(key)
	}
}
