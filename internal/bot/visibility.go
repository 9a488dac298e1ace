package bot

import (
	"context"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/reference"
)

// visibilityTimeout bounds the look at the target as a visitor: the answer is not to
// wait for it.
const visibilityTimeout = 5 * time.Second

// hidden are the repositories that this run has pushed to and that nobody can
// pull from without a login. One HEAD each tells.
func (s *actionRun) hidden(ctx context.Context, results []mirror.Result) []reference.Repository {
	ctx, cancel := context.WithTimeout(ctx, visibilityTimeout)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	var seen, found []reference.Repository
	for _, r := range results {
		repository := r.Destination.Mirror.Repository() // also that of its other name
		visitor, ok := s.engine.Visitors.ForHost(repository.Host())
		if !ok || r.Receipt == nil || r.Receipt.Present || slices.Contains(seen, repository) {
			continue
		}
		seen = append(seen, repository)
		asking.Go(func() {
			_, err := visitor.Digest(ctx, r.Receipt.Mirror)
			if c := failure.CodeOf(err); c == failure.Private || c == failure.NotFound {
				mu.Lock()
				defer mu.Unlock()
				found = append(found, repository)
			}
		})
	}
	asking.Wait()
	sort.SliceStable(found, func(i, j int) bool { return found[i].Compare(found[j]) < 0 })
	return found
}
