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

// MaxManifest is the size of manifests that registries must accept according to
// the OCI distribution specification ("Pushing Manifests"). A larger one could
// not be pushed anywhere.
const MaxManifest = 4 << 20

// Manifest is a manifest or an index, byte for byte.
type Manifest struct {
	MediaType types.MediaType
	Digest    v1.Hash
	Body      []byte
}

// NewManifest returns a manifest with the digest of body.
func NewManifest(mediaType types.MediaType, body []byte) *Manifest {
	return &Manifest{mediaType, hash("sha256", body), body}
}

// Has reports whether m has the digest, by the digest's own algorithm.
func (m *Manifest) Has(digest v1.Hash) bool { return hash(digest.Algorithm, m.Body) == digest }

// hash returns the digest of body by an algorithm of the OCI image
// specification ("Registered Algorithms").
func hash(algorithm string, body []byte) v1.Hash {
	if algorithm == "sha512" {
		sum := sha512.Sum512(body)
		return v1.Hash{Algorithm: algorithm, Hex: hex.EncodeToString(sum[:])}
	}
	sum := sha256.Sum256(body)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

// part returns the digest of ref if it has one, otherwise its tag.
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

// Manifest gets the manifest of ref, by digest if it has one, otherwise by tag.
// The body matches the digest.
func (c *Client) Manifest(ctx context.Context, ref reference.Reference) (*Manifest, error) {
	var m *Manifest
	err := c.retry(ctx, func(ctx context.Context) (err error) {
		m, err = c.manifest(ctx, ref)
		return err
	})
	return m, err
}

// manifest gets a manifest in one attempt.
func (c *Client) manifest(ctx context.Context, ref reference.Reference) (*Manifest, error) {
	s := readManifest
	if ref.HasDigest() {
		s = readNamed
	}
	a, err := c.try(ctx, s, c.manifestRequest(http.MethodGet, ref), MaxManifest)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(a.body)) == 0 {
		return nil, c.fail(failure.Unsupported, s.name, &doubtError{codedDoubts, fmt.Errorf("got %.100q for a manifest", a.body)})
	}
	m := NewManifest(mediaType(a), a.body)
	if ref.HasDigest() && !m.Has(ref.Digest()) {
		return nil, corrupt(c.side, s.name, m.Digest, ref.Digest())
	}
	return m, nil
}

// corrupt is the failure for content with the wrong digest. Another attempt may
// use another cache.
func corrupt(side failure.Side, step string, got, want v1.Hash) error {
	return &failure.Error{Code: failure.Corrupt, Side: side, Step: step, Err: &doubtError{codedDoubts, fmt.Errorf("got %s for %s", got, want)}}
}

// mediaType returns the type in the manifest or, without one, in the header.
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

