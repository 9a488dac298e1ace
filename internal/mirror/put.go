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
	budget      *budget
	source      *registry.Client
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
	put           map[v1.Hash]bool
	parts         exclusion
	tags          []PlatformTag // that were put beside
	sent, mounted int64
	listing       sync.Mutex // guards the target's lists of referrers
	inquiry       *inquiry   // the referrers of what was put; nil if they are not copied
}

// placing is one blob on its way, shared by the manifests that need it.
type placing struct {
	done chan struct{}
	err  error
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
	return p.manifest(ctx, child.manifest)
}

// manifest puts a part of the image by its digest, once. A refusal counts if it
// is repeated.
func (p *copier) manifest(ctx context.Context, m *registry.Manifest) error {
	return p.parts.alone(ctx, m.Digest.String(), func() error {
		p.mu.Lock()
		done := p.put[m.Digest]
		p.mu.Unlock()
		if done {
			return nil
		}
		err := p.write(ctx, p.to.Untagged(m.Digest), m)
		if refusedForm(err) {
			err = p.write(ctx, p.to.Untagged(m.Digest), m)
		}
		if err == nil {
			p.mu.Lock()
			p.put[m.Digest] = true
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
			p.target.Upload(p.to.Repository(), d.Digest, d.Size), func(moved int64) { p.progress(moved, transfer.Sent) })
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
	p.mu.Unlock()
	if err == nil {
		if outcome != transfer.Sent {
			p.progress(d.Size, outcome)
		}
		p.arrived(d.Digest)
	}
	pl.err = err
	close(pl.done)
	return err
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
		if err := p.tag(ctx, t.Mirror, n.manifest); err != nil {
			return err
		}
		p.tags = append(p.tags, t)
	}
	if p.image.m.opts.Referrers && !slow {
		// The source has nothing else to do by now, and the tag takes two round trips.
		p.inquiry = p.inquire(ctx, o.node)
	}
	err = p.tag(ctx, p.to, o.node.manifest)
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
	held, err := present(ctx, p.target, t.Mirror)
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

// tag names m at the target. A refusal of the form is returned as it is; one of
// the tag has the code TagImmutable: the registry takes the manifest, but does
// not let the tag name it.
func (p *copier) tag(ctx context.Context, ref reference.Reference, m *registry.Manifest) error {
	err := p.write(ctx, ref, m)
	if !refusedForm(err) {
		return err
	}
	// A second attempt without the tag shows which of the two was refused.
	if p.write(ctx, ref.Untagged(m.Digest), m) != nil {
		return err
	}
	again := p.write(ctx, ref, m)
	if f, ok := failure.As(again); ok && refusedForm(again) {
		return &failure.Error{Code: failure.TagImmutable, Side: failure.Target, Step: f.Step, Detail: f.Detail, Err: f}
	}
	return again
}

// write puts a manifest. No two requests put one manifest into one repository
// at a time: registries refuse the second.
func (p *copier) write(ctx context.Context, ref reference.Reference, m *registry.Manifest) error {
	return p.image.m.writing.alone(ctx, ref.Repository().String()+"@"+m.Digest.String(), func() error {
		_, err := p.target.PutManifest(ctx, ref, m)
		return err
	})
}

// present is the manifest that the mirror name holds already, nil for none.
func present(ctx context.Context, target *registry.Client, ref reference.Reference) (*registry.Manifest, error) {
	m, err := target.Manifest(ctx, ref)
	f, ok := failure.As(err)
	switch {
	case !ok:
		if len(m.Body) > lightManifests {
			m.Body = nil // its digest is enough
		}
		return m, nil
	case f.Code == failure.NotFound, f.Code == failure.TargetRefused:
		return nil, nil // no such repository or tag yet
	case f.Code == failure.TargetLogin && f.Step == registry.ReadingManifest:
		return nil, nil // a login may be good for pushing alone, which will turn out
	}
	return nil, err
}
