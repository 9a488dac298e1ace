package outbound

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// maxUnused is how long an open, unused connection is kept: servers close
// silent ones after as little as ten seconds.
const maxUnused = 8 * time.Second

// connections opens connections, also in advance. The handshakes of TCP and TLS
// take two or three round trips to the registry, for which there is time while
// tokens and manifests are fetched.
type connections struct {
	dialer dialer
	trips  trips
	config *tls.Config
	// readBuffer is the size of the buffer under TLS, 0 for none.
	readBuffer int
	http1      atomic.Bool // a server was found that only supports HTTP/1.1

	ctx     context.Context // ends with close
	cancel  context.CancelFunc
	opening sync.WaitGroup

	mu     sync.Mutex
	opened int                   // by open
	ready  map[string][]net.Conn // by scheme and address
	closed bool
}

// newConnections returns connections that use the given protocols, over TLS 1.2
// or newer. Nil roots are those of the system.
func newConnections(d dialer, roots *x509.CertPool, protocols ...string) *connections {
	c := &connections{dialer: d, config: &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols, RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// open begins to open connections to the registry at base, up to a total of n.
func (c *connections) open(base *url.URL, n int) {
	c.mu.Lock()
	more := max(n-c.opened, 0)
	c.opened += more
	c.mu.Unlock()
	if more == 0 {
		return
	}
	address := HostPort(base)
	one := func() bool {
		var conn net.Conn
		var err error
		if base.Scheme == "https" {
			conn, err = c.handshake(c.ctx, "tcp", address)
		} else {
			conn, err = c.dial(c.ctx, "tcp", address)
		}
		if err != nil {
			return false // the request that needs the connection gets the error
		}
		c.put(base.Scheme+address, conn)
		return true
	}
	rest := func(n int) {
		for range n {
			c.opening.Go(func() { one() })
		}
	}
	if proxy, err := c.dialer.proxyFor(address); err == nil && proxy == nil {
		rest(more)
		return
	}
	// A proxy that refuses one connection refuses all, and may lock the account.
	c.opening.Go(func() {
		if one() {
			rest(more - 1)
		}
	})
}

func (c *connections) put(key string, conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		conn.Close()
		return
	}
	if c.ready == nil {
		c.ready = map[string][]net.Conn{}
	}
	c.ready[key] = append(c.ready[key], conn)
	time.AfterFunc(maxUnused, func() {
		if c.remove(key, conn) {
			conn.Close()
		}
	})
}

// take returns a ready connection, or nil.
func (c *connections) take(key string) net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.ready[key]
	if len(list) == 0 {
		return nil
	}
	c.ready[key] = list[:len(list)-1]
	return list[len(list)-1]
}

func (c *connections) remove(key string, conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, held := range c.ready[key] {
		if held == conn {
			c.ready[key] = append(c.ready[key][:i:i], c.ready[key][i+1:]...)
			return true
		}
	}
	return false
}

// close closes unused connections and waits for those that are being opened.
func (c *connections) close() {
	c.cancel()
	c.opening.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, list := range c.ready {
		for _, conn := range list {
			conn.Close()
		}
	}
	c.ready = nil
}

// plain and tls are the dial functions of a transport.
func (c *connections) plain(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := c.take("http" + address); conn != nil {
		return conn, nil
	}
	return c.dial(ctx, network, address)
}

func (c *connections) tls(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := c.take("https" + address); conn != nil {
		return conn, nil
	}
	return c.handshake(ctx, network, address)
}

// dial opens a connection without TLS.
func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	began := time.Now()
	conn, err := c.dialer.dial(ctx, network, address)
	if err == nil {
		c.trips.noteConnect(address, time.Since(began))
		limitUnsent(conn)
	}
	return conn, err
}

// loadRoots reads the system's roots while the first connection is being made;
// otherwise the handshake would wait for them to be parsed.
var loadRoots = sync.OnceFunc(func() {
	go func() { _, _ = x509.SystemCertPool() }() // the handshake gets the error
})

// handshake opens a TLS connection.
func (c *connections) handshake(ctx context.Context, network, address string) (net.Conn, error) {
	loadRoots()
	raw, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		raw.Close()
		return nil, err
	}
	return c.secure(ctx, raw, host, address)
}

// ErrNoHandshake says that a server has accepted a connection, and does not answer the
// handshake of TLS.
var ErrNoHandshake = errors.New("no answer to the TLS handshake")

// secure makes a TLS connection to host of an open one.
func (c *connections) secure(ctx context.Context, raw net.Conn, host, address string) (net.Conn, error) {
	config := c.config.Clone()
	config.ServerName = host
	if c.readBuffer > 0 {
		raw = &bufferedConn{Conn: raw, reader: bufio.NewReaderSize(raw, c.readBuffer)}
	}
	conn := tls.Client(raw, config)
	ctx, cancel := context.WithTimeoutCause(ctx, dialTimeout, ErrNoHandshake)
	defer cancel()
	began := time.Now()
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		if cause := context.Cause(ctx); errors.Is(cause, ErrNoHandshake) {
			err = cause
		}
		return nil, err
	}
	c.trips.noteExchange(address, time.Since(began))
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		c.http1.Store(true)
	}
	return conn, nil
}

// bodyConn lets the body of a request write itself, if it can: net/http would copy it
// through a buffer of 32 KiB.
type bodyConn struct{ net.Conn }

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// withBodies makes a dial function return connections of that kind.
func withBodies(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return bodyConn{conn}, nil
	}
}

// ReadFrom is called by net/http with a body, limited to its length.
func (c bodyConn) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		return io.Copy(c.Conn, r)
	}
	body, ok := limited.R.(io.WriterTo)
	if !ok {
		return io.Copy(c.Conn, r)
	}
	n, err := body.WriteTo(c.Conn)
	limited.N -= n
	return n, err
}

// bufferedConn reads more at once than is requested.
type bufferedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
