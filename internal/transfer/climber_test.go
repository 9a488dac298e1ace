package transfer

import "testing"

// climb plays ticks of a way on which n connections carry rate(n, tick), and
// returns how many there are at the end.
func climb(c *climber, ticks int, rate func(n, tick int) float64) int {
	for i := range ticks {
		c.look(rate(c.n, i), c.n+1, true)
	}
	return c.n
}

func TestClimberWaitsForYoungConnections(t *testing.T) {
	c := &climber{first: 4, more: 4, most: 16}
	rate := 1e6
	for range 6 {
		if c.look(rate, 1, true); c.n != 0 {
			t.Fatalf("%d connections while one gets faster by itself", c.n)
		}
		rate *= 1.5
	}
}

// TestClimberTriesOnce: what did not help need not be tried again as long as
// nothing changes.
func TestClimberTriesOnce(t *testing.T) {
	c := &climber{first: 4, more: 4, most: 16}
	attempts := 0
	for i := range 200 {
		if c.look(50e6+float64(i%3)*1e6, 1+c.n, true) {
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
	c := &climber{first: 4, more: 4, most: 16}
	play := func(blobs, ticks int) (attempts int) {
		for range ticks {
			if c.look(min(10e6*float64(blobs+c.n), 60e6), blobs+c.n, true) {
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
	c := &climber{first: 4, more: 4, most: 16}
	climb(c, 20, func(int, int) float64 { return 60e6 })
	attempts := 0
	for range 100 {
		if c.look(20e6, 1+c.n, true) {
			attempts++
		}
	}
	if c.n != 0 || attempts > 2 {
		t.Errorf("%d connections after %d attempts", c.n, attempts)
	}
}

func TestClimberStaysCalm(t *testing.T) {
	c := &climber{first: 4, more: 4, most: 16}
	climb(c, 20, func(n, _ int) float64 { return 5e6 * float64(n+1) })
	c.slow()
	c.rest()
	if n := climb(c, calm, func(n, _ int) float64 { return 5e6 * float64(n+1) }); n != 0 {
		t.Errorf("%d connections although the registry asked for less", n)
	}
}
