package transfer

import "testing"

// climb plays ticks of a way on which n connections carry rate(n, tick), and
// returns how many there are at the end.
func climb(c *climber, ticks int, rate func(n, tick int) float64) int {
	for i := range ticks {
		c.look(rate(c.n, i), c.n+1, true, 0)
	}
	return c.n
}

// attempt plays one tick on which uploads starve, and reports whether more
// connections are tried.
func attempt(c *climber, rate float64, connections int) bool {
	before := c.n
	c.look(rate, connections, true, 0)
	return c.n > before
}

func TestClimberWaitsForYoungConnections(t *testing.T) {
	c := &climber{young: true}
	rate := 1e6
	for range 6 {
		if c.look(rate, 1, true, 0); c.n != 0 {
			t.Fatalf("%d connections while one gets faster by itself", c.n)
		}
		rate *= 1.5
	}
}

// TestClimberTriesOnce: what did not help need not be tried again as long as
// nothing changes.
func TestClimberTriesOnce(t *testing.T) {
	c := &climber{young: true}
	attempts := 0
	for i := range 200 {
		if attempt(c, 50e6+float64(i%3)*1e6, 1+c.n) {
			attempts++
		}
	}
	if c.n != 0 || attempts != 1 {
		t.Errorf("%d connections share what one carries, after %d attempts", c.n, attempts)
	}
}

// TestClimberKnowsTheWay: when fewer blobs are left than fill a link that has
// been full before, there have to be more connections, and only then.
func TestClimberKnowsTheWay(t *testing.T) {
	c := &climber{young: true}
	play := func(blobs, ticks int) (attempts int) {
		for range ticks {
			if attempt(c, min(10e6*float64(blobs+c.n), 60e6), blobs+c.n) {
				attempts++
			}
		}
		return attempts
	}
	if play(8, 20); c.n != 0 {
		t.Errorf("%d connections beside eight that fill the link", c.n)
	}
	if attempts := play(6, 20); attempts != 0 {
		t.Errorf("tried more connections where two have ended and the rate has not")
	}
	if play(2, 10); c.n < 4 {
		t.Errorf("%d connections where two of eight are left, want four or more", c.n)
	}
}

// TestClimberAcceptsLess: a link that has become slower is not the connections' fault.
func TestClimberAcceptsLess(t *testing.T) {
	c := &climber{young: true}
	climb(c, 20, func(int, int) float64 { return 60e6 })
	attempts := 0
	for range 100 {
		if attempt(c, 20e6, 1+c.n) {
			attempts++
		}
	}
	if c.n != 0 || attempts > 2 {
		t.Errorf("%d connections after %d attempts", c.n, attempts)
	}
}

// TestClimberSpares: connections that are not needed for what is read ahead end,
// and those that are needed stay.
func TestClimberSpares(t *testing.T) {
	for _, needed := range []int{0, 3, 8} {
		c := &climber{young: true}
		c.begin(11)
		const plenty = 8 << 20
		ahead, changes, last := int64(plenty), 0, c.n
		for i := range 200 {
			switch {
			case c.n >= needed:
				ahead = min(ahead+1<<20, plenty)
			default:
				ahead = max(ahead-2<<20, 0)
			}
			c.look(60e6, c.n+1, ahead == 0, ahead)
			if c.n != last && i > 100 {
				changes++
			}
			last = c.n
		}
		if c.n < needed || needed == 0 && c.n > 0 || needed > 0 && c.n > 2*needed || changes > 0 {
			t.Errorf("%d connections where %d are needed, after %d late changes", c.n, needed, changes)
		}
	}
}

// TestClimberBegins: many connections while nothing is known, and no more once
// the number has turned out not to matter.
func TestClimberBegins(t *testing.T) {
	c := &climber{young: true}
	if c.begin(11); c.n != 11 {
		t.Errorf("begins with %d connections, want 11", c.n)
	}
	if c.begin(8); c.n != 8 {
		t.Errorf("%d connections beside four blobs, want 8", c.n)
	}
	for range 20 {
		c.look(60e6, c.n+1, false, 8<<20)
	}
	before := c.n
	if c.begin(11); c.n != before {
		t.Errorf("begins again with %d connections", c.n)
	}
}

func TestClimberStaysCalm(t *testing.T) {
	c := &climber{young: true}
	climb(c, 20, func(n, _ int) float64 { return 5e6 * float64(n+1) })
	c.slow()
	c.rest()
	if n := climb(c, calm, func(n, _ int) float64 { return 5e6 * float64(n+1) }); n != 0 {
		t.Errorf("%d connections although the registry asked for less", n)
	}
}
