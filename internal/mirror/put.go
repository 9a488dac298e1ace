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

// copier copies one image to one destination.
type copier struct {
	image       *image
	engine      *transfer.Engine
	attached    *attachments
	budget      *budget
	source      Source
	from        reference.Repository
	target      *registry.Client
	destination plan.Destination
	to          reference.Reference // with the tag, which is written last
	before      v1.Hash             // the digest of the tag before; zero for none
	progress    func(moved int64, outcome transfer.Outcome)
	config      func() ([]byte, error) // of the image; read once for all destinations, so the failure of one must not cancel it
	arrived     func(blob v1.Hash)     // is called once for each blob that is at the target

	mu            sync.Mutex
	kept          reference.Reference // what the old content was tagged with
	unconfirmed   bool                // the target accepted the tag, but it could not be read back
	placed        map[v1.Hash]*placing
	told          map[v1.Hash]bool // blobs that arrived was called for
	put           map[v1.Hash]bool
	parts         exclusion
	tags          []PlatformTag // that were written in addition
	sent, mounted int64
	listing       sync.Mutex // protects the target's lists of referrers
	inquiry       *inquiry   // the referrers of the image; nil if they are not copied
}

// placing is the copy of one blob, shared by the manifests that need it.
type placing struct {
	done    chan struct{}
	outcome transfer.Outcome
	err     error
}

// brokenPart is a failure of one entry of an index. The other entries may be
// complete.
type brokenPart struct {
	digest  v1.Hash
	failure *failure.Error
}

func (b *brokenPart) Error() string { return b.failure.Error() }
func (b *brokenPart) Unwrap() error { return b.failure }

// bring writes the image without its tag: every manifest after those it refers
// to. It skips parts that were written before, in another form of the image.
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
				// The configuration has been read already, or will be, for its
				// platform.
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

// announceTime limits the time for an announcement.
const announceTime = 10 * time.Second

// bringFirst writes the platforms of the image that are wanted first, and announces its
// index to the front that waits for them, unless the target limits tags.
func (p *copier) bringFirst(ctx context.Context, o offer) error {
	opts := &p.image.m.opts
	first := 0
	for _, child := range o.node.children {
		if platform, ok := platformOf(child.entry.Platform); ok && slices.Contains(opts.First, platform) {
			if err := p.part(ctx, child); err != nil {
				return err
			}
			first++
		}
	}
	if first == 0 || first == len(o.node.children) || o.form != exact || opts.Run == "" || len(opts.Quotas) > 0 {
		return nil
	}
	to, err := p.to.Repository().Tagged(registry.Announcement(p.image.step.Image.Reference))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, announceTime)
	defer cancel()
	_ = p.target.Announce(ctx, to, o.node.manifest, opts.Run) // without it, the front waits for the tag
	return nil
}

// part writes an entry of an index.
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

// manifest writes a part of the image by its digest, once. A refusal counts if
// it is repeated.
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
		if p.isThere(ctx, err, p.to.Untagged(digest), digest) {
			err = nil
		}
		if err == nil {
			p.mu.Lock()
			p.put[digest] = true
			p.mu.Unlock()
		}
		return err
	})
}

// isThere reports whether err refuses to change what ref names, although it
// names the digest already: some registries refuse to store the same again.
func (p *copier) isThere(ctx context.Context, err error, ref reference.Reference, digest v1.Hash) bool {
	if failure.CodeOf(err) != failure.TagImmutable {
		return false
	}
	held, err := p.target.Digest(ctx, ref)
	return err == nil && held == digest
}

// maxMiscount is how many bytes a blob may be larger than in its manifest and
// still be copied. The limits count the sizes in manifests.
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
		// The digest is decisive, and the manifest stays unchanged.
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

// lateRestore is how often the target must report a missing part of the image
// before everything is sent again: until then it may need time.
const lateRestore = 4

// restorer restores parts of n that the target reports as missing, although it
// reported them as present: after the second report, parts that were present or
// mounted, and after lateRestore reports everything that it does not find.
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

