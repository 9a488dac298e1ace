package doctor

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// mirrorTime limits the check of one public mirror.
const mirrorTime = 15 * time.Second

// samples are small images to look for at public mirrors, one of each large registry.
var samples = [...]string{
	"registry.k8s.io/pause:3.10", "docker.io/library/busybox:latest", "quay.io/prometheus/busybox:latest",
	"gcr.io/distroless/static:latest", "ghcr.io/distribution/distribution:latest",
}

// absent is a tag that no image has.
const absent = "ferry-asks-for-what-is-not-there"

// mirrors tries all public mirrors at once.
func (p Patient) mirrors(ctx context.Context) []Finding {
	findings := make([]Finding, len(p.Config.Public))
	var all sync.WaitGroup
	for i := range p.Config.Public {
		p.watch(p.Config.Public[i].At)
		all.Go(func() { findings[i] = p.mirror(ctx, i) })
	}
	all.Wait()
	return findings
}

// mirror looks for an image at a public mirror, and compares its digest with that of
// the source.
func (p Patient) mirror(ctx context.Context, i int) Finding {
	ctx, cancel := context.WithTimeout(ctx, mirrorTime)
	defer cancel()
	m := &p.Config.Public[i]
	f := Finding{Level: Note, Kind: MirrorUntested, Target: m.At, Host: m.Host()}
	client, ok := p.Visitors.ForHost(f.Host)
	if f.Source, f.Mirror = p.sample(i); !ok || f.Mirror.IsZero() {
		return f
	}
	digest, err := client.Digest(ctx, f.Mirror)
	switch {
	case failure.CodeOf(err) == failure.NotFound:
		f.Kind = MirrorLacks
		return f
	case err != nil:
		f.Kind = MirrorSilent
		return f
	}
	lies := Finding{Level: Warning, Kind: MirrorLies, Target: f.Target, Host: f.Host}
	if nothing, err := f.Mirror.Repository().Tagged(absent); err == nil {
		if _, err := client.Digest(ctx, nothing); err == nil {
			return lies
		}
	}
	// HEAD requests say which digest a tag has; the content may have another one.
	if _, err := client.Manifest(ctx, f.Mirror.Untagged(digest)); failure.CodeOf(err) == failure.Corrupt {
		return lies
	}
	source, ok := p.Sources.ForHost(f.Source.Repository().Host())
	if !ok {
		return f
	}
	switch want, err := source.Digest(ctx, f.Source); {
	case err != nil:
	case digest == want:
		f.Level, f.Kind = OK, MirrorAnswers
	default:
		f.Kind = MirrorDiffers
	}
	return f
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
