package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// maxWarm is how long a connection that nobody has used yet is kept: servers
// lose their patience with silent ones after as little as ten seconds.
const maxWarm = 8 * time.Second

// stash holds connections that were opened before anybody needed them. The
// handshakes of TCP and TLS cost two or three times the way to the registry,
// and there is always time for them while tokens and manifests are fetched.
type stash struct {
	dialer dialer
	config *tls.Config
	http1  atomic.Bool // a server was found that speaks nothing newer

	ctx     context.Context // ends with close
	cancel  context.CancelFunc
	opening sync.WaitGroup

	mu     sync.Mutex
	opened int                   // by open
	ready  map[string][]net.Conn // by scheme and address
	closed bool
}

// newStash makes connections that speak the given protocols, over TLS 1.2 or
// better with the system's roots.
func newStash(d dialer, protocols ...string) *stash {
	s := &stash{dialer: d, config: &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: protocols, ClientSessionCache: tls.NewLRUClientSessionCache(64),
	}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// open begins to open connections to the registry at base, n in all.
func (s *stash) open(base *url.URL, n int) {
	s.mu.Lock()
	more := max(n-s.opened, 0)
	s.opened += more
	s.mu.Unlock()
	address := hostPort(base)
	for range more {
		s.opening.Go(func() {
			var conn net.Conn
			var err error
			if base.Scheme == "https" {
				conn, err = s.handshake(s.ctx, "tcp", address)
			} else {
				conn, err = s.dialer.dial(s.ctx, "tcp", address)
			}
			if err != nil {
				return // whoever needs a connection will see the error
			}
			s.put(base.Scheme+address, conn)
		})
	}
}

func (s *stash) put(key string, conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return
	}
	if s.ready == nil {
		s.ready = map[string][]net.Conn{}
	}
	s.ready[key] = append(s.ready[key], conn)
	time.AfterFunc(maxWarm, func() {
		if s.remove(key, conn) {
			conn.Close()
		}
	})
}

// take is a ready connection, nil if there is none.
func (s *stash) take(key string) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.ready[key]
	if len(list) == 0 {
		return nil
	}
	s.ready[key] = list[:len(list)-1]
	return list[len(list)-1]
}

func (s *stash) remove(key string, conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, held := range s.ready[key] {
		if held == conn {
			s.ready[key] = append(s.ready[key][:i:i], s.ready[key][i+1:]...)
			return true
		}
	}
	return false
}

// close closes what nobody has taken and waits for what is being opened.
func (s *stash) close() {
	s.cancel()
	s.opening.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, list := range s.ready {
		for _, conn := range list {
			conn.Close()
		}
	}
	s.ready = nil
}

// plain and tls are the dial functions of a transport.
func (s *stash) plain(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := s.take("http" + address); conn != nil {
		return conn, nil
	}
	return s.dialer.dial(ctx, network, address)
}

func (s *stash) tls(ctx context.Context, network, address string) (net.Conn, error) {
	if conn := s.take("https" + address); conn != nil {
		return conn, nil
	}
	return s.handshake(ctx, network, address)
}

// loadRoots reads the system's roots while the first connection is on its way:
// the handshake would wait for them to be parsed.
var loadRoots = sync.OnceFunc(func() {
	go func() { _, _ = x509.SystemCertPool() }() // who verifies will see the error
})

// handshake opens a TLS connection.
func (s *stash) handshake(ctx context.Context, network, address string) (net.Conn, error) {
	loadRoots()
	raw, err := s.dialer.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		raw.Close()
		return nil, err
	}
	config := s.config.Clone()
	config.ServerName = host
	conn := tls.Client(raw, config)
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	if conn.ConnectionState().NegotiatedProtocol != "h2" {
		s.http1.Store(true)
	}
	return conn, nil
}
