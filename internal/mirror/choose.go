package mirror

import (
	"bytes"
	"encoding/json"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// attestationOf is the annotation with which BuildKit links an attestation
// manifest to an image manifest in the same index.
const attestationOf = "vnd.docker.reference.digest"

// platformOf returns the platform of an index entry in canonical form. It
// returns false for a missing platform and for "unknown/unknown".
func platformOf(p *v1.Platform) (reference.Platform, bool) {
	if p == nil || p.OS == "" || p.OS == "unknown" || p.Architecture == "unknown" {
		return reference.Platform{}, false
	}
	raw := reference.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}
	if parsed, err := reference.ParsePlatform(raw.String()); err == nil {
		return parsed, true
	}
	return raw, true
}

// platforms returns the distinct platforms of the image, in the order of its
// index.
func (n *node) platforms() []reference.Platform {
	var list []reference.Platform
	if p, ok := platformOf(n.entry.Platform); ok {
		list = append(list, p)
	}
	for _, child := range n.children {
		for _, p := range child.platforms() {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	return list
}

// entries are children of an index, by their digests.
type entries map[v1.Hash]bool

// choose returns the entries of n for the wanted platforms: all entries if
// wanted is empty, none if the image is not an index. The owner's default
// platforms (byDefault) are optional; an image with none of them is copied
// whole. A missing platform of the requester is an error.
func (n *node) choose(wanted []reference.Platform, byDefault bool) (entries, error) {
	have := n.platforms()
	lacks := func(p reference.Platform) bool { return !slices.Contains(have, p) }
	if byDefault {
		wanted = slices.DeleteFunc(slices.Clone(wanted), lacks)
	}
	if i := slices.IndexFunc(wanted, lacks); i >= 0 {
		for _, m := range n.missing {
			if p, ok := platformOf(m.entry.Platform); ok && p == wanted[i] {
				return nil, m.failure
			}
		}
		f := &failure.Error{Code: failure.NoPlatform, Side: failure.Source, Step: "choosing platforms"}
		for _, p := range have {
			f.Hints = append(f.Hints, p.String())
		}
		return nil, f
	}
	chosen := entries{}
	for _, child := range n.children {
		if len(wanted) == 0 || slices.ContainsFunc(child.platforms(), func(p reference.Platform) bool { return slices.Contains(wanted, p) }) {
			chosen[child.manifest.Digest] = true
		}
	}
	return chosen, nil
}

// part returns n with the given entries and their attestations, and the changes
// from the source: n itself for all entries, the image for one.
func (n *node) part(chosen entries) (*node, []Change, error) {
	kept := slices.DeleteFunc(slices.Clone(n.children), func(child *node) bool {
		if of, attests := child.attests(); attests {
			digest, err := v1.NewHash(of)
			return err != nil || !chosen[digest]
		}
		return !chosen[child.manifest.Digest]
	})
	images := slices.DeleteFunc(slices.Clone(kept), func(c *node) bool { _, attests := c.attests(); return attests })
	whole := len(kept) == len(n.children) && !slices.ContainsFunc(n.missing, func(m missing) bool { return m.unwanted })
	switch {
	case whole && len(n.missing) > 0:
		return n, []Change{Incomplete}, nil
	case whole:
		return n, nil, nil
	case len(images) == 1 && images[0].children == nil:
		return images[0], []Change{SinglePlatform}, nil
	}
	smaller, err := n.with(kept)
	return smaller, []Change{Subset}, err
}

// attests returns the digest of the manifest that n is an attestation of.
func (n *node) attests() (string, bool) {
	digest, ok := n.entry.Annotations[attestationOf]
	return digest, ok
}

// with returns n with other children. It changes only the list in the index.
func (n *node) with(children []*node) (*node, error) {
	list := make([]v1.Descriptor, 0, len(children))
	for _, child := range children {
		entry := child.entry
		entry.MediaType, entry.Digest, entry.Size = child.manifest.MediaType, child.manifest.Digest, int64(len(child.manifest.Body))
		list = append(list, entry)
	}
	body, err := replace(n.manifest.Body, map[string]any{"manifests": list})
	if err != nil {
		return nil, err
	}
	return &node{manifest: registry.NewManifest(n.manifest.MediaType, body), entry: n.entry, children: children, original: n.original}, nil
}

// replace replaces fields of a JSON object and keeps the others unchanged. A
// nil value removes the field. Equal input gives equal output.
func replace(body []byte, fields map[string]any) ([]byte, error) {
	object := map[string]json.RawMessage{}
	if err := json.Unmarshal(body, &object); err != nil {
		return nil, &failure.Error{Code: failure.Unsupported, Side: failure.Source, Step: "rewriting manifest", Err: err}
	}
	for key, value := range fields {
		if value == nil {
			delete(object, key)
			continue
		}
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return nil, &failure.Error{Code: failure.Internal, Step: "rewriting manifest", Err: err}
		}
		object[key] = bytes.TrimSpace(text.Bytes())
	}
	return json.Marshal(object)
}
