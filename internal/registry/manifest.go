package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// MaxManifest is the size up to which registries must take manifests, by the
// OCI distribution specification ("Pushing Manifests"): a larger one could not be
// pushed anywhere.
const MaxManifest = 4 << 20

// Manifest is a manifest or an index, byte for byte.
type Manifest struct {
	MediaType types.MediaType
	Digest    v1.Hash
	Body      []byte
}

// NewManifest computes the digest of body.
func NewManifest(mediaType types.MediaType, body []byte) *Manifest {
	return &Manifest{mediaType, hash("sha256", body), body}
}

// hash is the digest of body by an algorithm of the OCI image specification
// ("Registered Algorithms").
func hash(algorithm string, body []byte) v1.Hash {
	if algorithm == "sha512" {
		sum := sha512.Sum512(body)
		return v1.Hash{Algorithm: algorithm, Hex: hex.EncodeToString(sum[:])}
	}
	sum := sha256.Sum256(body)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

// part is the digest of ref if it has one, its tag otherwise.
func part(ref reference.Reference) string {
	if ref.HasDigest() {
		return ref.Digest().String()
	}
	return ref.Tag()
}

func (c *Client) manifestRequest(method string, ref reference.Reference) exchange {
	return exchange{
		method: method,
		url:    c.at(ref.Repository(), distribution.Manifests, part(ref)),
		header: http.Header{"Accept": {distribution.Accept}},
		scopes: c.scopes(ref.Repository()),
	}
}

// Manifest gets the manifest of ref, by digest if it has one, else by tag. The body
// matches the digest.
func (c *Client) Manifest(ctx context.Context, ref reference.Reference) (*Manifest, error) {
	var m *Manifest
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		m, err = c.manifest(ctx, ref)
		return err
	})
	return m, err
}

// manifest gets a manifest in one try.
func (c *Client) manifest(ctx context.Context, ref reference.Reference) (*Manifest, error) {
	a, err := c.try(ctx, readManifest, c.manifestRequest(http.MethodGet, ref), MaxManifest)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimLeft(a.body, " \t\r\n\ufeff"), []byte("<")) {
		// A page of a proxy before the registry.
		return nil, &failure.Error{Code: failure.Unavailable, Side: c.side, Step: readManifest.name, Err: fmt.Errorf("got no manifest but %.100q", a.body)}
	}
	m := NewManifest(mediaType(a), a.body)
	if ref.HasDigest() && hash(ref.Digest().Algorithm, a.body) != ref.Digest() {
		return nil, &failure.Error{Code: failure.Corrupt, Side: c.side, Step: readManifest.name, Err: fmt.Errorf("got %s for %s", m.Digest, ref.Digest())}
	}
	return m, nil
}

// mediaType is the type in the manifest, or else in the header.
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
// count as a pull. Where a registry does not answer that as it should, the
// manifest is fetched.
func (c *Client) Digest(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	digest, err := c.head(ctx, ref)
	switch {
	case err == nil && digest != v1.Hash{}:
		return digest, nil
	case failure.CodeOf(err) == failure.NotFound && c.learned.headFinds.Load():
		return v1.Hash{}, err
	case failure.CodeOf(err) == failure.NotFound:
		// Some registries answer HEAD with 404 for manifests that exist, so GET must
		// confirm the first 404. One GET at a time does that.
		select {
		case c.learned.headCheck <- struct{}{}:
			defer func() { <-c.learned.headCheck }()
		case <-ctx.Done():
			return v1.Hash{}, c.broken(ctx, headManifest.name, ctx.Err())
		}
		if c.learned.headFinds.Load() {
			return v1.Hash{}, err
		}
		m, err := c.Manifest(ctx, ref)
		if err != nil {
			c.learned.headFinds.Store(failure.CodeOf(err) == failure.NotFound)
			return v1.Hash{}, err
		}
		return m.Digest, nil
	}
	m, err := c.Manifest(ctx, ref)
	if err != nil {
		return v1.Hash{}, err
	}
	return m.Digest, nil
}

// head is the digest that a registry gives for ref, the zero Hash if it gives none.
func (c *Client) head(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	ctx, cancel := context.WithTimeout(ctx, headTime)
	defer cancel()
	a, err := c.ask(ctx, headManifest, c.manifestRequest(http.MethodHead, ref), 0)
	if err != nil {
		return v1.Hash{}, err
	}
	digest, err := reference.ParseDigest(a.header.Get("Docker-Content-Digest"))
	if err != nil {
		return v1.Hash{}, nil
	}
	return digest, nil
}

// headTime bounds a HEAD, in whose place a GET can be made.
const headTime = 20 * time.Second

