package mirror

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

const (
	// maxImages is the maximum number of concurrent images. It limits the
	// manifests in memory; blobs have their own limit.
	maxImages = 64
	// minWarm and maxWarm are how many connections are opened to each registry
	// in advance, so that the first requests need no handshakes: few for one
	// image, more for many images or blobs.
	minWarm, maxWarm = 6, 16
	// maxSized is the maximum number of images of a run whose manifests are read
	// for the size alone.
	maxSized = 10
	// imageTime limits the time for one image: GitHub stops a job after six
	// hours, so a slower image would never be complete.
	imageTime = 5 * time.Hour
)

// Run copies every step to all its destinations concurrently. It returns one
// result for each step and destination, in that order. A failure does not
// affect other results. watch, if not nil, is called with each event, one call
// at a time; it must return quickly. When ctx ends, the rest fails as cancelled
// or timed out.
func (m *Mirror) Run(ctx context.Context, steps []plan.Step, watch func(Event)) []Result {
	return m.RunAfter(ctx, nil, plan.Plan{Steps: steps}, watch)
}

// RunAfter is Run for the steps of a plan, within its quota. Until ready is
// closed it only reads. A nil channel counts as closed.
func (m *Mirror) RunAfter(ctx context.Context, ready <-chan struct{}, p plan.Plan, watch func(Event)) []Result {
	r := newRun(m, p, watch)
	r.ready = ready
	return r.do(ctx)
}

// run is one call of Mirror.Run.
type run struct {
	m        *Mirror
	steps    []plan.Step
	progress *progress
	budget   *budget
	attached attachments
	ready    <-chan struct{}    // see RunAfter
	results  []Result           // of all destinations, in the order of the steps
	first    []int              // the first result of each step
	refused  [][]*failure.Error // by steps and destinations; nil for none
	prepared []Prepared         // of a run that copies nothing; else nil
}

// Prepared is a destination of a plan before anything is copied.
type Prepared struct {
	// Result has neither Receipt nor Failure if there is something to copy.
	Result
	Content *Image  // what to copy; nil for nothing
	Before  v1.Hash // the digest of the mirror; zero for none
	// NewRepository is as in an Event.
	NewRepository bool
}

// errPrepared ends what Prepare has prepared.
var errPrepared = errors.New("prepared")

// Prepare does everything that RunAfter does before it copies: it refuses what is not
// available and what exceeds a limit, and reads the manifests of what is to be copied.
// The destinations are in the order of the steps.
func (m *Mirror) Prepare(ctx context.Context, p plan.Plan) []Prepared {
	r := newRun(m, p, nil)
	r.prepared = make([]Prepared, len(r.results))
	for i, result := range r.do(ctx) {
		r.prepared[i].Result = result
	}
	return r.prepared
}

func newRun(m *Mirror, p plan.Plan, watch func(Event)) *run {
	r := &run{
		m: m, steps: p.Steps, progress: newProgress(watch), budget: newBudget(m.opts.RequestBytes, p.Quota), first: make([]int, len(p.Steps)),
	}
	r.results = make([]Result, 0, len(p.Steps))
	for i := range p.Steps {
		step := &p.Steps[i]
		r.first[i] = len(r.results)
		for k := range step.Destinations {
			r.results = append(r.results, Result{Image: &step.Image, Destination: &step.Destinations[k]})
		}
	}
	return r
}

func (r *run) do(ctx context.Context) []Result {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if r.m.opts.MinRate > 0 {
		go r.progress.keepPace(ctx, r.m.opts.MinRate, cancel)
	}
	r.prepare()
	r.refused = r.m.Surplus(ctx, r.steps)
	slots := make(chan struct{}, maxImages)
	var wg sync.WaitGroup
	for i := range r.steps {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r.step(ctx, i)
		})
	}
	wg.Wait()
	return r.results
}

