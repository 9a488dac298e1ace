package transfer

import (
	"time"

	"github.com/imageferry/ferry/internal/registry"
)

const (
	// tick is how often the governor looks.
	tick = 100 * time.Millisecond
	// settle is how many ticks more connections get to show their worth.
	settle = 2
	// hold is how many ticks the governor is content after they did not.
	hold = 20
	// calm is how many ticks it keeps still after the registry has asked for less.
	calm = 600
	// gain is by how much more connections have to speed things up to stay.
	gain = 1.08
	// first is how many connections share the work when any do, more is how many
	// are added at a time, and most how many there are. Two would not show: a
	// blob alone has two that take turns.
	first = 8
	more  = 4
	most  = 16
	// fast is what one connection carries, in bytes a second, when it cannot be
	// the limit: more connections only cost time there.
	fast = 100e6
	// window is how many blocks ahead of a reader several connections fetch.
	window = 64
)

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

	extra, running int     // shared connections: wanted and there
	recent         float64 // the rate of the last tick, in bytes a second
	before         float64 // the rate before there were so many
	previous       int     // how many there were then
	wait           int     // ticks until the next decision
	trying         bool
}

// join adds a stream to its host and starts the governor with the first.
func (e *Engine) join(c *registry.Client, s *stream) *host {
	h := e.hosts[c]
	if h == nil {
		h = &host{e: e, streams: map[*stream]bool{}}
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
		h.extra, h.trying = 0, false
		if h.wait <= hold {
			h.wait = 0 // another blob, another try; but calm stays calm
		}
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
	recent := float64(h.got) / passed.Seconds()
	rate := (recent + h.recent) / 2 // ticks are short: one alone says little
	h.recent = recent
	starving := readers > 0 && h.starved > passed*time.Duration(readers)/2
	h.got, h.starved = 0, 0
	switch {
	case !ranged:
		h.extra = 0
	case h.wait > 0:
		h.wait--
	case h.trying && rate < h.before*gain:
		h.extra, h.trying, h.wait = h.previous, false, hold
	case starving && rate > 0 && rate < fast*float64(max(readers, h.extra)) && h.extra < most:
		h.previous, h.before, h.trying, h.wait = h.extra, rate, true, settle
		h.share(max(first, h.extra+more))
	default:
		h.trying = false
	}
}

// share has n connections share the work.
func (h *host) share(n int) {
	h.extra = n
	for h.running < h.extra {
		h.running++
		go h.work(h.running)
	}
}

// slow gives up the shared connections: the registry wants to be asked less.
func (h *host) slow() {
	h.extra, h.trying, h.wait = 0, false, calm
	h.e.memory.freed.Broadcast()
}

// work is one shared connection: it takes the stretch that is needed next, of
// whatever blob, for as long as there are to be that many connections.
func (h *host) work(number int) {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	for h.extra >= number && len(h.streams) > 0 {
		f := h.pick()
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
	}
	h.running--
}

// pick claims the stretch nearest to its reader; among equals, of the blob
// with most to come.
func (h *host) pick() *fetcher {
	var best *fetcher
	var bestAway, bestLeft int64
	for s := range h.streams {
		if s.err != nil || s.ctx.Err() != nil {
			continue
		}
		for r := range s.readers {
			at := r.offset / blockSize
			index := at
			for index < min(at+window, s.count()) && s.blocks[index] != nil {
				index++
			}
			if index >= min(at+window, s.count()) {
				continue
			}
			away, left := (index-at)/stretch, s.blob.Size-r.offset
			if best == nil || away < bestAway || away == bestAway && left > bestLeft {
				best, bestAway, bestLeft = &fetcher{s: s, at: index, end: s.gap(index, index+stretch), shared: true, claimed: true}, away, left
			}
		}
	}
	if best != nil {
		best.s.claim(best.at, best.end)
	}
	return best
}
