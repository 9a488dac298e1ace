package transfer

import (
	"io"

	"github.com/imageferry/ferry/internal/failure"
)

const (
	// minAhead and maxAhead are how many blocks are read ahead of an upload:
	// what the network carries in a round trip and more, as far as memory goes;
	// nearAhead is that where a round trip takes no time.
	minAhead  = 4
	maxAhead  = 48
	nearAhead = 2
	// piece is how many blocks one request asks for. Small enough that several
	// connections can share the work soon when that turns out to help, and nothing
	// that was asked for is ever thrown away then. Once it has turned out not to
	// help, each request asks for twice as many, up to maxPiece.
	piece    = 8
	maxPiece = 16
	// probe is how many blocks the first request for a large blob asks for: its
	// answer brings many connections, of which each is slower than one alone.
	probe = 1
	// maxStretch is how many blocks a request asks for at most when connections
	// share the work. More would waste memory on what is not needed next.
	maxStretch = 4
	// maxGrain is the most that is read before anybody is told: each telling
	// wakes whoever waits, which costs more than reading.
	maxGrain = 128 << 10
)

// fetcher reads consecutive blocks of a stream over one connection.
type fetcher struct {
	s       *stream
	at, end int64    // the block that it turns to next, and the one before which it stops
	shared  bool     // it is one of several that share the work
	length  int64    // how many blocks it claims once it is needed, if nothing speaks for another number
	got     int64    // bytes that it has fetched
	claimed bool     // it has claimed them
	next    *fetcher // who goes on after it
}

// want sees to it that somebody fetches a block that nobody has claimed.
func (s *stream) want(index int64) {
	for f := range s.fetchers {
		if f.at == index {
			s.e.memory.freed.Broadcast() // it is waiting for being needed
			return
		}
	}
	length := int64(piece)
	if s.long() && !s.source.Parted() {
		length = probe
	}
	s.start(&fetcher{s: s, at: index, end: index, length: length})
}

func (s *stream) start(f *fetcher) {
	s.fetchers[f] = true
	s.running.Go(f.run)
}

// chained reports whether a connection of the stream's own is at work, which will
// see to what follows.
func (s *stream) chained() bool {
	for f := range s.fetchers {
		if !f.shared {
			return true
		}
	}
	return false
}

// unclaimed is the first block from index on that nobody fetches or has fetched.
func (s *stream) unclaimed(index int64) int64 {
	for index < s.count() && s.blocks[index] != nil {
		index++
	}
	return index
}

// gap is where the unclaimed blocks that begin at index end, before limit.
func (s *stream) gap(index, limit int64) int64 {
	limit = min(limit, s.count())
	for end := index; end < limit; end++ {
		if s.blocks[end] != nil {
			return end
		}
	}
	return limit
}

// claim keeps others from fetching the blocks.
func (s *stream) claim(from, to int64) {
	for index := from; index < to; index++ {
		s.blocks[index] = &block{s: s, index: index}
	}
}

// run fetches. Whatever breaks off is taken up at the last good byte.
func (f *fetcher) run() {
	s, e := f.s, f.s.e
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(s.fetchers, f)
		s.changed.Broadcast()
	}()
	tries := s.source.Client().Backoff()
	var body io.ReadCloser
	defer func() {
		if body != nil {
			body.Close()
		}
	}()
	for b := f.turn(); b != nil; b = f.turn() {
		for b.n < len(b.data) {
			var err error
			if body == nil {
				body, err = s.source.Open(s.ctx, b.index*blockSize+int64(b.n), min(f.end*blockSize, s.blob.Size))
			}
			if err == nil {
				var n int
				n, err = io.ReadAtLeast(body, b.data[b.n:], f.grain(len(b.data)-b.n))
				if n > 0 {
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
			if failure.CodeOf(err) == failure.RateLimited {
				e.mu.Lock()
				s.host.slow()
				e.mu.Unlock()
			}
			if err := tries.Again(s.ctx, err); err != nil {
				e.mu.Lock()
				s.fail(err)
				e.mu.Unlock()
				return
			}
		}
	}
}

// grain is how many of the bytes left in a block are read before anybody is told
// of them: a packet while a connection is young, much more once it is at speed.
func (f *fetcher) grain(left int) int {
	return max(1, min(left, maxGrain, int(f.got/4)))
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
		case !f.shared && !s.needed(f.at, s.ahead()):
			continue
		}
		if !f.claimed {
			f.claim()
		}
		b := s.blocks[f.at]
		if m.take(b, s.sizeOf(b.index), s.urgent(b.index)) {
			f.at++
			f.follow()
			return b
		}
	}
}

// claim takes the blocks that nobody else has.
func (f *fetcher) claim() {
	switch {
	case f.s.e.near(f.s.source.Client()), !f.s.source.Ranged():
		f.length = f.s.count()
	case f.s.host.n > 0:
		f.length = f.s.host.stretch()
	}
	f.end = f.s.gap(f.at, f.at+f.length)
	f.s.claim(f.at, f.end)
	f.claimed = true
}

// follow sends another after f in time, so that no round trip is lost between
// the two. Where connections share the work they need no such care.
func (f *fetcher) follow() {
	s := f.s
	if f.shared || f.length == probe || f.next != nil || s.host.n > 0 || f.end-f.at > f.length/2 || f.end == s.count() || s.blocks[f.end] != nil {
		return
	}
	length := f.length
	if s.host.at > 0 {
		length = min(2*length, maxPiece) // it is known that nothing is gained by sharing
	}
	f.next = &fetcher{s: s, at: f.end, end: f.end, length: length}
	s.start(f.next)
}

// filled tells the readers that n more bytes of b are there.
func (f *fetcher) filled(b *block, n int) {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	if f.got == 0 {
		f.s.host.widen()
	}
	b.n += n
	f.got += int64(n)
	f.s.host.got += int64(n)
	f.s.changed.Broadcast()
	f.s.digest()
}
