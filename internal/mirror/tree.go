package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// maxDepth is the maximum depth of nested indexes. In practice, only one index
// in another occurs.
const maxDepth = 3

// node is a manifest of an image with everything it refers to.
type node struct {
	manifest *registry.Manifest
	// entry is the descriptor in the parent; zero for the root.
	entry    v1.Descriptor
	children []*node         // of an index
	blobs    []v1.Descriptor // config and layers of a manifest, each once
	config   v1.Descriptor   // of a manifest
	// missing are the entries of an index that cannot be copied. The manifest
	// is rewritten without them; original is the digest that it had.
	missing  []missing
	original v1.Hash
}

// missing is a part of an image that the source lists and that cannot be copied.
type missing struct {
	entry    v1.Descriptor
	failure  *failure.Error
	unwanted bool // no destination wants it
}

// walk visits each manifest once, each after those it refers to.
func (n *node) walk(visit func(*node)) {
	n.visit(map[v1.Hash]bool{}, visit)
}

func (n *node) visit(seen map[v1.Hash]bool, visit func(*node)) {
	if seen[n.manifest.Digest] {
		return
	}
	seen[n.manifest.Digest] = true
	for _, child := range n.children {
		child.visit(seen, visit)
	}
	visit(n)
}

// size returns the sum of all distinct blobs and manifests.
func (n *node) size() int64 {
	seen := map[v1.Hash]int64{}
	n.walk(func(n *node) {
		seen[n.manifest.Digest] = int64(len(n.manifest.Body))
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

// grower reads the manifests of an image into a tree, all children
// concurrently, within the owner's limits.
type grower struct {
	client Source
	ref    reference.Reference  // in the repository of all manifests
	limit  int                  // on manifests
	wanted []reference.Platform // of all destinations; empty for all platforms

	mu    sync.Mutex
	count int
	sizes map[v1.Hash]int64 // of blobs
	read  map[v1.Hash]*reading

	allowance *allowance
}

// reading is a part of an image, which is read only once.
type reading struct {
	once  sync.Once
	node  *node
	err   error
	count int // the number of manifests below it
}

// grow reads everything that m refers to.
func (g *grower) grow(ctx context.Context, m *registry.Manifest, entry v1.Descriptor, depth int) (*node, error) {
	infer(m)
	n := &node{manifest: m, entry: entry}
	switch {
	case m.MediaType.IsIndex():
		return g.index(ctx, n, depth)
	case m.MediaType.IsImage():
		if err := g.image(n); err != nil {
			return nil, err
		}
		return n, nil
	case m.MediaType.IsSchema1():
		return nil, unusable(failure.Unsupported, string(m.MediaType), "manifest is of schema 1")
	}
	return nil, unusable(failure.Unsupported, "", "manifest is of type %.100q", m.MediaType)
}

func (g *grower) index(ctx context.Context, n *node, depth int) (*node, error) {
	if depth == maxDepth {
		return nil, unusable(failure.Unsupported, "", "indexes are nested deeper than %d", maxDepth)
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(n.manifest.Body))
	if err != nil {
		return nil, unusable(failure.Unsupported, "", "reading index %s: %w", n.manifest.Digest, err)
	}
	if len(index.Manifests) == 0 {
		return nil, unusable(failure.EmptyIndex, "", "index %s has no entries", n.manifest.Digest)
	}
	if err := g.admit(len(index.Manifests)); err != nil {
		return nil, err
	}
	n.original = n.manifest.Digest
	optional := unwanted(index.Manifests, g.wanted)
	children, failures := make([]*node, len(index.Manifests)), make([]*failure.Error, len(index.Manifests))
	err = eachIn(ctx, make(chan struct{}, maxParts), len(index.Manifests), func(ctx context.Context, i int) error {
		entry := index.Manifests[i]
		child, err := g.child(ctx, entry, depth, optional[entry.Digest])
		_, attests := entry.Annotations[attestationOf]
		if f, ok := failure.As(err); ok && ctx.Err() == nil && (lacking(f) || (attests || optional[entry.Digest]) && f.Side == failure.Source) {
			failures[i] = f
			return nil
		}
		children[i] = child
		return err
	})
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for i, child := range children {
		if child == nil {
			gone[index.Manifests[i].Digest.String()] = true
			n.missing = append(n.missing, missing{index.Manifests[i], failures[i], optional[index.Manifests[i].Digest]})
		}
	}
	for _, child := range children {
		if child == nil {
			continue
		}
		if of, attests := child.attests(); !attests || !gone[of] { // an attestation goes with its image
			n.children = append(n.children, child)
		}
	}
	rewritten := slices.ContainsFunc(n.children, func(c *node) bool { return c.manifest.Digest != c.entry.Digest })
	switch {
	case len(n.missing) == 0 && !rewritten:
		return n, nil
	case !slices.ContainsFunc(n.children, func(c *node) bool { _, attests := c.attests(); return !attests }):
		return nil, n.missing[0].failure
	}
	smaller, err := n.with(n.children)
	if err != nil {
		return nil, err
	}
	smaller.missing = n.missing
	for _, child := range n.children {
		smaller.missing = append(smaller.missing, child.missing...)
	}
	return smaller, nil
}

// buildCache is the prefix of the media type of a build cache's configuration,
// an index of blobs (BuildKit's cache exporter "registry").
const buildCache = "application/vnd.buildkit.cacheconfig."

// unwanted returns the entries of an index that no destination wants: those of
// other platforms, and attestations of a lone platform, which is copied without
// its index. If the index has none of the wanted platforms, all entries may be
// copied.
func unwanted(entries []v1.Descriptor, wanted []reference.Platform) map[v1.Hash]bool {
	others, keeps := map[v1.Hash]bool{}, map[v1.Hash]bool{}
	for _, entry := range entries {
		if p, ok := platformOf(entry.Platform); ok && slices.Contains(wanted, p) {
			keeps[entry.Digest] = true
		} else if ok {
			others[entry.Digest] = true
		}
	}
	if len(keeps) == 0 {
		return nil
	}
	for _, entry := range entries {
		if of, err := v1.NewHash(entry.Annotations[attestationOf]); err == nil && (others[of] || len(keeps) == 1) {
			others[entry.Digest] = true
		}
	}
	maps.DeleteFunc(others, func(digest v1.Hash, _ bool) bool { return keeps[digest] })
	return others
}

// child reads an entry of an index. An optional one is worth one attempt.
func (g *grower) child(ctx context.Context, entry v1.Descriptor, depth int, optional bool) (*node, error) {
	if len(entry.URLs) > 0 {
		return nil, unusable(failure.Unsupported, "", "manifest %s is held elsewhere", entry.Digest)
	}
	if entry.MediaType.IsLayer() || strings.HasPrefix(string(entry.MediaType), buildCache) {
		return nil, unusable(failure.Unsupported, string(entry.MediaType), "entry %s of the index is not a manifest; its type is %s", entry.Digest, entry.MediaType)
	}
	if entry.Size < 0 {
		return nil, unusable(failure.Unsupported, "", "manifest %s has %d bytes", entry.Digest, entry.Size)
	}
	if entry.Size > registry.MaxManifest {
		return nil, unusable(failure.ManifestTooLarge, "", "manifest %s has %d bytes", entry.Digest, entry.Size)
	}
	g.mu.Lock()
	r, again := g.read[entry.Digest]
	if !again {
		r = &reading{}
		g.read[entry.Digest] = r
	}
	g.mu.Unlock()
	r.once.Do(func() {
		if r.err = g.allowance.take(ctx, entry.Size); r.err != nil {
			return
		}
		read := g.client.Manifest
		if optional {
			read = g.client.Extra
		}
		var m *registry.Manifest
		if m, r.err = read(ctx, g.ref.WithDigest(entry.Digest)); r.err != nil {
			return
		}
		if int64(len(m.Body)) != entry.Size {
			r.err = unusable(failure.Corrupt, "", "manifest %s has %d bytes, its index says %d", entry.Digest, len(m.Body), entry.Size)
			return
		}
		if r.node, r.err = g.grow(ctx, m, entry, depth+1); r.err == nil {
			r.count = r.node.count()
		}
	})
	if r.err != nil {
		return nil, r.err
	}
	if again {
		if err := g.admit(r.count); err != nil {
			return nil, err
		}
	}
	same := *r.node
	same.entry = entry
	return &same, nil
}

// count returns the number of manifests that the indexes of n list.
func (n *node) count() int {
	sum := len(n.children)
	for _, child := range n.children {
		sum += child.count()
	}
	return sum
}

// lacking reports whether f is about one part of an image that the source does
// not serve or that cannot be copied, while the other parts still can.
func lacking(f *failure.Error) bool {
	if f.Side != failure.Source {
		return false
	}
	switch f.Code {
	case failure.NotFound, failure.Private, failure.SourceRefused, failure.Unsupported, failure.Corrupt, failure.WrongSize, failure.ManifestTooLarge:
		return true
	default: // the limits of the owner, or a failure that may pass
		return false
	}
}

func (g *grower) image(n *node) error {
	manifest, err := v1.ParseManifest(bytes.NewReader(n.manifest.Body))
	if err != nil {
		return unusable(failure.Unsupported, "", "reading manifest %s: %w", n.manifest.Digest, err)
	}
	n.config = manifest.Config
	seen := map[v1.Hash]bool{}
	for i, blob := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
		switch {
		case blob.Digest == (v1.Hash{}) && i == 0:
			return unusable(failure.Unsupported, "", "manifest %s has no config", n.manifest.Digest)
		case blob.Digest.Algorithm != "sha256" || blob.Size < 0:
			return unusable(failure.Unsupported, "", "manifest %s names a blob that cannot be", n.manifest.Digest)
		case len(blob.URLs) > 0 || !blob.MediaType.IsDistributable():
			// The author of the manifest chose these addresses (CVE-2020-15157).
			return unusable(failure.Unsupported, string(types.DockerForeignLayer), "layer %s is held elsewhere", blob.Digest)
		}
		if err := g.agree(blob); err != nil {
			return err
		}
		if !seen[blob.Digest] {
			seen[blob.Digest] = true
			n.blobs = append(n.blobs, blob)
		}
	}
	return nil
}

// admit counts manifests before they are requested.
func (g *grower) admit(more int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.count += more
	if g.count > g.limit {
		return unusable(failure.TooLarge, strconv.Itoa(g.limit), "image has %d manifests or more", g.count)
	}
	return nil
}

// agree checks that all descriptors of a blob have the same size.
func (g *grower) agree(blob v1.Descriptor) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, ok := g.sizes[blob.Digest]; ok && known != blob.Size {
		return unusable(failure.Corrupt, "", "blob %s has %d bytes and %d bytes", blob.Digest, known, blob.Size)
	}
	g.sizes[blob.Digest] = blob.Size
	return nil
}

// within returns an error if the distinct blobs of n exceed a limit in bytes.
func (n *node) within(limit int64) error {
	left := limit
	seen := map[v1.Hash]bool{}
	over := n.any(func(n *node) bool {
		for _, b := range n.blobs {
			if seen[b.Digest] {
				continue
			}
			seen[b.Digest] = true
			if b.Size > left {
				return true // without an overflow
			}
			left -= b.Size
		}
		return false
	})
	if over {
		return unusable(failure.TooLarge, failure.Bytes(limit), "image has more than %d bytes", limit)
	}
	return nil
}

// infer sets the media type of a manifest without one from its fields.
func infer(m *registry.Manifest) {
	if m.MediaType.IsIndex() || m.MediaType.IsImage() || m.MediaType.IsSchema1() {
		return
	}
	var shape struct {
		Version   int             `json:"schemaVersion"`
		MediaType types.MediaType `json:"mediaType"`
		Manifests json.RawMessage `json:"manifests"`
		Config    json.RawMessage `json:"config"`
	}
	if json.Unmarshal(m.Body, &shape) != nil || shape.MediaType != "" {
		return
	}
	switch {
	case shape.Version == 1:
		m.MediaType = types.DockerManifestSchema1
	case shape.Version == 2 && shape.Manifests != nil:
		m.MediaType = types.OCIImageIndex
	case shape.Version == 2 && shape.Config != nil:
		m.MediaType = types.OCIManifestSchema1
	}
}

// any reports whether any manifest of the image satisfies ok.
func (n *node) any(ok func(*node) bool) bool {
	found := false
	n.walk(func(n *node) { found = found || ok(n) })
	return found
}
