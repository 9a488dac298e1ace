package transfer

import (
	"context"
	"errors"
	"slices"
	"time"
)

// attempt is one attempt to send a blob, measured by its reader. Its fields are
// guarded by the engine's mutex.
type attempt struct {
	r      *reader
	target Target
	cancel context.CancelCauseFunc
	began  time.Time
	from   int64         // the offset at which it began
	waited time.Duration // what the reader had waited for the source before
	final  bool          // it is not given up
	late   bool          // it was given up
}

var errLate = errors.New("connection is much slower than others")

// attempt begins an attempt. A connection that turns out to be far slower than
// others of the same target is given up: the attempt's context ends, unless
// final is set. The caller must call end.
func (e *Engine) attempt(ctx context.Context, r *reader, target Target, final bool) (context.Context, *attempt) {
	ctx, cancel := context.WithCancelCause(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	a := &attempt{r: r, target: target, cancel: cancel, began: time.Now(), from: r.offset, waited: r.waited, final: final}
	e.attempts[a] = true
	r.tuner = e.uploads[target.Host()]
	return ctx, a
}

// end ends an attempt, and reports whether it was given up.
func (e *Engine) end(a *attempt, err error) (late bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.attempts, a)
	a.cancel(nil)
	if s, ok := a.sampleLocked(time.Now()); ok && err == nil {
		samples := append(e.sent[a.target.Host()], s)
		e.sent[a.target.Host()] = samples[max(len(samples)-maxSamples, 0):]
	}
	return err != nil && a.late
}

// exchangeLocked returns the measurement of an attempt so far.
func (a *attempt) exchangeLocked() exchange {
	return exchange{asked: a.began, got: a.r.offset - a.from, held: a.r.since, idle: a.r.waited - a.waited}
}

// sampleLocked returns the rate of an attempt so far, and false if it has sent
// too little. The connection may be faster, because the time in which the
// source was too slow counts.
func (a *attempt) sampleLocked(now time.Time) (sample, bool) {
	got, took := a.r.offset-a.from, now.Sub(a.began)
	if got < blockSize || took < time.Millisecond {
		return sample{}, false
	}
	return sample{rate: float64(got) / took.Seconds()}, true
}

// giveUpLocked cancels the attempts that are far slower than others.
func (e *Engine) giveUpLocked(now time.Time) {
	for a := range e.attempts {
		if a.final || a.late {
			continue
		}
		samples := slices.Clip(e.sent[a.target.Host()])
		for other := range e.attempts {
			if s, ok := other.sampleLocked(now); ok && other != a && other.target.Host() == a.target.Host() {
				samples = append(samples, s)
			}
		}
		if e.stuck(a.exchangeLocked(), a.r.end-a.r.offset, paceOf(samples), a.target.Trip(), now) {
			a.late = true
			a.cancel(errLate)
		}
	}
}
