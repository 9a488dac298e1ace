package transfer

import "time"

const (
	// tick is how often a climber looks.
	tick = 100 * time.Millisecond
	// settle is how many ticks more connections get to show their worth.
	settle = 2
	// calm is how many ticks it keeps still after the registry has asked for less.
	calm = 600
	// gain is by how much more connections have to speed things up to stay.
	gain = 1.05
	// noise is by how much a rate differs from tick to tick without a reason.
	noise = 1.15
	// fast is what one connection carries, in bytes a second, when it cannot be
	// the limit: more connections only cost time there.
	fast = 100e6
)

// climber finds the number of connections beyond which a way does not get
// faster: it tries more, and takes them back if they did not show. It begins
// with none beside those that there are anyway.
type climber struct {
	first, more, most int // how many it begins with, its steps and its end

	n        int     // how many connections there are to be
	recent   float64 // the rate of the last tick, in bytes a second
	best     float64 // what the way carries, as far as is known
	at       int     // how many connections have carried no more than fewer did; zero for not tried
	trying   bool
	previous int     // how many there were before it tried more
	before   float64 // the rate then
	wait     int     // ticks until more have had the time to show their worth
	calm     int     // ticks to keep still, because the registry asked for less
}

// look is told the rate of a tick, how many connections there are, and whether
// more could be of use at all. It returns whether there are to be more.
func (c *climber) look(recent float64, connections int, useful bool) bool {
	rate := (recent + c.recent) / 2 // ticks are short: one alone says little
	rising := recent > c.recent*noise
	c.recent = recent
	if rate > c.best*noise {
		c.at = 0
	}
	c.best = max(c.best, rate)
	switch {
	case c.calm > 0:
		c.calm--
	case c.wait > 0:
		c.wait--
	case c.trying && rate < c.before*gain:
		// This is what the way carries now, whatever it was.
		c.best, c.at = max(rate, c.before), connections
		c.n, c.trying = c.previous, false
	case c.n == 0 && rising: // a young connection is not at its limit
	case useful && rate > 0 && rate < fast*float64(connections) && c.n < c.most && (connections >= c.at || rate < c.best/noise):
		c.previous, c.before, c.trying, c.wait = c.n, rate, true, settle
		c.n = min(max(c.first, c.n+c.more), c.most)
		return true
	default:
		c.trying = false
	}
	return false
}

// rest begins anew, with what is known of the way.
func (c *climber) rest() {
	c.n, c.trying, c.wait = 0, false, 0
}

// slow gives all up: the registry wants to be asked less.
func (c *climber) slow() {
	c.rest()
	c.calm = calm
}
