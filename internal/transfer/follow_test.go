package transfer

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestFollowers checks when and where the fetcher that continues after another one
// begins, and how much it asks for.
func TestFollowers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, _ := links()
		source.think = 250 * ms
		source.mu, source.bodies = new(sync.Mutex), new(sync.WaitGroup)
		e := New(Options{})
		defer e.Close()
		s := e.acquire(Blob{Digest: numbered(192 * mib), Size: 192 * mib}, &simSource{n: source, size: 192 * mib}, false)
		defer e.release(s)
		r := s.reader(t.Context(), 0, 192*mib, func(int64) {})
		defer r.close()
		now := time.Now()
		ago := func(d time.Duration) time.Time { return now.Add(-d) }

		e.mu.Lock()
		defer e.mu.Unlock()
		s.claimLocked(0, 100)
		f := &fetcher{s: s, at: 60, end: 64, length: 8, claimed: true}
		s.fetchers[f] = true
		defer delete(s.fetchers, f)
		h := s.host

		// It has waited for its reader most of the time.
		f.exchange = exchange{asked: ago(1250 * ms), answered: ago(time.Second), got: 60e6, idle: 900 * ms}
		if lead, enough := h.leadLocked(), int64(60e6/4)/blockSize; lead < enough {
			t.Errorf("asks %d blocks before the end, but %d arrive until the response begins", lead, enough)
		}
		// Sharing did not help, and earlier exchanges were too short to be fast.
		h.tuner.plateau = 5
		h.samples = []sample{{250 * ms, 5e6}, {250 * ms, 5e6}}
		if piece, enough := h.ownPieceLocked(8, false), min(e.maxPiece, 3*h.leadLocked()); piece < enough {
			t.Errorf("asks for %d blocks, want %d", piece, enough)
		}
		// Shared connections have claimed what comes next.
		if f.followLocked(); f.next == nil || f.next.at != 100 {
			t.Errorf("nobody continues after the claimed blocks: %+v", f.next)
		}
		// They request a piece as long before its reader comes as a response takes,
		// and only then take memory for it.
		h.tuner.rate = 60e6
		s.claimLocked(100, 104)
		early := &fetcher{s: s, at: 100, end: 104, shared: true, claimed: true}
		s.startLocked(early)
		e.mu.Unlock()
		synctest.Wait()
		e.mu.Lock()
		if early.exchange.asked.IsZero() || early.earlyLocked() != 0 {
			t.Errorf("a piece that the reader will have reached when the response begins: %+v", early.exchange)
		}
	})
}

// TestNoTrialBeforeTheRateIsKnown has a reader wait for the first request to a
// source, which is slow or not.
func TestNoTrialBeforeTheRateIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, think := range []time.Duration{0, 250 * ms} {
			h := newHost(New(Options{}))
			h.e.Close()
			s := &stream{e: h.e, host: h, source: &simSource{n: &network{rtt: 30 * ms, think: think}}}
			h.streams[s] = true
			s.readers = map[*reader]bool{{s: s}: true}
			tried := func() (more bool) {
				for range 5 {
					h.got, h.starved = mib, time.Second
					h.observeLocked(100 * ms)
					more = more || h.tuner.connections > 0
				}
				return more
			}
			if first := tried(); first != (think == 0) {
				t.Errorf("thinks %v: tries more connections during the first request: %t", think, first)
			}
			if h.samples = []sample{{280 * ms, 5e6}}; !tried() {
				t.Errorf("thinks %v: tries no more connections, though readers wait", think)
			}
		}
	})
}
