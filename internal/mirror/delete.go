package mirror

import (
	"bytes"
	"context"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// deletesAtOnce is the maximum number of repositories in which Delete works.
const deletesAtOnce = 4

// Removal is a mirror to delete, and the digest that its tag must have.
type Removal struct {
	Mirror reference.Reference
	Digest v1.Hash
}

// Removed is the result of a Removal.
type Removed int

// The results.
const (
	Unanswered Removed = iota // the registry did not answer
	Deleted                   // the tag is gone, and its content unless a tag that stays has it
	Moved                     // the tag has another digest, so it stays
	Shared                    // the registry deletes by digest only, and a tag that stays has the same content
	ByHand                    // the registry deletes nothing for this login
)

// Delete deletes mirrors from their targets: the tag where the registry can do that,
// and the manifest, its parts and what refers to it, unless a tag that stays has them.
// It returns the results in the order of the removals. What a tag that stays has is
// read before, also of tags that Ferry did not push; if that fails, no manifest is
// deleted.
func (m *Mirror) Delete(ctx context.Context, removals []Removal) []Removed {
	results := make([]Removed, len(removals))
	at := map[reference.Repository][]int{}
	for i := range removals {
		r := removals[i].Mirror.Repository()
		at[r] = append(at[r], i)
	}
	slots := make(chan struct{}, deletesAtOnce)
	var wg sync.WaitGroup
	for r, indices := range at {
		client, ok := m.opts.Targets.ForRepository(r)
		if !ok {
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			d := &deleting{client: client, first: removals[indices[0]].Mirror, leaving: map[string]v1.Hash{}, about: map[string]bool{}}
			for _, i := range indices {
				d.leaving[removals[i].Mirror.Tag()], d.about[beside(removals[i].Digest)] = removals[i].Digest, true
			}
			for _, i := range indices {
				results[i] = d.delete(ctx, removals[i].Mirror, removals[i].Digest)
			}
		})
	}
	wg.Wait()
	return results
}

// deleting deletes tags of one repository.
type deleting struct {
	client  *registry.Client
	first   reference.Reference // one of the tags
	leaving map[string]v1.Hash  // the digests of the tags to delete
	about   map[string]bool     // the tags of what refers to their content, see beside
	needed  map[v1.Hash]bool    // what tags that stay have; nil if not read, or unknown
	tags    []string            // all, if needed is set
}

// beside returns the tag of what refers to a manifest at registries without the API for
// that. Signatures of cosign have it with a suffix.
func beside(digest v1.Hash) string { return digest.Algorithm + "-" + digest.Hex }

// delete deletes one tag. Content that no other tag has is deleted first, by its digest:
// a tag that is pushed meanwhile has other content, and stays.
func (d *deleting) delete(ctx context.Context, tag reference.Reference, want v1.Hash) Removed {
	if d.needed == nil {
		d.read(ctx)
	}
	content := tag.Untagged(want)
	there := d.look(ctx, tag, want)
	if there != ByHand {
		return there
	}
	names := []reference.Reference{tag}
	alone := d.needed != nil && !d.needed[want]
	var parts []v1.Hash
	if alone {
		names = []reference.Reference{content, tag}
		parts, _ = d.parts(ctx, want)
		if list, err := d.client.Referrers(ctx, tag.Repository(), want, func(string) bool { return true }); err == nil {
			for i := range list {
				parts = append(parts, list[i].Digest)
			}
		}
	}
	refused := ByHand
	for _, name := range names {
		err := d.client.Delete(ctx, name)
		if f, ok := failure.As(err); ok && f.Kind() == failure.Transient {
			refused = Unanswered
		}
		if there = d.look(ctx, tag, want); there != ByHand { // a registry may accept it and do nothing
			break
		}
	}
	switch {
	case there == ByHand && d.needed[want]:
		return Shared
	case there == ByHand && d.needed == nil:
		return Unanswered
	case there == ByHand:
		return refused
	case there != Deleted || !alone:
		return there
	}
	_ = d.client.Delete(ctx, content) // if the tag was deleted alone
	for _, text := range d.tags {
		of, _, _ := strings.Cut(text, ".")
		if ref, err := tag.Repository().Tagged(text); err == nil && of == beside(want) {
			if part, err := d.client.Digest(ctx, ref); err == nil {
				parts = append(parts, part)
			}
			_ = d.client.Delete(ctx, ref)
		}
	}
	for _, part := range parts {
		if !d.needed[part] {
			_ = d.client.Delete(ctx, tag.Untagged(part)) // what is left takes space, no more
		}
	}
	return Deleted
}

// look looks up what has become of a tag. It returns ByHand if it still has the digest.
func (d *deleting) look(ctx context.Context, tag reference.Reference, want v1.Hash) Removed {
	switch digest, err := d.client.Digest(ctx, tag); {
	case failure.CodeOf(err) == failure.NotFound:
		return Deleted
	case err != nil:
		return Unanswered
	case digest != want:
		if !d.needed[digest] {
			d.needed = nil // it stays
		}
		return Moved
	}
	return ByHand
}

// maxChildren is the maximum number of manifests in an index, with those of indexes in
// it: a cycle needs a broken hash, but each manifest may name thousands of others.
const maxChildren = 10_000

// parts returns the digests of a manifest and, if it is an index, of the manifests in
// it. It reports false if not all could be read.
func (d *deleting) parts(ctx context.Context, digest v1.Hash) (all []v1.Hash, ok bool) {
	all, indexes := []v1.Hash{digest}, []v1.Hash{digest}
	for len(indexes) > 0 {
		at := indexes[0]
		m, err := d.client.Manifest(ctx, d.first.Untagged(at))
		indexes = indexes[1:]
		if at != digest && failure.CodeOf(err) == failure.NotFound {
			continue // a part may be missing
		}
		if err != nil || len(all) > maxChildren {
			return all, false
		}
		if infer(m); !m.MediaType.IsIndex() {
			continue
		}
		index, err := v1.ParseIndexManifest(bytes.NewReader(m.Body))
		if err != nil {
			return all, false
		}
		for i := range index.Manifests {
			child := &index.Manifests[i]
			all = append(all, child.Digest)
			if d.needed[at] {
				d.needed[child.Digest] = true // the index that needs it does not call it one
			}
			if !child.MediaType.IsImage() {
				indexes = append(indexes, child.Digest)
			}
		}
	}
	return all, true
}

// read sets what the tags that stay have, and the tags of what refers to content. If
// one of them is unknown, nothing is set.
func (d *deleting) read(ctx context.Context) {
	tags, err := d.client.AllTags(ctx, d.first.Repository())
	if err != nil {
		return
	}
	needed, roots := map[v1.Hash]bool{}, map[v1.Hash]bool{}
	for _, tag := range tags {
		of, _, _ := strings.Cut(tag, ".")
		ref, err := d.first.Repository().Tagged(tag)
		if err != nil || d.about[of] {
			continue
		}
		digest, err := d.client.Digest(ctx, ref)
		if failure.CodeOf(err) == failure.NotFound {
			continue // a list may be behind
		}
		if err != nil {
			return
		}
		if digest == d.leaving[tag] || roots[digest] {
			continue
		}
		roots[digest] = true
		parts, ok := d.parts(ctx, digest)
		if !ok {
			return
		}
		for _, part := range parts {
			needed[part] = true
		}
	}
	d.needed, d.tags = needed, tags
}
