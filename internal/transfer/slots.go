package transfer

import (
	"container/heap"
	"context"
	"sync"
)

// slots is a semaphore that serves the largest first: what takes longest must
// not be what starts last.
type slots struct {
	mu      sync.Mutex
	free    int // less than none while the last few are there
	spare   int // how many may go beyond the number at the end
	waiting queue
	count   int
}

type waiter struct {
	size  int64
	order int // who came first goes first among equals
	ready chan struct{}
	index int
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
		s.free++ // it was given at this very moment
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

// pass gives slots to those who wait. The last few go together, beyond the
// number: else one that is left over would end alone.
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
