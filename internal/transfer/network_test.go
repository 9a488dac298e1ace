package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// network simulates the network to a registry in virtual time: round trips, a
// registry with slow responses, a link shared by all connections, slow start,
// limits on single connections, and some much slower connections.
type network struct {
	rtt, think time.Duration
	rate       float64 // of the link, in bytes a second
	limit      float64 // of each connection; 0 for none
	slowEvery  int     // every n-th connection has slowRate
	slowRate   float64
	silent     int           // every n-th request is never answered
	failing    int           // every n-th request is refused
	whole      bool          // ranges are not supported
	forget     time.Duration // sessions that are not used for so long are lost; 0 for never

	bodies    *sync.WaitGroup // set by simulate, as is mu
	mu        *sync.Mutex
	next      time.Time // when the link is free
	idle      []*connection
	dialed    int
	requests  int
	sent      int64
	sending   map[*simTarget]bool
	most      int // uploads at once
	forgotten int // sessions
}

type connection struct {
	cwnd  float64
	free  time.Time // when a limited connection may send again
	used  time.Time
	limit float64
	unack []sent
}

// sent is what has not been acknowledged, and when it will be.
type sent struct {
	bytes int
	at    time.Time
}

const (
	segment     = 14600 // travels as one
	firstWindow = segment
	maxWindow   = 4 << 20
)

// dial returns an idle connection, or a new one after two round trips.
func (n *network) dial() *connection {
	n.mu.Lock()
	n.requests++
	if len(n.idle) > 0 {
		c := n.idle[len(n.idle)-1]
		n.idle = n.idle[:len(n.idle)-1]
		n.mu.Unlock()
		for idle := time.Since(c.used); idle > 250*time.Millisecond; idle -= 250 * time.Millisecond {
			c.cwnd = max(c.cwnd/2, firstWindow) // RFC 2861
		}
		return c
	}
	n.dialed++
	c := &connection{cwnd: firstWindow, limit: n.limit}
	if n.slowEvery > 0 && n.dialed%n.slowEvery == 0 {
		c.limit = n.slowRate
	}
	n.mu.Unlock()
	time.Sleep(2 * n.rtt)
	return c
}

// carry sends so many bytes over a connection, at most a segment. It waits for
// the congestion window and the link, and returns when they arrive.
func (n *network) carry(c *connection, bytes int) (arrival time.Time) {
	for {
		inFlight, now := 0, time.Now()
		for len(c.unack) > 0 && !c.unack[0].at.After(now) {
			c.cwnd = min(c.cwnd+float64(c.unack[0].bytes), maxWindow)
			c.unack = c.unack[1:]
		}
		for _, s := range c.unack {
			inFlight += s.bytes
		}
		if inFlight == 0 || float64(inFlight+bytes) <= c.cwnd {
			break
		}
		time.Sleep(time.Until(c.unack[0].at))
	}
	if c.limit > 0 {
		time.Sleep(time.Until(c.free))
		c.free = time.Now().Add(seconds(float64(bytes) / c.limit))
		time.Sleep(time.Until(c.free))
	}
	n.mu.Lock()
	now := time.Now()
	if n.next.Before(now) {
		n.next = now
	}
	n.next = n.next.Add(seconds(float64(bytes) / n.rate))
	at := n.next
	n.sent += int64(bytes)
	n.mu.Unlock()
	time.Sleep(time.Until(at))
	arrival = at.Add(n.rtt / 2)
	c.unack, c.used = append(c.unack, sent{bytes, at.Add(n.rtt)}), at
	return arrival
}

// watchdog ends a request without a response, like that of the client, because
// a hedge may also get no response.
const watchdog = 5 * time.Second

// simSource is a blob of numbered bytes behind a network.
type simSource struct {
	n    *network
	size int64

	mu     sync.Mutex
	parted bool
}

func (s *simSource) Host() string                     { return "source" }
func (s *simSource) Repository() reference.Repository { return reference.Repository{} }
func (s *simSource) Ranged() bool                     { return !s.n.whole }
func (s *simSource) Trip() time.Duration              { return s.n.rtt }
func (s *simSource) Answer() time.Duration            { return s.n.rtt + s.n.think }
func (s *simSource) Backoff() Backoff                 { return giveUp{} }

func (s *simSource) Parted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parted
}

// giveUp gives up requests whose context has ended, and retries all others.
type giveUp struct{}

func (giveUp) Progress() {}

func (giveUp) Again(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return nil
}

func (s *simSource) Open(ctx context.Context, from, to int64) (io.ReadCloser, error) {
	c := s.n.dial()
	s.n.mu.Lock()
	silent := s.n.silent > 0 && s.n.requests%s.n.silent == 0
	failing := s.n.failing > 0 && s.n.requests%s.n.failing == 0
	s.n.mu.Unlock()
	if silent {
		select {
		case <-ctx.Done():
		case <-time.After(watchdog):
			return nil, &failure.Error{Code: failure.Network, Side: failure.Source, Err: errors.New("no answer")}
		}
	}
	if failing {
		return nil, &failure.Error{Code: failure.Unavailable, Side: failure.Source, Err: errors.New("not now")}
	}
	select {
	case <-time.After(s.n.rtt/2 + s.n.think):
	case <-ctx.Done():
		return nil, &failure.Error{Code: failure.Network, Side: failure.Source, Err: ctx.Err()}
	}
	s.mu.Lock()
	s.parted = true
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	b := &simBody{n: s.n, c: c, at: from, left: to - from, ctx: ctx, cancel: cancel, chunks: make(chan chunk, maxWindow/segment)}
	s.n.bodies.Go(b.produce)
	return b, nil
}

