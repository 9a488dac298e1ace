package mirror

import (
	"math"
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
)

// budget is the limit on all images of a run together, in bytes of distinct
// blobs. Images reserve their bytes in the order in which their manifests
// arrive: refusing the last image of the request instead would make all images
// wait for all manifests.
type budget struct {
	limit int64
	quota *plan.Quota // of the requester; nil for none

	mu      sync.Mutex
	spent   int64
	taken   map[v1.Hash]bool
	created map[string]bool // new repositories, by name
}

func newBudget(limit int64, quota *plan.Quota) *budget {
	return &budget{limit: limit, quota: quota, taken: map[v1.Hash]bool{}, created: map[string]bool{}}
}

// create reserves a repository that has no tag yet. It reports whether it is
// the first with its name: the same repository at another target is free.
func (b *budget) create(name string) (first bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.created[name] {
		return false, nil
	}
	if len(b.created) >= b.quota.Repositories {
		return false, &failure.Error{Code: failure.TooManyNew, Step: "creating a repository", Hints: []string{strconv.Itoa(b.quota.MaxRepositories)}}
	}
	b.created[name] = true
	return true, nil
}

// take reserves the blobs of n, all or none, before any of them is copied.
// Blobs that another image has reserved are free. The blobs of n must be within
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
		return unusable(failure.TooLarge, failure.Bytes(b.limit), "images have more than %d bytes together", b.limit)
	}
	if b.quota != nil && sum > b.quota.Bytes-b.spent {
		return &failure.Error{Code: failure.TooMuch, Step: readingManifest, Hints: []string{failure.Bytes(b.quota.MaxBytes)}}
	}
	b.spent += sum
	if b.limit == math.MaxInt64 && b.quota == nil {
		return nil // nothing can exceed it
	}
	for digest := range fresh {
		b.taken[digest] = true
	}
	return nil
}
