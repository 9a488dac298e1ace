package outbound

import (
	"sync"
	"time"
)

// trips are the shortest round-trip times to servers, by "host:port". A
// handshake is the best measure, because it includes no work of the server; an
// exchange is an upper bound.
type trips struct {
	mu      sync.Mutex
	servers map[string]*trip
}

type trip struct {
	connect  time.Duration // of TCP, or of a proxy's tunnel
	exchange time.Duration // the shortest TLS handshake, or request and response; zero for none
	answer   time.Duration // the shortest request and response; zero for none
}

func (t *trips) serverLocked(address string) *trip {
	if t.servers == nil {
		t.servers = map[string]*trip{}
	}
	if t.servers[address] == nil {
		t.servers[address] = &trip{}
	}
	return t.servers[address]
}

// noteConnect records how long connecting took.
func (t *trips) noteConnect(address string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.serverLocked(address); s.connect == 0 || took < s.connect {
		s.connect = took
	}
}

// noteExchange records how long an exchange took.
func (t *trips) noteExchange(address string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.serverLocked(address); s.exchange == 0 || took < s.exchange {
		s.exchange = took
	}
}

// noteAnswer records how long a response took to begin.
func (t *trips) noteAnswer(address string, took time.Duration) {
	t.noteExchange(address, took)
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.serverLocked(address); s.answer == 0 || took < s.answer {
		s.answer = took
	}
}

// answerOf returns how long a server takes to respond; zero if unknown.
func (t *trips) answerOf(address string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.serverLocked(address).answer
}

// longest returns the round-trip time to the farthest server; zero if unknown.
func (t *trips) longest() (longest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.servers {
		longest = max(longest, s.connect, s.exchange)
	}
	return longest
}
