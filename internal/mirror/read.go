package mirror

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Read reads the manifests of an image for the given platforms, or for all if
// there are none. If the image has none of them, it is read whole if byDefault
// is set; otherwise that is an error. With referrers, it also reads the manifests that
// refer to it. Errors are *failure.Error.
func (m *Mirror) Read(ctx context.Context, ref reference.Reference, platforms []reference.Platform, byDefault, referrers bool) (*Image, error) {
	step := plan.Step{Destinations: []plan.Destination{{Platforms: platforms}}}
	step.Image.Reference = ref
	img := newImage(m, step)
	defer img.allowance.release()
	read, err := img.read(ctx, platforms, byDefault, referrers)
	if err != nil {
		return nil, typed(ctx, err)
	}
	return read, nil
}

// Digest returns the digest of a source's reference; see registry.Mirrored.
func (m *Mirror) Digest(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	client, ok := m.source(ref.Repository().Host())
	if !ok {
		return v1.Hash{}, unusable(failure.HostNotAllowed, ref.Repository().Host(), "the host is not among the sources")
	}
	return registry.Mirrored(ctx, client, ref)
}

func (img *image) read(ctx context.Context, platforms []reference.Platform, byDefault, referrers bool) (*Image, error) {
	if err := img.resolve(ctx); err != nil {
		return nil, err
	}
	whole, err := img.grow(ctx)
	if err != nil {
		return nil, err
	}
	chosen, err := whole.choose(platforms, byDefault)
	if err != nil {
		return nil, err
	}
	n, changes, err := whole.part(chosen)
	if err != nil {
		return nil, err
	}
	if err := n.within(img.m.opts.ImageBytes); err != nil {
		return nil, err
	}
	read := img.part(n)
	read.Changes = changes
	if len(changes) > 0 && changes[0] == Incomplete {
		read.Missing = whole.lost()
	}
	if referrers {
		read.Referrers, err = img.referrers(ctx, n)
	}
	return read, err
}

// referrers reads the manifests that refer to those of n, within the limits on an image.
func (img *image) referrers(ctx context.Context, n *node) (found []Referrer, err error) {
	p := &copier{image: img, attached: &attachments{}, source: img.client, from: img.step.Image.Reference.Repository()}
	q := p.inquire(ctx, n)
	if <-q.done; q.err != nil {
		return nil, q.err
	}
	g := img.grower()
	g.wanted = nil // they have no platforms
	add := func(tag string, m *registry.Manifest) {
		var n *node
		if n, err = g.grow(ctx, m, v1.Descriptor{}, 0); err == nil {
			err = n.within(img.m.opts.ImageBytes)
		}
		if err == nil {
			found = append(found, Referrer{tag, img.part(n)})
		}
	}
	for i := range q.found {
		a := &q.found[i]
		for k, m := range a.tied {
			if m != nil && err == nil {
				add(cosignTag(a.subject, cosign[k]), m)
			}
		}
		if err == nil {
			err = g.admit(len(a.entries))
		}
		for k := 0; k < len(a.entries) && err == nil; k++ {
			var m *registry.Manifest
			if m, err = img.fetch(ctx, g.ref.WithDigest(a.entries[k].Digest)); err == nil {
				add("", m)
			}
		}
	}
	return found, err
}

// Open reads one of the image's blobs. The last bytes are returned only after
// the digest has been verified. Errors are *failure.Error.
func (i *Image) Open(ctx context.Context, blob v1.Descriptor) (*transfer.Reader, error) {
	from := i.client.Blob(i.repository, blob.Digest, blob.Size)
	return i.engine.Open(ctx, transfer.Blob{Digest: blob.Digest, Size: blob.Size}, from)
}