// prepare announces all scopes to the clients, so that one token covers them,
// and opens the first connections.
func (r *run) prepare() {
	var clients []*registry.Client
	expect := func(set *registry.Clients, repository reference.Repository, scopes ...registry.Scope) {
		c, ok := set.ForRepository(repository)
		if !ok {
			return
		}
		c.Expect(scopes...)
		if !slices.Contains(clients, c) {
			clients = append(clients, c)
		}
	}
	for _, step := range r.steps {
		source := step.Image.Reference.Repository()
		pull := registry.Scope{Repository: source}
		if r.m.opts.Archive == nil {
			expect(r.m.opts.Sources, source, pull)
		}
		for _, d := range step.Destinations {
			to := d.Mirror.Repository()
			expect(r.m.opts.Targets, to, registry.Scope{Repository: to, Push: true})
			if source.Host() == to.Host() {
				expect(r.m.opts.Targets, to, pull) // to mount from
			}
		}
	}
	for _, c := range clients {
		c.Warm(min(minWarm+len(r.steps)-1, maxWarm))
	}
}

// step copies one image to all its destinations.
func (r *run) step(ctx context.Context, i int) {
	step, began := r.steps[i], time.Now()
	ctx, cancel := context.WithTimeout(ctx, imageTime)
	img := newImage(r.m, step)
	defer img.allowance.release()
	defer img.ahead.Wait()
	defer cancel()
	var wg sync.WaitGroup
	for k := range step.Destinations {
		wg.Go(func() {
			r.progress.tell(Started, i, k, nil)
			var receipt *Receipt
			err := r.refusal(i, k)
			if err == nil {
				receipt, err = r.deliver(ctx, img, i, k)
			}
			if errors.Is(err, errPrepared) {
				return
			}
			result := &r.results[r.first[i]+k]
			if err != nil {
				result.Failure = typed(ctx, err)
			} else {
				receipt.Took = time.Since(began)
				result.Receipt = receipt
			}
			r.progress.tell(Finished, i, k, func(e *Event) { e.Result = result })
		})
	}
	wg.Wait()
	if _, asked := r.m.sources.Load(step.Image.Reference); asked {
		r.m.sources.Store(step.Image.Reference, img.resolved())
	}
}

// refusal returns the failure of a destination that was refused before.
func (r *run) refusal(i, k int) error {
	if r.refused == nil || r.refused[i][k] == nil {
		return nil
	}
	return r.refused[i][k]
}

// deliver copies the image to one destination.
func (r *run) deliver(ctx context.Context, img *image, i, k int) (*Receipt, error) {
	destination := img.step.Destinations[k]
	target, ok := r.m.opts.Targets.ForRepository(destination.Mirror.Repository())
	if !ok {
		return nil, notAllowed(failure.Target, destination.Mirror.Repository().Host())
	}
	// Source and destination are asked concurrently. The source is asked for
	// all destinations, so a failure at this destination does not cancel that.
	var held *registry.Manifest
	err := each(ctx, 2, func(here context.Context, side int) (err error) {
		if side == 0 {
			err = img.resolve(ctx)
			if err == nil && img.root != nil {
				n := min(parts(img.root), maxWarm)
				img.client.Warm(n)
				target.Warm(n)
				if r.sized() { // the manifests will be read in any case
					img.growAhead(ctx)
				}
			}
			return err
		}
		held, err = glimpse(here, target, destination.Mirror)
		return err
	})
	if err != nil {
		return nil, err
	}
	if held != nil && held.MediaType == "" { // only the digest is known
		switch {
		case held.Digest == img.digest && img.root != nil:
			root := *img.root
			held = &root
		case held.Digest != img.digest || len(destination.Platforms) > 0 && !destination.Default:
			if held, err = present(ctx, target, destination.Mirror); err != nil {
				return nil, err
			}
		}
	}
	if err := img.verify(ctx); err != nil {
		return nil, err
	}
	if held != nil && held.Digest == img.digest {
		infer(held)
		receipt := &Receipt{Mirror: destination.Mirror, SourceDigest: img.digest, Digest: img.digest, Present: true}
		receipt.Platforms, receipt.Size = glance(held)
		if img.unsigned != "" {
			receipt.Changes = []Change{img.unsigned}
		}
		lacks := func(p reference.Platform) bool { return !slices.Contains(receipt.Platforms, p) }
		if destination.Default || !slices.ContainsFunc(destination.Platforms, lacks) {
			if receipt.Size == 0 && r.sized() {
				receipt.Size = r.size(ctx, img, target, destination.Mirror, held)
			}
			return receipt, nil
		}
	}
	return r.copy(ctx, img, target, held, i, k)
}