// simBody arrives whether it is read or not, up to the size of a socket's
// buffer.
type simBody struct {
	n      *network
	c      *connection
	at     int64
	left   int64
	ctx    context.Context
	cancel context.CancelFunc
	chunks chan chunk
	unread int
}

type chunk struct {
	bytes   int
	arrival time.Time
}

func (b *simBody) produce() {
	defer close(b.chunks)
	for left := b.left; left > 0; {
		n := int(min(left, segment))
		select {
		case b.chunks <- chunk{n, b.n.carry(b.c, n)}:
			left -= int64(n)
		case <-b.ctx.Done():
			return
		}
		if b.ctx.Err() != nil {
			return
		}
	}
}

func (b *simBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if b.unread == 0 {
		select {
		case c := <-b.chunks:
			time.Sleep(time.Until(c.arrival))
			b.unread = c.bytes
		case <-b.ctx.Done():
		}
		if b.ctx.Err() != nil || b.unread == 0 {
			return 0, &failure.Error{Code: failure.Network, Side: failure.Source, Err: errors.New("cut")}
		}
	}
	n := copy(p[:min(len(p), b.unread)], numbers[b.at%period:])
	b.unread -= n
	b.at += int64(n)
	b.left -= int64(n)
	return n, nil
}

func (b *simBody) Close() error {
	b.cancel()
	if b.left == 0 {
		b.n.mu.Lock()
		b.n.idle = append(b.n.idle, b.c)
		b.n.mu.Unlock()
	}
	return nil
}

// simTarget is a registry behind a network that accepts everything.
type simTarget struct {
	n       *network
	open    bool
	opened  time.Time
	arrived int64
}

func (t *simTarget) Host() string                     { return "target" }
func (t *simTarget) Repository() reference.Repository { return reference.Repository{} }
func (t *simTarget) Backoff() Backoff                 { return giveUp{} }
func (t *simTarget) Open() bool                       { return t.open }
func (t *simTarget) Trip() time.Duration              { return t.n.rtt }
func (t *simTarget) Cancel(context.Context)           { t.open = false }

func (t *simTarget) Offset(context.Context) (int64, error) {
	time.Sleep(t.n.rtt + t.n.think)
	return t.arrived, nil
}

func (t *simTarget) Start(context.Context, reference.Repository) (bool, error) {
	time.Sleep(t.n.rtt + t.n.think)
	t.open, t.opened, t.arrived = true, time.Now(), 0
	return false, nil
}

func (t *simTarget) Send(ctx context.Context, body io.Reader, _ int64) error {
	if t.n.forget > 0 && time.Since(t.opened) > t.n.forget {
		time.Sleep(t.n.rtt + t.n.think)
		t.n.mu.Lock()
		t.n.forgotten++
		t.n.mu.Unlock()
		t.open = false
		return &failure.Error{Code: failure.Unavailable, Side: failure.Target, Err: errors.New("session is unknown")}
	}
	c, arrival := t.n.dial(), time.Now()
	t.n.mu.Lock()
	if t.n.sending == nil {
		t.n.sending = map[*simTarget]bool{}
	}
	t.n.sending[t] = true
	t.n.most = max(t.n.most, len(t.n.sending))
	t.n.mu.Unlock()
	defer func() {
		t.n.mu.Lock()
		defer t.n.mu.Unlock()
		delete(t.n.sending, t)
	}()
	buffer := make([]byte, segment)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			arrival = t.n.carry(c, n)
			t.arrived += int64(n)
		}
		if ctx.Err() != nil {
			return &failure.Error{Code: failure.Network, Side: failure.Target, Err: ctx.Err()}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	time.Sleep(time.Until(arrival.Add(t.n.rtt/2 + t.n.think)))
	t.n.mu.Lock()
	t.n.idle = append(t.n.idle, c)
	t.n.mu.Unlock()
	t.open = false
	return nil
}

// period is after how many bytes the content of a simSource repeats. It is odd, so
// that no two blocks of one blob are alike.
const period = 65521

var numbers = func() []byte {
	numbers := make([]byte, 2*period)
	_, _ = rand.NewChaCha8([32]byte{}).Read(numbers[:period]) // it never fails
	copy(numbers[period:], numbers)
	return numbers
}()

// numbered returns the digest of so many bytes of a simSource.
var numbered = func() func(int64) v1.Hash {
	known := map[int64]v1.Hash{}
	return func(size int64) v1.Hash {
		if _, ok := known[size]; !ok {
			h := sha256.New()
			for left := size; left > 0; left -= period {
				h.Write(numbers[:min(left, period)])
			}
			known[size] = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
		}
		return known[size]
	}
}()

// simulate copies blobs of these sizes at the same time, and returns how long
// it took in virtual time.
func simulate(t *testing.T, source, target *network, sizes ...int64) (took time.Duration, e *Engine) {
	t.Helper()
	source.mu, target.mu, source.bodies = new(sync.Mutex), new(sync.Mutex), new(sync.WaitGroup)
	digests := make([]v1.Hash, len(sizes))
	for i, size := range sizes {
		digests[i] = numbered(size)
	}
	synctest.Test(t, func(t *testing.T) {
		e = New(Options{})
		began := time.Now()
		var wg sync.WaitGroup
		for i, size := range sizes {
			wg.Go(func() {
				_, err := e.Place(t.Context(), Blob{Digest: digests[i], Size: size, Fresh: true}, &simSource{n: source, size: size}, &simTarget{n: target}, func(int64) {})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		took = time.Since(began)
		e.Close()
		source.bodies.Wait()
	})
	return took, e
}
