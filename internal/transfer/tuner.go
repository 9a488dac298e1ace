package transfer

// connectionTuner finds the number of connections beyond which the rate does
// not rise. While readers wait it tries more connections, and removes them if
// the rate stays the same. While much is read ahead it tries fewer, and adds
// them again before readers have to wait. A rate that falls for no longer than a
// response takes to begin is a pause between two requests, which more
// connections would not have filled.
type connectionTuner struct {
	*tuning
	connections int     // wanted number
	young       bool    // nothing has been tried yet
	rate        float64 // of the last tick, in bytes per second
	best        float64 // the highest known rate
	plateau     int     // number of connections that had no higher rate than fewer; zero if not tried
	least       int     // fewer have not been enough
	trial       trial
	previous    int     // connections before the trial
	rateBefore  float64 // the rate before the trial
	aheadBefore int64   // or the bytes read ahead before the trial
	wait        int     // ticks until the trial is evaluated
	patience    int     // ticks before new connections carry data
	low         int     // ticks for which the rate has been lower than the best
	idle        bool    // no shared connection has a request, so a trial shows nothing
	quiet       int     // ticks without new connections, because the registry asked clients to slow down
}

// trial is the experiment of a connectionTuner.
type trial int

const (
	noTrial   trial = iota
	trialMore       // whether more connections increase the rate
	trialLess       // whether fewer are enough
)

func newTuner(t *tuning) connectionTuner { return connectionTuner{tuning: t, young: true} }

// observe takes the rate of a tick, the number of connections, whether more
// could be useful, and how many bytes were read ahead: if many, fewer
// connections may be enough. single is the rate of one connection alone: if
// that is most of what is possible, more connections gain nothing once tried.
func (c *connectionTuner) observe(rate, single float64, connections int, useful bool, ahead int64) {
	mean := (rate + c.rate) / 2 // ticks are short: a single one says little
	rising := rate > c.rate*c.noise
	c.rate = rate
	if mean > c.best*c.noise {
		c.plateau, c.least = 0, 0
	}
	c.best = max(c.best, mean)
	if c.low++; mean*c.noise >= c.best {
		c.low = 0
	}
	switch {
	case c.quiet > 0:
		c.quiet--
	case c.trial == trialLess && ahead < c.aheadBefore/2:
		c.connections, c.least, c.trial, c.wait = c.previous, c.connections+1, noTrial, c.trialTicks
	case c.trial == trialMore && c.idle && c.wait == 0:
		c.connections, c.trial = c.previous, noTrial
	case c.wait > 0:
		c.wait--
	case c.connections > 0 && !rising && mean > c.best/2 && single > c.best*c.dominant:
		c.plateau, c.connections, c.young, c.trial, c.wait = connections, 0, false, noTrial, c.releaseTicks
	case c.trial == trialMore && mean < c.rateBefore*c.gain:
		c.best, c.plateau = max(mean, c.rateBefore), connections
		c.connections, c.trial = c.previous, noTrial
	case (c.young || c.connections == 0) && rising: // a new connection has not reached its limit
	case useful && mean > 0 && mean < c.fastConnection*float64(connections) && c.connections < c.maxConnections &&
		(connections >= c.plateau && c.low == 0 || c.low > c.patience) && (c.plateau == 0 || single < c.best*c.dominant):
		c.previous, c.rateBefore, c.trial, c.wait = c.connections, mean, trialMore, c.trialTicks+c.patience
		c.connections, c.least, c.young = min(c.connections+c.probeStep, c.maxConnections), c.connections+1, false
	case ahead > 0 && c.connections > 0 && c.connections/2 >= c.least:
		c.previous, c.aheadBefore, c.trial, c.wait = c.connections, ahead, trialLess, c.releaseTicks
		c.connections, c.young = c.connections/2, false
	default:
		c.trial = noTrial
	}
}

// start sets the number of connections until something has been tried.
func (c *connectionTuner) start(n int) {
	if c.young && c.quiet == 0 {
		c.connections = n
	}
}

// reset starts again, with the known rates.
func (c *connectionTuner) reset() {
	c.connections, c.young, c.least, c.trial, c.wait = 0, true, 0, noTrial, 0
}

// backOff gives up all connections for a time, because the registry asked for
// fewer requests.
func (c *connectionTuner) backOff() {
	c.reset()
	c.young, c.quiet = false, c.quietTicks
}
