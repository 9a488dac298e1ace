package wire

import (
	"bytes"
	"errors"
	"io"
	"math"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const mib = 1 << 20

// The time in these tests is the virtual one of a synctest bubble: what they
// assert is the model, not the machine.

// carry sends each of sizes over a connection of its own, all at once, and
// returns how long it took for the last byte to arrive.
func carry(t *testing.T, p Path, sizes ...int64) time.Duration {
	t.Helper()
	link := &pacer{rate: p.Rate}
	begin := time.Now()
	done := make(chan struct{})
	for _, n := range sizes {
		dst := new(counter)
		l := newLane(p, link, new(lateness), begin, 1)
		go func() {
			l.carry(dst, io.LimitReader(zeros{}, n))
			if int64(*dst) != n {
				t.Errorf("%d of %d bytes arrived", *dst, n)
			}
			done <- struct{}{}
		}()
	}
	for range sizes {
		<-done
	}
	return time.Since(begin)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

func within(t *testing.T, what string, got, want time.Duration, tolerance float64) {
	t.Helper()
	if math.Abs(float64(got-want)) > tolerance*float64(want) {
		t.Errorf("%s took %v, want %v within %.0f %%", what, got, want, tolerance*100)
	}
}

func TestTheLinkIsSharedAndFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Path{RTT: 10 * time.Millisecond, Rate: 10e6}
		within(t, "one connection", carry(t, p, 20e6), 2*time.Second, 0.05)
		within(t, "eight connections", carry(t, p, 4e6, 4e6, 4e6, 4e6, 1e6, 1e6, 1e6, 1e6), 2*time.Second, 0.05)
	})
}

func TestTheCapBindsEachConnectionAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Path{RTT: 10 * time.Millisecond, Rate: 60e6, ConnRate: 10e6}
		within(t, "one connection", carry(t, p, 10e6), time.Second, 0.05)
		within(t, "four connections", carry(t, p, 10e6, 10e6, 10e6, 10e6), time.Second, 0.05)
		within(t, "twelve connections, bound by the link", carry(t, p, 10e6, 10e6, 10e6, 10e6, 10e6, 10e6, 10e6, 10e6, 10e6, 10e6, 10e6, 10e6), 2*time.Second, 0.05)
	})
}

// Slow start doubles what is sent each round trip: after k of them 10 segments
// × (2^k − 1) have left.
func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Path{RTT: 100 * time.Millisecond}
		for rounds := 1; rounds <= 6; rounds++ {
			n := int64(initialWindow * (1<<rounds - 1))
			within(t, "transfer", carry(t, p, n), time.Duration(rounds-1)*p.RTT+p.RTT/2, 0.01)
		}
	})
}

// After a loss a connection has less than before, and what comes behind the
// lost packet waits for it.
func TestLossSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Path{RTT: 60 * time.Millisecond, Rate: 62.5e6}
		clean := carry(t, p, 64*mib)
		p.Loss = 1e-3
		if lossy := carry(t, p, 64*mib); lossy < 3*clean {
			t.Errorf("with losses it took %v, without %v", lossy, clean)
		}
		p.Loss = 1e-6
		within(t, "hardly any loss", carry(t, p, 64*mib), clean, 0.15)
	})
}

func TestJitterDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Path{RTT: 60 * time.Millisecond, Jitter: 20 * time.Millisecond}
		for range 20 {
			if took := carry(t, p, 1000); took < p.RTT/2 || took > p.RTT/2+p.Jitter {
				t.Errorf("a packet took %v", took)
			}
		}
	})
}

func TestTheWindowBoundsWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Path{RTT: time.Second}
		long, longer := carry(t, p, 64*mib), carry(t, p, 128*mib)
		within(t, "64 MiB more", longer-long, 64*mib/maxWindow*p.RTT, 0.05)
	})
}

func TestSilenceClosesTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(Path{}, nil, new(lateness), time.Now(), 1)
		l.window, l.lastSent = maxWindow, time.Now()
		time.Sleep(idle)
		l.awaitWindow(1)
		if l.window != maxWindow {
			t.Errorf("after a short pause the window is %d, want %d", l.window, maxWindow)
		}
		time.Sleep(2 * idle)
		l.awaitWindow(1)
		if want := maxWindow / 4; l.window != want {
			t.Errorf("after a pause the window is %d, want %d", l.window, want)
		}
		time.Sleep(time.Minute)
		l.awaitWindow(1)
		if l.window != initialWindow {
			t.Errorf("after a long pause the window is %d, want %d", l.window, initialWindow)
		}
	})
}

// The computed limit must agree with the lanes that it speaks of.
func TestTheComputedLimitIsThatOfTheLanes(t *testing.T) {
	wan := Path{RTT: 60 * time.Millisecond, Rate: 62.5e6}
	capped := Path{RTT: 60 * time.Millisecond, Rate: 62.5e6, ConnRate: 10e6}
	for _, c := range []struct {
		name  string
		path  Path
		sizes []int64
	}{
		{"small", wan, []int64{mib, mib, mib, mib, mib}},
		{"typical", wan, []int64{60 * mib, 45 * mib, 30 * mib, 25 * mib, 15 * mib, 12 * mib, 8 * mib, 5 * mib}},
		{"huge", wan, []int64{256 * mib}},
		{"capped", capped, []int64{60 * mib, 5 * mib}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				within(t, c.name, carry(t, c.path, c.sizes...), c.path.Transfer(c.sizes), 0.06)
			})
		})
	}
}

func TestNothingToTransferTakesNoTime(t *testing.T) {
	if d := (Path{Rate: 1}).Transfer(nil); d != 0 {
		t.Errorf("transfer of nothing takes %v", d)
	}
}

// A receiver that is gone must not keep the sender.
func TestALaneEndsWhenItsReceiverIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLane(Path{RTT: time.Second, Rate: 1e6}, &pacer{rate: 1e6}, new(lateness), time.Now(), 1)
		src, end := net.Pipe()
		go func() { end.Write(make([]byte, mib)); end.Close() }()
		l.carry(broken{}, src)
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// Over real sockets: bytes come through unchanged both ways, both ends hear of
// the other's end, and connections are counted.
func TestAWireCarriesWhatItIsGiven(t *testing.T) {
	w, ln := listen(t)
	w.Shape(Path{RTT: time.Millisecond, Rate: 1e9})
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		io.Copy(c, io.LimitReader(c, 3*mib))
		c.Close()
	}()
	c := dial(t, ln)
	want := bytes.Repeat([]byte("ferry"), 3*mib/5+1)[:3*mib]
	go c.Write(want)
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes back, %v; want the %d that were sent", len(got), err, len(want))
	}
	if n := w.Opened(); n != 1 {
		t.Errorf("counted %d connections, want 1", n)
	}
}

// TestDrainWaitsForWhatIsOnTheWay: what a client sent that is gone is still to arrive.
func TestDrainWaitsForWhatIsOnTheWay(t *testing.T) {
	w, ln := listen(t)
	w.Shape(Path{RTT: 100 * time.Millisecond})
	accepted, arrived := make(chan bool), make(chan bool, 1)
	var drained atomic.Bool
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		close(accepted)
		_, err = io.ReadFull(c, make([]byte, 1000))
		arrived <- err == nil && !drained.Load()
		c.Close()
	}()
	c := dial(t, ln)
	<-accepted
	c.Write(make([]byte, 1000))
	c.Close()
	w.Drain()
	drained.Store(true)
	if !<-arrived {
		t.Error("drained before all had arrived")
	}
}

func TestSeverResets(t *testing.T) {
	w, ln := listen(t)
	accepted := make(chan net.Conn)
	go func() {
		c, _ := ln.Accept()
		accepted <- c
	}()
	c := dial(t, ln)
	server := <-accepted
	c.Write([]byte("x"))
	io.ReadFull(server, make([]byte, 1))
	w.Sever()
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("the client read %v, want a reset", err)
	}
	if _, err := server.Read(make([]byte, 1)); err == nil {
		t.Error("the server did not hear of the reset")
	}
}

func listen(t *testing.T) (*Wire, net.Listener) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := new(Wire)
	shaped := w.Listen(ln)
	t.Cleanup(func() { ln.Close() })
	return w, shaped
}

func dial(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
