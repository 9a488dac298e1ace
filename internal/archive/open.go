package archive

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

const (
	// maxFiles is the maximum number of files in an archive. An archive of all
	// images of a Kubernetes release has a few hundred.
	maxFiles = 100_000
	// maxJSON is the maximum size of each JSON file of an archive, in bytes.
	maxJSON = 4 << 20
)

// Archive is an open archive. It is safe for concurrent use.
type Archive struct {
	r      io.ReaderAt
	size   int64
	own    map[string]tarEntry // the files that are not blobs
	blobs  map[string]tarEntry // by the hexadecimal digits of their digests
	images []Stored
	extras []Stored // that refer to images
	close  func() error
}

// Stored is an image in an archive, under one of its names.
type Stored struct {
	Name      reference.Reference // zero if it has none
	Digest    v1.Hash
	MediaType types.MediaType
}

// Open opens an archive: a file, or a folder with an archive, whole or in
// parts.
func Open(path string) (*Archive, error) {
	names := []string{path}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		files, err := readSums(path)
		if err != nil {
			return nil, err
		}
		names = nil
		for _, f := range files {
			names = append(names, filepath.Join(path, f.Name))
		}
	}
	r := &joined{}
	for _, name := range names {
		if err := r.add(name); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	a, err := read(r, r.size)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s %w", path, err), r.Close())
	}
	a.close = r.Close
	return a, nil
}

// Close closes the archive's files.
func (a *Archive) Close() error { return a.close() }

// Images returns the images of the archive, in its order. An image with several
// names is returned once for each.
func (a *Archive) Images() []Stored { return a.images }

// joined reads the parts of a file as one file.
type joined struct {
	parts []*os.File
	ends  []int64 // the offsets of the ends of the parts
	size  int64
}

func (j *joined) add(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	j.parts = append(j.parts, f)
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", name)
	}
	j.size += info.Size()
	j.ends = append(j.ends, j.size)
	return nil
}

