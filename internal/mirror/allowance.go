package mirror

import (
	"context"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
)

// Limits on the memory for manifests. A manifest of 4 MiB, which every registry
// accepts, has 28,000 layers; a parsed one takes several times its size.
const (
	// maxManifests is the maximum size of the manifests of one image, with its
	// referrers, in bytes. The largest official images have about 100 KiB.
	maxManifests = 8 << 20
	// lightManifests is the size in bytes up to which images are read
	// concurrently. Larger ones take turns.
	lightManifests = 256 << 10
	// maxParts is how many manifests of an image are requested at once.
	maxParts = 32
	// maxPlacing and maxAsking limit the concurrent blobs, and the concurrent
	// requests for referrers, of all images together.
	maxPlacing, maxAsking = 1024, 64
)

// allowance is the memory for the manifests of one image.
type allowance struct {
	turn chan struct{} // shared by all images; the image that fills it has the turn

	mu   sync.Mutex
	used int64
	mine bool // the turn
}

// take accounts for a manifest of n bytes; call it once for each manifest. It
// waits for the turn once the image has large manifests.
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

// release gives up the turn. The image's manifests must no longer be in use.
func (a *allowance) release() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mine {
		<-a.turn
		a.mine = false
	}
}
