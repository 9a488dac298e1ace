package transfer

import "time"

// uploadTuner finds how many uploads at once a target gets. A blob that is sent
// in part is lost if the process ends, so there are as few as fill the link. Far
// targets get the most from the beginning, because a connection needs many
// round trips to reach its rate, and then fewer if these are as fast; near ones
// get more as long as that raises the rate. Twice as many as that are tried once,
// because each connection may have a limit. Its fields are guarded by the engine's mutex.
type uploadTuner struct {
	*tuning
	slots    *slots
	n        int           // uploads at once
	moved    int64         // bytes since checked
	since    time.Time     // when moved was set to zero
	before   float64       // the rate before the last trial
	previous int           // uploads at once before it
	trial    trial         // whether more or fewer uploads are being tried
	least    int           // fewer have not been enough
	rest     int           // checks until more are tried: the first rate is that of young connections
	trip     time.Duration // to the target
	last     float64       // the rate of the last check
	raised   bool          // more have been tried
	doubled  bool          // twice the most have been tried
}

func newUploadTuner(t *tuning, trip time.Duration) *uploadTuner {
	n := t.uploadsFor(trip)
	return &uploadTuner{tuning: t, least: t.minUploads, slots: newSlots(n, t.maxUploads), n: n, since: time.Now(), rest: 1, trip: trip}
}

// uploadsFor returns how many uploads begin at once at a round trip.
func (t *tuning) uploadsFor(trip time.Duration) int {
	switch {
	case trip == 0:
		return t.maxUploads
	case trip < nearTrip:
		return t.minUploads
	}
	return min(1+int(trip/t.uploadTrip), t.maxUploads)
}

// measured takes the round trip as it is known now. On a busy machine, the first
// handshakes make it look longer.
func (u *uploadTuner) measured(trip time.Duration) {
	if trip == 0 || u.trip > 0 && trip >= u.trip {
		return
	}
	if n := u.uploadsFor(trip); u.n == u.uploadsFor(u.trip) && n < u.n {
		u.set(n)
	}
	u.trip = trip
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
	if u.trial == trialLess && u.slots.exceeded() {
		u.moved, u.since = 0, now
		return
	}
	rate, last := float64(u.moved)/passed.Seconds(), u.last
	u.moved, u.since, u.last = 0, now, rate
	switch {
	case u.trial == trialLess && rate*u.gain < u.before:
		u.least = u.previous
		u.set(u.previous)
		u.trial, u.rest = noTrial, u.restChecks
	case u.trial == trialLess:
		u.trial, u.rest = noTrial, 1
	case u.trial == trialMore && u.n > u.maxUploads:
		if rate < u.before*u.proportional {
			u.set(u.previous)
		} else {
			u.least = u.n
		}
		u.trial = noTrial
	case u.trial == trialMore && rate < u.before*(1+u.uploadGain*float64(u.n-u.previous)/float64(u.previous)):
		u.set(u.previous)
		u.trial, u.rest = noTrial, u.restChecks
	case u.trial == trialMore && rate > u.before*u.proportional:
		u.before, u.previous = rate, u.n // each connection seems to have a limit
		u.set(min(2*u.n, u.maxUploads))
	case u.rest > 0:
		u.rest--
	case !u.slots.crowded():
		u.trial = noTrial
	case u.n < u.maxUploads && (u.trial == trialMore || u.n == u.least || !u.raised):
		u.before, u.previous, u.trial, u.raised = max(rate, u.before), u.n, trialMore, true
		u.set(min(u.n+u.n/2, u.maxUploads))
	case rate < last/u.noise || rate > last*u.noise:
	case u.n == u.maxUploads && !u.doubled:
		u.before, u.previous, u.trial, u.doubled = rate, u.n, trialMore, true
		u.set(2 * u.n)
	case u.n > u.least:
		u.before, u.previous, u.trial = rate, u.n, trialLess
		u.set(max(u.n/2, u.least))
	default:
		u.trial = noTrial
	}
}

func (u *uploadTuner) set(n int) {
	u.slots.add(n-u.n, max(n, u.maxUploads))
	u.n = n
}

// tuneUploadsLocked adjusts the number of uploads to each target.
func (e *Engine) tuneUploadsLocked(now time.Time) {
	for _, u := range e.uploads {
		u.observe(now)
	}
}
