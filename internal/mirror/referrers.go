package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/registry"
)

// maxSubjects bounds for how many manifests of an image referrers are looked
// for; it takes four requests each.
const maxSubjects = 32

// cosign are the suffixes of the tags that cosign ties to a digest.
var cosign = []string{".sig", ".att", ".sbom"}

// referrers copies what refers to the image that has arrived: signatures,
// attestations and SBOMs, by the API of OCI 1.1 or by cosign's tags. It
// returns how many there were.
func (p *porter) referrers(ctx context.Context, img *image, n *node) (int, error) {
	var subjects []*node
	n.walk(func(n *node) {
		if _, attests := n.attests(); !attests {
			subjects = append(subjects, n)
		}
	})
	slices.Reverse(subjects) // the root first
	subjects = subjects[:min(len(subjects), maxSubjects)]
	// One for all: whoever can publish an image can make a million things refer to it.
	g := img.grower()
	var mu sync.Mutex
	count := 0
	err := each(ctx, len(subjects), func(ctx context.Context, i int) error {
		subject := subjects[i].manifest.Digest
		var entries []v1.Descriptor
		err := each(ctx, 1+len(cosign), func(ctx context.Context, k int) (err error) {
			if k == len(cosign) {
				entries, err = p.source.Referrers(ctx, p.from, subject)
				return err
			}
			found, err := p.tied(ctx, g, subject, cosign[k])
			mu.Lock()
			defer mu.Unlock()
			count += found
			return err
		})
		if err != nil {
			return err
		}
		if err := g.admit(len(entries)); err != nil {
			return err
		}
		for _, entry := range entries {
			if err := p.referrer(ctx, g, subject, entry); err != nil {
				return err
			}
		}
		mu.Lock()
		defer mu.Unlock()
		count += len(entries)
		return nil
	})
	return count, err
}

// tied copies what cosign has tagged for subject, if it has.
func (p *porter) tied(ctx context.Context, g *grower, subject v1.Hash, suffix string) (int, error) {
	tag := subject.Algorithm + "-" + subject.Hex + suffix
	from, err := p.from.Tagged(tag)
	if err != nil {
		return 0, err
	}
	to, err := p.to.Repository().Tagged(tag)
	if err != nil {
		return 0, err
	}
	m, err := p.source.Manifest(ctx, from)
	if f := (*failure.Error)(nil); errors.As(err, &f) && (f.Code == failure.NotFound || f.Code == failure.Private) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := p.extra(ctx, g, m, v1.Descriptor{})
	if err != nil {
		return 0, err
	}
	if err := p.bring(ctx, n); err != nil {
		return 0, err
	}
	_, err = p.target.PutManifest(ctx, to, m)
	return 1, err
}

// extra reads what comes along with the image, within the limits on an image.
func (p *porter) extra(ctx context.Context, g *grower, m *registry.Manifest, entry v1.Descriptor) (*node, error) {
	n, err := g.grow(ctx, m, entry, 0)
	if err == nil {
		err = n.within(p.image.m.opts.ImageBytes)
	}
	if err == nil {
		err = p.budget.take(n)
	}
	return n, err
}

// referrer copies one manifest that names subject, and enters it into the list
// that clients keep where the target has no API for it (OCI distribution
// specification, "Pushing Manifests with Subject").
func (p *porter) referrer(ctx context.Context, g *grower, subject v1.Hash, entry v1.Descriptor) error {
	m, err := p.source.Manifest(ctx, g.ref.WithDigest(entry.Digest))
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
	listed, err := p.target.PutManifest(ctx, p.to.WithDigest(m.Digest), m)
	if err != nil || listed {
		return err
	}
	return p.list(ctx, subject, entry)
}

func (p *porter) list(ctx context.Context, subject v1.Hash, entry v1.Descriptor) error {
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
	_, err = p.target.PutManifest(ctx, tag, registry.NewManifest(types.OCIImageIndex, body))
	return err
}
