package transfer

import (
	"time"

	"github.com/imageferry/ferry/internal/registry"
)

const (
	// window is how many blocks ahead of a reader several connections fetch.
	window = 64
	// few is how many connections there are from the beginning where large blobs
	// are few: no more than an image of many blobs has.
	few = uploads
	// cold is the time after which a connection that was silent is slow again
	// (RFC 5681, section 4.1).
	cold = 250 * time.Millisecond
)

// host is one source registry and the connections that are shared by all its
// blobs, beside the one that each blob has of its own. Where there are many blobs
// there are none until the rate that is measured shows that they would help:
// uploads wait for bytes, and the connections that there are do not bring them any
// faster. Where there are few and large ones there are some from the beginning,
// for as long as they are needed.
type host struct {
	e       *Engine
	streams map[*stream]bool
	stop    chan struct{}

	got     int64         // bytes since the last tick
	starved time.Duration // that readers have waited since the last tick

	climber                 // of the shared connections
	running int             // how many of them there are
	busy    int             // how many of them fetch
	last    [most]time.Time // when one more than so many did
}

func newHost(e *Engine) *host {
	return &host{e: e, streams: map[*stream]bool{}, climber: climber{young: true}}
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
	// Who waits although much has been read waits for one slow piece.
	ahead := h.held() - h.e.memory.budget/3
	starving := readers > 0 && h.starved > passed*time.Duration(readers)/2 && ahead < 0
	rate := float64(h.got) / passed.Seconds()
	h.got, h.starved = 0, 0
	if !ranged {
		h.rest()
	} else {
		h.climber.look(rate, readers+h.n, starving, max(ahead, 0))
		h.widen()
	}
	h.resume()
}

// held is how many bytes of the host's blobs are in memory because they are needed.
func (h *host) held() (sum int64) {
	for s := range h.streams {
		for _, b := range s.blocks {
			if b.kept == nil {
				sum += int64(len(b.data))
			}
		}
	}
	return sum
}

// widen sees to it that a large blob is not alone with one connection until it
// is known what that one carries: while all are young they cost nothing. The first
// answer is waited for, which tells where the blob really is and whether it can be
// had in parts.
func (h *host) widen() {
	long, parted := 0, false
	for s := range h.streams {
		if !s.source.Ranged() || h.e.near(s.source.Client()) {
			return
		}
		if s.long() {
			long += len(s.readers)
			parted = parted || s.source.Parted()
		}
	}
	if parted {
		h.begin(max(few-long, 0))
	}
	h.share()
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
// takes is small while it is slow: readers wait for it.
func (h *host) work(number int) {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	for h.n >= number && len(h.streams) > 0 {
		length, ahead := h.stretch(), int64(window)
		if time.Since(h.last[h.busy]) > cold {
			// It will be slow. While the others suffice, leave it to them: they stay warm.
			length, ahead = 1, window*3/4
		}
		f := h.pick(length, ahead)
		if f == nil {
			h.e.memory.freed.Wait()
			continue
		}
		f.s.fetchers[f] = true
		f.s.running.Add(1)
		h.busy++
		h.e.mu.Unlock()
		f.run()
		f.s.running.Done()
		h.e.mu.Lock()
		h.busy--
		h.last[h.busy] = time.Now()
	}
	h.running--
}

// stretch is how many blocks a connection takes at once: what all together carry
// in a fifth of a second, within bounds. More would arrive long before the reader
// can use it, at the cost of what it waits for.
func (h *host) stretch() int64 {
	return min(max(int64(h.recent/5)/blockSize/int64(max(h.n, 1)), 1), maxStretch)
}

// pick claims the piece nearest to its reader, and at most so many blocks ahead of
// it; among equals, of the blob with most to come.
func (h *host) pick(length, ahead int64) *fetcher {
	var best *fetcher
	var bestAway, bestLeft int64
	for s := range h.streams {
		if s.err != nil || s.ctx.Err() != nil {
			continue
		}
		for r := range s.readers {
			at := r.offset / blockSize
			index := s.unclaimed(at)
			if index >= min(at+ahead, s.count()) {
				continue
			}
			away, left := (index-at)/maxStretch, s.blob.Size-r.offset
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
