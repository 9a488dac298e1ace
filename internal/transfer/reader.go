package transfer

import (
	"context"
	"errors"
	"io"
	"time"
)

// reader returns a reader of the bytes from offset up to, but not including,
// end. passed is called with the offset that has been reached.
func (s *stream) reader(ctx context.Context, offset, end int64, passed func(int64)) *reader {
	r := &reader{s: s, ctx: ctx, offset: offset, end: end, passed: passed, used: time.Now(), woken: make(chan struct{})}
	r.stop = context.AfterFunc(ctx, func() {
		defer close(r.woken)
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

// Seek moves to an offset from the beginning, for a target that needs the bytes
// again in another request. It must not be called during Read.
func (r *reader) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart {
		return r.offset, errors.ErrUnsupported
	}
	r.seek(offset)
	return offset, nil
}

// seek moves to another offset. It must not be called during Read.
func (r *reader) seek(offset int64) {
	r.s.e.mu.Lock()
	defer r.s.e.mu.Unlock()
	r.unpinLocked(false)
	r.offset = offset
}

// prefetch starts fetching the first bytes before they are read.
func (r *reader) prefetch() {
	r.s.e.mu.Lock()
	defer r.s.e.mu.Unlock()
	if index := r.offset / blockSize; index < r.s.count() && r.s.blocks[index] == nil {
		r.s.wantLocked(index)
	}
}

// Read waits for bytes. The last ones are returned only after all have been
// verified.
func (r *reader) Read(p []byte) (int, error) {
	b, err := r.Peek(len(p))
	n := copy(p, b)
	r.Discard(n)
	return n, err
}

// Peek waits for bytes and returns at most n of them where they are in memory, the
// last ones only after all have been verified. They stay there until Discard.
func (r *reader) Peek(n int) ([]byte, error) {
	if r.offset == r.end {
		return nil, io.EOF
	}
	within := int(r.offset % blockSize)
	if r.block == nil || within >= r.avail {
		if err := r.next(within); err != nil {
			return nil, err
		}
	}
	p := r.block.data[within:r.avail]
	p = p[:min(int64(len(p)), int64(n), r.end-r.offset)]
	if !r.s.part && r.offset+int64(len(p)) == r.s.blob.Size {
		if err := r.verified(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Discard records that the first n of the bytes that Peek has returned have been
// read.
func (r *reader) Discard(n int) {
	if n > 0 {
		r.advance(n)
		r.passed(r.offset)
	}
}

// advance records that n bytes have been read.
func (r *reader) advance(n int) {
	r.s.e.mu.Lock()
	defer r.s.e.mu.Unlock()
	m := &r.s.e.memory
	r.offset += int64(n)
	r.used = time.Now()
	if r.tuner != nil {
		r.tuner.moved += int64(n)
	}
	switch {
	case r.offset%blockSize == 0 || r.offset == r.end:
		r.unpinLocked(true)
		m.freed.Broadcast() // a fetcher may be waiting for permission to read on
	case m.pinned > m.budget/4:
		// With many readers, of which some may be slow, no reader keeps a
		// block.
		r.unpinLocked(false)
	}
}

// next finds the bytes at the offset and pins their block.
func (r *reader) next(within int) error {
	s, e := r.s, r.s.e
	e.mu.Lock()
	defer e.mu.Unlock()
	index := r.offset / blockSize
	defer r.ceaseLocked()
	for {
		if err := r.failedLocked(); err != nil {
			return err
		}
		b := s.blocks[index]
		if b != nil && b.data != nil && b.n > within {
			if r.block != b {
				r.unpinLocked(false)
				e.memory.needLocked(b)
				b.pins++
				e.memory.pinned += int64(len(b.data))
				r.block = b
			}
			r.avail = b.n
			return nil
		}
		switch {
		case b == nil:
			s.wantLocked(index)
		case b.data == nil:
			e.memory.freed.Broadcast() // the block has become urgent
		}
		if r.since.IsZero() {
			r.since = time.Now()
		}
		s.changed.Wait()
	}
}

// ceaseLocked ends the wait for bytes.
func (r *reader) ceaseLocked() {
	if r.since.IsZero() {
		return
	}
	r.s.host.starved += time.Since(r.since)
	r.waited += time.Since(r.since)
	r.since = time.Time{}
}

// verified waits until the whole blob is known to be good.
func (r *reader) verified() error {
	s := r.s
	s.e.mu.Lock()
	defer s.e.mu.Unlock()
	for s.hashed < s.blob.Size {
		if err := r.failedLocked(); err != nil {
			return err
		}
		s.changed.Wait()
	}
	return r.failedLocked()
}

func (r *reader) failedLocked() error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return r.s.err
}

func (r *reader) unpinLocked(read bool) {
	if r.block == nil {
		return
	}
	r.block.pins--
	r.s.e.memory.pinned -= int64(len(r.block.data))
	r.block.read = r.block.read || read
	r.s.e.memory.keepLocked(r.block)
	r.block = nil
}

// close ends the reading.
func (r *reader) close() {
	if !r.stop() {
		<-r.woken
	}
	r.s.e.mu.Lock()
	defer r.s.e.mu.Unlock()
	r.unpinLocked(false)
	delete(r.s.readers, r)
	r.s.e.reading--
	if len(r.s.readers) == 0 {
		r.s.restLocked()
	}
}
