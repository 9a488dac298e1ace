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

// attestationOf is the annotation by which BuildKit ties an attestation
// manifest to the image manifest beside it in the index.
const attestationOf = "vnd.docker.reference.digest"

// platformOf is the platform that an index names for an entry, in Ferry's one
// form. It returns false for none and for "unknown/unknown".
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

// platforms are those of the image in the order of its index, each once.
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

// choose is the part of the image that was asked for: all of it for no
// platforms, one platform's own manifest for one, a smaller index for several.
func (n *node) choose(wanted []reference.Platform) (*node, []Change, error) {
	if len(wanted) == 0 || n.children == nil && sameSet(n.platforms(), wanted) {
		return n, nil, nil
	}
	have := n.platforms()
	for _, p := range wanted {
		if !slices.Contains(have, p) {
			f := &failure.Error{Code: failure.NoPlatform, Side: failure.Source, Step: "choosing platforms"}
			for _, p := range have {
				f.Hints = append(f.Hints, p.String())
			}
			return nil, nil, f
		}
	}
	if n.children == nil {
		return n, nil, nil
	}
	kept := n.keep(func(child *node) bool {
		p, ok := platformOf(child.entry.Platform)
		return ok && slices.Contains(wanted, p) || child.children != nil && slices.ContainsFunc(child.platforms(), func(p reference.Platform) bool { return slices.Contains(wanted, p) })
	})
	switch {
	case len(kept) == len(n.children):
		return n, nil, nil
	case len(wanted) == 1:
		images := slices.DeleteFunc(slices.Clone(kept), func(c *node) bool { _, attests := c.attests(); return attests })
		if len(images) == 1 && images[0].children == nil {
			return images[0], []Change{SinglePlatform}, nil
		}
	}
	smaller, err := n.with(kept)
	return smaller, []Change{Subset}, err
}

func sameSet(a, b []reference.Platform) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p reference.Platform) bool { return !slices.Contains(b, p) })
}

// attests is the manifest that n is an attestation of.
func (n *node) attests() (string, bool) {
	digest, ok := n.entry.Annotations[attestationOf]
	return digest, ok
}

// keep are the children that satisfy ok, with their attestations, in order.
func (n *node) keep(ok func(*node) bool) []*node {
	digests := map[string]bool{}
	for _, child := range n.children {
		if _, attests := child.attests(); !attests && ok(child) {
			digests[child.manifest.Digest.String()] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(n.children), func(child *node) bool {
		if of, attests := child.attests(); attests {
			return !digests[of]
		}
		return !digests[child.manifest.Digest.String()]
	})
}

// with is n with other children: the index's own bytes but for the list.
func (n *node) with(children []*node) (*node, error) {
	var entries []v1.Descriptor
	for _, child := range children {
		entry := child.entry
		entry.MediaType, entry.Digest, entry.Size = child.manifest.MediaType, child.manifest.Digest, int64(len(child.manifest.Body))
		entries = append(entries, entry)
	}
	body, err := replace(n.manifest.Body, map[string]any{"manifests": entries})
	if err != nil {
		return nil, err
	}
	return &node{manifest: registry.NewManifest(n.manifest.MediaType, body), entry: n.entry, children: children}, nil
}

// replace writes fields of a JSON object anew and leaves the others as they
// are. A nil value removes the field. Equal input gives equal output.
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
