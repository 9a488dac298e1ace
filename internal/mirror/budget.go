package mirror

import (
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
)

// budget is the limit of all images of one run together, in bytes of distinct
// blobs. Images take their share in the order in which their manifests arrive.
// Refusing the last image instead of the slowest would make every request wait for
// all manifests.
type budget struct {
	limit int64

	mu    sync.Mutex
	spent int64
	taken map[v1.Hash]bool
}

func newBudget(limit int64) *budget { return &budget{limit: limit, taken: map[v1.Hash]bool{}} }

// take reserves the blobs of n, all or none, before any of them moves. What
// another image has reserved costs nothing again. The blobs of n must be within
// the limit on one image.
func (b *budget) take(n *node) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	fresh := map[v1.Hash]int64{}
	var sum int64
	n.walk(func(n *node) {
		for _, blob := range n.blobs {
			if _, counted := fresh[blob.Digest]; !counted && !b.taken[blob.Digest] {
				fresh[blob.Digest] = blob.Size
				sum += blob.Size
			}
		}
	})
	if sum > b.limit-b.spent {
		return unusable(failure.TooLarge, strconv.FormatInt(b.limit, 10), "images have more than %d bytes together", b.limit)
	}
	b.spent += sum
	for digest := range fresh {
		b.taken[digest] = true
	}
	return nil
}
