package transfer

import (
	"container/list"
	"sync"
)

// block is blockSize bytes of a blob, fewer at its end.
type block struct {
	s     *stream
	index int64
	data  []byte // nil while it is only claimed
	n     int    // number of bytes that have arrived
	read  bool   // a reader has read it to its end
	pins  int    // readers that are using it
	kept  *list.Element
	among *list.List // that kept is of
}

func (b *block) full() bool { return b.data != nil && b.n == len(b.data) }

// hashed reports whether the block has been hashed, or need not be.
func (b *block) hashed() bool {
	return b.s.part || b.index*blockSize+int64(len(b.data)) <= b.s.hashed
}

// memory is the budget of all blocks. Blocks that have been read are kept for
// later readers until their space is needed. Its fields are guarded by the
// engine's mutex.
type memory struct {
	budget int64
	held   int64     // bytes of blocks that are needed
	keeps  int64     // bytes of blocks that are kept
	kept   list.List // of *block, least recently read first
	passed list.List // the same, of those that no reader has before it; evicted first
	// maxKept limits keeps. A single target only reads again what was lost in a
	// cut.
	maxKept int64
	pinned  int64    // bytes of blocks that readers hold between two reads, at most
	spare   [][]byte // buffers of the full size
	freed   *sync.Cond
}

// takeLocked allocates the memory of b, or returns false if there is none now.
// A quarter is reserved for blocks that a reader waits for, so that reading
// ahead on one blob never stops another.
func (m *memory) takeLocked(b *block, size int, urgent bool) bool {
	limit := m.budget
	if !urgent {
		limit -= m.budget / 4
	}
	if m.held+int64(size) > limit {
		return false
	}
	for m.held+m.keeps+int64(size) > m.budget {
		m.evictLocked(m.oldest())
	}
	if n := len(m.spare); n > 0 && size == blockSize {
		b.data, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		b.data = make([]byte, size)
	}
	m.held += int64(size)
	m.trim()
	return true
}

// maxSpare is how many unused buffers are kept. A fast stream needs one as soon
// as another has been released.
const maxSpare = 16

// trim releases unused buffers beyond the budget to the garbage collector.
func (m *memory) trim() {
	most := min(max(m.budget-m.held-m.keeps, 0)/blockSize, maxSpare)
	if int64(len(m.spare)) > most {
		clear(m.spare[most:])
		m.spare = m.spare[:most]
	}
}

// keepLocked marks a block that has been read and hashed as no longer needed. Blocks of
// a blob on this machine that could not be kept as a whole are not kept for uploads
// that begin later.
func (m *memory) keepLocked(b *block) {
	if b.kept != nil || !b.read || !b.hashed() || b.pins > 0 {
		return
	}
	m.held -= int64(len(b.data))
	m.keeps += int64(len(b.data))
	b.among = &m.passed
	if b.s.comingLocked(b) {
		b.among = &m.kept
	}
	b.kept = b.among.PushBack(b)
	if b.among == &m.passed && b.s.blob.Size > m.maxKept && b.s.e.beside(b.s.source) && !b.s.e.reads {
		m.evictLocked(b) // the next block gets memory that is still in the processor's cache
	}
	for m.keeps > m.maxKept {
		m.evictLocked(m.oldest())
	}
	m.freed.Broadcast()
}

// needLocked marks a kept block as needed again.
func (m *memory) needLocked(b *block) {
	if b.kept == nil {
		return
	}
	b.among.Remove(b.kept)
	b.kept = nil
	m.keeps -= int64(len(b.data))
	m.held += int64(len(b.data))
}

// oldest returns the block to evict next.
func (m *memory) oldest() *block {
	e := m.passed.Front()
	if e == nil {
		e = m.kept.Front()
	}
	return e.Value.(*block)
}

func (m *memory) evictLocked(b *block) {
	m.needLocked(b)
	delete(b.s.blocks, b.index)
	m.dropLocked(b)
	b.s.forgetLocked()
}

// dropLocked frees a block's memory.
func (m *memory) dropLocked(b *block) {
	m.needLocked(b)
	b.s.noteDroppedLocked(b)
	m.held -= int64(len(b.data))
	if len(b.data) == blockSize {
		m.spare = append(m.spare, b.data)
		m.trim()
	}
	b.data = nil
	m.freed.Broadcast()
}