// ReadAt reads across the boundaries of the parts.
func (j *joined) ReadAt(p []byte, at int64) (int, error) {
	done, begin := 0, int64(0)
	for i, end := range j.ends {
		for done < len(p) && at < end && at >= begin {
			n, err := j.parts[i].ReadAt(p[done:min(int64(len(p)), int64(done)+end-at)], at-begin)
			done, at = done+n, at+int64(n)
			if err != nil && (!errors.Is(err, io.EOF) || at < end) {
				return done, err
			}
		}
		begin = end
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}

func (j *joined) Close() error {
	var errs []error
	for _, f := range j.parts {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// compression lists the first bytes of compressed files, with the program that
// unpacks each.
var compression = []struct{ begin, program string }{
	{"\x1f\x8b", "gunzip"}, {"\x28\xb5\x2f\xfd", "unzstd"}, {"\xfd7zXZ", "unxz"}, {"BZh", "bunzip2"}, {"PK\x03\x04", "unzip"},
}

// read reads the list of files and images of an archive. Its error continues a
// sentence that starts with the archive's name.
func read(r io.ReaderAt, size int64) (*Archive, error) {
	a := &Archive{r: r, size: size, own: map[string]tarEntry{}, blobs: map[string]tarEntry{}, close: func() error { return nil }}
	count := 0
	err := scan(r, size, func(e tarEntry) error {
		if count++; count > maxFiles {
			return fmt.Errorf("has more than %d files", maxFiles)
		}
		return a.add(e)
	})
	if errors.Is(err, errNoTar) {
		begin := make([]byte, 8)
		_, _ = r.ReadAt(begin, 0)
		for _, c := range compression {
			if bytes.HasPrefix(begin, []byte(c.begin)) {
				return nil, fmt.Errorf("is compressed: unpack it first with %s", c.program)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if _, ok := a.own[indexFile]; !ok {
		if _, ok := a.own[dockerFile]; ok {
			return nil, errors.New(`has no OCI image layout: save it with Docker 25 or later, or with "ferry save"`)
		}
		return nil, fmt.Errorf("is not an archive of images: it has no file %s", indexFile)
	}
	if a.images, err = a.list(indexFile); err == nil && len(a.images) == 0 {
		err = errors.New("has no images")
	}
	if _, ok := a.own[referrersFile]; ok && err == nil {
		a.extras, err = a.list(referrersFile)
	}
	return a, err
}

// add records a file. It ignores files that are never read.
func (a *Archive) add(e tarEntry) error {
	name := strings.TrimPrefix(e.name, "./")
	if strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), "..") {
		return fmt.Errorf("has a path outside the archive: %.100q", e.name)
	}
	in := a.own
	if hash, ok := strings.CutPrefix(name, blobFolder); ok {
		if !hexSum.MatchString(hash) {
			return nil
		}
		in, name = a.blobs, hash
	} else if name != layoutFile && name != indexFile && name != dockerFile && name != referrersFile {
		return nil
	}
	if e.kind != tarFile {
		return fmt.Errorf("has %.100q, which is not a regular file", e.name)
	}
	if _, twice := in[name]; twice {
		return fmt.Errorf("has %.100q twice", e.name)
	}
	in[name] = e
	return nil
}

// list reads a list of images.
func (a *Archive) list(file string) (images []Stored, err error) {
	var list index
	if err := a.json(file, &list); err != nil {
		return nil, err
	}
	named := map[reference.Reference]v1.Hash{}
	for _, e := range list.Manifests {
		if e.Digest.Algorithm != "sha256" {
			return nil, fmt.Errorf("has an image with the digest %.100q, which is not SHA-256", e.Digest)
		}
		s := Stored{Digest: e.Digest, MediaType: types.MediaType(e.MediaType)}
		text := e.Annotations[imageName]
		if ref := e.Annotations[refName]; text == "" && strings.ContainsAny(ref, "/:") { // not a tag alone
			text = ref
		}
		if text != "" {
			if s.Name, err = reference.Parse(text); err != nil {
				return nil, fmt.Errorf("has an image with an invalid name: %w", err)
			}
			if s.Name.HasDigest() && s.Name.Digest() != s.Digest {
				return nil, fmt.Errorf("has the image %s under the name %s", s.Digest, s.Name)
			}
			if other, again := named[s.Name]; again && other != s.Digest {
				return nil, fmt.Errorf("has two images with the name %s: %s and %s", s.Name, other, s.Digest)
			}
			named[s.Name] = s.Digest
		}
		images = append(images, s)
	}
	return images, nil
}

// json reads a JSON file of the archive.
func (a *Archive) json(name string, to any) error {
	text, err := a.content(a.own[name], maxJSON)
	if err == nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		return fmt.Errorf("has a file %s that cannot be read: %w", name, err)
	}
	return nil
}

// content reads a file of at most limit bytes.
func (a *Archive) content(e tarEntry, limit int64) ([]byte, error) {
	if e.size > limit {
		return nil, fmt.Errorf("%d bytes; the limit is %d", e.size, limit)
	}
	text := make([]byte, e.size)
	if n, err := a.r.ReadAt(text, e.offset); n < len(text) {
		return nil, err
	}
	return text, nil
}

// errAbsent means that the archive does not have a blob.
var errAbsent = errors.New("is not in the archive")

// manifest reads a manifest or an index and verifies its digest.
func (a *Archive) manifest(digest v1.Hash, mediaType types.MediaType) (*registry.Manifest, error) {
	e, ok := a.blobs[digest.Hex]
	if !ok || digest.Algorithm != "sha256" {
		return nil, fmt.Errorf("manifest %s %w", digest, errAbsent)
	}
	text, err := a.content(e, registry.MaxManifest)
	if err != nil {
		return nil, fmt.Errorf("manifest %s: %w", digest, err)
	}
	var self struct {
		MediaType types.MediaType `json:"mediaType"`
	}
	if json.Unmarshal(text, &self) == nil && self.MediaType != "" {
		mediaType = self.MediaType
	}
	m := registry.NewManifest(mediaType, text)
	if m.Digest != digest {
		return nil, fmt.Errorf("manifest %s is damaged: its content has the digest %s", digest, m.Digest)
	}
	return m, nil
}
