// Package workload makes the images that are copied: random layers, the same
// on every machine, of the sizes that the benchmark's cases are about.
package workload

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Image is one repository's content, tagged "1".
type Image struct {
	Repository string
	// Platforms holds the layers of each. One platform makes a plain image,
	// several make an index.
	Platforms [][]*Layer
}

// Workload is what one run copies.
type Workload struct {
	Name   string
	About  string
	Images []Image
}

const (
	kib = 1 << 10
	mib = 1 << 20
)

// All returns the workloads by their names.
func All() map[string]Workload {
	all := map[string]Workload{}
	add := func(name, about string, images ...Image) { all[name] = Workload{name, about, images} }
	single := func(name string, seed uint64, sizes ...int64) Image {
		return Image{"w/" + name, [][]*Layer{layers(seed, sizes...)}}
	}
	add("a", "5 × 1 MiB", single("a", 100, mib, mib, mib, mib, mib))
	add("b", "60 + 45 + 30 + 25 + 15 + 12 + 8 + 5 MiB",
		single("b", 200, 60*mib, 45*mib, 30*mib, 25*mib, 15*mib, 12*mib, 8*mib, 5*mib))
	c := Image{Repository: "w/c"}
	for p := range uint64(len(architectures)) {
		c.Platforms = append(c.Platforms, layers(300+10*p, 4*mib, 4*mib, 4*mib, 4*mib, 4*mib))
	}
	add("c", "index of 5 platforms × 5 × 4 MiB", c)
	add("d", "1 GiB + 3 × 1 MiB", single("d", 400, 1024*mib, mib, mib, mib))
	add("d256", "256 MiB + 3 × 1 MiB", single("d256", 500, 256*mib, mib, mib, mib))
	add("f", "64 MiB + 2 × 1 MiB", single("f", 600, 64*mib, mib, mib))
	base := layers(700, 64*kib, 16*kib, 128*kib, 8*kib, 512*kib, 256*kib, mib, mib, 32*kib, mib)
	var batch []Image
	for i := range uint64(30) {
		own := append(slices.Clip(base), layers(800+i, 6*mib)...)
		batch = append(batch, Image{fmt.Sprintf("w/e%02d", i+1), [][]*Layer{own}})
	}
	add("e", "30 repositories, each 10 shared layers (4 MiB together) + 1 own of 6 MiB", batch...)
	small := layers(900, 64*kib, 16*kib, 512*kib, mib, 32*kib)
	for name, n := range map[string]uint64{"n300": 300, "n1000": 1000, "n10000": 10_000} {
		var images []Image
		for i := range n {
			own := append(slices.Clip(small), layers(10_000+i, 100*kib)...)
			images = append(images, Image{fmt.Sprintf("w/n%05d", i+1), [][]*Layer{own}})
		}
		add(name, fmt.Sprintf("%d repositories, each 5 shared layers (1.6 MiB together) + 1 own of 100 KiB", n), images...)
	}
	return all
}

// Blobs returns the sizes of the distinct layers, which is all that has to be
// sent but for configurations and manifests.
func (w Workload) Blobs() []int64 {
	seen := map[*Layer]bool{}
	var sizes []int64
	for _, image := range w.Images {
		for _, platform := range image.Platforms {
			for _, l := range platform {
				if !seen[l] {
					seen[l] = true
					sizes = append(sizes, l.size)
				}
			}
		}
	}
	return sizes
}

// Index reports whether an image of the workload is an index.
func (w Workload) Index() bool { return len(w.Images[0].Platforms) > 1 }

// Push puts the workload into a registry and returns the digest of each image.
func (w Workload) Push(host string) ([]v1.Hash, error) {
	var digests []v1.Hash
	for _, image := range w.Images {
		tag, err := name.NewTag(host + "/" + image.Repository + ":1")
		if err != nil {
			return nil, fmt.Errorf("naming %s: %w", image.Repository, err)
		}
		digest, err := image.push(tag)
		if err != nil {
			return nil, fmt.Errorf("pushing %s: %w", tag, err)
		}
		digests = append(digests, digest)
	}
	return digests, nil
}

var architectures = [...]string{"amd64", "arm64", "arm", "ppc64le", "s390x"}

func (i Image) push(tag name.Tag) (v1.Hash, error) {
	var built []v1.Image
	for p, layers := range i.Platforms {
		image, err := build(layers, architectures[p])
		if err != nil {
			return v1.Hash{}, err
		}
		built = append(built, image)
	}
	if len(built) == 1 {
		if err := remote.Write(tag, built[0]); err != nil {
			return v1.Hash{}, err
		}
		return built[0].Digest()
	}
	index := mutate.IndexMediaType(empty.Index, types.DockerManifestList)
	for p, image := range built {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architectures[p]}},
		})
	}
	if err := remote.WriteIndex(tag, index); err != nil {
		return v1.Hash{}, err
	}
	return index.Digest()
}

func build(layers []*Layer, architecture string) (v1.Image, error) {
	var addenda []mutate.Addendum
	for _, l := range layers {
		addenda = append(addenda, mutate.Addendum{Layer: l})
	}
	image, err := mutate.Append(empty.Image, addenda...)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	return mutate.ConfigFile(image, config)
}

// Layer is a stream of random bytes, made whenever it is read. Nobody unpacks
// it: it claims to be a gzipped tar and isn't.
type Layer struct {
	seed uint64
	size int64
}

func layers(seed uint64, sizes ...int64) []*Layer {
	var ls []*Layer
	for i, n := range sizes {
		ls = append(ls, &Layer{seed + uint64(i), n})
	}
	return ls
}

// Compressed returns the layer's bytes.
func (l *Layer) Compressed() (io.ReadCloser, error) {
	var key [32]byte
	for i := range 8 {
		key[i] = byte(l.seed >> (8 * i))
	}
	random := io.LimitReader(rand.NewChaCha8(key), l.size-int64(len(gzipMagic)))
	return io.NopCloser(io.MultiReader(strings.NewReader(gzipMagic), random)), nil
}

// gzipMagic begins each layer, or skopeo would compress it on the way.
const gzipMagic = "\x1f\x8b\x08\x00"

// Uncompressed returns the layer's bytes too.
func (l *Layer) Uncompressed() (io.ReadCloser, error) { return l.Compressed() }

// Digest is that of the layer's bytes.
func (l *Layer) Digest() (v1.Hash, error) {
	r, err := l.Compressed()
	if err != nil {
		return v1.Hash{}, err
	}
	h, _, err := v1.SHA256(r)
	return h, err
}

// DiffID is the digest too.
func (l *Layer) DiffID() (v1.Hash, error) { return l.Digest() }

// Size is in bytes.
func (l *Layer) Size() (int64, error) { return l.size, nil }

// MediaType is that of Docker's gzipped layers.
func (l *Layer) MediaType() (types.MediaType, error) { return types.DockerLayer, nil }
