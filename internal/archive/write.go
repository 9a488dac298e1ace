package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// Image is an image to write.
type Image struct {
	// Name is the name for clients. If it has a digest that is not the image's,
	// the digest is left out.
	Name reference.Reference
	// Manifests are the manifests of the image, each after the manifests that
	// it refers to. The last one is the image itself.
	Manifests []*registry.Manifest
	// Referrer reports that this is no image to load, but refers to one.
	Referrer bool
	// Open opens one of its blobs. The reader must return an error if the
	// digest or the size differ.
	Open func(context.Context, v1.Descriptor) (io.ReadCloser, error)
}

// maxManifests is the maximum size of all manifests of an archive together, in
// bytes: they are in memory while the archive is written.
const maxManifests = 16 << 20

// Layout is the planned content of an archive.
type Layout struct {
	images []Image
	files  []file // small files, before the blobs
	blobs  []blob
}

type file struct {
	name string
	text []byte
}

// blob is a blob and the first image that has it.
type blob struct {
	v1.Descriptor
	image int
}

// NewLayout plans an archive of images. It returns an error if two images have
// the same name, or cannot be in one archive for another reason.
func NewLayout(images []Image) (*Layout, error) {
	l := &Layout{images: images}
	list := index{SchemaVersion: 2, MediaType: "application/vnd.oci.image.index.v1+json"}
	referrers := list
	docker := []dockerImage{}
	named, sizes := map[string]v1.Hash{}, map[v1.Hash]int64{}
	manifests := []file{}
	held := 0
	for i, image := range images {
		root := image.Manifests[len(image.Manifests)-1]
		for _, name := range names(image.Name, root.Digest) {
			if other, ok := named[name]; ok && other != root.Digest {
				return nil, fmt.Errorf("two images have the name %s: %s and %s", name, other, root.Digest)
			} else if ok {
				continue
			}
			named[name] = root.Digest
			to := &list
			if image.Referrer {
				to = &referrers
			}
			to.Manifests = append(to.Manifests, entry{string(root.MediaType), root.Digest, int64(len(root.Body)), map[string]string{refName: name, imageName: name}})
		}
		for _, m := range image.Manifests {
			d, err := parse(m)
			if err != nil {
				return nil, &failure.Error{Code: failure.Unsupported, Side: failure.Source, Step: "reading manifest", Err: err}
			}
			if _, again := sizes[m.Digest]; !again {
				sizes[m.Digest] = int64(len(m.Body))
				manifests = append(manifests, file{blobPath(m.Digest), m.Body})
				if held += len(m.Body); held > maxManifests {
					return nil, fmt.Errorf("the manifests together have more than %d bytes: save several archives", maxManifests)
				}
			}
			for _, b := range d.blobs {
				size, again := sizes[b.Digest]
				switch {
				case again && size != b.Size:
					return nil, &failure.Error{Code: failure.Corrupt, Side: failure.Source, Step: "reading manifest",
						Err: fmt.Errorf("blob %s has two sizes: %d and %d bytes", b.Digest, size, b.Size)}
				case !again:
					sizes[b.Digest] = b.Size
					l.blobs = append(l.blobs, blob{b, i})
				}
			}
		}
		if d, ok := dockerEntry(image); ok && !image.Referrer {
			docker = append(docker, d)
		}
	}
	l.files = []file{{layoutFile, []byte(layoutText)}}
	err := l.add(indexFile, &list)
	if len(docker) > 0 && err == nil {
		err = l.add(dockerFile, &docker)
	}
	if len(referrers.Manifests) > 0 && err == nil {
		err = l.add(referrersFile, &referrers)
	}
	if err != nil {
		return nil, err
	}
	l.files = append(append(l.files, file{name: "blobs/"}, file{name: blobFolder}), manifests...)
	return l, nil
}

// add adds a file of JSON.
func (l *Layout) add(name string, value any) error {
	text, err := encode(value)
	l.files = append(l.files, file{name, text})
	return err
}

// dockerEntry returns the entry of the image in docker's list, for one
// platform: linux/amd64 if the image has it, else the first. It reports false
// if the image is not a container image.
func dockerEntry(image Image) (dockerImage, bool) {
	root := image.Manifests[len(image.Manifests)-1]
	m, found := runnable(image.Manifests, root)
	if !found {
		return dockerImage{}, false
	}
	d, err := parse(m)
	if err != nil {
		return dockerImage{}, false
	}
	e := dockerImage{Config: blobPath(d.blobs[0].Digest), RepoTags: []string{}, Layers: []string{}}
	if image.Name.Tag() != "" {
		e.RepoTags = append(e.RepoTags, image.Name.Repository().String()+":"+image.Name.Tag())
	}
	for _, layer := range d.blobs[1:] {
		e.Layers = append(e.Layers, blobPath(layer.Digest))
	}
	return e, true
}

