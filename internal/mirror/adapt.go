package mirror

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// form is a degree of adaptation. If a target refuses one form of an image,
// Ferry tries the next, and remembers the refusal.
type form int

const (
	exact        form = iota
	unattested        // without attestation manifests and referrers
	dockerTyped       // Docker's media types instead of OCI's
	platformTags      // one tag for each platform instead of an index
	forms
)

// firstForms records the first form to try for each target: forms that a target
// has refused are not tried again in this job.
type firstForms struct {
	mu    sync.Mutex
	least map[string]form // by host
}

// first returns the first form of an image to try for a target.
func (s *firstForms) first(host string, n *node) form {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.least[host]
	refuses := known.Of(host).Refuses
	switch {
	case refuses.EmptyConfig && n.any(func(n *node) bool { return n.config.MediaType == registry.Empty }):
		return max(f, unattested)
	case refuses.OCIIndex && n.manifest.MediaType == types.OCIImageIndex:
		return max(f, dockerTyped)
	}
	return f
}

func (s *firstForms) learn(host string, f form) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.least == nil {
		s.least = map[string]form{}
	}
	s.least[host] = max(s.least[host], f)
}

// offer is an image in one form.
type offer struct {
	form    form
	node    *node
	changes []Change
	tags    map[string]*node // additional tags, besides the requested one
}

// refusedForm reports whether err means that the target refused a manifest.
func refusedForm(err error) bool {
	f, ok := failure.As(err)
	return ok && f.Code == failure.TargetRefused && f.Step == registry.WritingManifest
}

// offers returns a function that returns the forms of an image one after the
// other, and false after the last. Each differs from the one before, and is built
// only when needed.
func (n *node) offers(changes []Change, tag string) func() (offer, bool) {
	last, f := offer{changes: changes}, exact
	return func() (offer, bool) {
		for ; f < forms; f++ {
			o, change := offer{form: f, changes: last.changes}, Change("")
			switch f {
			case unattested:
				o.node, change = last.node.unattested(), NoAttestations
			case dockerTyped:
				o.node, change = last.node.dockerTyped(), DockerMediaTypes
			case platformTags:
				o.node, o.tags = last.node.tagged(tag)
				change = PlatformTags
			default: // exact
				o.node = n
			}
			if o.node == nil || f > exact && o.node.manifest.Digest == last.node.manifest.Digest {
				continue
			}
			if f > exact {
				o.changes = append(slices.Clone(last.changes), change)
			}
			last = o
			f++
			return last, true
		}
		return offer{}, false
	}
}

// unattested returns n without attestations, or n itself if it has none.
func (n *node) unattested() *node {
	kept := slices.DeleteFunc(slices.Clone(n.children), func(child *node) bool {
		_, attests := child.attests()
		return attests || child.children == nil && child.config.MediaType == registry.Empty
	})
	if len(kept) == len(n.children) || len(kept) == 0 {
		return n
	}
	smaller, err := n.with(kept)
	if err != nil {
		return n
	}
	return smaller
}

// dockerTypes maps OCI's media types to Docker's. Others, such as those of zstd
// layers and artifacts, have no equivalent.
var dockerTypes = map[types.MediaType]types.MediaType{
	types.OCIConfigJSON:           types.DockerConfigJSON,
	types.DockerConfigJSON:        types.DockerConfigJSON,
	types.OCILayer:                types.DockerLayer,
	types.DockerLayer:             types.DockerLayer,
	types.OCIUncompressedLayer:    types.DockerUncompressedLayer,
	types.DockerUncompressedLayer: types.DockerUncompressedLayer,
}

// dockerTyped returns n as a Docker manifest list or a manifest of schema 2, or
// nil if that is impossible. Configs and layers stay the same, byte for byte.
func (n *node) dockerTyped() *node { return n.typed(map[v1.Hash]*node{}) }

// typed is dockerTyped with the parts of the image that are already converted.
func (n *node) typed(done map[v1.Hash]*node) *node {
	if same, ok := done[n.manifest.Digest]; ok {
		return same
	}
	done[n.manifest.Digest] = n.retyped(done)
	return done[n.manifest.Digest]
}

func (n *node) retyped(done map[v1.Hash]*node) *node {
	if n.manifest.MediaType == types.DockerManifestList || n.manifest.MediaType == types.DockerManifestSchema2 {
		return n
	}
	// The fields are in the order in which Docker writes them.
	type document struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		Config        *v1.Descriptor  `json:"config,omitempty"`
		Layers        []v1.Descriptor `json:"layers,omitempty"`
		Manifests     []v1.Descriptor `json:"manifests,omitempty"`
	}
	d := document{SchemaVersion: 2, MediaType: types.DockerManifestSchema2}
	var children []*node
	if n.manifest.MediaType.IsIndex() {
		d.MediaType = types.DockerManifestList
		for _, child := range n.children {
			c := child.typed(done)
			if c == nil || child.entry.Platform == nil {
				return nil
			}
			children = append(children, c)
			d.Manifests = append(d.Manifests, v1.Descriptor{
				MediaType: c.manifest.MediaType, Size: int64(len(c.manifest.Body)), Digest: c.manifest.Digest, Platform: child.entry.Platform,
			})
		}
	} else {
		manifest, err := v1.ParseManifest(bytes.NewReader(n.manifest.Body))
		if err != nil {
			return nil
		}
		for i, blob := range append([]v1.Descriptor{manifest.Config}, manifest.Layers...) {
			mediaType, ok := dockerTypes[blob.MediaType]
			if !ok {
				return nil
			}
			plain := v1.Descriptor{MediaType: mediaType, Size: blob.Size, Digest: blob.Digest}
			if i == 0 {
				d.Config = &plain
			} else {
				d.Layers = append(d.Layers, plain)
			}
		}
	}
	body, err := json.Marshal(d)
	if err != nil {
		return nil
	}
	same := *n
	same.manifest, same.children = registry.NewManifest(d.MediaType, bytes.TrimSpace(body)), children
	return &same
}

// mainPlatform is the platform of the main tag at targets that refuse indexes.
var mainPlatform = reference.Platform{OS: "linux", Architecture: "amd64"}

// tagged returns each platform's image with its own tag, and the image for the
// main tag. It returns nil if n is not an index.
func (n *node) tagged(tag string) (*node, map[string]*node) {
	var main *node
	tags := map[string]*node{}
	for _, child := range n.children {
		p, ok := platformOf(child.entry.Platform)
		if _, attests := child.attests(); !ok || attests || child.children != nil {
			continue
		}
		if main == nil || p == mainPlatform {
			main = child
		}
		tags[tag+"-"+strings.ReplaceAll(p.String(), "/", "-")] = child
	}
	return main, tags
}

// platformTags returns the additional tags, sorted by name.
func (o offer) platformTags(repository reference.Repository) ([]PlatformTag, error) {
	var list []PlatformTag
	for _, tag := range slices.Sorted(maps.Keys(o.tags)) {
		ref, err := repository.Tagged(tag)
		if err != nil {
			return nil, &failure.Error{Code: failure.TargetRefused, Side: failure.Target, Step: registry.WritingManifest, Err: err}
		}
		p, _ := platformOf(o.tags[tag].entry.Platform)
		list = append(list, PlatformTag{p, ref, o.tags[tag].manifest.Digest})
	}
	return list, nil
}
