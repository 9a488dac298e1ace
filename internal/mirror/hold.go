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

// This file has the rules of docs/names.md: a mirror name holds the image of its
// source's tag, or a part of it that grows with the requests. It never holds less
// later, or another image.

// content is the image that a mirror name shall hold.
type content struct {
	whole   *node // the image that the source's tag names
	chosen  *node // the part of it to put
	changes []Change
}

// decide says what the destination's name is to hold, which may change the
// name, given what it holds now (nil for nothing).
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
			// One platform of what the tag names.
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

// without leaves out a part that the source does not serve. It returns false if the
// requester named its platform, or if nothing would be left.
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
	whole.missing = append(slices.Clone(c.whole.missing), missing{lost.entry, part.failure})
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

// lost are the platforms of what is missing, each once.
func (n *node) lost() []reference.Platform {
	var list []reference.Platform
	for _, m := range n.missing {
		if p, ok := platformOf(m.entry.Platform); ok && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// mayPut refuses a name that belongs to another image first and, for names that
// several sources can have, to overwrite an image that is not part of this one.
func (r *run) mayPut(ctx context.Context, img *image, d plan.Destination, held *registry.Manifest, whole *node) error {
	exclusive := d.Exclusive
	if !d.Before.IsZero() {
		source, ok := r.m.source(d.Before.Repository().Host())
		if !ok || r.m.opts.Archive != nil { // which would not know
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

// first returns nil if the image that goes first at a name does not exist or is
// the one with the digest.
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

// holds are the entries of n that m, an image at the target, has in one of the
// forms that Ferry gives them. It reports false if m is something else.
func (n *node) holds(m *registry.Manifest) (entries, bool) {
	all := entries{}
	for _, child := range n.children {
		all[child.manifest.Digest] = true
	}
	known := map[v1.Hash]v1.Hash{} // n's digests by those of all forms
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

// replaces are the entries of n for the platforms of the image that n replaces:
// the tag has moved, and the platforms that were pulled stay available. Nil means
// all.
func (n *node) replaces(platforms []reference.Platform) entries {
	kept := entries{}
	for _, child := range n.children {
		if platforms == nil || slices.ContainsFunc(child.platforms(), func(p reference.Platform) bool { return slices.Contains(platforms, p) }) {
			kept[child.manifest.Digest] = true
		}
	}
	return kept
}

// platformsOf are the platforms of an image at the target, nil if they are not
// known.
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
