package transfer

import (
	"testing"
	"time"
)

// TestKeptBlocks checks that blocks are kept for later uploads, unless their source is
// on this machine, which gives them again at once.
func TestKeptBlocks(t *testing.T) {
	for rtt, want := range map[time.Duration]int64{
		30 * time.Millisecond: DefaultMemory / 3,
		loopbackTrip / 2:      0,
	} {
		path := network{rtt: rtt, rate: 100e6}
		source, target := path, path
		_, e := simulate(t, &source, &target, 32*mib)
		if got := e.memory.keeps; got > want || got <= want-blockSize {
			t.Errorf("RTT %v: %d bytes are kept, want %d", rtt, got, want)
		}
	}
}
