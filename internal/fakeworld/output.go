package fakeworld

import (
	"bytes"
	"sync"
)

// Output collects what a run writes. It is safe for concurrent use, so that
// one may stand for stdout and stderr, as a file does.
type Output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends p.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

// String returns what was written.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}
