package transfer

import (
	"slices"
	"time"
)

// host is one source registry with the connections that its blobs share, in
// addition to the one connection of each blob. With many blobs there are none
// until the measured rate shows that they would help. With a few large blobs
// some are opened at once. Its fields are guarded by the engine's mutex.
type host struct {
	e       *Engine
	streams map[*stream]bool
	stop    chan struct{}
	begun   chan struct{} // a fetcher got its first bytes, or was told to slow down

	samples []sample // of the latest exchanges
	hedges  int      // pieces that are being requested a second time

	got     int64         // bytes since the last tick
	starved time.Duration // how long readers have waited since the last tick

	tuner   connectionTuner // of the shared connections
	running int             // number of connections
	busy    int             // number of connections that are fetching
	last    []time.Time     // when more than so many were last fetching
}

func newHost(e *Engine) *host {
	return &host{
		e: e, streams: map[*stream]bool{}, begun: make(chan struct{}, 1),
		tuner: newTuner(&e.tuning), last: make([]time.Time, e.maxConnections+1),
	}
}

// wakeLocked triggers an adjustment of the number of connections.
func (h *host) wakeLocked() {
	select {
	case h.begun <- struct{}{}:
	default:
	}
}

// heldLocked returns how many bytes of the host's blobs are in memory because
// they are needed.
func (h *host) heldLocked() (sum int64) {
	for s := range h.streams {
		for _, b := range s.blocks {
			if b.kept == nil {
				sum += int64(len(b.data))
			}
		}
	}
	return sum
}

// noteLocked records the measurement of an exchange.
func (h *host) noteLocked(x exchange) {
	s, ok := sampleOf(x, time.Now())
	if !ok {
		return
	}
	if len(h.samples) == maxSamples {
		h.samples = h.samples[1:]
	}
	h.samples = append(h.samples, s)
}

// pieceLocked returns how many blocks a shared connection claims at once. All
// pieces together are at most one and a half times the memory, because part of
// them has not arrived yet.
func (h *host) pieceLocked() int64 {
	most := 3 * h.e.memory.budget / 2 / blockSize / int64(max(h.tuner.connections, 1))
	return h.e.pieceFor(paceOf(h.samples), 1, most)
}

// ownPieceLocked returns how many blocks a stream's own connection claims at
// once.
func (h *host) ownPieceLocked(least int64, near bool) int64 {
	if near {
		least = max(least, h.e.nearPiece)
	}
	least = max(least, min(int64(h.e.waitShare)*h.leadLocked(), h.e.maxPiece))
	if h.tuner.plateau == 0 && !near {
		return least // sharing may still help
	}
	return h.e.pieceFor(paceOf(h.samples), least, h.e.maxPiece)
}

// peersLocked returns the pace of the host's connections, without that of f.
func (h *host) peersLocked(f *fetcher) pace {
	samples, now := slices.Clone(h.samples), time.Now()
	for s := range h.streams {
		for other := range s.fetchers {
			if x, ok := sampleOf(other.exchange, now); ok && other != f {
				samples = append(samples, x)
			}
		}
	}
	return paceOf(samples)
}

// leadLocked returns how many blocks arrive over one connection until a
// response begins, estimated from finished and open exchanges.
func (h *host) leadLocked() int64 {
	lead, now := paceOf(h.samples).lead(), time.Now()
	for s := range h.streams {
		for f := range s.fetchers {
			x := f.exchange
			x.idle = 0 // if it waits for memory, it is at least as fast as that
			if x, ok := sampleOf(x, now); ok {
				// The connection is still getting faster.
				lead = max(lead, pace{sample: sample{wait: x.wait}, fast: x.rate * 3 / 2}.lead())
			}
		}
	}
	return lead
}

// windowLocked returns how many blocks ahead of a reader several connections
// fetch. Blocks that have not begun to arrive take no memory.
func (h *host) windowLocked() int64 {
	ahead := h.e.window + min(int64(h.tuner.connections)*paceOf(h.samples).lead(), 3*h.e.window)
	return max(ahead, h.e.memory.budget/blockSize*5/6)
}
