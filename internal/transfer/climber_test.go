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
	c := &climber{first: 8, more: 4, most: 16}
	rate := 1e6
	for range 6 {
		if c.look(rate, 1, true); c.n != 0 {
			t.Fatalf("%d connections while one gets faster by itself", c.n)
		}
		rate *= 1.5
	}
}

func TestClimberLosesPatience(t *testing.T) {
	c := &climber{first: 8, more: 4, most: 16}
	attempts := 0
	for range 200 {
		if c.look(50e6, 1, true) {
			attempts++
		}
	}
	if c.n != 0 {
		t.Errorf("%d connections share what one carries", c.n)
	}
	if attempts < 2 || attempts > 4 {
		t.Errorf("tried %d times in twenty seconds, want two to four", attempts)
	}
}

// TestClimberKnowsTheWay: when fewer blobs are left than fill a link that has
// been full before, it does not wait for its next turn.
func TestClimberKnowsTheWay(t *testing.T) {
	c := &climber{first: 8, more: 4, most: 16}
	climb(c, 20, func(int, int) float64 { return 60e6 })
	if c.n != 0 || c.wait == 0 {
		t.Fatalf("%d connections, %d ticks to wait; want none and some", c.n, c.wait)
	}
	if n := climb(c, 8, func(n, _ int) float64 { return min(10e6*float64(n+2), 60e6) }); n < 8 {
		t.Errorf("%d connections although the rate fell to a third", n)
	}
}

func TestClimberStaysCalm(t *testing.T) {
	c := &climber{first: 8, more: 4, most: 16}
	climb(c, 20, func(n, _ int) float64 { return 5e6 * float64(n+1) })
	c.slow()
	c.rest()
	if n := climb(c, calm, func(n, _ int) float64 { return 5e6 * float64(n+1) }); n != 0 {
		t.Errorf("%d connections although the registry asked for less", n)
	}
}
