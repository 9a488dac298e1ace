package mirror

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

const (
	// looksAtOnce is how many questions one registry is asked at once. A HEAD has no
	// body, so only round trips count: 1,000 of 60 ms take a second and a half.
	looksAtOnce = 48
	// listsAtOnce is how many lists of tags one registry is asked for at once. They
	// have many pages, and registries make them up slowly.
	listsAtOnce = 4
)

// Standing is what a destination holds beside its source.
type Standing struct {
	// Source is what the source's reference names. It is zero if Gone, with a
	// Failure, or if it was not asked for.
	Source v1.Hash
	// Held is what the mirror name names; zero for nothing.
	Held v1.Hash
	// Gone reports that the source has no such image any more, and the
	// destination has.
	Gone bool
	// Failure says why one of the two is not known.
	Failure *failure.Error
}

// Look asks what the sources and the destinations of the steps name, by one
// request for each, and copies nothing. With held, sources are asked only for what
// a destination does not hold. The result has a Standing for each step and
// destination.
func (m *Mirror) Look(ctx context.Context, steps []plan.Step, held bool) [][]Standing {
	r := newRun(m, plan.Plan{Steps: steps}, nil)
	r.prepare()
	turns := newTurns(looksAtOnce)
	standings := make([][]Standing, len(steps))
	// More would only wait for their turn.
	slots := make(chan struct{}, 16*looksAtOnce)
	var wg sync.WaitGroup
	for i, step := range steps {
		standings[i] = make([]Standing, len(step.Destinations))
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			m.look(ctx, step, held, turns, standings[i])
		})
	}
	wg.Wait()
	return standings
}

// look asks for one step, all sides at once.
func (m *Mirror) look(ctx context.Context, step plan.Step, held bool, turns *turns, to []Standing) {
	source := func() (v1.Hash, *failure.Error) { return m.named(ctx, step.Image.Reference, turns) }
	var digest v1.Hash
	var failed *failure.Error
	var wg sync.WaitGroup
	if !held {
		wg.Go(func() { digest, failed = source() })
	}
	for k, d := range step.Destinations {
		wg.Go(func() { to[k].Held, to[k].Failure = m.holds(ctx, d.Mirror, turns) })
	}
	wg.Wait()
	if held {
		all := true
		for _, s := range to {
			all = all && (s.Held != v1.Hash{} || s.Failure != nil)
		}
		if all {
			return
		}
		digest, failed = source()
	}
	for k := range to {
		to[k].Source = digest
		switch {
		case failed == nil || to[k].Failure != nil:
		case failed.Code == failure.NotFound && to[k].Held != v1.Hash{}:
			to[k].Gone = true
		default:
			to[k].Failure = failed
		}
	}
}

// named is what a source's reference names. A digest names itself.
func (m *Mirror) named(ctx context.Context, ref reference.Reference, turns *turns) (v1.Hash, *failure.Error) {
	if d := ref.Digest(); ref.HasDigest() && d.Algorithm == "sha256" {
		return d, nil
	}
	client, ok := m.opts.Sources.ForHost(ref.Repository().Host())
	if !ok {
		return v1.Hash{}, &failure.Error{Code: failure.HostNotAllowed, Side: failure.Source, Step: resolving, Hints: []string{ref.Repository().Host()}}
	}
	return ask(ctx, client, ref, turns)
}

// holds is what a mirror name names.
func (m *Mirror) holds(ctx context.Context, ref reference.Reference, turns *turns) (v1.Hash, *failure.Error) {
	client, ok := m.opts.Targets.ForRepository(ref.Repository())
	if !ok {
		return v1.Hash{}, &failure.Error{Code: failure.HostNotAllowed, Side: failure.Target, Step: resolving, Hints: []string{ref.Repository().Host()}}
	}
	digest, f := ask(ctx, client, ref, turns)
	if f != nil && (f.Code == failure.NotFound || f.Code == failure.TargetRefused || f.Code == failure.TargetLogin) {
		return v1.Hash{}, nil // no such repository or tag yet; or a login for pushing alone, which will turn out
	}
	return digest, f
}

func ask(ctx context.Context, client *registry.Client, ref reference.Reference, turns *turns) (v1.Hash, *failure.Error) {
	done, err := turns.wait(ctx, client)
	if err != nil {
		return v1.Hash{}, typed(ctx, err)
	}
	defer done()
	digest, err := client.Digest(ctx, ref)
	if err != nil {
		return v1.Hash{}, typed(ctx, err)
	}
	return digest, nil
}

// Listing is the tags of a repository, or why they are not known.
type Listing struct {
	Tags    []string
	Failure *failure.Error
}

// Tags lists all tags of sources' repositories.
func (m *Mirror) Tags(ctx context.Context, repositories []reference.Repository) map[reference.Repository]Listing {
	turns := newTurns(listsAtOnce)
	listings := make(map[reference.Repository]Listing, len(repositories))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, repository := range repositories {
		client, ok := m.opts.Sources.ForHost(repository.Host())
		if !ok {
			f := &failure.Error{Code: failure.HostNotAllowed, Side: failure.Source, Step: resolving, Hints: []string{repository.Host()}}
			mu.Lock()
			listings[repository] = Listing{Failure: f}
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

// turns bound how many questions a registry is asked at once.
type turns struct {
	most int
	mu   sync.Mutex
	of   map[*registry.Client]chan struct{}
}

func newTurns(most int) *turns { return &turns{most: most, of: map[*registry.Client]chan struct{}{}} }

// wait waits for a turn at a registry. Done ends it.
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
