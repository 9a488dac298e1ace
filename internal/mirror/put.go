package mirror

import (
	"context"
	"maps"
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

// copier brings one image to one destination.
type copier struct {
	image       *image
	engine      *transfer.Engine
	attached    *attachments
	budget      *budget
	source      Source
	from        reference.Repository
	target      *registry.Client
	destination plan.Destination
	to          reference.Reference // with the tag that is put last
	before      v1.Hash             // what the tag named; zero for nothing
	progress    func(moved int64, outcome transfer.Outcome)
	config      func() ([]byte, error) // of the image; it is read once for all destinations, so that no failure of one may stop it
	arrived     func(blob v1.Hash)     // is there now, each once

	mu            sync.Mutex
	unconfirmed   bool // the target took the tag, and what it names could not be read back
	placed        map[v1.Hash]*placing
	told          map[v1.Hash]bool // blobs that have been told of as there
	put           map[v1.Hash]bool
	parts         exclusion
	tags          []PlatformTag // that were put beside
	sent, mounted int64
	listing       sync.Mutex // guards the target's lists of referrers
	inquiry       *inquiry   // the referrers of what was put; nil if they are not copied
}

// placing is one blob on its way, shared by the manifests that need it.
type placing struct {
	done    chan struct{}
	outcome transfer.Outcome
	err     error
}

// brokenPart is a failure about one entry of an index, whose others are whole as
// far as is known.
type brokenPart struct {
	digest  v1.Hash
	failure *failure.Error
}

func (b *brokenPart) Error() string { return b.failure.Error() }
func (b *brokenPart) Unwrap() error { return b.failure }

// bring puts the image without its tag: every manifest after what it names.
// Parts that were brought before, in another form of the image, are left out.
func (p *copier) bring(ctx context.Context, n *node) error {
	children := map[v1.Hash]*node{}
	for _, child := range n.children {
		children[child.manifest.Digest] = child
	}
	parts := slices.Collect(maps.Values(children))
	return each(ctx, 2, func(ctx context.Context, side int) error {
		if side == 0 {
			return eachIn(ctx, make(chan struct{}, maxParts), len(parts), func(ctx context.Context, i int) error {
				return p.part(ctx, parts[i])
			})
		}
		return eachIn(ctx, p.image.m.placing, len(n.blobs), func(ctx context.Context, i int) error {
			d := n.blobs[i]
			blob := transfer.Blob{Digest: d.Digest, Size: d.Size, Fresh: p.before == v1.Hash{}}
			if n == p.image.tree && i == 0 {
				// It has been read, or will be, for the platform that it names.
				text, err := p.config()
				if err != nil {
					return err
				}
				blob.Content = text
			}
			return p.blob(ctx, blob)
		})
	})
}

// part puts an entry of an index.
func (p *copier) part(ctx context.Context, child *node) error {
	err := p.bring(ctx, child)
	if f, ok := failure.As(err); ok && lacking(f) && ctx.Err() == nil {
		return &brokenPart{child.manifest.Digest, f}
	}
	if err != nil {
		return err
	}
	return p.manifest(ctx, child)
}

// manifest puts a part of the image by its digest, once. A refusal counts if it
// is repeated.
func (p *copier) manifest(ctx context.Context, n *node) error {
	digest := n.manifest.Digest
	return p.parts.alone(ctx, digest.String(), func() error {
		p.mu.Lock()
		done := p.put[digest]
		p.mu.Unlock()
		if done {
			return nil
		}
		err := p.write(ctx, p.to.Untagged(digest), n)
		if refusedForm(err) {
			err = p.write(ctx, p.to.Untagged(digest), n)
		}
		if err == nil {
			p.mu.Lock()
			p.put[digest] = true
			p.mu.Unlock()
		}
		return err
	})
}

// maxMiscount is how many bytes a blob may have more than its manifest says, so
// that it is copied all the same. The limits are counted by what manifests say.
const maxMiscount = 64 << 10

func (p *copier) blob(ctx context.Context, d transfer.Blob) error {
	p.mu.Lock()
	pl := p.placed[d.Digest]
	first := pl == nil
	if first {
		pl = &placing{done: make(chan struct{})}
		p.placed[d.Digest] = pl
	}
	told := p.told[d.Digest]
	p.mu.Unlock()
	if !first {
		select {
		case <-pl.done:
			return pl.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	place := func() (transfer.Outcome, error) {
		return p.engine.Place(ctx, d, p.source.Blob(p.from, d.Digest, d.Size),
			p.target.Upload(p.to.Repository(), d.Digest, d.Size), func(moved int64) {
				if !told {
					p.progress(moved, transfer.Sent)
				}
			})
	}
	outcome, err := place()
	if actual, wrong := registry.ActualSize(err); wrong && actual-d.Size < maxMiscount {
		// The digest is what counts, and the manifest stays as it is.
		d.Size = actual
		outcome, err = place()
	}
	p.mu.Lock()
	switch {
	case err != nil:
		delete(p.placed, d.Digest)
	case outcome == transfer.Sent:
		p.sent += d.Size
	case outcome == transfer.Mounted:
		p.mounted += d.Size
	}
	if err == nil && !told {
		p.told[d.Digest] = true
	}
	pl.outcome, pl.err = outcome, err
	p.mu.Unlock()
	if err == nil && !told {
		if outcome != transfer.Sent {
			p.progress(d.Size, outcome)
		}
		p.arrived(d.Digest)
	}
	close(pl.done)
	return err
}

// lateRestore is how often the target must have said that it lacks a part of the
// image until what was sent to it is sent again: until then it may need time.
const lateRestore = 4

// restorer brings again what a target lacks of n, although it said that it has it:
// at the second time what it said that it had already, or had mounted, and after
// some more times everything that it does not find.
func (p *copier) restorer(n *node) func(context.Context) (bool, error) {
	times := 0
	return func(ctx context.Context) (bool, error) {
		times++
		if times != 2 && times != lateRestore {
			return false, nil
		}
		lost, err := p.lost(ctx, n, times == lateRestore)
		if err != nil || !lost {
			return false, err
		}
		return true, p.bring(ctx, n)
	}
}

// lost discards what is known of blobs of n that the target does not find, and of
// the manifests in n if it is about all. It reports whether there was any.
func (p *copier) lost(ctx context.Context, n *node, all bool) (bool, error) {
	var mu sync.Mutex
	found := false
	err := eachIn(ctx, p.image.m.placing, len(n.blobs), func(ctx context.Context, i int) error {
		digest := n.blobs[i].Digest
		p.mu.Lock()
		pl := p.placed[digest]
		p.mu.Unlock()
		if pl == nil {
			return nil
		}
		select {
		case <-pl.done:
		default:
			return nil // it is being sent again already
		}
		claimed := pl.outcome != transfer.Sent
		if !claimed && !all || p.target.Holds(ctx, p.to.Repository(), digest) {
			return nil
		}
		if claimed {
			p.target.DistrustMounts()
		}
		p.engine.Lost(p.to.Repository(), digest)
		p.mu.Lock()
		if p.placed[digest] == pl { // another manifest may name it, too
			delete(p.placed, digest)
			if pl.outcome == transfer.Mounted {
				p.mounted -= n.blobs[i].Size
			}
		}
		p.mu.Unlock()
		mu.Lock()
		found = true
		mu.Unlock()
		return nil
	})
	if all {
		p.mu.Lock()
		for _, child := range n.children {
			found = found || p.put[child.manifest.Digest]
			delete(p.put, child.manifest.Digest)
		}
		p.mu.Unlock()
	}
	return found, err
}

// give brings an offer and tags it.
func (p *copier) give(ctx context.Context, o offer) (err error) {
	defer func() {
		if err != nil && p.inquiry != nil {
			p.inquiry.stop()
		}
	}()
	slow := p.source.Answer() >= slowAnswer
	if p.image.m.opts.Referrers && slow {
		p.inquiry = p.inquire(ctx, o.node)
	}
	if err := p.bring(ctx, o.node); err != nil {
		return err
	}
	tags, err := o.platformTags(p.to.Repository())
	if err != nil {
		return err
	}
	for _, t := range tags {
		ours, err := p.mayTag(ctx, t)
		if err != nil {
			return err
		}
		if !ours {
			continue
		}
		n := o.tags[t.Mirror.Tag()]
		if err := p.bring(ctx, n); err != nil {
			return err
		}
		if err := p.tag(ctx, t.Mirror, n); err != nil {
			return err
		}
		p.tags = append(p.tags, t)
	}
	if p.image.m.opts.Referrers && !slow {
		// The source has nothing else to do by now, and the tag takes two round trips.
		p.inquiry = p.inquire(ctx, o.node)
	}
	err = p.tag(ctx, p.to, o.node)
	if err == nil {
		var confirmed bool
		confirmed, err = p.target.Confirm(ctx, p.to, o.node.manifest.Digest, p.before)
		p.unconfirmed = err == nil && !confirmed
	}
	return err
}

// slowAnswer is how long a source takes to answer if it is asked for what refers
// to an image beside the blobs: its answers would come after the tag's.
const slowAnswer = 120 * time.Millisecond

// mayTag reports whether a tag beside the image's own is for Ferry to put: it is
// free, or no tag of the source has the name.
func (p *copier) mayTag(ctx context.Context, t PlatformTag) (bool, error) {
	held, err := glimpse(ctx, p.target, t.Mirror)
	switch {
	case err != nil:
		return false, err
	case held == nil, held.Digest == t.Digest:
		return true, nil
	case p.shared():
		return false, nil
	}
	named, err := p.from.Tagged(t.Mirror.Tag())
	if err != nil {
		return false, nil
	}
	_, err = p.source.Digest(ctx, named)
	if failure.CodeOf(err) == failure.NotFound {
		return true, nil
	}
	return false, err
}

// shared reports whether images of several sources can have the repository at
// the target.
func (p *copier) shared() bool { return p.destination.Exclusive || !p.destination.Before.IsZero() }

// tag names n at the target. A refusal of the form is returned as it is; one of
// the tag has the code TagImmutable: the registry takes the manifest, but does
// not let the tag name it.
func (p *copier) tag(ctx context.Context, ref reference.Reference, n *node) error {
	err := p.write(ctx, ref, n)
	if !refusedForm(err) {
		return err
	}
	// A second attempt without the tag shows which of the two was refused.
	if p.write(ctx, ref.Untagged(n.manifest.Digest), n) != nil {
		return err
	}
	again := p.write(ctx, ref, n)
	if f, ok := failure.As(again); ok && refusedForm(again) {
		return &failure.Error{Code: failure.TagImmutable, Side: failure.Target, Step: f.Step, Detail: f.Detail, Err: f}
	}
	return again
}

// write puts a manifest. No two requests put one manifest into one repository
// at a time: registries refuse the second.
func (p *copier) write(ctx context.Context, ref reference.Reference, n *node) error {
	return p.image.m.writing.alone(ctx, ref.Repository().String()+"@"+n.manifest.Digest.String(), func() error {
		_, err := p.target.PutManifest(ctx, ref, n.manifest, p.restorer(n))
		return err
	})
}

// glimpse is present, but the manifest has its digest alone where pulls are counted.
func glimpse(ctx context.Context, target *registry.Client, ref reference.Reference) (*registry.Manifest, error) {
	if !countsPulls(target.Host()) {
		return present(ctx, target, ref)
	}
	digest, err := target.Digest(ctx, ref)
	return orNone(&registry.Manifest{Digest: digest}, err)
}

// present is the manifest that the mirror name holds already, nil for none.
func present(ctx context.Context, target *registry.Client, ref reference.Reference) (*registry.Manifest, error) {
	m, err := target.Manifest(ctx, ref)
	if err == nil && len(m.Body) > lightManifests {
		m.Body = nil // its digest is enough
	}
	return orNone(m, err)
}

// orNone is m, or nil if err says that nothing is there.
func orNone(m *registry.Manifest, err error) (*registry.Manifest, error) {
	f, ok := failure.As(err)
	switch {
	case !ok:
		return m, nil
	case f.Code == failure.NotFound, f.Code == failure.TargetRefused:
		return nil, nil // no such repository or tag yet
	case f.Code == failure.TargetLogin && f.Step == registry.ReadingManifest:
		return nil, nil // a login may be good for pushing alone, which will turn out
	}
	return nil, err
}
