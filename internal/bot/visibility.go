package bot

import (
	"context"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/reference"
)

// visibilityTimeout limits the check of the target without a login, because the
// answer must not wait for it.
const visibilityTimeout = 5 * time.Second

// hidden returns the repositories that this run has pushed to and that cannot
// be pulled without a login. It takes one HEAD request each.
func (s *actionRun) hidden(ctx context.Context, results []mirror.Result) []reference.Repository {
	ctx, cancel := context.WithTimeout(ctx, visibilityTimeout)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	var seen, found, private []reference.Repository
	for _, r := range results {
		repository := r.Destination.Mirror.Repository() // also for the image's other name
		if r.Receipt == nil || slices.Contains(seen, repository) {
			continue
		}
		if s.pullsNeedLogin(repository) {
			seen, private = append(seen, repository), append(private, repository)
			continue
		}
		visitor, ok := s.engine.Visitors.ForHost(repository.Host())
		if !ok || r.Receipt.Present {
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
	found = append(found, private...)
	sort.SliceStable(found, func(i, j int) bool { return found[i].Compare(found[j]) < 0 })
	return found
}

// pullsNeedLogin reports whether a repository is of a target that the owner wants
// to be pulled from with a login only.
func (s *actionRun) pullsNeedLogin(repository reference.Repository) bool {
	return slices.ContainsFunc(s.cfg.Targets, func(t config.Target) bool {
		return t.PullsNeedLogin && strings.HasPrefix(repository.String(), t.String()+"/")
	})
}
