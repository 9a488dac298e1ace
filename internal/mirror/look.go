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

// looksAtOnce is the maximum number of concurrent requests to one registry. A HEAD
// response has no body, so only round trips count: 1,000 of 60 ms take one and a half
// seconds.
const looksAtOnce = 48

// Standing is the state of a destination and its source.
type Standing struct {
	// Source is the digest of the source's reference. It is zero if Gone is
	// set, if there is a Failure, or if it was not requested.
	Source v1.Hash
	// Held is the digest of the mirror name; zero for none.
	Held v1.Hash
	// Gone reports whether the source no longer has the image and the
	// destination has it.
	Gone bool
	// Failure says why one of the two is unknown.
	Failure *failure.Error
}

// Asked says which sources Look asks.
type Asked int

// The values.
const (
	AllSources    Asked = iota
	AbsentSources       // those of images that a destination does not hold
	NoSources
)

// Look looks up the digests of the sources and destinations of all steps, with
// one request for each, and copies nothing. The result has a Standing for each
// step and destination.
func (m *Mirror) Look(ctx context.Context, steps []plan.Step, asked Asked) [][]Standing {
	r := newRun(m, plan.Plan{Steps: steps}, nil)
	r.prepare()
	turns := newTurns(looksAtOnce)
	standings := make([][]Standing, len(steps))
	// More goroutines would only wait.
	slots := make(chan struct{}, 16*looksAtOnce)
	var wg sync.WaitGroup
	for i, step := range steps {
		standings[i] = make([]Standing, len(step.Destinations))
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			m.look(ctx, step, asked, turns, standings[i])
		})
	}
	wg.Wait()
	return standings
}

// look looks up one step, source and destinations concurrently.
func (m *Mirror) look(ctx context.Context, step plan.Step, asked Asked, turns *turns, to []Standing) {
	source := func() (v1.Hash, *failure.Error) { return m.named(ctx, step.Image.Reference, turns) }
	var digest v1.Hash
	var failed *failure.Error
	var wg sync.WaitGroup
	if asked == AllSources {
		wg.Go(func() { digest, failed = source() })
	}
	for k, d := range step.Destinations {
		wg.Go(func() { to[k].Held, to[k].Failure = m.holds(ctx, d.Mirror, turns) })
	}
	wg.Wait()
	if asked != AllSources {
		all := true
		for _, s := range to {
			all = all && (s.Held != v1.Hash{} || s.Failure != nil)
		}
		if all || asked == NoSources {
			return
		}
		digest, failed = source()
	}
	for k := range to {
		to[k].Source = digest
		switch {
		case failed == nil || to[k].Failure != nil || asked == AbsentSources && to[k].Held != v1.Hash{}:
		case failed.Code == failure.NotFound && to[k].Held != v1.Hash{}:
			to[k].Gone = true
		default:
			to[k].Failure = failed
		}
	}
}

// named returns the digest of a source's reference, without a request if the
// reference has one.
func (m *Mirror) named(ctx context.Context, ref reference.Reference, turns *turns) (v1.Hash, *failure.Error) {
	if d := ref.Digest(); ref.HasDigest() && d.Algorithm == "sha256" {
		return d, nil
	}
	client, ok := m.opts.Sources.ForHost(ref.Repository().Host())
	if !ok {
		return v1.Hash{}, notAllowed(failure.Source, ref.Repository().Host())
	}
	return ask(ctx, client, ref, turns)
}

// holds returns the digest of a mirror name.
func (m *Mirror) holds(ctx context.Context, ref reference.Reference, turns *turns) (v1.Hash, *failure.Error) {
	client, ok := m.opts.Targets.ForRepository(ref.Repository())
	if !ok {
		return v1.Hash{}, notAllowed(failure.Target, ref.Repository().Host())
	}
	digest, f := ask(ctx, client, ref, turns)
	if f != nil && saysNothing(f) {
		return v1.Hash{}, nil
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

// Names returns the names with tags in a namespace of a target, "host/namespace", and
// reports whether these are all: only some registries list their repositories. The names
// of signatures are left out.
func (m *Mirror) Names(ctx context.Context, target string) (names []reference.Reference, all bool) {
	repositories, err := m.repositories(ctx, target)
	listings := m.tags(ctx, repositories, m.opts.Targets)
	all = err == nil
	for _, r := range repositories {
		l := listings[r]
		all = all && (l.Failure == nil || saysNothing(l.Failure))
		for _, tag := range l.Tags {
			if name, err := r.Tagged(tag); err == nil && !attached.MatchString(tag) {
				names = append(names, name)
			}
		}
	}
	return names, all
}
