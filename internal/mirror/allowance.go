package mirror

import (
	"context"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
)

// What manifests may take of memory. A manifest of 4 MiB, which every registry
// takes, has 28,000 layers, and a parsed one takes several times its size.
const (
	// maxManifests is how many bytes the manifests of one image may have, with
	// those that refer to it. The largest official images have some 100 KiB.
	maxManifests = 8 << 20
	// lightManifests is up to how many bytes images are read side by side. Those
	// with more take turns.
	lightManifests = 256 << 10
	// maxParts is how many manifests of an image are asked for at once.
	maxParts = 32
	// maxPlacing and maxAsking are how many blobs are on their way, and how many
	// questions about referrers are open, of all images together.
	maxPlacing, maxAsking = 1024, 64
)

// allowance is the memory for the manifests of one image.
type allowance struct {
	turn chan struct{} // shared by all images: the one that fills it has the turn

	mu   sync.Mutex
	used int64
	mine bool // the turn
}

// take accounts for a manifest of n bytes, each once. It waits for the turn if
// the image becomes one with large manifests.
func (a *allowance) take(ctx context.Context, n int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used+n > maxManifests {
		return unusable(failure.TooLarge, failure.Bytes(maxManifests), "manifests have more than %d bytes together", maxManifests)
	}
	if !a.mine && a.used+n > lightManifests {
		select {
		case a.turn <- struct{}{}:
			a.mine = true
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	a.used += n
	return nil
}

// release gives the turn back once nothing of the image is needed any more.
func (a *allowance) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mine {
		<-a.turn
		a.mine = false
	}
}
