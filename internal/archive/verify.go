package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/reference"
)

// maxDepth is the maximum depth of nested indexes, as for images from
// registries.
const maxDepth = 3

// Report is the result of Verify.
type Report struct {
	Images []Stored
	Blobs  int
	Size   int64   // of the archive, in bytes
	Faults []error // empty if the archive is valid
}

// Verify checks an archive: a file, or a folder with its parts. It reads every
// byte, compares all digests, follows every image to all its blobs, and
// compares docker's list of images with the index that other clients read. The
// error says why nothing could be checked.
func Verify(ctx context.Context, path string) (Report, error) {
	var r Report
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		files, err := readSums(path)
		if err != nil {
			return r, err
		}
		for _, f := range files {
			if err := checkPart(ctx, filepath.Join(path, f.Name), f.SHA256); err != nil {
				r.Faults = append(r.Faults, err)
			}
		}
		if len(r.Faults) > 0 || ctx.Err() != nil {
			return r, ctx.Err()
		}
	}
	a, err := Open(path)
	if err != nil {
		return r, err
	}
	defer a.Close()
	r.Images, r.Blobs, r.Size = a.images, len(a.blobs), a.size
	r.Faults = a.faults(ctx)
	return r, ctx.Err()
}

// checkPart compares a file with its checksum.
func checkPart(ctx context.Context, path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum, err := digestOf(ctx, f)
	if err == nil && sum != want {
		err = fmt.Errorf("%s is damaged: its SHA-256 is %s, not %s", path, sum, want)
	}
	return err
}

// digestOf returns the SHA-256 of the content of r.
func digestOf(ctx context.Context, r io.Reader) (string, error) {
	h := sha256.New()
	buffer := make([]byte, chunk)
	for ctx.Err() == nil {
		n, err := r.Read(buffer)
		h.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", ctx.Err()
}

// faults returns all faults in the content of the archive.
func (a *Archive) faults(ctx context.Context) []error {
	c := checker{a: a, under: map[v1.Hash]map[string]bool{}}
	for _, hash := range slices.Sorted(maps.Keys(a.blobs)) {
		e := a.blobs[hash]
		sum, err := digestOf(ctx, io.NewSectionReader(a.r, e.offset, e.size))
		switch {
		case ctx.Err() != nil:
			return c.faults
		case err != nil:
			c.fault("%s: %w", e.name, err)
		case sum != hash:
			c.fault("%s is damaged: its content has the SHA-256 %s", e.name, sum)
		}
	}
	named := map[reference.Reference]v1.Hash{}
	for _, s := range a.extras {
		c.image(s.Digest, s.MediaType, 0)
	}
	for _, s := range a.images {
		c.image(s.Digest, s.MediaType, 0)
		if !s.Name.IsZero() {
			named[s.Name] = s.Digest
		}
	}
	if _, ok := a.own[dockerFile]; ok {
		c.docker(named)
	}
	return c.faults
}

// checker follows the images of an archive.
type checker struct {
	a      *Archive
	under  map[v1.Hash]map[string]bool // the paths of the configs below each followed manifest
	faults []error
}

// maxFaults limits the reported faults: an archive can have millions.
const maxFaults = 100

func (c *checker) fault(format string, args ...any) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, fmt.Errorf(format, args...))
	}
}

// image follows a manifest or an index, each once.
func (c *checker) image(digest v1.Hash, mediaType types.MediaType, depth int) {
	if _, again := c.under[digest]; again {
		return
	}
	configs := map[string]bool{}
	c.under[digest] = configs
	m, err := c.a.manifest(digest, mediaType)
	if err != nil {
		c.fault("%w", err)
		return
	}
	d, err := parse(m)
	switch {
	case err != nil:
		c.fault("%w", err)
	case depth == maxDepth:
		c.fault("index %s is nested deeper than %d", digest, maxDepth)
	case len(d.children) > maxChildren:
		c.fault("index %s has more than %d entries", digest, maxChildren)
	default:
		for _, child := range d.children {
			c.size(child)
			c.image(child.Digest, child.MediaType, depth+1)
			maps.Copy(configs, c.under[child.Digest])
		}
		for i, b := range d.blobs {
			if i == 0 {
				configs[blobPath(b.Digest)] = true
			}
			if c.size(b) && !c.has(b.Digest) {
				c.fault("blob %s of manifest %s %w", b.Digest, digest, errAbsent)
			}
		}
	}
}

// maxChildren is the maximum number of entries in an index. The largest
// official ones have about 30.
const maxChildren = 1000

func (c *checker) has(digest v1.Hash) bool {
	_, ok := c.a.blobs[digest.Hex]
	return ok && digest.Algorithm == "sha256"
}

// size compares the size of a blob with the size in its descriptor.
func (c *checker) size(d v1.Descriptor) bool {
	if e := c.a.blobs[d.Digest.Hex]; c.has(d.Digest) && e.size != d.Size {
		c.fault("%s has %d bytes, not %d", e.name, e.size, d.Size)
		return false
	}
	return true
}

// docker compares the images that docker would load with the images of the same
// names in the index.
func (c *checker) docker(named map[reference.Reference]v1.Hash) {
	var list []dockerImage
	if err := c.a.json(dockerFile, &list); err != nil {
		c.fault("the archive %w", err)
		return
	}
	for _, d := range list {
		for _, path := range append([]string{d.Config}, d.Layers...) {
			if hash, ok := strings.CutPrefix(path, blobFolder); !ok || c.a.blobs[hash].name == "" {
				c.fault("manifest.json names %.100q, which %w", path, errAbsent)
			}
		}
		for _, tag := range d.RepoTags {
			ref, err := reference.Parse(tag)
			if err != nil {
				c.fault("manifest.json has an invalid name: %w", err)
			} else if digest, ok := named[ref]; ok && !c.under[digest][d.Config] {
				c.fault("manifest.json and index.json have different images with the name %s", ref)
			}
		}
	}
}
