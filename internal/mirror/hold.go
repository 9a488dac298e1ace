package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// This file implements the rules of docs/names.md: a mirror name holds the
// image of its source's tag, or some of its platforms. Later requests can add
// platforms. The name never holds fewer platforms later, or another image.

// content is the image for a mirror name.
type content struct {
	whole   *node // the image of the source's tag
	chosen  *node // the part of it to copy
	changes []Change
}

// decide determines the content of the destination's name from its current
// content (nil for none). It may change the name.
func (r *run) decide(ctx context.Context, img *image, target *registry.Client, d *plan.Destination, held **registry.Manifest) (content, error) {
	whole, err := img.grow(ctx)
	if err != nil {
		return content{}, err
	}
	chosen, err := whole.choose(d.Platforms, d.Default)
	if err != nil {
		return content{}, err
	}
	var changes []Change
	if !d.ByDigest.IsZero() {
		named, err := img.named(ctx)
		switch {
		case err != nil:
			return content{}, err
		case named == nil:
			d.Mirror, d.Before, changes = d.ByDigest, reference.Reference{}, []Change{ByDigest}
			if *held, err = present(ctx, target, d.Mirror); err != nil {
				return content{}, err
			}
		case named != whole:
			// The digest is a platform of the tag.
			whole, chosen = named, entries{img.digest: true}
		}
	}
	if err := r.mayPut(ctx, img, *d, *held, whole); err != nil {
		return content{}, err
	}
	if *held != nil && len(whole.children) > 0 && len(chosen) < len(whole.children) {
		kept, ok := whole.holds(*held)
		if !ok {
			kept = whole.replaces(platformsOf(ctx, target, d.Mirror.Repository(), *held))
		}
		maps.Copy(chosen, kept)
	}
	part, how, err := whole.part(chosen)
	return content{whole, part, append(changes, how...)}, err
}

// without leaves out a part that the source does not serve. It returns false if
// the requester named its platform, or if nothing would remain.
func (c *content) without(part *brokenPart, d plan.Destination) bool {
	var rest []*node
	var lost *node
	for _, child := range c.whole.children {
		of, attests := child.attests()
		switch {
		case child.manifest.Digest == part.digest:
			lost = child
		case !attests || of != part.digest.String():
			rest = append(rest, child)
		}
	}
	if lost == nil || !d.Default && slices.ContainsFunc(lost.platforms(), func(p reference.Platform) bool { return slices.Contains(d.Platforms, p) }) {
		return false
	}
	chosen := entries{}
	for _, child := range c.chosen.children {
		if _, attests := child.attests(); !attests && child.manifest.Digest != part.digest {
			chosen[child.manifest.Digest] = true
		}
	}
	whole, err := c.whole.with(rest)
	if err != nil || len(chosen) == 0 {
		return false
	}
	whole.missing = append(slices.Clone(c.whole.missing), missing{entry: lost.entry, failure: part.failure})
	smaller, changes, err := whole.part(chosen)
	if err != nil {
		return false
	}
	if !slices.Contains(changes, Incomplete) {
		changes = append(changes, Incomplete)
	}
	c.whole, c.chosen, c.changes = whole, smaller, append(slices.DeleteFunc(slices.Clone(c.changes), func(change Change) bool { return change != ByDigest }), changes...)
	return true
}

