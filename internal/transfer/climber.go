package transfer

import "time"

const (
	// most is how many connections there are at most, and more how many are tried
	// at once: two would not show, for a blob alone has two that take turns.
	most = 16
	more = 4
	// tick is how often a climber looks.
	tick = 100 * time.Millisecond
	// settle is how many ticks more connections get to show their worth.
	settle = 2
	// spare is how many ticks fewer connections get to show that they are enough.
	spare = 5
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
// faster. Where something is waited for it tries more, and takes them back if
// they did not show; where much is read ahead it tries fewer, and has them come
// back before anybody has to wait.
type climber struct {
	n        int     // how many connections there are to be
	young    bool    // nothing has been tried
	recent   float64 // the rate of the last tick, in bytes a second
	best     float64 // what the way carries, as far as is known
	at       int     // how many connections have carried no more than fewer did; zero for not tried
	enough   int     // fewer than that have not been enough
	trial    trial   // what it tries
	previous int     // how many there were before
	before   float64 // the rate then
	had      int64   // or what had been read ahead
	wait     int     // ticks until it is known whether that was right
	calm     int     // ticks to keep still, because the registry asked for less
}

// trial is what a climber tries to find out.
type trial int

const (
	none trial = iota
	up         // whether more connections carry more
	down       // whether fewer are enough
)

// look is told the rate of a tick, how many connections there are, whether more
// could be of use at all, and how many bytes have been read ahead beyond what
// suggests that fewer may do.
func (c *climber) look(recent float64, connections int, useful bool, ahead int64) {
	rate := (recent + c.recent) / 2 // ticks are short: one alone says little
	rising := recent > c.recent*noise
	c.recent = recent
	if rate > c.best*noise {
		c.at, c.enough = 0, 0
	}
	c.best = max(c.best, rate)
	switch {
	case c.calm > 0:
		c.calm--
	case c.trial == down && ahead < c.had/2:
		c.n, c.enough, c.trial, c.wait = c.previous, c.n+1, none, settle
	case c.wait > 0:
		c.wait--
	case c.trial == up && rate < c.before*gain:
		// This is what the way carries now, whatever it was.
		c.best, c.at = max(rate, c.before), connections
		c.n, c.trial = c.previous, none
	case (c.young || c.n == 0) && rising: // a young connection is not at its limit
	case useful && rate > 0 && rate < fast*float64(connections) && c.n < most && (connections >= c.at || rate < c.best/noise):
		c.previous, c.before, c.trial, c.wait = c.n, rate, up, settle
		c.n, c.enough, c.young = min(c.n+more, most), c.n+1, false
	case ahead > 0 && c.n > 0 && c.n/2 >= c.enough:
		c.previous, c.had, c.trial, c.wait = c.n, ahead, down, spare
		c.n, c.young = c.n/2, false
	default:
		c.trial = none
	}
}

// begin sets how many connections there are as long as nothing has been tried.
func (c *climber) begin(n int) {
	if c.young && c.calm == 0 {
		c.n = n
	}
}

// rest begins anew, with what is known of the way.
func (c *climber) rest() {
	c.n, c.young, c.enough, c.trial, c.wait = 0, true, 0, none, 0
}

// slow gives all up: the registry wants to be asked less.
func (c *climber) slow() {
	c.rest()
	c.young, c.calm = false, calm
}
