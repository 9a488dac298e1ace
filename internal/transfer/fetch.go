package transfer

import (
	"context"
	"io"
	"time"

	"github.com/imageferry/ferry/internal/failure"
)

// wantLocked makes sure that a block is fetched: it starts a fetcher unless one
// has claimed the block.
func (s *stream) wantLocked(index int64) {
	for f := range s.fetchers {
		if f.at == index {
			s.e.memory.freed.Broadcast() // the fetcher waits until the block is needed
			return
		}
	}
	length := s.e.piece
	switch {
	case s.long() && s.source.Answer() >= s.e.longAnswer:
		length = s.e.firstPiece
	case s.long() && !s.source.Parted():
		length = s.e.probePiece
	}
	s.startLocked(&fetcher{s: s, at: index, end: index, length: length})
}

// startLocked starts a fetcher in its own goroutine.
func (s *stream) startLocked(f *fetcher) {
	if s.err != nil {
		return // the engine may be closed
	}
	f.joinLocked()
	s.running.Add(1)
	s.e.goLocked(func() {
		defer s.running.Done()
		f.run()
	})
}

// joinLocked adds the fetcher to its stream.
func (f *fetcher) joinLocked() {
	f.ctx, f.cancel = context.WithCancel(f.s.ctx)
	f.s.fetchers[f] = true
}

// chainedLocked reports whether the stream's own connection is working. It will
// fetch the following blocks.
func (s *stream) chainedLocked() bool {
	for f := range s.fetchers {
		if !f.shared {
			return true
		}
	}
	return false
}

// run fetches.
func (f *fetcher) run() {
	defer f.ended()
	f.fetch(nil)
}

// fetch fetches its blocks, at first from body if it is not nil. After an
// interruption it continues at the last good byte.
func (f *fetcher) fetch(body io.ReadCloser) {
	s := f.s
	tries := s.source.Backoff()
	defer func() {
		if body != nil {
			body.Close()
		}
	}()
	for b := f.turn(); b != nil; b = f.turn() {
		_, again := s.sumOf(b.index)
		for b.n < len(b.data) {
			var err error
			if body == nil {
				f.asks()
				body, err = s.source.Open(f.ctx, b.index*blockSize+int64(b.n), min(f.end*blockSize, s.blob.Size))
			}
			if err == nil {
				f.answered()
				var n int
				least := f.notice(len(b.data) - b.n)
				if again { // readers get bytes of it only after it was compared as a whole
					least = len(b.data)
				}
				n, err = io.ReadAtLeast(body, b.data[b.n:], least)
				switch {
				case again && n == len(b.data) && !s.checked(b):
					f.gaveUp(corrupt("block %d of %s differs from what was read before", b.index, s.blob.Digest))
					return
				case n > 0 && (!again || n == len(b.data)):
					tries.Progress()
					f.filled(b, n)
				}
			}
			if err == nil || b.n == len(b.data) {
				continue
			}
			if body != nil {
				body.Close()
				body = nil
			}
			if f.failed(err) {
				return
			}
			if err := tries.Again(f.ctx, err); err != nil {
				f.gaveUp(err)
				return
			}
		}
	}
}

// asks records that a request begins.
func (f *fetcher) asks() {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	f.exchange = exchange{asked: time.Now()}
}

// answered records that the response has begun.
func (f *fetcher) answered() {
	if !f.exchange.answered.IsZero() {
		return
	}
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	f.exchange.answered = time.Now()
}

// leftLocked returns how many bytes of the piece are missing.
func (f *fetcher) leftLocked() int64 {
	left := min(f.end*blockSize, f.s.blob.Size) - min(f.at*blockSize, f.s.blob.Size)
	if b := f.begunLocked(); b != nil {
		left += int64(len(b.data) - b.n)
	}
	return left
}

// begunLocked returns the block that the fetcher is filling, or nil. A full one may
// have been dropped.
func (f *fetcher) begunLocked() *block {
	if b := f.block; b != nil && b.data != nil && !b.full() {
		return b
	}
	return nil
}

// awaitedLocked reports whether a reader is waiting for the fetcher's next bytes.
func (f *fetcher) awaitedLocked() bool {
	at := f.at
	if b := f.begunLocked(); b != nil {
		at = b.index
	}
	for r := range f.s.readers {
		if !r.since.IsZero() && r.offset/blockSize == at {
			return true
		}
	}
	return false
}

// ended removes the fetcher from the stream.
func (f *fetcher) ended() {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	f.cancel()
	delete(f.s.fetchers, f)
	if f.s.host != nil {
		f.s.host.noteLocked(f.exchange)
	}
	f.s.changed.Broadcast()
}

