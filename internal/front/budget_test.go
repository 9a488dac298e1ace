package front

import (
	"testing"
	"time"
)

// TestBudgetsOutliveAReload: a changed file does not give back what was taken.
func TestBudgetsOutliveAReload(t *testing.T) {
	w := newWorld(t, func(w *world) { w.options.Memories = NewMemories(DefaultMemory) })
	reload := func(limit int) {
		w.upstream.Budget = NewBudget(limit, time.Hour, w.clock)
		w.front = New(w.options)
	}
	take := func(want int) {
		t.Helper()
		for i := 0; ; i++ {
			if w.upstream.Budget.take() != nil {
				if i != want {
					t.Errorf("%d requests, want %d", i, want)
				}
				return
			}
		}
	}
	reload(10)
	for range 4 {
		if err := w.upstream.Budget.take(); err != nil {
			t.Fatal(err)
		}
	}
	reload(10)
	take(6)
	reload(12) // two more than before
	take(2)
	reload(5)
	take(0)
	w.pass(2 * time.Hour)
	take(5)
	w.upstream.Budget = nil // no limit
	w.front = New(w.options)
	if err := w.upstream.Budget.take(); err != nil {
		t.Error(err)
	}
}
