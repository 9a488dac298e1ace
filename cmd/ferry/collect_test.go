package main

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// TestCollect checks that nothing is collected before the heap is worth it, and
// that the usual settings apply afterwards.
func TestCollect(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer debug.SetGCPercent(100)
	defer debug.SetMemoryLimit(math.MaxInt64)
	collections := func() uint32 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.NumGC
	}
	debug.FreeOSMemory()
	collect()
	before := collections()
	var held [][]byte
	for range 8 {
		held = append(held, make([]byte, 1<<20))
	}
	if n := collections() - before; n > 0 {
		t.Errorf("%d collections with a small heap", n)
	}
	for range 24 {
		held = append(held, make([]byte, 1<<20))
	}
	for collections() == before || debug.SetMemoryLimit(-1) != softMemory {
		runtime.Gosched() // the cleanup has a goroutine of its own
		time.Sleep(time.Millisecond)
	}
	if percent := debug.SetGCPercent(50); percent != 50 {
		t.Errorf("GOGC is %d after the first collection, want 50", percent)
	}
	runtime.KeepAlive(held)
}

// TestCollectAsTold checks that the user's settings stay.
func TestCollectAsTold(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "1GiB")
	collect()
	if limit := debug.SetMemoryLimit(-1); limit == firstMemory {
		t.Errorf("the limit is %d", limit)
	}
}
