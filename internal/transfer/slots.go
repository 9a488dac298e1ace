package transfer

import (
	"container/heap"
	"context"
	"sync"
)

// slots is a semaphore that serves the largest blobs first, so that the longest
// transfers do not start last.
type slots struct {
	mu      sync.Mutex
	free    int // negative while the last few run together
	spare   int // how many may exceed the limit at the end
	waiting queue
	count   int
}

type waiter struct {
	size  int64
	order int // earlier requests come first among equals
	ready chan struct{}
	index int
}

func newSlots(n int) *slots { return &slots{free: n, spare: n / 2} }

// add changes the number of slots. Those in use stay.
func (s *slots) add(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
	s.pass()
}

// crowded reports whether somebody is waiting.
func (s *slots) crowded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) > 0
}

func (s *slots) acquire(ctx context.Context, size int64) error {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	s.count++
	w := &waiter{size: size, order: s.count, ready: make(chan struct{})}
	heap.Push(&s.waiting, w)
	s.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.index < 0 {
		s.free++ // a slot was assigned at the same moment
		s.pass()
	} else {
		heap.Remove(&s.waiting, w.index)
	}
	return context.Cause(ctx)
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free++
	s.pass()
}

// pass assigns slots to waiting callers. The last few run together, beyond the
// limit; otherwise one of them would run alone at the end.
func (s *slots) pass() {
	for len(s.waiting) > 0 && (s.free > 0 || len(s.waiting) <= s.spare) {
		s.free--
		close(heap.Pop(&s.waiting).(*waiter).ready)
	}
}

type queue []*waiter

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].size != q[j].size {
		return q[i].size > q[j].size
	}
	return q[i].order < q[j].order
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	w := x.(*waiter)
	w.index = len(*q)
	*q = append(*q, w)
}

func (q *queue) Pop() any {
	old := *q
	w := old[len(old)-1]
	*q, w.index = old[:len(old)-1], -1
	return w
}
