package transfer

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestPieceFor(t *testing.T) {
	at := func(wait time.Duration, rate float64) pace {
		return pace{sample: sample{wait, rate}, fast: rate, samples: maxSamples}
	}
	tests := map[string]struct {
		pace        pace
		least, most int64
		want        int64
	}{
		"nothing is known":                  {pace{}, 1, 64, 1},
		"nothing but the wait is known":     {pace{sample: sample{wait: 400 * ms}}, 1, 64, 9},
		"what comes in a fifth of a second": {at(30*ms, 10e6), 1, 64, 7},
		"three times the wait":              {at(250*ms, 10e6), 1, 64, 28},
		"no more than there is room for":    {at(250*ms, 60e6), 1, 64, 64},
		"a slow connection":                 {at(30*ms, 0.3e6), 1, 64, 1},
		"at least as much":                  {at(30*ms, 0.3e6), 8, 64, 8},
	}
	for name, c := range tests {
		if got := defaultTuning.pieceFor(c.pace, c.least, c.most); got != c.want {
			t.Errorf("%s: %d blocks, want %d", name, got, c.want)
		}
	}
}

func TestLate(t *testing.T) {
	now := time.Now()
	peers := pace{sample: sample{100 * ms, 10e6}, fast: 10e6, samples: maxSamples}
	at := func(asked, answered time.Duration, got int64) exchange {
		x := exchange{asked: now.Add(-asked), got: got}
		if answered > 0 {
			x.answered = now.Add(-answered)
		}
		return x
	}
	held := at(9*time.Second, 8*time.Second, 1)
	held.held = now
	tests := map[string]struct {
		x       exchange
		left    int64
		peers   pace
		want    bool
		awaited bool // whether it is late if a reader is waiting
	}{
		"as fast as its peers":              {at(2*time.Second, 2*time.Second, 20e6), 10e6, peers, false, false},
		"half as fast":                      {at(2*time.Second, 2*time.Second, 10e6), 10e6, peers, false, false},
		"a tenth as fast":                   {at(2*time.Second, 2*time.Second, 2e6), 10e6, peers, true, true},
		"a tenth as fast, but nearly done":  {at(2*time.Second, 2*time.Second, 2e6), 100e3, peers, false, false},
		"a tenth as fast, but just begun":   {at(600*ms, 500*ms, 30e3), 10e6, peers, false, true},
		"not answered, as its peers":        {at(100*ms, 0, 0), 1e6, peers, false, false},
		"not answered for long":             {at(2*time.Second, 0, 0), 1e6, peers, true, true},
		"answered, and then nothing":        {at(3*time.Second, 2*time.Second, 0), 1e6, peers, true, true},
		"waiting for memory":                {held, 10e6, peers, false, false},
		"not asked":                         {exchange{}, 10e6, peers, false, false},
		"without peers to be compared with": {at(9*time.Second, 0, 0), 1e6, pace{sample: peers.sample, fast: peers.fast, samples: 1}, false, false},
		"in slow start":                     {at(400*ms, 250*ms, 700e3), 10e6, peers, false, false},
		"new, and a tenth as fast":          {at(400*ms, 250*ms, 60e3), 1e6, peers, false, true},
		"new":                               {at(200*ms, 100*ms, 30e3), 1e6, peers, false, false},
	}
	for name, c := range tests {
		if got := defaultTuning.late(c.x, c.left, c.peers, 30*ms, false, now); got != c.want {
			t.Errorf("%s: late is %t", name, got)
		}
		if got := defaultTuning.late(c.x, c.left, c.peers, 30*ms, true, now); got != c.awaited {
			t.Errorf("%s, and a reader waits: late is %t", name, got)
		}
	}
}

func TestSampleOf(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	tests := map[string]struct {
		x    exchange
		want sample
		ok   bool
	}{
		"complete":              {exchange{asked: ago(1100 * ms), answered: ago(time.Second), got: 5e6}, sample{100 * ms, 5e6}, true},
		"not answered":          {exchange{asked: ago(time.Second)}, sample{}, false},
		"too little":            {exchange{asked: ago(1100 * ms), answered: ago(time.Second), got: 5e3}, sample{}, false},
		"held up by the memory": {exchange{asked: ago(1100 * ms), answered: ago(time.Second), got: 5e6, idle: 500 * ms}, sample{}, false},
	}
	for name, c := range tests {
		if got, ok := sampleOf(c.x, now); got != c.want || ok != c.ok {
			t.Errorf("%s: %v, %t", name, got, ok)
		}
	}
}

