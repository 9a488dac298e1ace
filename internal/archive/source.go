package archive

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// The methods below make an Archive a source to copy from. It has its images on
// every host. Errors are *failure.Error.

// Manifest returns the manifest of ref, by digest if it has one, else by tag.
func (a *Archive) Manifest(_ context.Context, ref reference.Reference) (*registry.Manifest, error) {
	const step = "reading manifest"
	s := Stored{Digest: ref.Digest()}
	if !ref.HasDigest() {
		var ok bool
		if s, ok = a.named(ref); !ok {
			return nil, &failure.Error{Code: failure.NotFound, Side: failure.Source, Step: step, Err: fmt.Errorf("%s %w", ref, errAbsent)}
		}
	}
	m, err := a.manifest(s.Digest, s.MediaType)
	switch {
	case errors.Is(err, errAbsent):
		return nil, &failure.Error{Code: failure.NotFound, Side: failure.Source, Step: step, Err: err}
	case err != nil:
		return nil, &failure.Error{Code: failure.Corrupt, Side: failure.Source, Step: step, Err: err}
	}
	return m, nil
}

// named returns the image with a name that has no digest.
func (a *Archive) named(ref reference.Reference) (Stored, bool) {
	for _, list := range [][]Stored{a.images, a.extras} {
		for _, s := range list {
			if s.Name == ref {
				return s, true
			}
		}
	}
	return Stored{}, false
}

// Digest returns the digest of the manifest of ref.
func (a *Archive) Digest(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	m, err := a.Manifest(ctx, ref)
	if err != nil {
		return v1.Hash{}, err
	}
	return m.Digest, nil
}

// Extra is the same as Manifest.
func (a *Archive) Extra(ctx context.Context, ref reference.Reference) (*registry.Manifest, error) {
	return a.Manifest(ctx, ref)
}

// SmallBlob reads a blob of a few MiB into memory and verifies it.
func (a *Archive) SmallBlob(_ context.Context, _ reference.Repository, digest v1.Hash, size int64) ([]byte, error) {
	e, err := a.blob(digest, size)
	if err != nil {
		return nil, err
	}
	text, err := a.content(e, registry.MaxManifest)
	if err == nil && registry.NewManifest("", text).Digest != digest {
		err = fmt.Errorf("blob %s is damaged", digest)
	}
	if err != nil {
		return nil, &failure.Error{Code: failure.Corrupt, Side: failure.Source, Step: failure.ReadingBlob, Err: err}
	}
	return text, nil
}

// blob returns the position of a blob.
func (a *Archive) blob(digest v1.Hash, size int64) (tarEntry, error) {
	e, ok := a.blobs[digest.Hex]
	switch {
	case !ok || digest.Algorithm != "sha256":
		return e, &failure.Error{Code: failure.NotFound, Side: failure.Source, Step: failure.ReadingBlob, Err: fmt.Errorf("blob %s %w", digest, errAbsent)}
	case e.size != size:
		return e, &failure.Error{Code: failure.WrongSize, Side: failure.Source, Step: failure.ReadingBlob,
			Err: fmt.Errorf("blob %s has %d bytes, the manifest says %d", digest, e.size, size)}
	}
	return e, nil
}

// Tags returns no tags: they only serve to suggest others for one that does not
// exist.
func (a *Archive) Tags(context.Context, reference.Repository) ([]string, error) { return nil, nil }

// FewTags returns an error: asking for a tag costs as little.
func (a *Archive) FewTags(context.Context, reference.Repository, int) ([]string, error) {
	return nil, errAbsent
}

// Referrers returns the manifests of a repository that name the subject.
func (a *Archive) Referrers(_ context.Context, repository reference.Repository, subject v1.Hash, _ func(string) bool) (found []v1.Descriptor, err error) {
	for i := range a.extras {
		s := &a.extras[i]
		if s.Name.Repository() != repository {
			continue
		}
		m, err := a.manifest(s.Digest, s.MediaType)
		if err != nil {
			return nil, &failure.Error{Code: failure.Corrupt, Side: failure.Source, Step: "reading manifest", Err: err}
		}
		var of struct {
			ArtifactType string
			Annotations  map[string]string
			Config       struct{ MediaType string }
			Subject      struct{ Digest string }
		}
		if json.Unmarshal(m.Body, &of) == nil && of.Subject.Digest == subject.String() {
			found = append(found, v1.Descriptor{MediaType: m.MediaType, Digest: m.Digest, Size: int64(len(m.Body)), Annotations: of.Annotations, ArtifactType: cmp.Or(of.ArtifactType, of.Config.MediaType)})
		}
	}
	return found, nil
}

// Answer returns 0: an archive answers at once.
func (a *Archive) Answer() time.Duration { return 0 }

// Warm does nothing.
func (a *Archive) Warm(int) {}

// Blob returns a source that reads one blob.
func (a *Archive) Blob(repository reference.Repository, digest v1.Hash, size int64) transfer.Source {
	return &source{a, repository, digest, size}
}

// source is one blob of an archive.
type source struct {
	a          *Archive
	repository reference.Repository
	digest     v1.Hash
	size       int64
}

// Host returns a name that is not the host of a registry, so that a target on
// the image's own host does not try to mount the blob from there.
func (s *source) Host() string { return "archive:" }

func (s *source) Repository() reference.Repository { return s.repository }

func (s *source) Open(_ context.Context, from, to int64) (io.ReadCloser, error) {
	e, err := s.a.blob(s.digest, s.size)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.NewSectionReader(s.a.r, e.offset+from, to-from)), nil
}

func (s *source) Ranged() bool              { return true }
func (s *source) Parted() bool              { return true }
func (s *source) Trip() time.Duration       { return time.Microsecond }
func (s *source) Answer() time.Duration     { return 0 }
func (s *source) Backoff() transfer.Backoff { return final{} }

// final marks an error that a retry does not solve.
type final struct{}

func (final) Progress() {}

func (final) Again(_ context.Context, err error) error { return err }
