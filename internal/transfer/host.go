package transfer

import "time"

// host is one source registry and the connections that are shared by all its
// blobs, beside the one that each blob has of its own. Where there are many
// blobs there are none until the measured rate shows that they would help.
// Where there are few and large ones there are some from the beginning, for as
// long as they are needed. Its fields are guarded by the engine's mutex.
type host struct {
	e       *Engine
	streams map[*stream]bool
	stop    chan struct{}
	begun   chan struct{} // a fetcher got its first bytes, or was told to ask for less

	got     int64         // bytes since the last tick
	starved time.Duration // that readers have waited since the last tick

	tuner   connectionTuner // of the shared connections
	running int             // how many of them there are
	busy    int             // how many of them fetch
	last    []time.Time     // when one more than so many did
}

func newHost(e *Engine) *host {
	return &host{
		e: e, streams: map[*stream]bool{}, begun: make(chan struct{}, 1),
		tuner: newTuner(&e.tuning), last: make([]time.Time, e.maxConnections+1),
	}
}

// wakeLocked has the number of connections decided now.
func (h *host) wakeLocked() {
	select {
	case h.begun <- struct{}{}:
	default:
	}
}

// heldLocked is how many bytes of the host's blobs are in memory because they
// are needed.
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

// pieceLocked is how many blocks a shared connection takes at once: what all
// together carry in a fifth of a second, within bounds. More would arrive long
// before the reader can use it, at the cost of what it waits for.
func (h *host) pieceLocked() int64 {
	return min(max(int64(h.tuner.rate/5)/blockSize/int64(max(h.tuner.connections, 1)), 1), h.e.maxSharedPiece)
}
