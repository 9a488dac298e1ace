package front

import (
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

const (
	// lapse is how long a failing place is skipped.
	lapse = 5 * time.Second
	// longest limits the wait that a place can ask for, and all lapses.
	longest = time.Minute
	// absent is how long it is remembered that a place lacks something.
	absent = 10 * time.Second
	// damaged is how long it is remembered that a response of a place broke off.
	// dockerd tries again after 5 to 25 seconds.
	damaged = longest
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
		if err := l.at(key); err != nil {
			return err
		}
	}
	return nil
}

// whole returns the failure because of which p is not asked for anything, or
// nil.
func (l *lapses) whole(p *Place) *failure.Error {
	return l.at(p.String())
}

func (l *lapses) at(key string) *failure.Error {
	held, ok := l.held.get(key)
	if left := held.until.Sub(l.now()); !ok || left <= 0 || left > longest { // the clock may be set back
		return nil
	}
	return held.err
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
	case err.Code == failure.NotFound, harmful(err):
		l.held.put(k[0], lapsed{l.now().Add(absent), err}, 1)
	default: // it requires another login, which concerns the repository
		l.held.put(k[1], lapsed{l.now().Add(absent), err}, 1)
	}
}

// broke remembers that p sent s in part only, or with wrong content.
func (l *lapses) broke(p *Place, s spot, err *failure.Error) {
	l.held.put(keys(p, s)[0], lapsed{l.now().Add(damaged), err}, 1)
}

// harmful reports whether the content that a place sent is wrong.
func harmful(err *failure.Error) bool {
	return err.Kind() == failure.Fault || err.Code == failure.WrongSize
}

// forget drops the failures of the whole place p, because it has answered.
func (l *lapses) forget(p *Place) { l.held.drop(p.String()) }

// retry drops what is remembered of p with regard to s.
func (l *lapses) retry(p *Place, s spot) {
	for _, key := range keys(p, s) {
		l.held.drop(key)
	}
}
