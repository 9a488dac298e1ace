package front

import (
	"container/list"
	"sync"
)

// memory keeps the values that were used last, as many as its budget holds. It
// is safe for concurrent use.
type memory[K comparable, V any] struct {
	mu     sync.Mutex
	budget int64
	used   int64
	order  *list.List // of *kept[K, V], the last used in front
	items  map[K]*list.Element
}

type kept[K comparable, V any] struct {
	key   K
	value V
	cost  int64
}

func newMemory[K comparable, V any](budget int64) *memory[K, V] {
	return &memory[K, V]{budget: budget, order: list.New(), items: map[K]*list.Element{}}
}

func (m *memory[K, V]) get(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.items[key]
	if !ok {
		var none V
		return none, false
	}
	m.order.MoveToFront(e)
	return e.Value.(*kept[K, V]).value, true
}

// put keeps value, which takes cost of the budget. What is dearer than the
// whole budget is not kept.
func (m *memory[K, V]) put(key K, value V, cost int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
	if cost > m.budget {
		return
	}
	m.items[key] = m.order.PushFront(&kept[K, V]{key, value, cost})
	m.used += cost
	for m.used > m.budget {
		m.remove(m.order.Back().Value.(*kept[K, V]).key)
	}
}

func (m *memory[K, V]) drop(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
}

// remove is drop under the lock.
func (m *memory[K, V]) remove(key K) {
	if e, ok := m.items[key]; ok {
		m.used -= m.order.Remove(e).(*kept[K, V]).cost
		delete(m.items, key)
	}
}
