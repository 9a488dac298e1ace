package transfer

import (
	"io"
)

// hedgeLocked requests the rest of a late piece over another connection. When its
// first bytes arrive, the late fetcher is stopped, which closes its connection.
// At most the bytes that were in flight then are fetched twice. A source without
// ranges is not asked again.
func (s *stream) hedgeLocked(late *fetcher) {
	if s.err != nil || s.ctx.Err() != nil || !s.source.Ranged() {
		return
	}
	from := late.at * blockSize
	if b := late.begunLocked(); b != nil {
		from = b.index*blockSize + int64(b.n)
	}
	late.hedged = true
	late.hedges++
	s.host.hedges++
	f := &fetcher{s: s, at: -1, end: late.end, shared: late.shared, length: late.length, hedges: late.hedges}
	f.joinLocked()
	s.running.Add(1)
	s.e.goLocked(func() {
		defer s.running.Done()
		defer f.ended()
		f.overtake(late, from)
	})
}

// overtake fetches the rest of a piece, which begins at from, if it gets bytes
// before the late fetcher has finished.
func (f *fetcher) overtake(late *fetcher, from int64) {
	f.asks()
	body, err := f.s.source.Open(f.ctx, from, min(f.end*blockSize, f.s.blob.Size))
	if err != nil {
		f.losesTo(late)
		return
	}
	f.answered()
	first := make([]byte, maxFirst)
	n, err := io.ReadAtLeast(body, first, 1)
	if err != nil {
		body.Close()
		f.losesTo(late)
		return
	}
	at, won := f.takeOver(late, int64(n))
	if !won {
		body.Close()
		return
	}
	rest := &prefixed{ReadCloser: body, prefix: first[:n]}
	if _, err := io.CopyN(io.Discard, rest, at-from); err != nil {
		body.Close()
		f.fetch(nil)
		return
	}
	f.fetch(rest)
}

// maxFirst is how many bytes of a hedge are read before it takes over.
const maxFirst = 16 << 10

// losesTo ends a hedge that got no bytes.
func (f *fetcher) losesTo(late *fetcher) {
	f.s.e.mu.Lock()
	defer f.s.e.mu.Unlock()
	late.hedged = false
	f.s.host.hedges--
}

// takeOver stops the late fetcher and claims what it has not fetched. It
// returns the offset at which that begins, and false if nothing is left. got is
// how many bytes the hedge has read already.
func (f *fetcher) takeOver(late *fetcher, got int64) (at int64, won bool) {
	s := f.s
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.host.hedges-- // late stays hedged: a second hedge would fill its block as well
	s.e.twice += got
	if !s.fetchers[late] || late.leftLocked() == 0 {
		return 0, false
	}
	late.overtaken = true
	late.cancel()
	s.wakeLocked()
	for s.fetchers[late] {
		s.changed.Wait()
	}
	if s.err != nil || s.ctx.Err() != nil || late.leftLocked() == 0 {
		return 0, false
	}
	f.at, f.next, f.claimed = late.at, late.next, true
	at = late.at * blockSize
	if b := late.begunLocked(); b != nil {
		f.block = b
		at = b.index*blockSize + int64(b.n)
	}
	return at, true
}

// prefixed is a body of which some bytes have been read.
type prefixed struct {
	io.ReadCloser
	prefix []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.ReadCloser.Read(b)
}
