package mirror

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// countsAtOnce is the maximum number of concurrent requests that count what targets
// hold.
const countsAtOnce = 16

// Stocks returns what targets hold: the repositories that the registry lists or, if it
// has no list, those of held, which gives the number of tags by repository. Held is
// empty if it is not known.
func (m *Mirror) Stocks(ctx context.Context, quotas []Quota, held map[string]int) []plan.Stock {
	stocks := make([]plan.Stock, len(quotas))
	var all sync.WaitGroup
	for i, q := range quotas {
		s := &stocks[i]
		*s = plan.Stock{Target: q.Target, Repositories: q.Repositories, Tags: q.Tags, Held: map[string]int{}}
		all.Go(func() {
			listed, err := m.repositories(ctx, q.Target)
			if err == nil {
				m.count(ctx, s, listed, held)
				return
			}
			for name, tags := range held {
				if r, err := reference.Parse(name + ":x"); err == nil && s.Of(r.Repository()) {
					s.Held[name] = tags
				}
			}
		})
	}
	all.Wait()
	return stocks
}

// repositories returns the repositories of a target, "host/namespace", if its registry
// lists them.
func (m *Mirror) repositories(ctx context.Context, target string) ([]reference.Repository, error) {
	sample, err := reference.Parse(target + "/x:x")
	if err != nil {
		return nil, err
	}
	path := sample.Repository().Path()
	client, ok := m.opts.Targets.ForRepository(sample.Repository())
	if !ok {
		return nil, notAllowed(failure.Target, target)
	}
	return client.Repositories(ctx, path[:len(path)-len("/x")])
}

// count fills a stock with the repositories that a registry has listed. If tags are
// limited it asks for those of repositories that are not in held. Tags of signatures do
// not count.
func (m *Mirror) count(ctx context.Context, s *plan.Stock, listed []reference.Repository, held map[string]int) {
	var unknown []reference.Repository
	for _, r := range listed {
		tags, known := held[r.String()]
		s.Held[r.String()] = tags
		if !known && s.Tags > 0 {
			unknown = append(unknown, r)
		}
	}
	for r, l := range m.tags(ctx, unknown, m.opts.Targets) {
		if l.Failure == nil {
			s.Held[r.String()] = len(slices.DeleteFunc(l.Tags, attached.MatchString))
		}
	}
}

// Surplus returns the failures of destinations that would exceed a quota, by steps
// and destinations; nil for those that fit, for which it reserves room. It writes
// nothing.
func (m *Mirror) Surplus(ctx context.Context, steps []plan.Step) [][]*failure.Error {
	var quotas []Quota
	for _, q := range m.opts.Quotas {
		if uses(steps, q.Target) {
			quotas = append(quotas, q)
		}
	}
	if len(quotas) == 0 {
		return nil
	}
	refused := make([][]*failure.Error, len(steps))
	for i, list := range m.reserve(ctx, steps, quotas) {
		refused[i] = make([]*failure.Error, len(list))
		for k, over := range list {
			if over > 0 {
				refused[i][k] = &failure.Error{Code: failure.Quota, Side: failure.Target, Step: "counting", Hints: []string{strconv.Itoa(int(over))}}
			}
		}
	}
	return refused
}

// reserve returns what would exceed the quotas, and reserves the rest. The targets
// are asked what they hold at the first use, and again only if the steps seem to
// exceed a quota: until then, everything counts as new, which is too much at most.
func (m *Mirror) reserve(ctx context.Context, steps []plan.Step, quotas []Quota) [][]plan.Surplus {
	m.counting.Lock()
	defer m.counting.Unlock()
	stocks, counted := make([]plan.Stock, len(quotas)), true
	for i, q := range quotas {
		s, ok := m.counted[q.Target]
		stocks[i], counted = s, counted && ok
	}
	count := func() {
		var held map[string]int
		if m.opts.Held != nil {
			held = m.opts.Held(ctx)
		}
		stocks = m.Stocks(ctx, quotas, held)
		for _, s := range stocks {
			m.held[s.Target] = s
		}
	}
	if !counted {
		count()
	}
	surplus, after := plan.Within(steps, stocks, func(reference.Reference) bool { return false })
	if slices.ContainsFunc(slices.Concat(surplus...), func(s plan.Surplus) bool { return s > 0 }) {
		if counted {
			count()
		}
		has := m.survey(ctx, steps, stocks)
		surplus, after = plan.Within(steps, stocks, func(r reference.Reference) bool { return has[r] })
	}
	if ctx.Err() == nil {
		for _, s := range after {
			m.counted[s.Target] = s
		}
	}
	return surplus
}

// Counted returns what the targets with a quota hold, as far as they have been counted,
// with what has been copied since.
func (m *Mirror) Counted() (stocks []plan.Stock) {
	m.counting.Lock()
	defer m.counting.Unlock()
	for _, q := range m.opts.Quotas {
		if s, ok := m.held[q.Target]; ok {
			s.Held = maps.Clone(s.Held)
			stocks = append(stocks, s)
		}
	}
	return stocks
}

// add adds a new tag in a repository to what the targets hold.
func (m *Mirror) add(at reference.Repository) {
	m.counting.Lock()
	defer m.counting.Unlock()
	for _, s := range m.held {
		if s.Of(at) {
			s.Held[at.String()]++
		}
	}
}

// uses reports whether a destination is at a target.
func uses(steps []plan.Step, target string) bool {
	for _, s := range steps {
		for _, d := range s.Destinations {
			if (plan.Stock{Target: target}).Of(d.Mirror.Repository()) {
				return true
			}
		}
	}
	return false
}

// survey looks up which of the destinations the targets with a quota have. It adds
// repositories to the stocks that have a tag, but were not known.
func (m *Mirror) survey(ctx context.Context, steps []plan.Step, stocks []plan.Stock) map[reference.Reference]bool {
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, countsAtOnce)
	ask := func(f func()) {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			f()
		})
	}
	has := map[reference.Reference]bool{}
	asked := map[reference.Repository]bool{}
	look := func(name reference.Reference, s plan.Stock) {
		mu.Lock()
		_, known := has[name]
		again := asked[name.Repository()]
		_, held := s.Held[name.Repository().String()]
		has[name], asked[name.Repository()] = false, true
		mu.Unlock()
		client, ok := m.opts.Targets.ForRepository(name.Repository())
		if !known && ok {
			ask(func() {
				if _, err := client.Digest(ctx, name); err == nil {
					mu.Lock()
					defer mu.Unlock()
					has[name] = true
					s.Held[name.Repository().String()] += 0
				}
			})
		}
		if !again && !held && ok {
			ask(func() {
				if client.HasTags(ctx, name.Repository()) {
					mu.Lock()
					defer mu.Unlock()
					s.Held[name.Repository().String()] += 0
				}
			})
		}
	}
	for _, step := range steps {
		for _, d := range step.Destinations {
			for _, s := range stocks {
				if !s.Of(d.Mirror.Repository()) {
					continue
				}
				look(d.Mirror, s)
				if !d.ByDigest.IsZero() {
					look(d.ByDigest, s)
				}
			}
		}
	}
	all.Wait()
	return has
}
