package registry

import (
	"sync"
	"time"
)

// nearby is the time within which a registry answers that is on the same
// machine or beside it, so that a round trip costs nothing.
const nearby = 5 * time.Millisecond

// trips are the shortest times in which servers have answered, by host.
type trips struct {
	mu       sync.Mutex
	shortest map[string]time.Duration
}

func (t *trips) note(host string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if known, ok := t.shortest[host]; !ok || took < known {
		t.shortest[host] = took
	}
}

// longest is the shortest answer of the farthest server.
func (t *trips) longest() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	var d time.Duration
	for _, took := range t.shortest {
		d = max(d, took)
	}
	return d
}