// failed records a failed attempt. It reports whether the attempt ended because
// another fetcher has taken over the piece.
func (f *fetcher) failed(err error) (overtaken bool) {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	if failure.CodeOf(err) == failure.RateLimited {
		f.s.host.tuner.backOff()
		f.s.host.wakeLocked()
	}
	return f.overtaken
}

func (f *fetcher) gaveUp(err error) {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	if !f.overtaken {
		f.s.failLocked(err)
	}
}

// notice returns how many of the bytes left in a block are read before readers
// are woken: a packet while a connection is new, much more once it is fast.
func (f *fetcher) notice(left int) int {
	return max(1, min(left, f.s.e.maxNotice, int(f.got/4)))
}

// turn returns the next block to fetch, with its memory. It returns nil at the
// end, or if other fetchers have claimed the beginning first.
func (f *fetcher) turn() *block {
	s, m := f.s, &f.s.e.memory
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for ; ; f.holdLocked() {
		ahead := s.aheadLocked()
		if !f.claimed {
			ahead += 2 * s.host.leadLocked()
		}
		switch {
		case s.ctx.Err() != nil || s.err != nil || f.overtaken:
			return nil
		case f.begunLocked() != nil:
			return f.block // taken over
		case f.claimed && f.at == f.end, !f.claimed && s.blocks[f.at] != nil:
			return nil
		case !f.shared && !s.neededLocked(f.at, ahead), f.shared && !s.neededLocked(f.at, s.e.memory.budget/blockSize*5/6+f.earlyLocked()):
			continue
		}
		if !f.claimed {
			f.claimLocked()
		}
		b := s.blocks[f.at]
		urgent := s.urgentLocked(b.index)
		if m.takeLocked(b, s.sizeOf(b.index), urgent) || urgent && s.e.reclaimLocked() && m.takeLocked(b, s.sizeOf(b.index), urgent) {
			f.at++
			f.block = b
			f.followLocked()
			return b
		}
	}
}

// earlyLocked returns how many blocks earlier than memory allows a request is
// sent to a slow source: as many as readers advance until its response begins.
func (f *fetcher) earlyLocked() int64 {
	if !f.exchange.asked.IsZero() || f.s.source.Answer() < f.s.e.longAnswer {
		return 0
	}
	h := f.s.host
	return int64(h.tuner.rate*paceOf(h.samples).wait.Seconds()) / blockSize
}

// holdLocked waits for memory, or until a reader comes nearer.
func (f *fetcher) holdLocked() {
	f.exchange.held = time.Now()
	f.s.e.memory.freed.Wait()
	f.exchange.idle += time.Since(f.exchange.held)
	f.exchange.held = time.Time{}
}

// claimLocked claims blocks that no other fetcher has.
func (f *fetcher) claimLocked() {
	s := f.s
	switch {
	case !s.source.Ranged(), s.e.beside(s.source):
		f.length = s.count()
	case s.host.tuner.connections > 0:
		f.length = s.host.pieceLocked()
	case f.length > s.e.probePiece:
		f.length = s.host.ownPieceLocked(f.length, s.e.near(s.source))
	}
	f.end = s.gapLocked(f.at, min(f.at+f.length, s.reachLocked(f.at)))
	s.claimLocked(f.at, f.end)
	f.claimed = true
}

// followLocked starts another fetcher after f, and after what others have claimed
// behind it, early enough that no round trip is lost in between. Shared
// connections do not need this.
func (f *fetcher) followLocked() {
	s, e := f.s, f.s.e
	next := s.unclaimedLocked(f.end)
	if f.shared || f.length == e.probePiece || f.next != nil || s.host.tuner.connections > 0 ||
		next >= s.reachLocked(f.at) {
		return
	}
	left, lead, length := next-f.at, s.host.leadLocked(), e.piece
	if s.source.Answer() >= e.longAnswer {
		length = e.firstPiece
		if lead == 0 {
			lead = length // the rate is not known yet
		}
	}
	if left > max(lead+1, min(f.length, e.piece)/2) {
		return
	}
	f.next = &fetcher{s: s, at: next, end: next, length: length}
	s.startLocked(f.next)
}

// filled records that n more bytes of b have arrived.
func (f *fetcher) filled(b *block, n int) {
	f.note(b, n)
	if f.s.e.aside && f.s.count() > 1 {
		f.s.verifyAside()
	} else {
		f.s.verify()
	}
}

func (f *fetcher) note(b *block, n int) {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	if f.got == 0 {
		f.s.host.wakeLocked()
	}
	b.n += n
	f.got += int64(n)
	f.exchange.got += int64(n)
	f.s.host.got += int64(n)
	f.s.e.counts.Read += int64(n)
	f.s.changed.Broadcast()
}
