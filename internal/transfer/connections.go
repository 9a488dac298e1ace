package transfer

import "time"

// joinLocked adds a stream to its host. With the first stream, it starts the
// control of the number of connections.
func (e *Engine) joinLocked(s *stream) *host {
	h := e.hosts[s.source.Host()]
	if h == nil {
		h = newHost(e)
		e.hosts[s.source.Host()] = h
	}
	if len(h.streams) == 0 && !e.closed {
		h.stop = make(chan struct{})
		stop := h.stop
		e.goLocked(func() { h.govern(stop) })
	}
	h.streams[s] = true
	return h
}

func (e *Engine) leaveLocked(s *stream) {
	h := s.host
	delete(h.streams, s)
	if len(h.streams) > 0 {
		return
	}
	if h.stop != nil {
		close(h.stop)
		h.stop = nil
	}
	h.tuner.reset()
	e.memory.freed.Broadcast()
}

// govern adjusts the number of connections until stop is closed.
func (h *host) govern(stop chan struct{}) {
	ticker := time.NewTicker(h.e.tick)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case <-stop:
			return
		case <-h.e.ctx.Done():
			return
		case <-h.begun:
			h.adjust(0)
		case now := <-ticker.C:
			h.adjust(now.Sub(last))
			last = now
		}
	}
}

// adjust sets the number of connections: periodically or, with passed zero,
// because a stream has begun.
func (h *host) adjust(passed time.Duration) {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	if len(h.streams) == 0 {
		return
	}
	if passed > 0 {
		h.observeLocked(passed)
		h.hedgeLocked()
		h.e.giveUpLocked(time.Now())
		h.e.tuneUploadsLocked(time.Now())
	} else {
		h.widenLocked()
	}
	if h.starved > 0 {
		h.e.memory.freed.Broadcast() // readers may have become idle, so their blocks can be freed
	}
	if h.tuner.connections == 0 {
		h.e.memory.freed.Broadcast() // shared connections end
		h.resumeLocked()
	}
}

// observeLocked passes the measurements since the last tick to the tuner.
func (h *host) observeLocked(passed time.Duration) {
	readers, now := 0, time.Now()
	h.tuner.idle = true
	ranged, known, trip := true, true, time.Duration(0)
	for s := range h.streams {
		ranged = ranged && s.source.Ranged() && !h.e.beside(s.source)
		// From a slow source, the first request comes to its rate late.
		known = known && (len(h.samples) > 0 || s.source.Answer() < h.e.longAnswer)
		trip = max(trip, s.source.Trip())
		for f := range s.fetchers {
			h.tuner.idle = h.tuner.idle && !(f.shared && !f.exchange.asked.IsZero())
		}
		for r := range s.readers {
			readers++
			if !r.since.IsZero() {
				h.starved += now.Sub(r.since)
				r.waited += now.Sub(r.since)
				r.since = now
			}
		}
	}
	// A reader that waits although much has been read is waiting for a slow
	// piece.
	ahead := h.heldLocked() - h.e.memory.budget/3
	starving := readers > 0 && known && h.starved > passed*time.Duration(readers)/2 && ahead < 0
	rate := float64(h.got) / passed.Seconds()
	h.got, h.starved = 0, 0
	if !ranged {
		h.tuner.reset()
		return
	}
	single := 0.0
	if p := paceOf(h.samples); p.samples == maxSamples {
		single = p.fast
	}
	h.tuner.patience = int((paceOf(h.samples).wait + 2*trip) / h.e.tick)
	h.tuner.observe(rate, single, readers+h.tuner.connections, starving, max(ahead, 0))
	h.widenLocked()
}

// hedgeLocked requests late pieces a second time.
func (h *host) hedgeLocked() {
	now := time.Now()
	for s := range h.streams {
		for f := range s.fetchers {
			if h.hedges < h.e.maxHedges && !f.hedged && f.hedges < h.e.maxHedges && f.claimed && h.e.late(f.exchange, f.leftLocked(), h.peersLocked(f), s.source.Trip(), f.awaitedLocked(), now) {
				s.hedgeLocked(f)
			}
		}
	}
}

