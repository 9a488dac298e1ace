package mirror

import (
	"bytes"
	"context"
	"slices"
	"sync"

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
	sizes := map[v1.Hash]int64{}
	measure(m, sizes)
	return nil, sum(sizes)
}

// measure adds the sizes of the manifest of an image, its configuration and its
// layers.
func measure(m *registry.Manifest, sizes map[v1.Hash]int64) {
	manifest, err := v1.ParseManifest(bytes.NewReader(m.Body))
	if err != nil {
		return
	}
	sizes[m.Digest], sizes[manifest.Config.Digest] = int64(len(m.Body)), manifest.Config.Size
	for _, layer := range manifest.Layers {
		sizes[layer.Digest] = layer.Size
	}
}

func sum(sizes map[v1.Hash]int64) (all int64) {
	for _, size := range sizes {
		all += size
	}
	return all
}

// sizeAt returns the size of an index at a target, or zero if a part of it cannot
// be read or it has very many.
func sizeAt(ctx context.Context, target *registry.Client, mirror reference.Reference, m *registry.Manifest) int64 {
	const most = 64 // manifests
	index, err := v1.ParseIndexManifest(bytes.NewReader(m.Body))
	if err != nil || len(index.Manifests) > most {
		return 0
	}
	var lock sync.Mutex
	sizes := map[v1.Hash]int64{m.Digest: int64(len(m.Body))}
	err = each(ctx, len(index.Manifests), func(ctx context.Context, i int) error {
		part, err := target.Manifest(ctx, mirror.Untagged(index.Manifests[i].Digest))
		if err != nil {
			return err
		}
		lock.Lock()
		defer lock.Unlock()
		measure(part, sizes)
		return nil
	})
	if err != nil {
		return 0
	}
	return sum(sizes)
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
