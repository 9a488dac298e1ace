package transfer

import "time"

const (
	// tick is how often a climber looks.
	tick = 100 * time.Millisecond
	// settle is how many ticks more connections get to show their worth.
	settle = 2
	// hold is how many ticks the climber is content after they did not, and
	// twice as many each time, up to maxHold.
	hold    = 20
	maxHold = 320
	// calm is how many ticks it keeps still after the registry has asked for less.
	calm = 600
	// gain is by how much more connections have to speed things up to stay. As
	// long as things get faster by that much by themselves, none are added: a
	// young connection is not at its limit.
	gain = 1.08
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
	previous int     // how many there were before it tried more
	before   float64 // the rate then, in bytes a second
	recent   float64 // the rate of the last tick
	best     float64 // the highest rate that there has been
	wait     int     // ticks until the next decision
	patience int     // ticks that it waited after the last attempt in vain
	trying   bool
	calm     int // ticks to keep still, because the registry asked for less
}

// look is told the rate of a tick, how many connections there are, and whether
// more could be of use at all. It returns whether there are to be more.
func (c *climber) look(recent float64, connections int, useful bool) bool {
	rate := (recent + c.recent) / 2 // ticks are short: one alone says little
	rising := recent > c.recent*gain
	c.recent, c.best = recent, max(c.best, rate)
	if useful && !c.trying && rate < c.best/gain {
		c.wait = 0 // the way is known to carry more
	}
	switch {
	case c.calm > 0:
		c.calm--
	case c.wait > 0:
		c.wait--
	case c.trying && rate < c.before*gain:
		c.patience = min(max(2*c.patience, hold), maxHold)
		c.n, c.trying, c.wait = c.previous, false, c.patience
	case c.n == 0 && rising:
	case useful && rate > 0 && rate < fast*float64(connections) && c.n < c.most:
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
	c.n, c.trying, c.wait, c.patience = 0, false, 0, 0
}

// slow gives all up: the registry wants to be asked less.
func (c *climber) slow() {
	c.rest()
	c.calm = calm
}
