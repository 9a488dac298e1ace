package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// MaxManifest is the size up to which registries must take manifests, by the
// OCI distribution specification ("Pushing Manifests"): what is larger could
// not be pushed anywhere.
const MaxManifest = 4 << 20

// maxTags bounds the list of a repository's tags, in bytes: some have tens of
// thousands, and they only serve a hint.
const maxTags = 1 << 20

// Manifest is a manifest or an index, byte for byte.
type Manifest struct {
	MediaType types.MediaType
	Digest    v1.Hash
	Body      []byte
}

// NewManifest computes the digest of body.
func NewManifest(mediaType types.MediaType, body []byte) *Manifest {
	sum := sha256.Sum256(body)
	return &Manifest{mediaType, v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}, body}
}

// part is the digest of ref if it has one, its tag otherwise.
func part(ref reference.Reference) string {
	if ref.HasDigest() {
		return ref.Digest().String()
	}
	return ref.Tag()
}

// Manifest gets what ref names: its digest if it has one, its tag otherwise.
// The body is what its digest says.
func (c *Client) Manifest(ctx context.Context, ref reference.Reference) (*Manifest, error) {
	const step = "reading manifest"
	a, err := c.ask(ctx, step, exchange{
		method: http.MethodGet,
		url:    c.at(ref.Repository(), distribution.Manifests, part(ref)),
		header: http.Header{"Accept": {distribution.Accept}},
		scopes: c.scopes(ref.Repository()),
	}, MaxManifest, http.StatusOK)
	if err != nil {
		return nil, err
	}
	m := NewManifest(mediaType(a), a.body)
	if ref.HasDigest() && m.Digest != ref.Digest() {
		return nil, &failure.Error{Code: failure.Corrupt, Side: c.side, Step: step, Err: fmt.Errorf("got %s for %s", m.Digest, ref.Digest())}
	}
	return m, nil
}

// mediaType is what the manifest says of itself, else what the header says.
func mediaType(a answer) types.MediaType {
	var self struct {
		MediaType types.MediaType `json:"mediaType"`
	}
	if json.Unmarshal(a.body, &self) == nil && self.MediaType != "" {
		return self.MediaType
	}
	header, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	return types.MediaType(strings.TrimSpace(header))
}

// Digest asks what ref names without fetching it, which Docker Hub does not
// count as a pull. It returns the zero Hash if the registry does not tell.
func (c *Client) Digest(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	a, err := c.ask(ctx, "reading digest", exchange{
		method: http.MethodHead,
		url:    c.at(ref.Repository(), distribution.Manifests, part(ref)),
		header: http.Header{"Accept": {distribution.Accept}},
		scopes: c.scopes(ref.Repository()),
	}, 0, http.StatusOK)
	if err != nil {
		return v1.Hash{}, err
	}
	digest, err := reference.ParseDigest(a.header.Get("Docker-Content-Digest"))
	if err != nil {
		return v1.Hash{}, nil
	}
	return digest, nil
}

// WritingManifest is the step of a failure to put a manifest.
const WritingManifest = "writing manifest"

// PutManifest puts m under the digest of ref if it has one, under its tag
// otherwise. If m refers to another manifest, listed reports whether the registry
// will list it there.
func (c *Client) PutManifest(ctx context.Context, ref reference.Reference, m *Manifest) (listed bool, err error) {
	a, err := c.ask(ctx, WritingManifest, exchange{
		method: http.MethodPut,
		url:    c.at(ref.Repository(), distribution.Manifests, part(ref)),
		header: http.Header{"Content-Type": {string(m.MediaType)}},
		scopes: c.scopes(ref.Repository()),
		body:   bytes.NewReader(m.Body),
		size:   int64(len(m.Body)),
	}, maxError, http.StatusCreated, http.StatusOK, http.StatusAccepted)
	return err == nil && a.header.Get("OCI-Subject") != "", err
}

// SmallBlob reads a blob of at most a few MiB into memory and verifies it.
func (c *Client) SmallBlob(ctx context.Context, repository reference.Repository, digest v1.Hash, size int64) ([]byte, error) {
	a, err := c.ask(ctx, readingBlob, exchange{
		method: http.MethodGet,
		url:    c.at(repository, distribution.Blobs, digest.String()),
		scopes: c.scopes(repository),
		via:    c.bulk,
	}, size, http.StatusOK)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(a.body); hex.EncodeToString(sum[:]) != digest.Hex {
		return nil, &failure.Error{Code: failure.Corrupt, Side: c.side, Step: readingBlob, Err: fmt.Errorf("got sha256:%x for %s", sum, digest)}
	}
	return a.body, nil
}

// Tags lists tags of a repository: the first page, at most a few thousand.
func (c *Client) Tags(ctx context.Context, repository reference.Repository) ([]string, error) {
	u := c.at(repository, distribution.Tags, "list")
	u.RawQuery = "n=" + strconv.Itoa(2000)
	a, err := c.ask(ctx, "listing tags", exchange{method: http.MethodGet, url: u, scopes: c.scopes(repository)}, maxTags, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var list struct {
		Tags []string `json:"tags"`
	}
	if err := json.Unmarshal(a.body, &list); err != nil {
		return nil, &failure.Error{Code: failure.Internal, Side: c.side, Step: "listing tags", Err: fmt.Errorf("reading tags: %w", err)}
	}
	// Only tags that satisfy the grammar get past this door.
	return slices.DeleteFunc(list.Tags, func(tag string) bool {
		_, err := repository.Tagged(tag)
		return err != nil
	}), nil
}

// Referrers lists what refers to a manifest, by the API of OCI 1.1 or, where a
// registry has none, by the tag that clients use instead.
func (c *Client) Referrers(ctx context.Context, repository reference.Repository, digest v1.Hash) ([]v1.Descriptor, error) {
	a, err := c.ask(ctx, "listing referrers", exchange{
		method: http.MethodGet,
		url:    c.at(repository, distribution.Referrers, digest.String()),
		header: http.Header{"Accept": {string(types.OCIImageIndex)}},
		scopes: c.scopes(repository),
	}, MaxManifest, http.StatusOK)
	body := a.body
	if f, ok := failure.As(err); ok && f.Kind() != failure.Transient {
		tag, tagErr := repository.Tagged(digest.Algorithm + "-" + digest.Hex)
		if tagErr != nil {
			return nil, nil
		}
		m, tagErr := c.Manifest(ctx, tag)
		if errors.As(tagErr, &f) && f.Kind() != failure.Transient {
			return nil, nil
		}
		if err = tagErr; err == nil {
			body = m.Body
		}
	}
	if err != nil {
		return nil, err
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(body))
	if err != nil {
		return nil, nil // 200 and a web page: there is no such API
	}
	return index.Manifests, nil
}

// scopes are what this side may do in a repository.
func (c *Client) scopes(repository reference.Repository) []Scope {
	return []Scope{{Repository: repository, Push: c.side == failure.Target}}
}
