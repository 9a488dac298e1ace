package outbound

import (
	"sync"
	"time"
)

// trips are the shortest times that single round trips to servers took, by
// "host:port". A handshake is the best measure, because it contains no work of the
// server; an exchange is an upper bound.
type trips struct {
	mu      sync.Mutex
	servers map[string]*trip
}

type trip struct {
	connect  time.Duration // of TCP, or of a proxy's tunnel
	exchange time.Duration // the shortest handshake of TLS, or request and answer; zero for none
	answer   time.Duration // the shortest request and answer; zero for none
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

// noteConnect notes how long it took to connect.
func (t *trips) noteConnect(address string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.serverLocked(address); s.connect == 0 || took < s.connect {
		s.connect = took
	}
}

// noteExchange notes how long it took to get an answer.
func (t *trips) noteExchange(address string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.serverLocked(address); s.exchange == 0 || took < s.exchange {
		s.exchange = took
	}
}

// noteAnswer notes how long a request took to be answered.
func (t *trips) noteAnswer(address string, took time.Duration) {
	t.noteExchange(address, took)
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.serverLocked(address); s.answer == 0 || took < s.answer {
		s.answer = took
	}
}

// answerOf is how long a server takes to answer, zero if that is not known.
func (t *trips) answerOf(address string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.serverLocked(address).answer
}

// longest is the round trip to the farthest server, zero if none is known.
func (t *trips) longest() (longest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.servers {
		longest = max(longest, s.connect, s.exchange)
	}
	return longest
}
