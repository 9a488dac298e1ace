package mirror

import (
	"bytes"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// glance returns the platforms of an index and the size of an image, from the
// manifest alone.
func glance(m *registry.Manifest) (platforms []reference.Platform, size int64) {
	if m.MediaType.IsIndex() {
		index, err := v1.ParseIndexManifest(bytes.NewReader(m.Body))
		if err != nil {
			return nil, 0
		}
		for _, entry := range index.Manifests {
			if p, ok := platformOf(entry.Platform); ok && !slices.Contains(platforms, p) {
				platforms = append(platforms, p)
			}
		}
		return platforms, 0
	}
	manifest, err := v1.ParseManifest(bytes.NewReader(m.Body))
	if err != nil {
		return nil, 0
	}
	sizes := map[v1.Hash]int64{m.Digest: int64(len(m.Body)), manifest.Config.Digest: manifest.Config.Size}
	for _, layer := range manifest.Layers {
		sizes[layer.Digest] = layer.Size
	}
	for _, s := range sizes {
		size += s
	}
	return nil, size
}

// parts estimates the number of blobs of a manifest: an image of an index often
// has a config and a few layers.
func parts(m *registry.Manifest) int {
	if m.MediaType.IsIndex() {
		if index, err := v1.ParseIndexManifest(bytes.NewReader(m.Body)); err == nil {
			return 4 * len(index.Manifests)
		}
	} else if manifest, err := v1.ParseManifest(bytes.NewReader(m.Body)); err == nil {
		return 1 + len(manifest.Layers)
	}
	return 0
}

// maxConfig is the maximum size of an image's configuration, in bytes. The
// largest on Docker Hub have a few dozen KiB.
const maxConfig = 1 << 20

// isConfig reports whether d is the configuration of an image, with a plausible
// size.
func isConfig(d v1.Descriptor) bool {
	return (d.MediaType == types.OCIConfigJSON || d.MediaType == types.DockerConfigJSON) && d.Size <= maxConfig
}
