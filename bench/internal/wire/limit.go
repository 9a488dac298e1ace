package wire

import (
	"slices"
	"time"
)

// Transfer computes the least time from the departure of the first byte to the
// arrival of the last for pieces of the given sizes, each of which has a
// connection of its own that stands already but has carried nothing: what slow
// start, the cap and the shared link leave possible. It is the lanes' model,
// reckoned in steps of a millisecond instead of run.
func (p Path) Transfer(sizes []int64) time.Duration {
	const step = time.Millisecond
	type conn struct {
		left, window, inFlight float64
		acks                   []float64 // by the step in which they come, from the present one on
	}
	rtt := int(p.RTT / step)
	var conns []*conn
	for _, n := range sizes {
		conns = append(conns, &conn{left: float64(n), window: initialWindow, acks: make([]float64, rtt+1)})
	}
	// The longest go first wherever the link is short.
	slices.SortFunc(conns, func(a, b *conn) int { return int(b.left - a.left) })
	var elapsed time.Duration
	for busy := len(conns) > 0; busy; elapsed += step {
		busy = false
		budget := p.Rate * step.Seconds()
		for _, c := range conns {
			acked := c.acks[0]
			c.acks = append(c.acks[1:], 0)
			c.inFlight -= acked
			c.window = min(c.window+acked, maxWindow)
			n := min(c.left, c.window-c.inFlight)
			if p.ConnRate > 0 {
				n = min(n, p.ConnRate*step.Seconds())
			}
			if p.Rate > 0 {
				n = min(n, budget)
				budget -= n
			}
			c.left -= n
			c.inFlight += n
			c.acks[rtt] += n
			busy = busy || c.left > 0.5
		}
	}
	return elapsed + p.RTT/2
}
