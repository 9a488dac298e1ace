package front

import "testing"

func TestMemoryIsBounded(t *testing.T) {
	m := newMemory[int, string](10)
	for i := range 5 {
		m.put(i, "x", 3)
	}
	if m.used > 10 || len(m.items) != 3 || m.order.Len() != 3 {
		t.Errorf("%d used by %d items", m.used, len(m.items))
	}
	m.get(2)
	m.put(9, "y", 3) // 3 was used least recently
	if _, ok := m.get(3); ok {
		t.Error("the least recently used value was kept")
	}
	if v, ok := m.get(2); !ok || v != "x" {
		t.Error("a recently used value was dropped")
	}
	m.put(2, "z", 4)
	if v, _ := m.get(2); v != "z" || m.used > 10 {
		t.Errorf("%q with %d used", v, m.used)
	}
	m.put(7, "large", 11)
	if _, ok := m.get(7); ok || len(m.items) == 0 {
		t.Error("a value over the budget displaced others")
	}
	m.drop(2)
	m.drop(2)
	if _, ok := m.get(2); ok {
		t.Error("a dropped value was found")
	}
}
