package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Image is an image at its source, or a part of it. Its manifests have been
// read, its blobs have not.
type Image struct {
	// SourceDigest is the digest of the source's reference.
	SourceDigest v1.Hash
	// Manifests are the distinct manifests of the image, each after those it
	// refers to. The last one is the image itself.
	Manifests []*registry.Manifest
	// Blobs are the distinct blobs of these manifests.
	Blobs []v1.Descriptor
	// Size is the sum of all distinct blobs and manifests, in bytes.
	Size int64
	// Platforms, Changes and Missing are as in a Receipt.
	Platforms []reference.Platform
	Changes   []Change
	Missing   []reference.Platform
	// Referrers are the signatures, attestations and SBOMs of the image, if they
	// were asked for.
	Referrers []Referrer

	engine     *transfer.Engine
	client     Source
	repository reference.Repository
}

// Referrer is an image that refers to another one. Tag is the tag by which cosign finds
// it, or empty: then its manifest names its subject.
type Referrer struct {
	Tag string
	*Image
}

// image is the source of a step, resolved once for all destinations.
type image struct {
	m    *Mirror
	step plan.Step

	allowance allowance

	once   sync.Once
	client Source
	digest v1.Hash            // the digest of the source's tag
	root   *registry.Manifest // nil if only the digest was requested
	err    error

	ahead    sync.WaitGroup // of growAhead
	treeOnce sync.Once
	tree     *node // the whole image
	treeErr  error

	namedOnce sync.Once
	namedTree *node // see named
	namedErr  error

	verifyOnce sync.Once
	unsigned   Change // empty, or Unsigned
	verifyErr  error

	configOnce sync.Once
	configText []byte
	configErr  error
	platform   v1.Platform // zero for none
}

func newImage(m *Mirror, step plan.Step) *image {
	return &image{m: m, step: step, allowance: allowance{turn: m.turn}}
}

// resolve resolves the source's reference. Docker Hub counts GET requests for
// manifests against its pull limit, so there only the digest is requested at
// first.
func (img *image) resolve(ctx context.Context) error {
	img.once.Do(func() {
		ref := img.step.Image.Reference
		var ok bool
		if img.client, ok = img.m.source(ref.Repository().Host()); !ok {
			img.err = notAllowed(failure.Source, ref.Repository().Host())
			return
		}
		if countsPulls(ref.Repository().Host()) {
			if img.digest, img.err = img.client.Digest(ctx, ref); img.err != nil || img.digest != (v1.Hash{}) {
				img.err = img.hint(ctx, img.err)
				return
			}
		}
		if img.root, img.err = img.client.Manifest(ctx, ref); img.err == nil {
			img.digest = img.root.Digest
			if len(img.root.Body) > lightManifests {
				img.root = nil // it is read again when this image has the turn
			}
		}
		img.err = img.hint(ctx, img.err)
	})
	return img.err
}

// verify checks whether the owner allows the image of the reference.
func (img *image) verify(ctx context.Context) error {
	if img.m.opts.Verify == nil {
		return nil
	}
	img.verifyOnce.Do(func() {
		ref := img.step.Image.Reference
		img.unsigned, img.verifyErr = img.m.opts.Verify(ctx, ref.Untagged(img.digest))
	})
	return img.verifyErr
}

// grow reads all manifests of the image.
func (img *image) grow(ctx context.Context) (*node, error) {
	img.treeOnce.Do(func() {
		if img.root == nil {
			ref := img.step.Image.Reference
			if !ref.HasDigest() { // a digest of the requester's may be a sha512
				ref = ref.WithDigest(img.digest)
			}
			img.root, img.treeErr = img.fetch(ctx, ref)
		} else {
			img.treeErr = img.allowance.take(ctx, int64(len(img.root.Body)))
		}
		if img.treeErr != nil {
			return
		}
		if img.tree, img.treeErr = img.grower().grow(ctx, img.root, v1.Descriptor{}, 0); img.treeErr != nil {
			return
		}
		if slices.ContainsFunc(img.step.Destinations, func(d plan.Destination) bool { return len(d.Platforms) > 0 }) {
			if _, img.treeErr = img.config(ctx); img.platform.OS != "" {
				img.tree.entry.Platform = &img.platform
			}
		}
	})
	return img.tree, img.treeErr
}

// growAhead begins to read the manifests of an index, while the target is asked.
// It ends with ctx.
func (img *image) growAhead(ctx context.Context) {
	if img.root.MediaType.IsIndex() {
		img.ahead.Go(func() { _, _ = img.grow(ctx) }) // the destinations get the error
	}
}

