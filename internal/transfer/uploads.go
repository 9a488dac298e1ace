package transfer

import "time"

// uploadTuner finds how many uploads at once a target gets. A blob that is sent
// in part is lost if the process ends, so there are as few as fill the link. Far
// targets get the most from the beginning, because a connection needs many
// round trips to reach its rate; near ones get more as long as that raises the
// rate. Twice as many as that are tried once, because each connection may have a
// limit. Its fields are guarded by the engine's mutex.
type uploadTuner struct {
	*tuning
	slots    *slots
	n        int           // uploads at once
	moved    int64         // bytes since checked
	since    time.Time     // when moved was set to zero
	before   float64       // the rate before the last trial
	previous int           // uploads at once before it
	trying   bool          // more uploads are being tried
	rest     int           // checks until more are tried: the first rate is that of young connections
	trip     time.Duration // to the target
	last     float64       // the rate of the last check
	doubled  bool          // twice the most have been tried
}

func newUploadTuner(t *tuning, trip time.Duration) *uploadTuner {
	n := t.maxUploads
	if trip > 0 {
		n = min(max(1+int(trip/t.uploadTrip), t.minUploads), n)
	}
	return &uploadTuner{tuning: t, slots: newSlots(n), n: n, since: time.Now(), rest: 1, trip: trip}
}

// observe adjusts the number of uploads.
func (u *uploadTuner) observe(now time.Time) {
	passed := now.Sub(u.since)
	if u.moved == 0 {
		u.since = now
		return
	}
	check := time.Duration(u.trialTicks) * u.tick
	if u.n > u.maxUploads { // new connections need some round trips to show their rate
		check = max(check, time.Duration(u.startTrips)*u.trip)
	}
	if passed < check {
		return
	}
	rate, last := float64(u.moved)/passed.Seconds(), u.last
	u.moved, u.since, u.last = 0, now, rate
	switch {
	case u.trying && u.n > u.maxUploads:
		if rate < u.before*u.proportional {
			u.set(u.previous)
		}
		u.trying = false
	case u.trying && rate < u.before*u.gain:
		u.set(u.previous)
		u.trying, u.rest = false, u.restChecks
	case u.trying && rate > u.before*u.proportional:
		u.before, u.previous = rate, u.n // each connection seems to have a limit
		u.set(min(2*u.n, u.maxUploads))
	case u.rest > 0:
		u.rest--
	case u.n+u.uploadStep <= u.maxUploads && u.slots.crowded():
		u.before, u.previous, u.trying = max(rate, u.before), u.n, true
		u.set(u.n + u.uploadStep)
	case u.n == u.maxUploads && !u.doubled && u.slots.crowded() && rate > last/u.noise && rate < last*u.noise:
		u.before, u.previous, u.trying, u.doubled = rate, u.n, true, true
		u.set(2 * u.n)
	default:
		u.trying = false
	}
}

func (u *uploadTuner) set(n int) {
	u.slots.add(n - u.n)
	u.n = n
}

// tuneUploadsLocked adjusts the number of uploads to each target.
func (e *Engine) tuneUploadsLocked(now time.Time) {
	for _, u := range e.uploads {
		u.observe(now)
	}
}
