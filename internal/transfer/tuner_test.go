package transfer

import "testing"

func newTestTuner() *connectionTuner {
	c := newTuner(&defaultTuning)
	return &c
}

// play simulates ticks of a network on which n connections have the rate
// rate(n, tick), and returns the number of connections at the end.
func play(c *connectionTuner, ticks int, rate func(n, tick int) float64) int {
	for i := range ticks {
		c.observe(rate(c.connections, i), 0, c.connections+1, true, 0)
	}
	return c.connections
}

// measure simulates one tick on which uploads starve, and reports whether more
// connections are tried.
func measure(c *connectionTuner, rate float64, connections int) bool {
	before := c.connections
	c.observe(rate, 0, connections, true, 0)
	return c.connections > before
}

func TestTunerWaitsForYoungConnections(t *testing.T) {
	c := newTestTuner()
	rate := 1e6
	for range 6 {
		if c.observe(rate, 0, 1, true, 0); c.connections != 0 {
			t.Fatalf("%d connections while one gets faster by itself", c.connections)
		}
		rate *= 1.5
	}
}

// TestTunerTriesOnce checks that a trial that did not help is not repeated as
// long as nothing changes.
func TestTunerTriesOnce(t *testing.T) {
	c := newTestTuner()
	attempts := 0
	for i := range 200 {
		if measure(c, 50e6+float64(i%3)*1e6, 1+c.connections) {
			attempts++
		}
	}
	if c.connections != 0 || attempts != 1 {
		t.Errorf("%d connections share what one carries, after %d attempts", c.connections, attempts)
	}
}

// TestTunerKnowsTheWay checks that, when the remaining blobs are too few to
// fill a link that has been full before, there are more connections, and only
// then.
func TestTunerKnowsTheWay(t *testing.T) {
	c := newTestTuner()
	run := func(blobs, ticks int) (attempts int) {
		for range ticks {
			if measure(c, min(10e6*float64(blobs+c.connections), 60e6), blobs+c.connections) {
				attempts++
			}
		}
		return attempts
	}
	if run(8, 20); c.connections != 0 {
		t.Errorf("%d connections beside eight that fill the link", c.connections)
	}
	if attempts := run(6, 20); attempts != 0 {
		t.Errorf("tried more connections where two have ended and the rate has not")
	}
	if run(2, 10); c.connections < 4 {
		t.Errorf("%d connections where two of eight are left, want four or more", c.connections)
	}
}

// TestTunerAcceptsLess checks that a link that has become slower causes no
// endless trials.
func TestTunerAcceptsLess(t *testing.T) {
	c := newTestTuner()
	play(c, 20, func(int, int) float64 { return 60e6 })
	attempts := 0
	for range 100 {
		if measure(c, 20e6, 1+c.connections) {
			attempts++
		}
	}
	if c.connections != 0 || attempts > 2 {
		t.Errorf("%d connections after %d attempts", c.connections, attempts)
	}
}

// TestTunerWaitsOutPauses checks that a pause which is no longer than a response
// takes to begin causes no trial, and a longer one does.
func TestTunerWaitsOutPauses(t *testing.T) {
	c := newTestTuner()
	play(c, 20, func(int, int) float64 { return 60e6 })
	c.patience = 4
	for i := range 200 {
		rate := 60e6
		if i%10 < 4 {
			rate = 0
		}
		if measure(c, rate, 1) {
			t.Fatalf("tick %d: tries more connections after a pause", i)
		}
	}
	attempts := 0
	for range 20 {
		if measure(c, 20e6, 1+c.connections) {
			attempts++
		}
	}
	if attempts == 0 {
		t.Error("tries no more connections although the rate stays low")
	}
}

// TestTunerNeedsWorkForATrial checks that a trial in which the new connections
// had nothing to request shows nothing, whatever the rate was.
func TestTunerNeedsWorkForATrial(t *testing.T) {
	for _, rate := range []float64{50e6, 60e6} {
		c := newTestTuner()
		for range 20 {
			measure(c, 50e6, 1)
			if c.connections > 0 {
				break
			}
		}
		tried := c.connections
		c.idle = true
		for i := 0; i < 10 && c.connections == tried; i++ {
			measure(c, rate, 1+c.connections)
		}
		if tried == 0 || c.connections != 0 || c.plateau != 0 {
			t.Errorf("%.0f MB/s: %d connections, then %d; %d are said to be enough", rate/1e6, tried, c.connections, c.plateau)
		}
	}
}

// TestTunerSpares checks that connections that are not needed for the data read
// ahead end, and needed ones stay.
func TestTunerSpares(t *testing.T) {
	for _, needed := range []int{0, 3, 8} {
		c := newTestTuner()
		c.start(11)
		const plenty = 8 << 20
		ahead, changes, last := int64(plenty), 0, c.connections
		for i := range 200 {
			switch {
			case c.connections >= needed:
				ahead = min(ahead+1<<20, plenty)
			default:
				ahead = max(ahead-2<<20, 0)
			}
			c.observe(60e6, 0, c.connections+1, ahead == 0, ahead)
			if c.connections != last && i > 100 {
				changes++
			}
			last = c.connections
		}
		if c.connections < needed || needed == 0 && c.connections > 0 || needed > 0 && c.connections > 2*needed || changes > 0 {
			t.Errorf("%d connections where %d are needed, after %d late changes", c.connections, needed, changes)
		}
	}
}

// TestTunerBegins checks that there are many connections while nothing is
// known, and no more once their number has turned out not to matter.
func TestTunerBegins(t *testing.T) {
	c := newTestTuner()
	if c.start(11); c.connections != 11 {
		t.Errorf("begins with %d connections, want 11", c.connections)
	}
	if c.start(8); c.connections != 8 {
		t.Errorf("%d connections beside four blobs, want 8", c.connections)
	}
	for range 20 {
		c.observe(60e6, 0, c.connections+1, false, 8<<20)
	}
	before := c.connections
	if c.start(11); c.connections != before {
		t.Errorf("begins again with %d connections", c.connections)
	}
}

func TestTunerStaysCalm(t *testing.T) {
	c := newTestTuner()
	play(c, 20, func(n, _ int) float64 { return 5e6 * float64(n+1) })
	c.backOff()
	c.reset()
	if n := play(c, c.quietTicks, func(n, _ int) float64 { return 5e6 * float64(n+1) }); n != 0 {
		t.Errorf("%d connections although the registry asked for less", n)
	}
}

// TestTunerKnowsThatOneIsEnough checks that, if a single connection reaches the
// full rate, the others are given up once they have been tried.
func TestTunerKnowsThatOneIsEnough(t *testing.T) {
	c := newTestTuner()
	c.start(11)
	for range 10 {
		c.observe(60e6, 50e6, c.connections+1, true, 0)
	}
	if c.connections != 0 {
		t.Errorf("%d connections where one is enough", c.connections)
	}
}
