package transfer

import (
	"testing"
	"time"
)

// TestKeptBlocks checks that blocks are kept for later uploads, unless their source is
// on this machine, which gives them again at once, and the blob is larger than what is
// kept.
func TestKeptBlocks(t *testing.T) {
	const most = DefaultMemory / 3
	for _, test := range []struct {
		rtt        time.Duration
		size, want int64
	}{
		{30 * time.Millisecond, 32 * mib, most},
		{loopbackTrip / 2, 32 * mib, 0},
		{loopbackTrip / 2, most, most},
	} {
		path := network{rtt: test.rtt, rate: 100e6}
		source, target := path, path
		_, e := simulate(t, &source, &target, test.size)
		if got := e.memory.keeps; got > test.want || got <= test.want-blockSize {
			t.Errorf("RTT %v: %d bytes of %d are kept, want %d", test.rtt, got, test.size, test.want)
		}
	}
}
