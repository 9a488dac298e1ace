package mirror

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// porter brings one image to one destination.
type porter struct {
	image    *image
	engine   *transfer.Engine
	budget   *budget
	source   *registry.Client
	from     reference.Repository
	target   *registry.Client
	to       reference.Reference // with the tag that is put last
	fresh    bool                // the tag did not exist
	progress func(moved int64, outcome transfer.Outcome)
	config   func() ([]byte, error) // of the image; it is read once for all destinations, so that no failure of one may stop it
	arrived  func(blob v1.Hash)     // is there now, each once

	mu            sync.Mutex
	unconfirmed   bool // the target took the tag, and does not tell what it names
	placed        map[v1.Hash]*placing
	put           map[v1.Hash]bool
	sent, mounted int64
	listing       sync.Mutex // guards the target's lists of referrers
	inquiry       *inquiry   // what refers to what was given; nil if nobody wants to know
}

// placing is one blob on its way, shared by the manifests that need it.
type placing struct {
	done chan struct{}
	err  error
}

// bring puts the image without its tag: every manifest after what it names.
// Parts that were brought before, in another form of the image, are left out.
func (p *porter) bring(ctx context.Context, n *node) error {
	err := each(ctx, len(n.children)+len(n.blobs), func(ctx context.Context, i int) error {
		if i < len(n.children) {
			child := n.children[i]
			if err := p.bring(ctx, child); err != nil {
				return err
			}
			return p.manifest(ctx, p.to.WithDigest(child.manifest.Digest), child.manifest)
		}
		d := n.blobs[i-len(n.children)]
		blob := transfer.Blob{Digest: d.Digest, Size: d.Size, Fresh: p.fresh}
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
	return err
}

func (p *porter) manifest(ctx context.Context, ref reference.Reference, m *registry.Manifest) error {
	p.mu.Lock()
	done := p.put[m.Digest]
	p.mu.Unlock()
	if done {
		return nil
	}
	if _, err := p.target.PutManifest(ctx, ref, m); err != nil {
		return err
	}
	p.mu.Lock()
	p.put[m.Digest] = true
	p.mu.Unlock()
	return nil
}

// maxMiscount is how many bytes a blob may have more than its manifest says, so
// that it is copied all the same. The limits are counted by what manifests say.
const maxMiscount = 64 << 10

func (p *porter) blob(ctx context.Context, d transfer.Blob) error {
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

// tag names the image at last and reads back what the name then means.
func (p *porter) tag(ctx context.Context, n *node) error {
	if _, err := p.target.PutManifest(ctx, p.to, n.manifest); err != nil {
		return err
	}
	confirmed, err := p.target.Confirm(ctx, p.to, n.manifest.Digest)
	p.unconfirmed = err == nil && !confirmed
	return err
}

// give brings an offer and tags it.
func (p *porter) give(ctx context.Context, o offer) error {
	if err := p.bring(ctx, o.node); err != nil {
		return err
	}
	tags, err := o.platformTags(p.to.Repository())
	if err != nil {
		return err
	}
	for _, t := range tags {
		n := o.tags[t.Mirror.Tag()]
		if err := p.bring(ctx, n); err != nil {
			return err
		}
		if _, err := p.target.PutManifest(ctx, t.Mirror, n.manifest); err != nil {
			return err
		}
	}
	if p.image.m.opts.Referrers {
		// The source has nothing else to do by now, and the tag takes two round trips.
		p.inquiry = p.inquire(ctx, o.node)
	}
	err = p.tag(ctx, o.node)
	if err != nil && p.inquiry != nil {
		p.inquiry.stop()
	}
	return err
}