// lost discards the state of the blobs of n that the target does not find and,
// if all is set, of the manifests in n. It reports whether there were any.
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
			return nil // it is already being sent again
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
		if p.placed[digest] == pl { // another manifest may refer to it
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

// give copies an offer and tags it.
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
	if err := p.bringFirst(ctx, o); err != nil {
		return err
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
		// The source is idle by now, and the tag takes two round trips.
		p.inquiry = p.inquire(ctx, o.node)
	}
	ahead, cancel := context.WithCancel(ctx)
	defer cancel()
	seen := p.target.LookAhead(ahead, p.to, o.node.manifest.Digest)
	if err = p.keep(ctx, o.node.manifest.Digest); err == nil {
		err = p.tag(ctx, p.to, o.node)
	}
	if err != nil {
		cancel()
	}
	if confirmed := seen(); err == nil && !confirmed {
		confirmed, err = p.target.Confirm(ctx, p.to, o.node.manifest.Digest, p.before)
		p.unconfirmed = err == nil && !confirmed
	}
	return err
}

// keep tags what the mirror's tag names until now with the destination's name for
// it, unless that is the same as the new content, or gone.
func (p *copier) keep(ctx context.Context, now v1.Hash) error {
	to := p.destination.Kept
	if to.IsZero() || p.before == now || p.before == (v1.Hash{}) {
		return nil
	}
	old, err := p.target.Manifest(ctx, p.to.Untagged(p.before))
	if failure.CodeOf(err) == failure.NotFound {
		return nil
	}
	if err == nil {
		_, err = p.target.PutManifest(ctx, to, old, nil)
	}
	if f, ok := failure.As(err); ok {
		// Another form of the new content would not help.
		failed := *f
		failed.Step = "keeping the old content"
		return &failed
	}
	if err == nil {
		p.kept = to
	}
	return err
}

// slowAnswer is the response time of a source above which its referrers are
// requested while blobs are copied: later, the answers would arrive after the
// tag is written.
const slowAnswer = 120 * time.Millisecond

// mayTag reports whether Ferry may write an additional tag: it is free, or the
// source has no tag with that name.
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

// shared reports whether images of several sources can be in the target
// repository.
func (p *copier) shared() bool {
	return p.destination.Exclusive || p.destination.Mixed || !p.destination.Before.IsZero()
}

// tag tags n at the target. It returns a refusal of the form unchanged; a
// refusal of the tag has the code TagImmutable: the registry accepts the
// manifest but not the tag.
func (p *copier) tag(ctx context.Context, ref reference.Reference, n *node) error {
	err := p.write(ctx, ref, n)
	if p.isThere(ctx, err, ref, n.manifest.Digest) {
		return nil
	}
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

// write writes a manifest. It never sends the same manifest to the same
// repository twice at once: registries refuse the second request.
func (p *copier) write(ctx context.Context, ref reference.Reference, n *node) error {
	return p.image.m.writing.alone(ctx, ref.Repository().String()+"@"+n.manifest.Digest.String(), func() error {
		_, err := p.target.PutManifest(ctx, ref, n.manifest, p.restorer(n))
		return err
	})
}

// glimpse is present, but returns only the digest where pulls are counted.
func glimpse(ctx context.Context, target *registry.Client, ref reference.Reference) (*registry.Manifest, error) {
	if !countsPulls(target.Host()) {
		return present(ctx, target, ref)
	}
	digest, err := target.Digest(ctx, ref)
	return orNone(&registry.Manifest{Digest: digest}, err)
}

// present returns the manifest of the mirror name, or nil for none.
func present(ctx context.Context, target *registry.Client, ref reference.Reference) (*registry.Manifest, error) {
	m, err := target.Manifest(ctx, ref)
	if err == nil && len(m.Body) > lightManifests {
		m.Body = nil // only its digest is needed
	}
	return orNone(m, err)
}

// orNone returns m, or nil if err means that it does not exist.
func orNone(m *registry.Manifest, err error) (*registry.Manifest, error) {
	f, ok := failure.As(err)
	switch {
	case !ok:
		return m, nil
	case saysNothing(f):
		return nil, nil
	}
	return nil, err
}

// saysNothing reports whether a failure to read a manifest at a target leaves
// open whether Ferry may push: the repository or the tag does not exist yet, or
// the login, or a proxy in front of the registry, only allows pushing. The push
// will show it.
func saysNothing(f *failure.Error) bool {
	switch f.Code {
	case failure.NotFound, failure.TargetRefused:
		return true
	case failure.TargetLogin, failure.TargetClosed:
		return f.Step == registry.ReadingManifest
	default:
		return false
	}
}