// Digest returns the digest of ref without fetching the manifest, which Docker
// Hub does not count as a pull. If the registry's response is not usable, the
// manifest is fetched.
func (c *Client) Digest(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	digest, err := c.head(ctx, ref)
	switch {
	case err == nil && digest != v1.Hash{}:
		return digest, nil
	case failure.CodeOf(err) == failure.NotFound && c.learned.headFinds.Load():
		return v1.Hash{}, err
	case failure.CodeOf(err) == failure.NotFound:
		// Some registries answer HEAD with 404 for manifests that exist, so the
		// first 404 must be confirmed by GET. One request at a time does that.
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

// Mirrored asks c for the sha256 of what ref names at a target of Ferry, which knows
// manifests by their sha256 alone: for a ref with a sha512, that of its tag, if the
// manifest has the sha512.
func Mirrored(ctx context.Context, c interface {
	Digest(context.Context, reference.Reference) (v1.Hash, error)
	Manifest(context.Context, reference.Reference) (*Manifest, error)
}, ref reference.Reference,
) (v1.Hash, error) {
	if ref.Digest().Algorithm != "sha512" {
		return c.Digest(ctx, ref)
	}
	tagged, err := ref.Repository().Tagged(ref.Tag())
	if err != nil {
		return v1.Hash{}, &failure.Error{Code: failure.NotFound, Step: readManifest.name, Err: err}
	}
	m, err := c.Manifest(ctx, tagged)
	if err != nil {
		return v1.Hash{}, err
	}
	if !m.Has(ref.Digest()) {
		return v1.Hash{}, &failure.Error{Code: failure.NotFound, Side: failure.Source, Step: readManifest.name, Err: fmt.Errorf("%s is not %s", tagged, ref.Digest())}
	}
	return m.Digest, nil
}

// head returns the digest that a registry reports for ref; the zero Hash if it
// reports none.
func (c *Client) head(ctx context.Context, ref reference.Reference) (v1.Hash, error) {
	a, err := c.glance(ctx, headManifest, c.manifestRequest(http.MethodHead, ref))
	if err != nil {
		return v1.Hash{}, err
	}
	digest, err := reference.ParseDigest(a.header.Get("Docker-Content-Digest"))
	if err != nil {
		return v1.Hash{}, nil
	}
	return digest, nil
}

// names reports whether ref names a manifest with the digest, by one HEAD request,
// and by one GET request if that has no usable result.
func (c *Client) names(ctx context.Context, ref reference.Reference, want v1.Hash) bool {
	digest, err := c.head(ctx, ref)
	if err == nil && digest != (v1.Hash{}) || failure.CodeOf(err) == failure.NotFound {
		return digest == want
	}
	m, err := c.Extra(ctx, ref)
	return err == nil && m.Digest == want
}

// PutManifest puts m under the digest of ref if it has one, otherwise under its
// tag. If m refers to another manifest, listed reports whether the registry
// will list it there. Each time the registry reports that it lacks a part of m,
// restore is called unless it is nil; it returns true if it has restored
// something. After a failure that leaves open whether m was stored, ref is
// looked up.
func (c *Client) PutManifest(ctx context.Context, ref reference.Reference, m *Manifest, restore func(context.Context) (bool, error)) (listed bool, err error) {
	x := exchange{
		method: http.MethodPut,
		url:    c.at(ref.Repository(), distribution.Manifests, part(ref)),
		header: http.Header{"Content-Type": {string(m.MediaType)}},
		scopes: c.scopes(ref.Repository()),
		body:   bytes.NewReader(m.Body),
		size:   int64(len(m.Body)),
	}
	tries := c.Backoff()
	for {
		var a answer
		err := c.once(ctx, func(ctx context.Context) (err error) {
			a, err = c.try(ctx, putManifest, x, maxError)
			return err
		})
		if err == nil {
			return a.header.Get("OCI-Subject") != "", nil
		}
		switch code := failure.CodeOf(err); {
		case code == failure.Unavailable, code == failure.Network, code == failure.WebPage:
			// The registry may have stored it, and a proxy lost the response.
			if c.names(ctx, ref, m.Digest) {
				return false, nil
			}
		case code == failure.PartLost && restore != nil:
			restored, err := restore(ctx)
			if err != nil {
				return false, err
			}
			if restored {
				tries.Progress()
			}
		}
		if err := tries.Again(ctx, err); err != nil {
			return false, err
		}
	}
}

// extrasTime limits requests for parts that an image is complete without.
const extrasTime = 20 * time.Second

// looks are the pauses between attempts to read back a new manifest, because
// replicated registries need some seconds until all replicas have it. They add
// up to ten seconds. The first ones are short, because most registries are
// faster.
var looks = []time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond, 400 * time.Millisecond, 500 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 1500 * time.Millisecond, 2 * time.Second, 3500 * time.Millisecond,
}

// confirmTime limits all attempts: some registries hold the requests for a new
// manifest until it has been scanned.
const confirmTime = 20 * time.Second

// rewrittenLooks is after how many attempts that find a third manifest, neither
// the new one nor the old one, it is given up: waiting does not change that.
const rewrittenLooks = 6

// Confirm reads back what ref names after it was put. It returns false without
// an error if the registry reports no digest, or still before, the digest that
// ref named earlier (the zero Hash for none), or has not answered after
// confirmTime: the put has succeeded, and reading back is only a check. Any other
// digest is an error with the code Rewritten. It asks by HEAD, and by GET at the
// beginning and at the end, or always if only GET works.
func (c *Client) Confirm(ctx context.Context, ref reference.Reference, want, before v1.Hash) (confirmed bool, err error) {
	if c.learned.holds.Load() {
		return false, nil
	}
	whole := ctx
	ctx, cancel := context.WithTimeout(whole, confirmTime)
	defer cancel()
	var found v1.Hash
	thirds := 0
	unknown, onlyGet, silent := false, false, true
	for i := 0; ; i++ {
		digest, err := v1.Hash{}, error(nil)
		if !onlyGet {
			digest, err = c.head(ctx, ref)
		}
		if digest == want {
			return true, nil
		}
		if !unknown || failure.CodeOf(err) != failure.NotFound || i == len(looks) {
			var m *Manifest
			err = c.once(ctx, func(ctx context.Context) (err error) {
				m, err = c.manifest(ctx, ref)
				return err
			})
			if err == nil {
				onlyGet = onlyGet || digest != m.Digest
				digest = m.Digest
			}
		}
		unknown = failure.CodeOf(err) == failure.NotFound
		silent = silent && ctx.Err() != nil
		switch {
		case err == nil && digest == want:
			return true, nil
		case err == nil:
			found = digest
			if digest != before {
				thirds++
			}
		case whole.Err() != nil:
			return false, c.broken(whole, ReadingBack, context.Cause(whole))
		case mayNotPull(err):
			return false, nil
		case unknown && i == 0:
			// An unknown tag is not waited for if the registry has the manifest by
			// its digest: the push has succeeded, and other replicas will know the
			// tag soon.
			if c.names(ctx, ref.Untagged(want), want) {
				return true, nil
			}
		}
		if i == len(looks) || thirds == rewrittenLooks || c.opts.Wait(ctx, looks[i]) != nil && whole.Err() == nil {
			break
		}
	}
	if found == before || found == (v1.Hash{}) {
		c.learned.holds.Store(silent)
		return false, nil
	}
	return false, c.fail(failure.Rewritten, ReadingBack, fmt.Errorf("put %s, the tag names %s", want, found))
}

// LookAhead looks up ref while it is being put, so that reading it back need not
// cost a round trip of its own. It waits until the registry has probably
// written the tag, and sends one request, unless confirmed is called before.
// confirmed must be called once, after the put; it reports whether ref named
// want already. If not, Confirm has to ask again, and this registry is no longer
// asked early.
func (c *Client) LookAhead(ctx context.Context, ref reference.Reference, want v1.Hash) (confirmed func() bool) {
	if c.learned.slowTags.Load() {
		return func() bool { return false }
	}
	var digest v1.Hash
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		timer := time.NewTimer(max(c.Answer()-c.Trip(), 0) + headStart)
		defer timer.Stop()
		select {
		case <-over:
			return
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		digest, _ = c.head(ctx, ref)
		if digest != want && ctx.Err() == nil {
			c.learned.slowTags.Store(true)
		}
	}()
	return func() bool {
		close(over)
		<-done
		return digest == want
	}
}

// headStart is how much earlier than the look-up the put has to arrive.
const headStart = 10 * time.Millisecond

// mayNotPull reports whether err is the refusal of a login that may push but
// not pull, or of a policy, such as Harbor's against vulnerable images. A refusal
// without a code may have another reason.
func mayNotPull(err error) bool {
	switch failure.CodeOf(err) {
	case failure.TargetLogin, failure.TargetClosed:
		doubt, ok := errors.AsType[*doubtError](err)
		return !ok || doubt.times <= codedDoubts
	default:
		return false
	}
}

// Extra gets the manifest of ref like Manifest, but with one attempt and a short
// time limit, because an image is complete without it.
func (c *Client) Extra(ctx context.Context, ref reference.Reference) (*Manifest, error) {
	var m *Manifest
	err := c.within(ctx, extrasTime, func(ctx context.Context) (err error) {
		m, err = c.manifest(ctx, ref)
		return err
	})
	return m, err
}

// SmallBlob reads a blob of at most a few MiB into memory and verifies it.
func (c *Client) SmallBlob(ctx context.Context, repository reference.Repository, digest v1.Hash, size int64) ([]byte, error) {
	var body []byte
	err := c.retry(ctx, func(ctx context.Context) error {
		a, err := c.try(ctx, readConfig, exchange{
			method: http.MethodGet,
			url:    c.at(repository, distribution.Blobs, digest.String()),
			scopes: c.scopes(repository),
			via:    c.bulk,
		}, max(size, MaxManifest))
		if err != nil {
			return err
		}
		got := hash(digest.Algorithm, a.body)
		switch {
		case got != digest && isPage(a.body):
			return webPage(c.side, readConfig.name, a.body)
		case got != digest:
			return corrupt(c.side, readConfig.name, got, digest)
		case int64(len(a.body)) != size:
			return wrongSize(c.side, size, int64(len(a.body)))
		}
		body = a.body
		return nil
	})
	return body, err
}

// wrongSize is the failure for a manifest that gives a wrong size for a blob.
// ActualSize returns that size.
func wrongSize(side failure.Side, said, actual int64) error {
	var err error = &sizeError{said, actual}
	if actual < said/2 { // it may be the answer of a proxy
		err = &doubtError{codedDoubts, err}
	}
	return &failure.Error{Code: failure.WrongSize, Side: side, Step: readingBlob, Err: err}
}

type sizeError struct{ said, actual int64 }

func (e *sizeError) Error() string {
	return fmt.Sprintf("blob has %d bytes, the manifest says %d", e.actual, e.said)
}

// ActualSize returns the real size of a blob if err says that its manifest
// gives another.
func ActualSize(err error) (size int64, ok bool) {
	e, ok := errors.AsType[*sizeError](err)
	if !ok {
		return 0, false
	}
	return e.actual, true
}
