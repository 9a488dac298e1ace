// Package pull pulls mirrored images and names them like their sources: it
// finds a mirror that has the image, lets a client pull it by digest, and
// checks the result.
package pull

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/reference"
)

// atOnce is how many images a client pulls at the same time. Its daemon pulls
// three layers of each at a time.
const atOnce = 3

// Image is an image to pull.
type Image struct {
	Source   reference.Reference
	Platform reference.Platform // zero for that of the machine
	// Mirrors are the possible mirror names of the image, in order of
	// preference.
	Mirrors []reference.Reference
}

// Result is the result of one image.
type Result struct {
	Image  Image
	Mirror reference.Reference // that it was pulled from; zero if there is none
	Digest v1.Hash             // of the image that the client has
	Name   string              // of the image on this machine
	Err    error               // nil if the client has the image under Name
}

// Missing reports whether no mirror has the image yet.
func (r Result) Missing() bool { return errors.Is(r.Err, ErrNotMirrored) }

// ErrNotMirrored means that no mirror has the image.
var ErrNotMirrored = errors.New("not mirrored yet")

// LookupError means that a mirror did not say whether it has the image.
type LookupError struct {
	Mirror reference.Reference
	Err    error
}

func (e *LookupError) Error() string { return fmt.Sprintf("looking up %s: %v", e.Mirror, e.Err) }

func (e *LookupError) Unwrap() error { return e.Err }

// Puller pulls images.
type Puller struct {
	// Client pulls; the zero Client makes Pull look the images up only.
	Client clients.Client
	// Digest returns the sha256 of a mirror name at its registry. A name with a
	// sha512 means the image of its tag, if that has the sha512.
	Digest func(context.Context, reference.Reference) (v1.Hash, error)
	// Run runs a command and returns its standard output. The error contains
	// its standard error.
	Run func(ctx context.Context, args []string) (string, error)
	// Keep keeps the mirror name on the machine as well.
	Keep bool
}

// Pull pulls the images whose results are Missing, a few at a time, and replaces their
// results. It calls watch with each, one call at a time.
func (p *Puller) Pull(ctx context.Context, results []Result, watch func(Result)) {
	slots := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, r := range results {
		if !r.Missing() {
			continue
		}
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = p.pull(ctx, r.Image)
			mu.Lock()
			defer mu.Unlock()
			watch(results[i])
		})
	}
	all.Wait()
}

func (p *Puller) pull(ctx context.Context, image Image) Result {
	result := Result{Image: image}
	result.Mirror, result.Digest, result.Err = Find(ctx, image.Source, image.Mirrors, p.Digest)
	if result.Err != nil || p.Client.Name == "" {
		return result
	}
	taking, ok := p.Client.Take(clients.Mirror{
		Source: image.Source, Name: result.Mirror, Digest: result.Digest, Platform: image.Platform, Exact: image.Source.HasDigest(),
	})
	if !ok {
		result.Err = fmt.Errorf("%s cannot name images", p.Client.Name)
		return result
	}
	result.Name = taking.Name
	result.Err = p.take(ctx, taking, result.Digest)
	return result
}

// Find returns the first mirror that answers that it has the source, and its
// digest, using ask. If the source has a digest, that digest is looked up,
// whatever the mirror's tag names. If no mirror has it, the error is
// ErrNotMirrored.
func Find(ctx context.Context, source reference.Reference, mirrors []reference.Reference,
	ask func(context.Context, reference.Reference) (v1.Hash, error),
) (reference.Reference, v1.Hash, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		mirror reference.Reference
		digest v1.Hash
		err    error
	}
	answers := make(chan answer, len(mirrors))
	for _, mirror := range mirrors {
		if source.HasDigest() {
			mirror = mirror.WithDigest(source.Digest())
		}
		go func() {
			digest, err := ask(ctx, mirror)
			if err == nil && digest == (v1.Hash{}) {
				err = errors.New("the registry did not report the digest of the tag")
			}
			answers <- answer{mirror, digest, err}
		}()
	}
	err := ErrNotMirrored
	for range mirrors {
		a := <-answers
		switch {
		case a.err == nil && source.Digest().Algorithm == a.digest.Algorithm && a.digest != source.Digest():
			err = fmt.Errorf("%s returned %s instead of the requested digest", a.mirror, a.digest)
		case a.err == nil:
			return a.mirror, a.digest, nil
		case failure.CodeOf(a.err) != failure.NotFound:
			err = &LookupError{Mirror: a.mirror, Err: a.err}
		}
	}
	return reference.Reference{}, v1.Hash{}, err
}

// take runs the commands of a client and checks the digest of the result.
func (p *Puller) take(ctx context.Context, t clients.Taking, digest v1.Hash) error {
	for _, args := range [][]string{t.Pull, t.Tag} {
		if args == nil {
			continue
		}
		if _, err := p.Run(ctx, args); err != nil {
			return err
		}
	}
	held, err := p.Run(ctx, t.Digests)
	if err != nil {
		return err
	}
	if !strings.Contains(held, digest.String()) {
		return fmt.Errorf("%s has another image under %s: want %s, have %s", t.Digests[0], t.Name, digest, strings.Join(strings.Fields(held), " "))
	}
	if t.Remove == nil || p.Keep {
		return nil
	}
	if _, err := p.Run(ctx, t.Remove); err != nil {
		return fmt.Errorf("the image was pulled, but its mirror name could not be removed: %w", err)
	}
	return nil
}
