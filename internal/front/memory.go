package front

import (
	"container/list"
	"sync"
)

// memory keeps the values that were used last, as many as its budget holds. It
// is safe for concurrent use.
type memory[K comparable, V any] struct{ store }

func newMemory[K comparable, V any](budget int64) *memory[K, V] {
	return &memory[K, V]{store{budget: budget, order: list.New(), items: map[any]*list.Element{}}}
}

func (m *memory[K, V]) get(key K) (V, bool) {
	value, ok := m.find(key).(V)
	return value, ok
}

// put keeps value, which takes cost of the budget. What is dearer than the
// whole budget is not kept.
func (m *memory[K, V]) put(key K, value V, cost int64) { m.keep(key, value, cost) }

func (m *memory[K, V]) drop(key K) { m.lose(key) }

// store is a memory of anything: what does the work, once for all types.
type store struct {
	mu     sync.Mutex
	budget int64
	used   int64
	order  *list.List // of *kept, the last used in front
	items  map[any]*list.Element
}

type kept struct {
	key, value any
	cost       int64
}

// find is the value that is kept under key, or nil.
func (s *store) find(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.items[key]
	if !ok {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*kept).value
}

func (s *store) keep(key, value any, cost int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loseLocked(key)
	if cost > s.budget {
		return
	}
	s.items[key] = s.order.PushFront(&kept{key, value, cost})
	s.used += cost
	for s.used > s.budget {
		s.loseLocked(s.order.Back().Value.(*kept).key)
	}
}

func (s *store) lose(key any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loseLocked(key)
}

func (s *store) loseLocked(key any) {
	if e, ok := s.items[key]; ok {
		s.used -= s.order.Remove(e).(*kept).cost
		delete(s.items, key)
	}
}