// links returns the networks that the tests in virtual time begin with.
func links() (source, target *network) {
	return &network{rtt: 30 * ms, rate: 62.5e6}, &network{rtt: 60 * ms, rate: 62.5e6}
}

// least returns the shortest possible time for so many bytes: the link, three
// responses of the source, and slow start.
func least(source, target *network, size int64) time.Duration {
	return seconds(float64(size)/source.rate) + 3*(source.rtt+source.think) + target.think + 8*target.rtt
}

// TestSourcesThatThink varies how long a source takes to respond.
func TestSourcesThatThink(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 3 {
		source, target := links()
		source.think = time.Duration(50+random.IntN(350)) * ms
		const size = 192 * mib
		took, _ := simulate(t, source, target, size)
		if limit := least(source, target, size); took > limit*13/10 {
			t.Errorf("a source that thinks %v: %v, the limit is %v (seed %d)", source.think, took, limit, seed)
		}
		if source.requests > 400 {
			t.Errorf("a source that thinks %v: %d requests (seed %d)", source.think, source.requests, seed)
		}
		if source.sent > size+mib {
			t.Errorf("a source that thinks %v: %d bytes of %d (seed %d)", source.think, source.sent, size, seed)
		}
	}
}

// TestPausesAreNoReasonToShare has a source that thinks for longer than what has
// been read ahead lasts. The pause until it answers is not mended by more
// connections: a few large requests remain.
func TestPausesAreNoReasonToShare(t *testing.T) {
	for _, think := range []time.Duration{250 * ms, 264 * ms, 362 * ms, 383 * ms} {
		source, target := links()
		source.think = think
		const size = 192 * mib
		took, _ := simulate(t, source, target, size)
		if limit := least(source, target, size); took > limit*11/10 {
			t.Errorf("a source that thinks %v: %v, the limit is %v", source.think, took, limit)
		}
		if source.requests > 24 {
			t.Errorf("a source that thinks %v: %d requests", source.think, source.requests)
		}
	}
}

// TestStragglers makes some connections very slow.
func TestStragglers(t *testing.T) {
	for _, every := range []int{3, 5, 8} {
		for _, other := range []int64{mib, 30 * mib} {
			source, target := links()
			source.slowEvery, source.slowRate = every, 0.3e6
			const size = 96 * mib
			took, e := simulate(t, source, target, size, other)
			if limit := least(source, target, size+other); took > limit*12/10 {
				t.Errorf("one of %d is slow: %v, the limit is %v", every, took, limit)
			}
			if e.twice > mib || source.sent > (size+other)*11/10 {
				t.Errorf("one of %d is slow: %d bytes of hedges, %d bytes in all", every, e.twice, source.sent)
			}
		}
	}
}

// TestStragglersAtTheTarget makes some connections to the target very slow.
func TestStragglersAtTheTarget(t *testing.T) {
	for _, every := range []int{3, 5, 8} {
		source, target := links()
		target.slowEvery, target.slowRate = every, 0.3e6
		sizes := []int64{60 * mib, 45 * mib, 30 * mib, 25 * mib, 15 * mib, 12 * mib, 8 * mib, 5 * mib}
		var all int64
		for _, size := range sizes {
			all += size
		}
		took, _ := simulate(t, source, target, sizes...)
		if limit := least(source, target, all); took > limit*15/10 {
			t.Errorf("one of %d is slow: %v, the limit is %v", every, took, limit)
		}
		if target.sent > all*11/10 {
			t.Errorf("one of %d is slow: sent %d bytes of %d", every, target.sent, all)
		}
	}
}

// TestUploadsAtOnce: a near target gets few, unless more are faster.
func TestUploadsAtOnce(t *testing.T) {
	var sizes []int64
	var all int64
	for i := range int64(25) {
		sizes = append(sizes, 4*mib+i)
		all += sizes[i]
	}
	for name, c := range map[string]struct {
		rtt    time.Duration
		limit  float64
		most   int     // uploads at once
		factor float64 // of the least time
	}{
		"near":         {10 * ms, 0, 6, 1.15},
		"very near":    {ms, 0, 6, 1.1},
		"near, capped": {10 * ms, 2e6, 25, 1.15},
		"far":          {60 * ms, 0, 25, 1.2},
		"far, capped":  {60 * ms, 2e6, 25, 1.05},
	} {
		source, target := &network{rtt: c.rtt, rate: 25e6}, &network{rtt: c.rtt, rate: 25e6, limit: c.limit}
		rate := target.rate
		if c.limit > 0 {
			rate = min(rate, 12*c.limit)
		}
		took, _ := simulate(t, source, target, sizes...)
		if limit := seconds(float64(all)/rate) + 12*target.rtt; took > seconds(c.factor*limit.Seconds()) {
			t.Errorf("%s: %v, the limit is %v", name, took, limit)
		}
		if target.most > c.most {
			t.Errorf("%s: %d uploads at once", name, target.most)
		}
	}
}

