package wire

import (
	"io"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// packetSize is what one packet on Ethernet carries.
	packetSize = 1460
	// initialWindow is that of RFC 6928.
	initialWindow = 10 * packetSize
	// segment is the most that travels as one, in bytes. Whole windows are
	// made of it, so slow start doubles as it should.
	segment = initialWindow
	// maxWindow is what receivers of today's systems grow to.
	maxWindow = 4 << 20
	// maxSegments in flight bound the queues, for senders of tiny pieces.
	maxSegments = 4096
	// backOff is what a loss leaves of the window, and regrowth how many packets
	// the window then grows by in a round trip, about as with CUBIC (RFC 9438).
	backOff  = 0.7
	regrowth = 8
	// idle is how long a silent connection keeps its window before the window
	// is halved (RFC 2861), about one retransmission timeout.
	idle = 250 * time.Millisecond
	// burst is how far a capped connection may run ahead after a pause. It
	// evens out the timer's coarseness.
	burst = 20 * time.Millisecond
	// minQueue is the least that the queue of a shared link holds. A longer
	// path has a queue of its round trip, the size routers are built with.
	minQueue = 10 * time.Millisecond
)

// pacer gives out departure times on a road of a given rate.
type pacer struct {
	rate float64 // bytes a second; 0 is unlimited

	mu   sync.Mutex
	free time.Time // when the road is free again
}

// reserve takes the road for n bytes, not before earliest, and returns when
// the last of them has departed.
func (p *pacer) reserve(n int, earliest time.Time) time.Time {
	if p == nil || p.rate <= 0 {
		return earliest
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free.Before(earliest) {
		p.free = earliest
	}
	p.free = p.free.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	return p.free
}

// lane is one direction of one connection. carry runs the sender; the
// receiver beside it owns nothing but the two channels' other ends.
type lane struct {
	delay time.Duration // one way
	link  *pacer
	own   pacer
	room  time.Duration // what the link's queue holds
	late  *lateness
	start time.Time // when the connection is established

	random    *rand.Rand
	loss      float64 // share of packets
	jitter    time.Duration
	threshold int // the window at which slow start ends; 0 before the first loss

	window   int
	inFlight int
	segments int
	lastSent time.Time
	due      *ack // taken from acks, not due when it was

	queue chan packet
	acks  chan ack
}

type packet struct {
	data []byte
	at   time.Time // of arrival
}

type ack struct {
	n  int
	at time.Time
}

func newLane(p Path, link *pacer, late *lateness, start time.Time, seed uint64) *lane {
	return &lane{
		random: rand.New(rand.NewPCG(seed, 0)), loss: p.Loss, jitter: p.Jitter,
		delay: p.RTT / 2, link: link, own: pacer{rate: p.ConnRate}, late: late, start: start,
		room: max(p.RTT, minQueue), window: initialWindow,
		queue: make(chan packet, maxSegments), acks: make(chan ack, maxSegments),
	}
}

// carry copies src to dst until either ends, and returns when all that was
// read has arrived.
func (l *lane) carry(dst io.Writer, src io.Reader) {
	var receiver sync.WaitGroup
	receiver.Go(func() { l.receive(dst) })
	defer receiver.Wait()
	defer close(l.queue)
	for {
		b := make([]byte, segment)
		n, err := src.Read(b)
		if n > 0 {
			l.send(b[:n])
		}
		if err != nil {
			return
		}
	}
}

func (l *lane) send(b []byte) {
	sleepUntil(l.start)
	l.awaitWindow(len(b))
	l.inFlight += len(b)
	l.segments++
	l.lastSent = time.Now()
	// The connection's own pace comes first: a place on the shared link taken
	// ahead of time would keep the others from it.
	sleepUntil(l.own.reserve(len(b), time.Now().Add(-burst)))
	departure := l.link.reserve(len(b), time.Now())
	sleepUntil(departure.Add(-l.room))
	l.queue <- packet{b, departure.Add(l.delay + l.trouble(len(b)))}
}

// trouble returns how much later than usual n bytes arrive. After a loss the
// window shrinks.
func (l *lane) trouble(n int) (later time.Duration) {
	if l.jitter > 0 {
		later = time.Duration(l.random.Int64N(int64(l.jitter)))
	}
	if l.loss > 0 && l.random.Float64() > math.Pow(1-l.loss, math.Ceil(float64(n)/packetSize)) {
		later += 2 * l.delay
		l.window = max(int(backOff*float64(l.window)), initialWindow)
		l.threshold = l.window
	}
	return later
}

// awaitWindow waits until n more bytes fit into the congestion window. A
// connection with nothing in flight may always send.
func (l *lane) awaitWindow(n int) {
	for l.acknowledge(false) {
	}
	if l.inFlight == 0 {
		for silent := time.Since(l.lastSent); silent > idle && l.window > initialWindow; silent -= idle {
			l.window = max(l.window/2, initialWindow)
		}
	}
	for l.inFlight > 0 && l.inFlight+n > l.window || l.segments == maxSegments {
		l.acknowledge(true)
	}
}

// acknowledge takes in the next acknowledgement if it is there, or waits for
// it, and reports whether it did. Every acknowledged byte opens the window by
// one: the sender is in slow start until the window is as wide as it gets, or
// something is lost.
func (l *lane) acknowledge(wait bool) bool {
	if l.due == nil {
		select {
		case a := <-l.acks:
			l.due = &a
		default:
			if !wait {
				return false
			}
			a := <-l.acks
			l.due = &a
		}
	}
	if d := time.Until(l.due.at); d > 0 {
		if !wait {
			return false
		}
		time.Sleep(d)
	}
	l.inFlight -= l.due.n
	l.segments--
	more := l.due.n
	if l.threshold > 0 && l.window >= l.threshold {
		more = regrowth * packetSize * more / l.window
	}
	l.window = min(l.window+more, maxWindow)
	l.due = nil
	return true
}

// receive writes what arrives. When the receiver is gone it goes on taking,
// so that the sender comes to its end.
func (l *lane) receive(dst io.Writer) {
	gone := false
	for p := range l.queue {
		if !gone {
			if wait := time.Until(p.at); wait > 0 {
				time.Sleep(wait)
				l.late.note(time.Since(p.at))
			}
			_, err := dst.Write(p.data)
			gone = err != nil
		}
		l.acks <- ack{len(p.data), time.Now().Add(l.delay)}
	}
}

// lateness is the worst delay beyond the model's, which the machine is to
// blame for: it was too busy to wake the one who slept.
type lateness struct{ worst atomic.Int64 }

func (l *lateness) note(d time.Duration) {
	for {
		worst := l.worst.Load()
		if int64(d) <= worst || l.worst.CompareAndSwap(worst, int64(d)) {
			return
		}
	}
}

// sleepUntil leaves out what the timer could not meet anyway; every departure
// is reckoned from the one before, so no error adds up.
func sleepUntil(t time.Time) {
	if d := time.Until(t); d > time.Millisecond {
		time.Sleep(d)
	}
}
