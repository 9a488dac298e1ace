package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/registry"
)

// maxSubjects limits the manifests of an image whose referrers are looked up;
// each takes up to four requests.
const maxSubjects = 32

// cosign are the suffixes of the tags that cosign derives from a digest.
var cosign = []string{".sig", ".att", ".sbom"}

// companions are the source's manifests that refer to one manifest.
type companions struct {
	subject v1.Hash
	tied    []*registry.Manifest // by cosign's tags, in their order; nil for none
	entries []v1.Descriptor      // from the API
}

// inquiry looks up the referrers of an image at the source.
type inquiry struct {
	cancel context.CancelFunc
	done   chan struct{}
	found  []companions
	err    error
}

// inquire starts a lookup in the background.
func (p *copier) inquire(ctx context.Context, n *node) *inquiry {
	ctx, cancel := context.WithCancel(ctx)
	q := &inquiry{cancel: cancel, done: make(chan struct{})}
	n.walk(func(n *node) {
		if _, attests := n.attests(); !attests {
			q.found = append(q.found, companions{subject: n.manifest.Digest, tied: make([]*registry.Manifest, len(cosign))})
		}
	})
	slices.Reverse(q.found) // the root first
	q.found = q.found[:min(len(q.found), maxSubjects)]
	go func() {
		defer close(q.done)
		q.err = p.ask(ctx, q, n.manifest.Digest == p.image.digest)
	}()
	return q
}

// ask looks up the subjects' referrers by tags, if the repository has such
// tags, and by the API for the first subject, the image. It calls the API for
// the other subjects if there are signs of more, or if the source does not have
// the image in this form.
func (p *copier) ask(ctx context.Context, q *inquiry, original bool) error {
	m := p.image.m
	var tags *attachment
	may := func(tag string) bool { return p.attached.of(ctx, p.source, p.from, len(q.found)).may(tag) }
	err := each(ctx, 2, func(ctx context.Context, side int) error {
		if side == 0 {
			tags = p.attached.of(ctx, p.source, p.from, len(q.found))
			return nil
		}
		return p.entries(ctx, &q.found[0], may)
	})
	if err != nil {
		return err
	}
	more := !original || len(q.found[0].entries) > 0 || m.opts.Archive != nil
	var asks []func(context.Context) error
	for i := range q.found {
		a := &q.found[i]
		for k, suffix := range cosign {
			if tag := cosignTag(a.subject, suffix); tags.may(tag) {
				more = more || tags.complete
				asks = append(asks, func(ctx context.Context) (err error) {
					a.tied[k], err = p.tied(ctx, a.subject, suffix)
					return err
				})
			}
		}
	}
	if more {
		for i := range q.found[1:] {
			asks = append(asks, func(ctx context.Context) error { return p.entries(ctx, &q.found[i+1], may) })
		}
	}
	return eachIn(ctx, m.asking, len(asks), func(ctx context.Context, i int) error { return asks[i](ctx) })
}

// entries looks up the referrers of a subject by the API.
func (p *copier) entries(ctx context.Context, a *companions, may func(tag string) bool) (err error) {
	a.entries, err = p.source.Referrers(ctx, p.from, a.subject, may)
	if limit := p.image.m.opts.IndexManifests; len(a.entries) > limit {
		a.entries, err = nil, unusable(failure.TooLarge, strconv.Itoa(limit), "%d manifests refer to %s", len(a.entries), a.subject)
	}
	return err
}

// stop cancels the lookup and waits until it has ended.
func (q *inquiry) stop() {
	q.cancel()
	<-q.done
}

// referrers copies the referrers of the image: signatures, attestations and
// SBOMs, by the API of OCI 1.1 or by cosign's tags. It returns their number.
func (p *copier) referrers(ctx context.Context, img *image, q *inquiry) (int, error) {
	<-q.done
	if q.err != nil {
		return 0, q.err
	}
	// One limit applies to all: anyone who can publish an image can add a
	// million referrers.
	g := img.grower()
	var mu sync.Mutex
	count := 0
	add := func(more int) {
		mu.Lock()
		defer mu.Unlock()
		count += more
	}
	err := each(ctx, len(q.found), func(ctx context.Context, i int) error {
		a := q.found[i]
		err := each(ctx, len(cosign), func(ctx context.Context, k int) error {
			if a.tied[k] == nil {
				return nil
			}
			if err := p.tie(ctx, g, a.subject, cosign[k], a.tied[k]); err != nil {
				return err
			}
			add(1)
			return nil
		})
		if err != nil {
			return err
		}
		if err := g.admit(len(a.entries)); err != nil {
			return err
		}
		for _, entry := range a.entries {
			if err := p.referrer(ctx, g, a.subject, entry); err != nil {
				return err
			}
		}
		add(len(a.entries))
		return nil
	})
	return count, err
}

