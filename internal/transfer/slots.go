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
	order int           // earlier requests come first among equals
	soon  chan struct{} // closed when a slot will be free soon; nil afterwards
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

// acquire waits for a slot. While it waits, it calls soon, if not nil, once a slot
// will be free soon.
func (s *slots) acquire(ctx context.Context, size int64, soon func()) error {
	s.mu.Lock()
	if s.free > 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	s.count++
	w := &waiter{size: size, order: s.count, soon: make(chan struct{}), ready: make(chan struct{})}
	heap.Push(&s.waiting, w)
	announced := w.soon
	s.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-announced:
		if soon != nil {
			soon()
		}
	case <-ctx.Done():
	}
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

// announce tells the next caller that a slot will be free soon.
func (s *slots) announce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var next *waiter
	for _, w := range s.waiting {
		if w.soon != nil && (next == nil || s.waiting.Less(w.index, next.index)) {
			next = w
		}
	}
	if next != nil {
		close(next.soon)
		next.soon = nil
	}
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
