package front

import (
	"net"
	"sync"
)

// limited accepts a limited number of connections at once. Others wait in the
// kernel's queue.
type limited struct {
	net.Listener
	slots chan struct{}
}

func limit(l net.Listener, n int) net.Listener { return &limited{l, make(chan struct{}, n)} }

// Accept waits for a slot and a connection.
func (l *limited) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &counted{Conn: c, leave: sync.OnceFunc(func() { <-l.slots })}, nil
}

type counted struct {
	net.Conn
	leave func()
}

// Close releases the slot.
func (c *counted) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