// sized reports whether manifests are read for the size alone.
func (r *run) sized() bool { return r.m.opts.Sizes && len(r.steps) <= maxSized }

// size returns the size of an index that the target has, or zero if neither side
// tells it without a pull that counts.
func (r *run) size(ctx context.Context, img *image, target *registry.Client, mirror reference.Reference, held *registry.Manifest) int64 {
	switch {
	case r.m.opts.Archive != nil || !countsPulls(img.step.Image.Reference.Repository().Host()):
		if whole, err := img.grow(ctx); err == nil {
			return whole.size()
		}
	case !countsPulls(target.Host()):
		return sizeAt(ctx, target, mirror, held)
	}
	return 0
}

// copy copies the missing content to the target, in a form that the target
// accepts.
func (r *run) copy(ctx context.Context, img *image, target *registry.Client, held *registry.Manifest, i, k int) (*Receipt, error) {
	destination := img.step.Destinations[k]
	var c content
	empty, absent := false, held == nil
	err := each(ctx, 2, func(here context.Context, side int) (err error) {
		if side == 0 {
			c, err = r.decide(here, img, target, &destination, &held)
		} else if r.budget.quota != nil && absent {
			empty = !target.HasTags(here, destination.Mirror.Repository())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if empty && held == nil {
		first, err := r.budget.create(img.step.Image.Reference.Repository().String() + " " + img.step.Image.As.Path)
		if err != nil {
			return nil, err
		}
		r.progress.tell(Progress, i, k, func(e *Event) { e.NewRepository = first })
		if r.prepared != nil {
			r.prepared[r.first[i]+k].NewRepository = first
		}
	}
	p := &copier{
		image: img, engine: r.m.engine, attached: &r.attached, budget: r.budget, source: img.client, from: img.step.Image.Reference.Repository(),
		target: target, destination: destination, to: destination.Mirror, before: digestOf(held),
		placed: map[v1.Hash]*placing{}, told: map[v1.Hash]bool{}, put: map[v1.Hash]bool{},
		progress: func(moved int64, outcome transfer.Outcome) {
			r.progress.tell(Progress, i, k, func(e *Event) {
				e.Done += moved
				if outcome == transfer.Sent {
					e.Sent += moved
				}
			})
		},
		config: func() ([]byte, error) { return img.config(ctx) },
	}
	given, had, err := r.conclude(ctx, p, c, held, i, k)
	// A part that the source does not serve does not affect the others.
	for part := (*brokenPart)(nil); errors.As(err, &part) && c.without(part, destination); {
		given, had, err = r.conclude(ctx, p, c, held, i, k)
	}
	if err != nil {
		return nil, err
	}
	if held == nil {
		r.m.add(p.to.Repository())
	}
	if p.inquiry != nil {
		defer p.inquiry.stop()
	}
	receipt := &Receipt{
		Mirror: destination.Mirror, SourceDigest: img.digest, Digest: given.node.manifest.Digest, Size: given.node.size(),
		Present: had, Changes: given.changes, Platforms: c.chosen.platforms(), Tags: p.tags, Kept: p.kept,
	}
	if slices.Contains(receipt.Changes, Incomplete) {
		receipt.Missing = c.whole.lost()
	}
	if img.unsigned != "" {
		receipt.Changes = append(slices.Clone(receipt.Changes), img.unsigned)
	}
	if p.unconfirmed {
		receipt.Changes = append(slices.Clone(receipt.Changes), Unconfirmed)
	}
	if p.inquiry != nil && !had {
		if receipt.Referrers, err = p.referrers(ctx, img, p.inquiry); err != nil && ctx.Err() == nil {
			receipt.Changes = append(slices.Clone(receipt.Changes), leftBehind(err))
		}
	}
	if r.m.opts.Attest && !had {
		if err := p.attest(ctx, receipt, given.node.manifest); err != nil && ctx.Err() == nil {
			receipt.Changes = append(slices.Clone(receipt.Changes), NoStatement)
		}
	}
	if _, err := img.config(ctx); err != nil {
		return nil, err
	}
	if p, ok := platformOf(&img.platform); ok && c.chosen == img.tree && c.chosen.children == nil {
		receipt.Platforms = []reference.Platform{p}
	}
	receipt.Sent, receipt.Mounted = p.sent, p.mounted
	return receipt, nil
}

// conclude finds a form of the image that the target accepts, starting with the
// first form for that target, and copies it.
func (r *run) conclude(ctx context.Context, p *copier, c content, held *registry.Manifest, i, k int) (given offer, had bool, err error) {
	if err := c.chosen.within(r.m.opts.ImageBytes); err != nil {
		return offer{}, false, err
	}
	next := c.chosen.offers(c.changes, p.to.Tag())
	first := r.m.firstForms.first(p.target.Host(), c.chosen)
	if held != nil {
		for o, ok := next(); ok; o, ok = next() {
			// The tag has only one platform only at a target without indexes.
			if held.Digest == o.node.manifest.Digest && (o.form < platformTags || first == platformTags) {
				p.tags, err = o.platformTags(p.to.Repository())
				return o, true, err
			}
		}
	}
	if err := r.budget.take(c.chosen); err != nil {
		return offer{}, false, err
	}
	if r.prepared != nil {
		at := &r.prepared[r.first[i]+k]
		at.Content, at.Before = p.image.part(c.chosen), digestOf(held)
		return offer{}, false, errPrepared
	}
	layers := c.chosen.layers()
	r.progress.tell(Progress, i, k, func(e *Event) { e.Total, e.Layers = blobBytes(c.chosen), len(layers) })
	if r.ready != nil {
		select {
		case <-r.ready:
		case <-ctx.Done():
			return offer{}, false, context.Cause(ctx)
		}
	}
	p.arrived = func(blob v1.Hash) {
		if layers[blob] {
			r.progress.tell(Progress, i, k, func(e *Event) { e.LayersDone++ })
		}
	}
	next = c.chosen.offers(c.changes, p.to.Tag())
	o, _ := next()
	for {
		following, more := offer{}, true
		if o.form < first {
			if following, more = next(); more && following.form <= first {
				o = following
				continue
			}
		}
		if err = p.give(ctx, o); err == nil {
			if o.form > exact {
				r.m.firstForms.learn(p.target.Host(), o.form)
			}
			return o, false, nil
		}
		if !refusedForm(err) {
			return offer{}, false, err
		}
		if following.node == nil {
			following, more = next()
		}
		if !more {
			return offer{}, false, err
		}
		o = following
	}
}

// digestOf returns the digest of m, or zero for none.
func digestOf(m *registry.Manifest) v1.Hash {
	if m == nil {
		return v1.Hash{}
	}
	return m.Digest
}

func blobBytes(n *node) int64 {
	seen := map[v1.Hash]int64{}
	n.walk(func(n *node) {
		for _, b := range n.blobs {
			seen[b.Digest] = b.Size
		}
	})
	var sum int64
	for _, size := range seen {
		sum += size
	}
	return sum
}

// layers returns all blobs except the configs.
func (n *node) layers() map[v1.Hash]bool {
	found := map[v1.Hash]bool{}
	n.walk(func(n *node) {
		for _, b := range n.blobs {
			if b.Digest != n.config.Digest {
				found[b.Digest] = true
			}
		}
	})
	return found
}
