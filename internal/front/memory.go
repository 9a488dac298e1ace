package front

import (
	"container/list"
	"sync"
)

// memory keeps the most recently used values, within a budget. It is safe for
// concurrent use.
type memory[K comparable, V any] struct{ store }

func newMemory[K comparable, V any](budget int64) *memory[K, V] {
	return &memory[K, V]{store{budget: budget, order: list.New(), items: map[any]*list.Element{}}}
}

func (m *memory[K, V]) get(key K) (V, bool) {
	value, ok := m.find(key).(V)
	return value, ok
}

// put keeps value at a cost to the budget. A value that costs more than the
// whole budget is not kept.
func (m *memory[K, V]) put(key K, value V, cost int64) { m.keep(key, value, cost) }

func (m *memory[K, V]) drop(key K) { m.lose(key) }

// store is a memory of any values: the code that all types share.
type store struct {
	mu     sync.Mutex
	budget int64
	used   int64
	order  *list.List // of *kept, the most recently used in front
	items  map[any]*list.Element
}

type kept struct {
	key, value any
	cost       int64
}

// find returns the value kept under key, or nil.
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
