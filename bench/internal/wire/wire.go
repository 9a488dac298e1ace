// Package wire makes the loopback as slow as a long way across the world. A
// Wire accepts TCP connections and hands their bytes on later: after the
// handshake, in the rhythm of slow start, at the rate of a link that all
// connections share and, if told so, of a cap on each connection. It needs no
// help from the kernel, so it runs wherever Go does.
//
// Loss is modelled by its consequences: the packet comes a round trip later,
// all behind it wait for it, and the sender slows down. Not modelled:
// reordering, and losses that take a timeout to be noticed. A link whose queue
// is full holds its senders back instead of dropping what they send.
package wire

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Path describes the way between clients and one host. The zero value is the
// loopback as it is.
type Path struct {
	RTT time.Duration
	// Rate is that of the link shared by all connections, in bytes a second
	// for each direction. Zero is unlimited.
	Rate float64
	// ConnRate caps each connection alike. Zero is unlimited.
	ConnRate float64
	// SlowRate caps every SlowEvery-th connection, as an overloaded machine
	// among many does. Zero is none.
	SlowEvery int
	SlowRate  float64
	// Loss is the share of packets that are lost.
	Loss float64
	// Jitter is how much later than the rest a packet may arrive. The order
	// stays.
	Jitter time.Duration
}

// Wire leads to one host. The zero value is ready and unshaped.
type Wire struct {
	mu       sync.Mutex
	path     Path
	up, down *pacer
	live     map[*net.TCPConn]struct{}
	opened   atomic.Int64
	late     lateness
	joined   sync.WaitGroup
}

// Shape sets the path of the connections accepted from now on, and forgets what
// Opened and Late have to tell.
func (w *Wire) Shape(p Path) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.path, w.up, w.down = p, &pacer{rate: p.Rate}, &pacer{rate: p.Rate}
	w.opened.Store(0)
	w.late.worst.Store(0)
}

// Opened is the number of connections accepted since the last Shape.
func (w *Wire) Opened() int { return int(w.opened.Load()) }

// Late is the most by which any byte was later than the path would have it,
// since the last Shape. More than a few milliseconds say that the machine was
// too busy to be measured on.
func (w *Wire) Late() time.Duration { return time.Duration(w.late.worst.Load()) }

// Sever resets every connection at once, as a crashing middlebox would.
func (w *Wire) Sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.live {
		c.SetLinger(0) // RST instead of FIN
		c.Close()
	}
}

// Drain waits until all connections have ended and what they carried has arrived.
// Their clients have to be gone.
func (w *Wire) Drain() { w.joined.Wait() }

// Listen puts the wire in front of ln: the connections that the result accepts
// carry the bytes of ln's after the path's delays.
func (w *Wire) Listen(ln net.Listener) net.Listener {
	return &listener{Listener: ln, wire: w}
}

type listener struct {
	net.Listener
	wire *Wire
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	l.wire.joined.Go(func() { l.wire.join(c.(*net.TCPConn), near) })
	return &serverConn{Conn: far, remote: c.RemoteAddr()}, nil
}

// serverConn is the server's end. Servers want to know an address.
type serverConn struct {
	net.Conn
	remote net.Addr
}

func (c *serverConn) RemoteAddr() net.Addr { return c.remote }

// join carries bytes both ways until both have ended.
func (w *Wire) join(client *net.TCPConn, server net.Conn) {
	up, down := w.open(client)
	var g sync.WaitGroup
	// Each end is closed when the last byte from the other has arrived, which
	// makes the opposite direction end too.
	g.Go(func() { up.carry(server, client); server.Close() })
	g.Go(func() { down.carry(client, server); client.Close() })
	g.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.live, client)
}

func (w *Wire) open(c *net.TCPConn) (up, down *lane) {
	c.SetReadBuffer(256 << 10) // what the kernel holds has not left the client yet
	number := w.opened.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	path := w.path
	if path.SlowEvery > 0 && number%int64(path.SlowEvery) == 0 {
		path.ConnRate = path.SlowRate
	}
	if w.live == nil {
		w.live = map[*net.TCPConn]struct{}{}
	}
	w.live[c] = struct{}{}
	// SYN and SYN-ACK pass before the first byte sets out.
	established := time.Now().Add(path.RTT)
	seed := uint64(2 * number)
	return newLane(path, w.up, &w.late, established, seed), newLane(path, w.down, &w.late, established, seed+1)
}