// PutManifest puts m under the digest of ref if it has one, under its tag
// otherwise. If m refers to another manifest, listed reports whether the registry
// will list it there.
func (c *Client) PutManifest(ctx context.Context, ref reference.Reference, m *Manifest) (listed bool, err error) {
	a, err := c.ask(ctx, putManifest, exchange{
		method: http.MethodPut,
		url:    c.at(ref.Repository(), distribution.Manifests, part(ref)),
		header: http.Header{"Content-Type": {string(m.MediaType)}},
		scopes: c.scopes(ref.Repository()),
		body:   bytes.NewReader(m.Body),
		size:   int64(len(m.Body)),
	}, maxError)
	return err == nil && a.header.Get("OCI-Subject") != "", err
}

// extrasTime bounds the time for what an image is complete without.
const extrasTime = 20 * time.Second

// looks are the pauses between two looks at a manifest that was put just now:
// replicated registries take some seconds until all of them know it.
var looks = []time.Duration{
	500 * time.Millisecond, 500 * time.Millisecond, time.Second, time.Second, 2 * time.Second, 2 * time.Second, 3 * time.Second,
}

// Confirm reads back what ref names after it was put. It returns false without
// an error if the registry gives no digest, or still gives before, the digest
// that ref named earlier (the zero Hash for none): the put has succeeded, and
// reading back only checks it. Any other digest is an error with the code
// Rewritten.
func (c *Client) Confirm(ctx context.Context, ref reference.Reference, want, before v1.Hash) (confirmed bool, err error) {
	var found v1.Hash
	for i := 0; ; i++ {
		digest, err := c.head(ctx, ref)
		ok := err == nil && digest == want
		if !ok {
			var m *Manifest
			err := c.once(ctx, func(ctx context.Context) (err error) {
				m, err = c.manifest(ctx, ref)
				return err
			})
			switch {
			case err == nil:
				digest, ok = m.Digest, true
			case ctx.Err() != nil:
				return false, c.broken(ctx, ReadingBack, context.Cause(ctx))
			case failure.CodeOf(err) == failure.TargetLogin:
				return false, nil // a login that may push and not pull
			default:
				ok = false
			}
		}
		if ok && digest == want {
			return true, nil
		}
		if ok {
			found = digest
		}
		if i == len(looks) {
			break
		}
		if err := c.opts.Wait(ctx, looks[i]); err != nil {
			return false, c.broken(ctx, ReadingBack, err)
		}
	}
	if found == before || found == (v1.Hash{}) {
		return false, nil
	}
	return false, &failure.Error{Code: failure.Rewritten, Side: c.side, Step: ReadingBack, Err: fmt.Errorf("put %s, the tag names %s", want, found)}
}

// Extra gets what the tag of ref names, once and within a short time: an image is
// complete without it.
func (c *Client) Extra(ctx context.Context, ref reference.Reference) (*Manifest, error) {
	ctx, cancel := context.WithTimeout(ctx, extrasTime)
	defer cancel()
	var m *Manifest
	err := c.once(ctx, func(ctx context.Context) (err error) {
		m, err = c.manifest(ctx, ref)
		return err
	})
	return m, err
}

// SmallBlob reads a blob of at most a few MiB into memory and verifies it.
func (c *Client) SmallBlob(ctx context.Context, repository reference.Repository, digest v1.Hash, size int64) ([]byte, error) {
	a, err := c.ask(ctx, readConfig, exchange{
		method: http.MethodGet,
		url:    c.at(repository, distribution.Blobs, digest.String()),
		scopes: c.scopes(repository),
		via:    c.bulk,
	}, max(size, MaxManifest))
	if err != nil {
		return nil, err
	}
	if got := hash(digest.Algorithm, a.body); got != digest {
		return nil, &failure.Error{Code: failure.Corrupt, Side: c.side, Step: readingBlob, Err: fmt.Errorf("got %s for %s", got, digest)}
	}
	if got := int64(len(a.body)); got != size {
		return nil, wrongSize(c.side, size, got)
	}
	return a.body, nil
}

// wrongSize is the failure that a manifest gives another size for a blob than
// the blob has. ActualSize finds that again.
func wrongSize(side failure.Side, said, actual int64) error {
	return &failure.Error{Code: failure.WrongSize, Side: side, Step: readingBlob,
		Err: &sizeError{said, actual}}
}

type sizeError struct{ said, actual int64 }

func (e *sizeError) Error() string {
	return fmt.Sprintf("blob has %d bytes, the manifest says %d", e.actual, e.said)
}

// ActualSize is the size of a blob if err says that its manifest gives another.
func ActualSize(err error) (size int64, ok bool) {
	e, ok := errors.AsType[*sizeError](err)
	if !ok {
		return 0, false
	}
	return e.actual, true
}
