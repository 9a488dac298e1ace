package transfer

import (
	"container/list"
	"sync"
)

// blockSize is the grain in which memory is used.
const blockSize = 256 << 10

// block is a piece of a blob.
type block struct {
	s     *stream
	index int64
	data  []byte // nil while it is only claimed
	n     int    // how much of it has arrived
	read  bool   // somebody has read it to its end
	pins  int    // readers that are looking at it
	kept  *list.Element
}

func (b *block) full() bool { return b.data != nil && b.n == len(b.data) }

func (b *block) hashed() bool { return b.index*blockSize+int64(len(b.data)) <= b.s.hashed }

// memory is the budget of all blocks. Blocks that have been read are kept for
// those who come later or have to go back, until the room is needed. All of it
// is guarded by the engine's mutex.
type memory struct {
	budget int64
	held   int64     // bytes of blocks that are needed
	keeps  int64     // bytes of blocks that are kept
	kept   list.List // of *block, the least lately read first
	spare  [][]byte  // buffers of the full size
	freed  *sync.Cond
}

// take gives b its memory, or returns false if there is none now. A quarter is
// reserved for blocks that somebody is waiting for, so that reading ahead on
// one blob never stops another.
func (m *memory) take(b *block, size int, urgent bool) bool {
	limit := m.budget
	if !urgent {
		limit -= m.budget / 4
	}
	if m.held+int64(size) > limit {
		return false
	}
	for m.held+m.keeps+int64(size) > m.budget {
		m.evict(m.kept.Front().Value.(*block))
	}
	m.held += int64(size)
	if n := len(m.spare); n > 0 && size == blockSize {
		b.data, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		b.data = make([]byte, size)
	}
	return true
}

// keep lets go of a block that nobody needs now.
func (m *memory) keep(b *block) {
	if b.kept != nil || !b.read || !b.hashed() || b.pins > 0 {
		return
	}
	m.held -= int64(len(b.data))
	m.keeps += int64(len(b.data))
	b.kept = m.kept.PushBack(b)
	m.freed.Broadcast()
}

// need takes a kept block back.
func (m *memory) need(b *block) {
	if b.kept == nil {
		return
	}
	m.kept.Remove(b.kept)
	b.kept = nil
	m.keeps -= int64(len(b.data))
	m.held += int64(len(b.data))
}

func (m *memory) evict(b *block) {
	m.need(b)
	delete(b.s.blocks, b.index)
	m.drop(b)
	b.s.forget()
}

// drop ends a block.
func (m *memory) drop(b *block) {
	m.need(b)
	m.held -= int64(len(b.data))
	if len(b.data) == blockSize && int64(len(m.spare)) < m.budget/blockSize {
		m.spare = append(m.spare, b.data)
	}
	b.data = nil
	m.freed.Broadcast()
}
