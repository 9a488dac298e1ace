package mirror

import (
	"context"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// listsAtOnce is the maximum number of concurrent lists of tags from one
// registry. They have many pages, which registries produce slowly.
const listsAtOnce = 4

// Listing is the tags of a repository, or the reason why they are unknown.
type Listing struct {
	Tags    []string
	Failure *failure.Error
}

// Tags lists all tags of the given source repositories.
func (m *Mirror) Tags(ctx context.Context, repositories []reference.Repository) map[reference.Repository]Listing {
	return m.tags(ctx, repositories, m.opts.Sources)
}

// tags lists all tags of repositories at the registries of clients.
func (m *Mirror) tags(ctx context.Context, repositories []reference.Repository, clients *registry.Clients) map[reference.Repository]Listing {
	turns := newTurns(listsAtOnce)
	listings := make(map[reference.Repository]Listing, len(repositories))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, repository := range repositories {
		client, ok := clients.ForRepository(repository)
		if !ok {
			mu.Lock()
			listings[repository] = Listing{Failure: notAllowed(failure.Source, repository.Host())}
			mu.Unlock()
			continue
		}
		client.Expect(registry.Scope{Repository: repository})
		wg.Go(func() {
			var l Listing
			done, err := turns.wait(ctx, client)
			if err == nil {
				l.Tags, err = client.AllTags(ctx, repository)
				done()
			}
			if err != nil {
				l.Failure = typed(ctx, err)
			}
			mu.Lock()
			defer mu.Unlock()
			listings[repository] = l
		})
	}
	wg.Wait()
	return listings
}

// turns limits the concurrent requests to each registry.
type turns struct {
	most int
	mu   sync.Mutex
	of   map[*registry.Client]chan struct{}
}

func newTurns(most int) *turns { return &turns{most: most, of: map[*registry.Client]chan struct{}{}} }

// wait waits until a request to a registry may start. The caller must call done
// after it.
func (t *turns) wait(ctx context.Context, client *registry.Client) (done func(), err error) {
	t.mu.Lock()
	turn := t.of[client]
	if turn == nil {
		turn = make(chan struct{}, t.most)
		t.of[client] = turn
	}
	t.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
