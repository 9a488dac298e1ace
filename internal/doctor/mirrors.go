package doctor

import (
	"context"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// mirrorTime limits the check of all public mirrors.
const mirrorTime = 15 * time.Second

// samples are small images to look for at public mirrors, one of each large registry.
var samples = [...]string{
	"registry.k8s.io/pause:3.10", "docker.io/library/busybox:latest", "quay.io/prometheus/busybox:latest",
	"gcr.io/distroless/static:latest", "ghcr.io/distribution/distribution:latest",
}

// absent is a tag that no image has.
const absent = "ferry-asks-for-what-is-not-there"

// mirrors tries all public mirrors at once.
func (p Patient) mirrors(ctx context.Context) []*Finding {
	ctx, cancel := context.WithTimeout(ctx, mirrorTime)
	defer cancel()
	findings := make([]*Finding, len(p.Config.Public))
	var all sync.WaitGroup
	for i := range p.Config.Public {
		f := &Finding{Level: Note, Target: p.Config.Public[i].At, Host: p.Config.Public[i].Host()}
		findings[i] = f
		p.watch(f.Target)
		f.Source, f.Mirror = p.sample(i)
		all.Go(func() { f.Kind = p.mirror(ctx, f.Source, f.Mirror) })
	}
	all.Wait()
	for _, f := range findings {
		if f.Kind == MirrorAnswers {
			f.Level = OK
		} else if f.Kind == MirrorLies {
			f.Level = Warning
		}
	}
	return findings
}

// mirror looks for an image at a public mirror, and compares its digest with that of
// the source.
func (p Patient) mirror(ctx context.Context, source, there reference.Reference) Kind {
	client, ok := p.Visitors.ForRepository(there.Repository())
	if !ok {
		return MirrorUntested
	}
	digest, err := client.Digest(ctx, there)
	switch {
	case failure.CodeOf(err) == failure.NotFound:
		return MirrorLacks
	case err != nil:
		return MirrorSilent
	}
	if nothing, err := there.Repository().Tagged(absent); err == nil {
		if _, err := client.Digest(ctx, nothing); err == nil {
			return MirrorLies
		}
	}
	// HEAD requests say which digest a tag has; the content may have another one.
	if _, err := client.Manifest(ctx, there.Untagged(digest)); failure.CodeOf(err) == failure.Corrupt {
		return MirrorLies
	}
	var want v1.Hash
	if at, ok := p.Sources.ForRepository(source.Repository()); ok {
		want, err = at.Digest(ctx, source)
	}
	switch {
	case err != nil || want == v1.Hash{}:
		return MirrorUntested
	case digest != want:
		return MirrorDiffers
	}
	return MirrorAnswers
}

// sample returns an image that a public mirror may have, and its name there: one of the
// samples, or the tag "latest" of a repository in the list of the mirror's images. Both
// are zero if none is known.
func (p Patient) sample(i int) (source, mirror reference.Reference) {
	m := &p.Config.Public[i]
	candidates := samples[:]
	for _, pattern := range m.Images {
		if text := pattern.String(); !strings.HasSuffix(text, "/*") {
			candidates = append(candidates, text+":latest")
		}
	}
	for _, text := range candidates {
		source, err := reference.Parse(text)
		if err != nil {
			continue
		}
		if there, has := m.Of(source); has {
			return source, there
		}
	}
	return reference.Reference{}, reference.Reference{}
}