// lost returns the distinct platforms of the missing parts: Attestation for an
// attestation.
func (n *node) lost() []reference.Platform {
	var list []reference.Platform
	for _, m := range n.missing {
		p, ok := platformOf(m.entry.Platform)
		if _, attests := m.entry.Annotations[attestationOf]; attests {
			p, ok = Attestation, true
		}
		if ok && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// mayPut refuses a name for which another image has precedence. For a name that
// several sources share, it refuses to overwrite an image that is not part of
// this one.
func (r *run) mayPut(ctx context.Context, img *image, d plan.Destination, held *registry.Manifest, whole *node) error {
	exclusive := d.Exclusive
	if !d.Before.IsZero() {
		source, ok := r.m.source(d.Before.Repository().Host())
		if !ok || r.m.opts.Archive != nil { // an archive does not have the other image
			exclusive = true
		} else if err := first(ctx, source, d.Before, img.digest); err != nil {
			return err
		}
	}
	if !exclusive || held == nil {
		return nil
	}
	if _, ok := whole.holds(held); ok {
		return nil
	}
	return &failure.Error{Code: failure.NameTaken, Side: failure.Target, Step: "comparing", Hints: []string{held.Digest.String()}}
}

// first returns nil if the image with precedence for a name does not exist, or
// has the given digest.
func first(ctx context.Context, source Source, before reference.Reference, digest v1.Hash) error {
	m, err := source.Manifest(ctx, before)
	switch {
	case failure.CodeOf(err) == failure.NotFound:
		return nil
	case err != nil:
		return err
	case m.Digest == digest:
		return nil
	}
	return &failure.Error{Code: failure.NameTaken, Side: failure.Target, Step: "comparing", Hints: []string{before.String()}}
}

// holds returns the entries of n that m, an image at the target, has in any
// form that Ferry writes. It reports false if m is something else.
func (n *node) holds(m *registry.Manifest) (entries, bool) {
	all := entries{}
	for _, child := range n.children {
		all[child.manifest.Digest] = true
	}
	known := map[v1.Hash]v1.Hash{} // the digests in n, by the digests of all forms
	unattested := n.unattested()
	forms := []*node{n, unattested}
	if typed := unattested.dockerTyped(); typed != nil {
		forms = append(forms, typed)
		for i, child := range typed.children {
			known[child.manifest.Digest] = unattested.children[i].manifest.Digest
		}
	}
	if slices.ContainsFunc(forms, func(form *node) bool { return form.manifest.Digest == m.Digest }) || m.Digest == n.original {
		return all, true
	}
	for _, child := range n.children {
		if _, attests := child.attests(); !attests {
			known[child.manifest.Digest] = child.manifest.Digest
		}
	}
	if of, ok := known[m.Digest]; ok {
		return entries{of: true}, true
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(m.Body))
	if !m.MediaType.IsIndex() || err != nil || len(n.children) == 0 {
		return nil, false
	}
	held := entries{}
	for _, entry := range index.Manifests {
		if _, attests := entry.Annotations[attestationOf]; attests {
			continue
		}
		of, ok := known[entry.Digest]
		if !ok {
			return nil, false
		}
		held[of] = true
	}
	return held, len(held) > 0
}

// replaces returns the entries of n for the platforms of the image that n
// replaces: if the tag has moved, the platforms that were available stay
// available. Nil means all.
func (n *node) replaces(platforms []reference.Platform) entries {
	kept := entries{}
	for _, child := range n.children {
		if platforms == nil || slices.ContainsFunc(child.platforms(), func(p reference.Platform) bool { return slices.Contains(platforms, p) }) {
			kept[child.manifest.Digest] = true
		}
	}
	return kept
}

// platformsOf returns the platforms of an image at the target, or nil if they
// are unknown.
func platformsOf(ctx context.Context, target *registry.Client, repository reference.Repository, m *registry.Manifest) []reference.Platform {
	infer(m)
	if m.MediaType.IsIndex() {
		platforms, _ := glance(m)
		return platforms
	}
	manifest, err := v1.ParseManifest(bytes.NewReader(m.Body))
	if err != nil || !isConfig(manifest.Config) {
		return nil
	}
	text, err := target.SmallBlob(ctx, repository, manifest.Config.Digest, manifest.Config.Size)
	if err != nil {
		return nil
	}
	var platform v1.Platform
	if json.Unmarshal(text, &platform) != nil {
		return nil
	}
	if p, ok := platformOf(&platform); ok {
		return []reference.Platform{p}
	}
	return nil
}