// widenLocked adds connections to a large blob before the rate of the first one
// is known, because they cost little early on. It waits for the first response,
// which shows the blob's real location and whether it can be read in parts.
func (h *host) widenLocked() {
	long, parted, near := 0, false, false
	for s := range h.streams {
		if !s.source.Ranged() {
			return
		}
		near = near || h.e.near(s.source) || s.source.Answer() >= h.e.longAnswer
		if s.long() {
			long += len(s.readers)
			parted = parted || s.source.Parted()
		}
	}
	if parted && !near {
		h.tuner.start(max(h.e.initialConnections-long, 0))
	}
	h.shareLocked()
}

// resumeLocked gives streams their own connections again when connections are
// no longer shared.
func (h *host) resumeLocked() {
	for s := range h.streams {
		if s.chainedLocked() {
			continue
		}
		for r := range s.readers {
			if index := s.unclaimedLocked(r.offset / blockSize); index*blockSize < r.end {
				s.wantLocked(index)
			}
		}
	}
}

// shareLocked starts missing shared connections.
func (h *host) shareLocked() {
	for h.running < h.tuner.connections && !h.e.closed {
		h.running++
		number := h.running
		h.e.goLocked(func() { h.work(number) })
	}
}

// work is the loop of a shared connection: it fetches the piece that is needed
// next, of any blob, as long as so many connections are wanted.
func (h *host) work(number int) {
	for f := h.next(number); f != nil; f = h.next(number) {
		f.run()
		h.done(f)
	}
}

// next waits for the next piece. It returns nil when fewer connections are
// wanted. A connection that was idle takes small pieces until it is fast,
// because readers wait for them.
func (h *host) next(number int) *fetcher {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	for h.tuner.connections >= number && len(h.streams) > 0 && !h.e.closed {
		length, ahead := h.pieceLocked(), h.windowLocked()
		if p := paceOf(h.samples); time.Since(h.last[h.busy]) > h.e.coldAfter+p.wait {
			// It will be slow. While the others are enough, leave the work to
			// them, so that they stay fast.
			length, ahead = h.e.pieceFor(pace{sample: sample{wait: p.wait}}, 1, length), ahead*3/4
		}
		if f := h.pickLocked(length, ahead); f != nil {
			f.joinLocked()
			f.s.running.Add(1)
			h.busy++
			return f
		}
		h.e.memory.freed.Wait()
	}
	h.running--
	return nil
}

// done records that a piece has been fetched.
func (h *host) done(f *fetcher) {
	h.e.mu.Lock()
	defer h.e.mu.Unlock()
	f.s.running.Done()
	h.busy--
	h.last[h.busy] = time.Now()
}

// pickLocked claims the piece nearest to its reader, at most ahead blocks from
// it; among equal ones, of the blob with the most left to read.
func (h *host) pickLocked(length, ahead int64) *fetcher {
	var best *fetcher
	var bestAway, bestLeft int64
	for s := range h.streams {
		if s.err != nil || s.ctx.Err() != nil {
			continue
		}
		for r := range s.readers {
			at := r.offset / blockSize
			index := s.unclaimedLocked(at)
			if index >= at+ahead || index*blockSize >= r.end {
				continue
			}
			away, left := (index-at)/h.e.nearness, r.end-r.offset
			if best == nil || away < bestAway || away == bestAway && left > bestLeft {
				best, bestAway, bestLeft = &fetcher{s: s, at: index, length: length, end: s.gapLocked(index, min(index+length, s.reachLocked(index))), shared: true, claimed: true}, away, left
			}
		}
	}
	if best != nil {
		best.s.claimLocked(best.at, best.end)
	}
	return best
}
