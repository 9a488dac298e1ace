package front

import (
	"net"
	"net/netip"
	"sync"
)

// limited accepts a limited number of connections at once. Others wait in the
// kernel's queue. One client may have half of them: more are closed at once, so
// that nobody shuts out all others.
type limited struct {
	net.Listener
	slots chan struct{}

	mu sync.Mutex
	of map[netip.Prefix]int // connections, by network of the client
}

func limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, n), of: map[netip.Prefix]int{}}
}

// Accept waits for a slot and a connection.
func (l *limited) Accept() (net.Conn, error) {
	for {
		l.slots <- struct{}{}
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.slots
			return nil, err
		}
		from, _ := netip.ParseAddrPort(c.RemoteAddr().String()) // a socket file has none
		network := networkOf(from.Addr())
		if l.count(network, 1) <= max(1, cap(l.slots)/2) || !network.IsValid() {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { l.leave(network) })}, nil
		}
		c.Close()
		l.leave(network)
	}
}

func (l *limited) leave(network netip.Prefix) {
	l.count(network, -1)
	<-l.slots
}

// count changes the number of connections from a network and returns it.
func (l *limited) count(network netip.Prefix, by int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.of[network] + by
	l.of[network] = n
	if n == 0 {
		delete(l.of, network)
	}
	return n
}

// networkOf returns the addresses that one client has: a single one with IPv4, and
// 64 bits of them with IPv6 (RFC 6177).
func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	network, _ := addr.Prefix(bits) // it fails for the zero Addr only
	return network
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
