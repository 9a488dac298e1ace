package transfer

import (
	"time"

	"github.com/imageferry/ferry/internal/registry"
)

// window is how many blocks ahead of a reader several connections fetch.
const window = 64

// host is one source registry and the connections that are shared by all its
// blobs, beside the one that each blob has of its own. There are none until
// the rate that is measured shows that they would help: uploads wait for
// bytes, and the connections that there are do not bring them any faster.
type host struct {
	e       *Engine
	streams map[*stream]bool
	stop    chan struct{}

	got     int64         // bytes since the last tick
	starved time.Duration // that readers have waited since the last tick

	climber     // of the shared connections
	running int // how many of them there are
}

// newHost allows for at most sixteen shared connections, and for four at once:
// two would not show, for a blob alone has two that take turns.
func newHost(e *Engine) *host {
	return &host{e: e, streams: map[*stream]bool{}, climber: climber{first: 4, more: 4, most: 16}}
}

// join adds a stream to its host and starts the governor with the first.
func (e *Engine) join(c *registry.Client, s *stream) *host {
	h := e.hosts[c]
	if h == nil {
		h = newHost(e)
		e.hosts[c] = h
	}
	if len(h.streams) == 0 {
		h.stop = make(chan struct{})
		go h.govern(h.stop)
	}
	h.streams[s] = true
	return h
}

func (e *Engine) leave(s *stream) {
	h := s.host
	delete(h.streams, s)
	if len(h.streams) == 0 {
		close(h.stop)
		h.rest()
		e.memory.freed.Broadcast()
	}
}

func (h *host) govern(stop chan struct{}) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			h.e.mu.Lock()
			h.look(now.Sub(last))
			h.e.mu.Unlock()
			last = now
		}
	}
}

// look decides whether there should be more connections.
func (h *host) look(passed time.Duration) {
	readers, now := 0, time.Now()
	ranged := true
	for s := range h.streams {
		ranged = ranged && s.source.Ranged() && !h.e.near(s.source.Client())
		for r := range s.readers {
			readers++
			if !r.since.IsZero() {
				h.starved += now.Sub(r.since)
				r.since = now
			}
		}
	}
	starving := readers > 0 && h.starved > passed*time.Duration(readers)/2
	rate := float64(h.got) / passed.Seconds()
	h.got, h.starved = 0, 0
	if !ranged {
		h.rest()
	} else if h.climber.look(rate, readers+h.n, starving) {
		h.share()
	}
	h.resume()
}

// resume has streams go on by themselves once nothing is shared any more: the
// shared connections have broken the chain of their own.
func (h *host) resume() {
	if h.n > 0 {
		return
	}
	for s := range h.streams {
		if s.chained() {
			continue
		}
		for r := range s.readers {
			if index := s.unclaimed(r.offset / blockSize); index < s.count() {
				s.want(index)
			}
		}
	}
}

// share has as many connections as there are to be share the work.
func (h *host) share() {
	for h.running < h.n {
		h.running++
		go h.work(h.running)
	}
}

// slow gives up the shared connections: the registry wants to be asked less.
func (h *host) slow() {
	h.climber.slow()
	h.resume()
	h.e.memory.freed.Broadcast()
}

// work is one shared connection: it takes the piece that is needed next, of
// whatever blob, for as long as there are to be that many connections. What it
// takes first is small: readers wait for it, and it is slow yet.
func (h *host) work(number int) {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	for length := int64(1); h.n >= number && len(h.streams) > 0; {
		f := h.pick(length)
		if f == nil {
			h.e.memory.freed.Wait()
			continue
		}
		f.s.fetchers[f] = true
		f.s.running.Add(1)
		h.e.mu.Unlock()
		f.run()
		f.s.running.Done()
		h.e.mu.Lock()
		length = min(2*length, stretch)
	}
	h.running--
}

// pick claims the piece nearest to its reader; among equals, of the blob
// with most to come.
func (h *host) pick(length int64) *fetcher {
	var best *fetcher
	var bestAway, bestLeft int64
	for s := range h.streams {
		if s.err != nil || s.ctx.Err() != nil {
			continue
		}
		for r := range s.readers {
			at := r.offset / blockSize
			index := s.unclaimed(at)
			if index >= min(at+window, s.count()) {
				continue
			}
			away, left := (index-at)/stretch, s.blob.Size-r.offset
			if best == nil || away < bestAway || away == bestAway && left > bestLeft {
				best, bestAway, bestLeft = &fetcher{s: s, at: index, end: s.gap(index, index+length), shared: true, claimed: true}, away, left
			}
		}
	}
	if best != nil {
		best.s.claim(best.at, best.end)
	}
	return best
}