// TestSessionsAreOpenedAhead has as many blobs of one size wait as are sent at a
// time, so that all of these end at once. The sessions of the others are opened
// while the target confirms the first ones.
func TestSessionsAreOpenedAhead(t *testing.T) {
	source, target := links()
	source.think, target.think = 100*ms, 300*ms
	sizes := slices.Repeat([]int64{4 * mib}, 3*defaultTuning.maxUploads)
	for i := range sizes {
		sizes[i] += int64(i)
	}
	took, _ := simulate(t, source, target, sizes...)
	confirmed := 2 * (target.rtt + target.think) // of all but the last blobs
	if limit := least(source, target, int64(len(sizes))*4*mib) + confirmed; took > limit {
		t.Errorf("%v, the limit is %v", took, limit)
	}
}

// TestSessionsAreForgotten has a target forget the sessions that were opened ahead,
// before they are used. They are opened again, and everything arrives.
func TestSessionsAreForgotten(t *testing.T) {
	source, target := links()
	target.think, target.forget = 300*ms, 100*ms
	sizes := slices.Repeat([]int64{4 * mib}, 3*defaultTuning.maxUploads)
	var all int64
	for i := range sizes {
		sizes[i] += int64(i)
		all += sizes[i]
	}
	simulate(t, source, target, sizes...)
	if target.forgotten == 0 || target.sent != all {
		t.Errorf("%d sessions forgotten, %d bytes sent of %d", target.forgotten, target.sent, all)
	}
}

// TestCappedUploads checks that no upload is given up where all are slow.
func TestCappedUploads(t *testing.T) {
	source, target := links()
	target.limit = 2e6
	const size = 10 * mib
	simulate(t, source, target, size, 3*size/2, size/2, size/4)
	if all := int64(size + 3*size/2 + size/2 + size/4); target.sent != all {
		t.Errorf("sent %d bytes of %d", target.sent, all)
	}
}

// TestRequestsThatAreNotAnswered leaves every ninth request without an answer.
func TestRequestsThatAreNotAnswered(t *testing.T) {
	source, target := links()
	source.silent = 9
	const size = 96 * mib
	took, _ := simulate(t, source, target, size)
	if limit := least(source, target, size); took > 2*limit+watchdog {
		t.Errorf("took %v, the limit is %v", took, limit)
	}
}

// TestCappedConnections checks that several connections share a blob, even from
// a near source.
func TestCappedConnections(t *testing.T) {
	for _, rtt := range []time.Duration{3 * ms, 30 * ms} {
		source, target := links()
		source.rtt, source.limit = rtt, 10e6
		const size = 96 * mib
		took, _ := simulate(t, source, target, size)
		if alone := seconds(size / source.limit); took > alone/2 {
			t.Errorf("RTT %v: %v, one connection takes %v", rtt, took, alone)
		}
	}
}

// TestHedgesThatFail refuses every third request while one of four connections
// is slow, so that some hedges fail.
func TestHedgesThatFail(t *testing.T) {
	source, target := links()
	source.slowEvery, source.slowRate, source.failing = 4, 0.1e6, 3
	const size = 96 * mib
	took, e := simulate(t, source, target, size)
	if limit := least(source, target, size); took > 3*limit {
		t.Errorf("took %v, the limit is %v", took, limit)
	}
	if e.twice > mib || source.sent > size*12/10 {
		t.Errorf("%d bytes of hedges, %d bytes in all", e.twice, source.sent)
	}
}

// TestSlowSourceWithoutParts checks that a slow source without ranges is not
// asked for the whole blob again.
func TestSlowSourceWithoutParts(t *testing.T) {
	source, target := links()
	source.whole, source.slowEvery, source.slowRate = true, 1, 1e6
	const size = 20 * mib
	simulate(t, source, target, size)
	if source.requests > 1 || source.sent != size {
		t.Errorf("%d requests, %d bytes of %d", source.requests, source.sent, size)
	}
}
