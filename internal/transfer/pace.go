package transfer

import (
	"math"
	"sort"
	"time"
)

// exchange is one request for a piece, as measured by its fetcher.
type exchange struct {
	asked    time.Time     // zero for none
	answered time.Time     // zero for not yet
	got      int64         // bytes since
	held     time.Time     // when it began to wait for memory; zero if it is not waiting
	idle     time.Duration // how long it has waited for memory
}

// sample is a measurement of a host's connections by one exchange.
type sample struct {
	wait time.Duration // from the request to the header of the response
	rate float64       // of the body, in bytes a second
}

// maxSamples is how many exchanges a host's pace is calculated from.
const maxSamples = 16

// pace is the median of a host's latest samples.
type pace struct {
	sample
	fast    float64 // rate reached by one sample in four
	samples int
}

func paceOf(samples []sample) pace {
	if len(samples) == 0 {
		return pace{}
	}
	waits, rates := make(sort.Float64Slice, 0, len(samples)), make(sort.Float64Slice, 0, len(samples))
	for _, s := range samples {
		waits, rates = append(waits, float64(s.wait)), append(rates, s.rate)
	}
	// slices.Sort would be compiled once more for each of the two types.
	sort.Sort(waits)
	sort.Sort(rates)
	return pace{sample{time.Duration(waits[len(waits)/2]), rates[len(rates)/2]}, rates[len(rates)*3/4], len(samples)}
}

// sampleOf returns the measurement of an exchange that ends now. It returns
// false if the exchange was too short, or delayed by lack of memory.
func sampleOf(x exchange, now time.Time) (sample, bool) {
	if x.answered.IsZero() {
		return sample{}, false
	}
	took := now.Sub(x.answered)
	if x.got < blockSize/4 || took < time.Millisecond || x.idle > took/8 {
		return sample{}, false
	}
	return sample{x.answered.Sub(x.asked), float64(x.got) / took.Seconds()}, true
}

// piece returns how many blocks one request should ask for at a pace, so that
// its body takes pieceTime to arrive, or waitShare times as long as the
// response takes to begin, whichever is more: waiting then takes at most one
// part in waitShare+1. The result is between least and most.
func (t *tuning) pieceFor(p pace, least, most int64) int64 {
	if p.samples == 0 {
		p.fast = t.coldRate
	}
	long := max(t.pieceTime, time.Duration(t.waitShare)*p.wait)
	return max(min(int64(p.fast*long.Seconds())/blockSize, most), least, 1)
}

// lead returns how many blocks arrive at a pace until a response begins.
func (p pace) lead() int64 {
	return int64(p.fast*p.wait.Seconds()) / blockSize
}

// late reports whether another connection at the pace of its peers would finish
// an exchange with left missing bytes sooner: at least lateFactor times as
// soon, and by more than lateGrace. A connection has startTrips round trips to
// reach its rate. If a reader is waiting for the bytes, starved connections are
// given half the round trips and as much grace as a response takes to begin, a
// fourth at least.
func (t *tuning) late(x exchange, left int64, peers pace, trip time.Duration, awaited bool, now time.Time) bool {
	if peers.samples < t.minPeers || x.asked.IsZero() || !x.held.IsZero() || peers.fast <= 0 {
		return false
	}
	if x.answered.IsZero() {
		return now.Sub(x.asked) > t.tooLong(2*trip+peers.wait, t.lateGrace)
	}
	took, grace, start := now.Sub(x.answered)-x.idle, t.lateGrace, time.Duration(t.startTrips)*trip
	if awaited && t.starved(x.got, took, peers, trip) {
		grace, start = min(max(grace/4, peers.wait), grace), start/2
	}
	if took < grace+start {
		return false
	}
	another := t.tooLong(2*trip+peers.wait+seconds(float64(left)/peers.fast), grace)
	if x.got == 0 {
		return took > another
	}
	return seconds(float64(left)*took.Seconds()/float64(x.got)) > another
}

// starved reports whether a connection has brought far less than the others
// would have in the same time, and less than a new one would have in half of it.
// A busy machine makes some connections look slow for a moment.
func (t *tuning) starved(got int64, took time.Duration, peers pace, trip time.Duration) bool {
	return float64(got)*t.starvedFactor < peers.rate*took.Seconds() && 2*float64(got) < slowStart(took/2, trip)
}

// slowStart returns how many bytes a new connection brings in a time (RFC 6928).
func slowStart(took, trip time.Duration) float64 {
	if trip == 0 {
		return math.Inf(1)
	}
	return 14600 * (math.Exp2(took.Seconds()/trip.Seconds()) - 1)
}

// stuck reports whether an upload with left bytes that have not been sent should
// continue over another connection: that would have to be lateUpload times as
// soon at the median pace of the others. An attempt given up costs the bytes on
// the way, and round trips. The last bytes are never late, because they may
// wait for the digest.
func (t *tuning) stuck(x exchange, left int64, others pace, trip time.Duration, now time.Time) bool {
	took := now.Sub(x.asked) - x.idle
	if others.samples < t.minPeers || x.got == 0 || left < 2*blockSize || !x.held.IsZero() || took < t.lateGrace+time.Duration(t.startTrips)*trip {
		return false
	}
	another := 4*trip + seconds(float64(left)/others.rate)
	return float64(left)*took.Seconds()/float64(x.got) > t.lateUpload*another.Seconds()+t.lateGrace.Seconds()
}

// tooLong returns the time from which a response is late, given the usual time.
func (t *tuning) tooLong(usual, grace time.Duration) time.Duration {
	return seconds(t.lateFactor*usual.Seconds()) + grace
}

func seconds(s float64) time.Duration { return time.Duration(min(s, 1e6) * float64(time.Second)) }
