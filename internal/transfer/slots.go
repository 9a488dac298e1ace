package transfer

import (
	"container/heap"
	"context"
	"sync"
)

// slots is a semaphore that serves the largest blobs first, so that the longest
// transfers do not start last. Who only waits for an answer needs no slot.
type slots struct {
	mu      sync.Mutex
	free    int // negative while the last few run together
	spare   int // how many may exceed the limit at the end
	waiting queue
	count   int
	taken   int // slots in use
	ended   int // users that need nothing but an answer, and have no slot
	most    int // of taken and ended, before another slot is given
}

type waiter struct {
	size  int64
	order int           // earlier requests come first among equals
	soon  chan struct{} // closed when a slot will be free soon; nil afterwards
	ready chan struct{}
	index int
}

func newSlots(n, most int) *slots { return &slots{free: n, spare: n / 2, most: most} }

// add changes the number of slots by n. Those in use stay.
func (s *slots) add(n, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
	s.most = most
	s.pass()
}

// exceeded reports whether more slots are in use than there are.
func (s *slots) exceeded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.free < 0
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
	if s.free > 0 && s.taken+s.ended < s.most {
		s.takeLocked()
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
		s.giveLocked() // a slot was assigned at the same moment
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
	s.giveLocked()
}

// end gives a slot back whose user still waits for an answer. It must call
// answered, or resume first.
func (s *slots) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
	s.giveLocked()
}

// answered ends the wait after end.
func (s *slots) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended--
	s.pass()
}

// resume takes a slot again after end, at once, even if that is one too many.
func (s *slots) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended--
	s.takeLocked()
}

func (s *slots) takeLocked() {
	s.free--
	s.taken++
}

func (s *slots) giveLocked() {
	s.free++
	s.taken--
	s.pass()
}

// pass assigns slots to waiting callers. The last few run together, beyond the
// limit; otherwise one of them would run alone at the end.
func (s *slots) pass() {
	for len(s.waiting) > 0 && (s.free > 0 && s.taken+s.ended < s.most || len(s.waiting) <= s.spare) {
		s.takeLocked()
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