// leftBehind returns the reason why not all referrers of an image were copied.
func leftBehind(err error) Change {
	f, ok := failure.As(err)
	switch {
	case ok && f.Code == failure.TooLarge:
		return ReferrersOverLimit
	case ok && f.Side == failure.Target:
		return NoReferrers
	}
	return ReferrersUnread
}

// cosignTag returns cosign's tag for subject.
func cosignTag(subject v1.Hash, suffix string) string {
	return subject.Algorithm + "-" + subject.Hex + suffix
}

// tied returns the manifest of cosign's tag for subject, or nil for none.
func (p *copier) tied(ctx context.Context, subject v1.Hash, suffix string) (*registry.Manifest, error) {
	from, err := p.from.Tagged(cosignTag(subject, suffix))
	if err != nil {
		return nil, err
	}
	m, err := p.source.Extra(ctx, from)
	if c := failure.CodeOf(err); c == failure.NotFound || c == failure.Private {
		return nil, nil
	}
	if err == nil && len(m.Body) > lightManifests {
		return nil, unusable(failure.TooLarge, strconv.Itoa(lightManifests), "manifest %s has %d bytes", m.Digest, len(m.Body))
	}
	if err == nil {
		err = p.image.allowance.take(ctx, int64(len(m.Body)))
	}
	return m, err
}

// tie copies the manifest of cosign's tag for subject.
func (p *copier) tie(ctx context.Context, g *grower, subject v1.Hash, suffix string, m *registry.Manifest) error {
	to, err := p.to.Repository().Tagged(cosignTag(subject, suffix))
	if err != nil {
		return err
	}
	if p.shared() {
		// Another source's signature of the same content is kept.
		if held, err := glimpse(ctx, p.target, to); err != nil || held != nil {
			return err
		}
	}
	n, err := p.extra(ctx, g, m, v1.Descriptor{})
	if err != nil {
		return err
	}
	if err := p.bring(ctx, n); err != nil {
		return err
	}
	return p.write(ctx, to, n)
}

// extra reads an artifact of the image, within the limits on an image.
func (p *copier) extra(ctx context.Context, g *grower, m *registry.Manifest, entry v1.Descriptor) (*node, error) {
	n, err := g.grow(ctx, m, entry, 0)
	if err == nil {
		err = n.within(p.image.m.opts.ImageBytes)
	}
	if err == nil {
		err = p.budget.take(n)
	}
	return n, err
}

// referrer copies one manifest that refers to subject, and adds it to the list
// that clients maintain at targets without the API (OCI distribution
// specification, "Pushing Manifests with Subject").
func (p *copier) referrer(ctx context.Context, g *grower, subject v1.Hash, entry v1.Descriptor) error {
	m, err := p.image.fetch(ctx, g.ref.WithDigest(entry.Digest))
	if err != nil {
		return err
	}
	n, err := p.extra(ctx, g, m, entry)
	if err != nil {
		return err
	}
	if err := p.bring(ctx, n); err != nil {
		return err
	}
	listed, err := p.target.PutManifest(ctx, p.to.WithDigest(m.Digest), m, p.restorer(n))
	if err != nil || listed {
		return err
	}
	return p.list(ctx, subject, entry)
}

func (p *copier) list(ctx context.Context, subject v1.Hash, entry v1.Descriptor) error {
	tag, err := p.to.Repository().Tagged(subject.Algorithm + "-" + subject.Hex)
	if err != nil {
		return err
	}
	p.listing.Lock()
	defer p.listing.Unlock()
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	held, err := present(ctx, p.target, tag)
	if err != nil {
		return err
	}
	if held != nil && json.Unmarshal(held.Body, &index) != nil {
		return &failure.Error{Code: failure.TargetRefused, Side: failure.Target, Step: registry.WritingManifest, Err: errors.New("referrers tag names something else")}
	}
	if slices.ContainsFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Digest == entry.Digest }) {
		return nil
	}
	index.Manifests = append(index.Manifests, entry)
	body, err := json.Marshal(index)
	if err != nil {
		return err
	}
	_, err = p.target.PutManifest(ctx, tag, registry.NewManifest(types.OCIImageIndex, body), nil)
	return err
}
