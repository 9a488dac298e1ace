package transfer

import (
	"io"

	"github.com/imageferry/ferry/internal/failure"
)

// wantLocked sees to it that a block that nobody has claimed is fetched.
func (s *stream) wantLocked(index int64) {
	for f := range s.fetchers {
		if f.at == index {
			s.e.memory.freed.Broadcast() // it is waiting until it is needed
			return
		}
	}
	length := s.e.piece
	if s.long() && !s.source.Parted() {
		length = s.e.probePiece
	}
	s.startLocked(&fetcher{s: s, at: index, end: index, length: length})
}

// startLocked starts a fetcher in a goroutine of its own.
func (s *stream) startLocked(f *fetcher) {
	if s.err != nil {
		return // the engine may be closed
	}
	s.fetchers[f] = true
	s.running.Add(1)
	s.e.goLocked(func() {
		defer s.running.Done()
		f.run()
	})
}

// chainedLocked reports whether a connection of the stream's own is at work,
// which will see to what follows.
func (s *stream) chainedLocked() bool {
	for f := range s.fetchers {
		if !f.shared {
			return true
		}
	}
	return false
}

// run fetches. What breaks off is taken up at the last good byte.
func (f *fetcher) run() {
	s := f.s
	defer f.ended()
	tries := s.source.Backoff()
	var body io.ReadCloser
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
				body, err = s.source.Open(s.ctx, b.index*blockSize+int64(b.n), min(f.end*blockSize, s.blob.Size))
			}
			if err == nil {
				var n int
				least := f.notice(len(b.data) - b.n)
				if again { // nothing of it is shown before all of it is compared
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
			f.failed(err)
			if err := tries.Again(s.ctx, err); err != nil {
				f.gaveUp(err)
				return
			}
		}
	}
}

// ended takes the fetcher off the stream.
func (f *fetcher) ended() {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	delete(f.s.fetchers, f)
	f.s.changed.Broadcast()
}

// failed notes an attempt that failed.
func (f *fetcher) failed(err error) {
	if failed, ok := failure.As(err); !ok || failed.Code != failure.RateLimited {
		return
	}
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	f.s.host.tuner.backOff()
	f.s.host.wakeLocked()
}

func (f *fetcher) gaveUp(err error) {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	f.s.failLocked(err)
}

// notice is how many of the bytes left in a block are read before readers are
// told of them: a packet while a connection is young, much more once it is at
// speed.
func (f *fetcher) notice(left int) int {
	return max(1, min(left, f.s.e.maxNotice, int(f.got/4)))
}

// turn is the next block to fetch, with its memory. It returns nil at the end,
// or when others have come to the beginning first.
func (f *fetcher) turn() *block {
	s, m := f.s, &f.s.e.memory
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for ; ; m.freed.Wait() {
		switch {
		case s.ctx.Err() != nil || s.err != nil:
			return nil
		case f.claimed && f.at == f.end, !f.claimed && s.blocks[f.at] != nil:
			return nil
		case !f.shared && !s.neededLocked(f.at, s.aheadLocked()):
			continue
		}
		if !f.claimed {
			f.claimLocked()
		}
		b := s.blocks[f.at]
		urgent := s.urgentLocked(b.index)
		if m.takeLocked(b, s.sizeOf(b.index), urgent) || urgent && s.e.reclaimLocked() && m.takeLocked(b, s.sizeOf(b.index), urgent) {
			f.at++
			f.followLocked()
			return b
		}
	}
}

// claimLocked takes the blocks that nobody else has.
func (f *fetcher) claimLocked() {
	s := f.s
	switch {
	case s.e.near(s.source), !s.source.Ranged():
		f.length = s.count()
	case s.host.tuner.connections > 0:
		f.length = s.host.pieceLocked()
	}
	f.end = s.gapLocked(f.at, min(f.at+f.length, s.reachLocked(f.at)))
	s.claimLocked(f.at, f.end)
	f.claimed = true
}

// followLocked sends another after f in time, so that no round trip is lost
// between the two. Where connections share the work they need no such care.
func (f *fetcher) followLocked() {
	s, e := f.s, f.s.e
	if f.shared || f.length == e.probePiece || f.next != nil || s.host.tuner.connections > 0 ||
		f.end-f.at > f.length/2 || f.end >= s.reachLocked(f.at) || s.blocks[f.end] != nil {
		return
	}
	length := f.length
	if s.host.tuner.plateau > 0 {
		length = min(2*length, e.maxPiece) // it is known that nothing is gained by sharing
	}
	f.next = &fetcher{s: s, at: f.end, end: f.end, length: length}
	s.startLocked(f.next)
}

// filled notes that n more bytes of b have arrived.
func (f *fetcher) filled(b *block, n int) {
	f.note(b, n)
	f.s.verify()
}

func (f *fetcher) note(b *block, n int) {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	if f.got == 0 {
		f.s.host.wakeLocked()
	}
	b.n += n
	f.got += int64(n)
	f.s.host.got += int64(n)
	f.s.changed.Broadcast()
}