// runnable returns the manifest of a container image below m, or m itself: the
// one for linux/amd64, or else the first.
func runnable(all []*registry.Manifest, m *registry.Manifest) (*registry.Manifest, bool) {
	d, err := parse(m)
	if err != nil || d.children == nil {
		return m, err == nil && d.image
	}
	var first *registry.Manifest
	for _, child := range d.children {
		i := slices.IndexFunc(all, func(m *registry.Manifest) bool { return m.Digest == child.Digest })
		if i < 0 || all[i] == m {
			continue
		}
		found, ok := runnable(all, all[i])
		switch {
		case !ok:
		case child.Platform != nil && child.Platform.OS == "linux" && child.Platform.Architecture == "amd64":
			return found, true
		case first == nil:
			first = found
		}
	}
	return first, first != nil
}

// Size returns the size of the archive in bytes.
func (l *Layout) Size() int64 {
	sum := int64(len(tarEnd))
	for _, f := range l.files {
		sum += tarBlock + padded(int64(len(f.text)))
	}
	for _, b := range l.blobs {
		sum += tarBlock + padded(b.Size)
	}
	return sum
}

// BytesOf returns the size of the blobs of an image that no earlier image has.
func (l *Layout) BytesOf(image int) int64 {
	var sum int64
	for _, b := range l.blobs {
		if b.image == image {
			sum += b.Size
		}
	}
	return sum
}

const (
	// ahead is how many blobs are opened before they are needed, so that not
	// every small blob costs a round trip.
	ahead = 8
	// chunk is how many bytes are copied at once.
	chunk = 256 << 10
)

// Write writes the archive. It calls progress with the bytes of an image's
// blobs as they are written.
func (l *Layout) Write(ctx context.Context, w io.Writer, progress func(image int, bytes int64)) error {
	for _, f := range l.files {
		size := int64(len(f.text))
		text := slices.Concat(tarHeader(f.name, size), f.text, tarEnd[:padded(size)-size])
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	begun := make([]*opening, 0, len(l.blobs))
	defer func() {
		cancel()
		for _, b := range begun {
			b.close()
		}
	}()
	buffer := make([]byte, chunk)
	for i, b := range l.blobs {
		for next := len(begun); next < min(i+1+ahead, len(l.blobs)); next++ {
			begun = append(begun, begin(ctx, l.images[l.blobs[next].image], l.blobs[next].Descriptor))
		}
		if _, err := w.Write(tarHeader(blobPath(b.Digest), b.Size)); err != nil {
			return err
		}
		n, err := begun[i].copy(writerFunc(func(p []byte) (int, error) {
			n, err := w.Write(p)
			progress(b.image, int64(n))
			return n, err
		}), buffer)
		if err == nil && n != b.Size {
			err = fmt.Errorf("blob %s has %d bytes, not %d", b.Digest, n, b.Size)
		}
		if err != nil {
			return err
		}
		begun[i].close()
		if _, err := w.Write(tarEnd[:padded(n)-n]); err != nil {
			return err
		}
	}
	_, err := w.Write(tarEnd)
	return err
}

// tarEnd is the two blocks of zeros at the end of a tar file.
var tarEnd = make([]byte, 2*tarBlock)

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// opening is a blob that is being read.
type opening struct {
	first []byte        // its first bytes
	r     io.ReadCloser // nil if it could not be opened, and after close
	err   error
	ready chan struct{} // closed when the fields above are set
}

// begin opens a blob and reads its first bytes.
func begin(ctx context.Context, from Image, d v1.Descriptor) *opening {
	b := &opening{ready: make(chan struct{})}
	go func() {
		defer close(b.ready)
		if b.r, b.err = from.Open(ctx, d); b.err != nil {
			return
		}
		first := make([]byte, 512)
		n, err := b.r.Read(first)
		b.first = first[:n]
		if err != nil && !errors.Is(err, io.EOF) {
			b.err = err
		}
	}()
	return b
}

func (b *opening) copy(w io.Writer, buffer []byte) (int64, error) {
	<-b.ready
	if b.err != nil {
		return 0, b.err
	}
	n, err := w.Write(b.first)
	if err != nil {
		return int64(n), err
	}
	rest, err := io.CopyBuffer(w, b.r, buffer)
	return int64(n) + rest, err
}

func (b *opening) close() {
	<-b.ready
	if b.r != nil {
		b.r.Close()
	}
	b.r = nil
}