// named returns the current image of the source's tag, for a reference with a
// tag and a digest, if that image or one of its platforms has the digest.
// Otherwise it returns nil.
func (img *image) named(ctx context.Context) (*node, error) {
	img.namedOnce.Do(func() {
		img.namedTree, img.namedErr = img.findNamed(ctx)
	})
	return img.namedTree, img.namedErr
}

func (img *image) findNamed(ctx context.Context) (*node, error) {
	ref := img.step.Image.Reference
	tagged, err := ref.Repository().Tagged(ref.Tag())
	if err != nil {
		return nil, err
	}
	digest, err := img.client.Digest(ctx, tagged)
	switch {
	case failure.CodeOf(err) == failure.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	case digest == img.digest:
		return img.tree, nil
	case digest != v1.Hash{}:
		tagged = tagged.WithDigest(digest)
	}
	m, err := img.fetch(ctx, tagged)
	if err != nil {
		return nil, err
	}
	if m.Digest == img.digest {
		return img.tree, nil
	}
	infer(m)
	index, err := v1.ParseIndexManifest(bytes.NewReader(m.Body))
	if !m.MediaType.IsIndex() || err != nil || !slices.ContainsFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Digest == img.digest }) {
		return nil, nil
	}
	return img.grower().grow(ctx, m, v1.Descriptor{}, 0)
}

// fetch reads a manifest of unknown size. A large one is dropped, and read
// again when this image has the turn.
func (img *image) fetch(ctx context.Context, ref reference.Reference) (*registry.Manifest, error) {
	m, err := img.client.Manifest(ctx, ref)
	if err != nil {
		return nil, err
	}
	size, digest := int64(len(m.Body)), m.Digest
	if size <= lightManifests {
		return m, img.allowance.take(ctx, size)
	}
	if err := img.allowance.take(ctx, size); err != nil {
		return nil, err
	}
	if !ref.HasDigest() {
		ref = ref.WithDigest(digest)
	}
	return img.client.Manifest(ctx, ref)
}

func (img *image) grower() *grower {
	return &grower{client: img.client, ref: img.step.Image.Reference, limit: img.m.opts.IndexManifests, sizes: map[v1.Hash]int64{},
		read: map[v1.Hash]*reading{}, allowance: &img.allowance, wanted: img.wanted()}
}

// wanted returns the platforms that any destination wants; nil for all.
func (img *image) wanted() []reference.Platform {
	var list []reference.Platform
	for _, d := range img.step.Destinations {
		if len(d.Platforms) == 0 {
			return nil
		}
		list = append(list, d.Platforms...)
	}
	return list
}

// config reads the configuration of a plain image, which is the only place that
// has its platform. Indexes and artifacts that are not images have none.
func (img *image) config(ctx context.Context) ([]byte, error) {
	img.configOnce.Do(func() {
		d := img.tree.config
		if !isConfig(d) {
			return
		}
		if img.configText, img.configErr = img.client.SmallBlob(ctx, img.step.Image.Reference.Repository(), d.Digest, d.Size); img.configErr != nil {
			return
		}
		if json.Unmarshal(img.configText, &img.platform) != nil {
			img.platform = v1.Platform{}
		}
	})
	return img.configText, img.configErr
}

// resolved returns what the source has said; nil if it has not.
func (img *image) resolved() *resolved {
	if img.err != nil || img.digest == (v1.Hash{}) {
		return nil
	}
	r := &resolved{digest: img.digest}
	if img.tree == nil {
		return r
	}
	r.parts = map[v1.Hash]reference.Platform{}
	var entries []v1.Descriptor
	for _, n := range img.tree.children {
		entries = append(entries, n.entry)
	}
	for i := range img.tree.missing {
		entries = append(entries, img.tree.missing[i].entry)
	}
	for i := range entries {
		if p, ok := platformOf(entries[i].Platform); ok {
			r.parts[entries[i].Digest] = p
		}
	}
	return r
}

// part returns the image, or the part of it that is chosen.
func (img *image) part(chosen *node) *Image {
	read := &Image{
		SourceDigest: img.digest, Size: chosen.size(), Platforms: chosen.platforms(),
		engine: img.m.engine, client: img.client, repository: img.step.Image.Reference.Repository(),
	}
	seen := map[v1.Hash]bool{}
	chosen.walk(func(n *node) {
		read.Manifests = append(read.Manifests, n.manifest)
		for _, b := range n.blobs {
			if !seen[b.Digest] {
				seen[b.Digest] = true
				read.Blobs = append(read.Blobs, b)
			}
		}
	})
	return read
}
