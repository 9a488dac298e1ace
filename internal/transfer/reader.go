package transfer

import (
	"context"
	"io"
	"time"
)

// reader reads a stream to the end, from the beginning or from where it is set
// back to.
type reader struct {
	s      *stream
	ctx    context.Context
	offset int64
	stop   func() bool
	block  *block    // pinned
	avail  int       // how much of it is known to be there
	since  time.Time // when it began to wait for bytes; zero if it does not
	passed func(int64)
}

// reader starts to read. Passed is told the offset that has been reached.
func (s *stream) reader(ctx context.Context, passed func(int64)) *reader {
	r := &reader{s: s, ctx: ctx, passed: passed}
	r.stop = context.AfterFunc(ctx, func() {
		s.e.mu.Lock()
		defer s.e.mu.Unlock()
		s.changed.Broadcast()
	})
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	s.readers[r] = true
	s.e.reading++
	return r
}

// seek goes to another offset. Nobody may be reading.
func (r *reader) seek(offset int64) {
	r.s.e.mu.Lock()
	defer r.s.e.mu.Unlock()
	r.unpin(false)
	r.offset = offset
}

// hurry has the first bytes fetched before anybody reads them.
func (r *reader) hurry() {
	r.s.e.mu.Lock()
	defer r.s.e.mu.Unlock()
	if index := r.offset / blockSize; index < r.s.count() && r.s.blocks[index] == nil {
		r.s.want(index)
	}
}

// Read waits for bytes. The last ones come only when all have been verified.
func (r *reader) Read(p []byte) (int, error) {
	if r.offset == r.s.blob.Size {
		return 0, io.EOF
	}
	within := int(r.offset % blockSize)
	if r.block == nil || within >= r.avail {
		if err := r.next(within); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.block.data[within:r.avail])
	if r.offset+int64(n) == r.s.blob.Size {
		if err := r.verified(); err != nil {
			return 0, err
		}
	}
	r.s.e.mu.Lock()
	r.offset += int64(n)
	if within+n == len(r.block.data) {
		r.unpin(true)
		r.s.e.memory.freed.Broadcast() // somebody may wait to be allowed to read on
	}
	r.s.e.mu.Unlock()
	r.passed(r.offset)
	return n, nil
}

// next finds the bytes at the offset and pins their block.
func (r *reader) next(within int) error {
	s, e := r.s, r.s.e
	e.mu.Lock()
	defer e.mu.Unlock()
	index := r.offset / blockSize
	defer func() { r.since = time.Time{} }()
	for {
		if err := r.failed(); err != nil {
			return err
		}
		b := s.blocks[index]
		if b != nil && b.data != nil && b.n > within {
			if r.block != b {
				r.unpin(false)
				e.memory.need(b)
				b.pins++
				r.block = b
			}
			r.avail = b.n
			if !r.since.IsZero() {
				s.host.starved += time.Since(r.since)
			}
			return nil
		}
		switch {
		case b == nil:
			s.want(index)
		case b.data == nil:
			e.memory.freed.Broadcast() // it has become urgent
		}
		if r.since.IsZero() {
			r.since = time.Now()
		}
		s.changed.Wait()
	}
}

// verified waits until the whole blob is known to be good.
func (r *reader) verified() error {
	s := r.s
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for s.hashed < s.blob.Size {
		if err := r.failed(); err != nil {
			return err
		}
		s.changed.Wait()
	}
	return r.failed()
}

func (r *reader) failed() error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return r.s.err
}

func (r *reader) unpin(read bool) {
	if r.block == nil {
		return
	}
	r.block.pins--
	r.block.read = r.block.read || read
	r.s.e.memory.keep(r.block)
	r.block = nil
}

// close ends the reading.
func (r *reader) close() {
	r.stop()
	r.s.e.mu.Lock()
	defer r.s.e.mu.Unlock()
	r.unpin(false)
	if !r.s.readers[r] {
		return
	}
	delete(r.s.readers, r)
	r.s.e.reading--
	if len(r.s.readers) == 0 {
		r.s.rest()
	}
}
