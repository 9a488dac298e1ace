// Package pull brings mirrored images onto this machine under the names of
// their sources: it finds the mirror that has an image, lets a client pull it
// by its digest, and compares what the client then holds.
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

// atOnce is how many images a client pulls at once: its daemon pulls three
// layers at a time itself.
const atOnce = 3

// Image is an image to pull.
type Image struct {
	Source   reference.Reference
	Platform reference.Platform // zero for the machine's own
	// Mirrors are the names that the image may have been mirrored under, in
	// order of preference.
	Mirrors []reference.Reference
}

// Result is what became of one image.
type Result struct {
	Image  Image
	Mirror reference.Reference // that it was pulled from; zero if there is none
	Digest v1.Hash             // that the client holds
	Name   string              // that the image has on this machine
	Err    error               // nil if the client holds the image under Name
}

// ErrNotMirrored says that no mirror has the image.
var ErrNotMirrored = errors.New("not mirrored yet")

// Puller pulls images.
type Puller struct {
	Client clients.Client
	// Digest asks a registry for the sha256 of what a mirror name stands for. A name
	// with a sha512 stands for what its tag names, if that has the sha512.
	Digest func(context.Context, reference.Reference) (v1.Hash, error)
	// Run runs a command line and returns what it printed. The error holds what
	// the command printed on standard error.
	Run func(ctx context.Context, args []string) (string, error)
	// Keep leaves the mirror's own name on the machine as well.
	Keep bool
}

// Pull pulls all images, a few at once, and returns a result for each in the
// same order. Watch is told each as it ends, one call at a time.
func (p *Puller) Pull(ctx context.Context, images []Image, watch func(Result)) []Result {
	results := make([]Result, len(images))
	slots := make(chan struct{}, atOnce)
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, image := range images {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			results[i] = p.pull(ctx, image)
			mu.Lock()
			defer mu.Unlock()
			watch(results[i])
		})
	}
	all.Wait()
	return results
}

func (p *Puller) pull(ctx context.Context, image Image) Result {
	result := Result{Image: image}
	result.Mirror, result.Digest, result.Err = Find(ctx, image.Source, image.Mirrors, p.Digest)
	if result.Err != nil {
		return result
	}
	taking, ok := p.Client.Take(clients.Mirror{
		Source: image.Source, Name: result.Mirror, Digest: result.Digest, Platform: image.Platform, Exact: image.Source.HasDigest(),
	})
	if !ok {
		result.Err = fmt.Errorf("%s cannot give an image a name", p.Client.Name)
		return result
	}
	result.Name = taking.Name
	result.Err = p.take(ctx, taking, result.Digest)
	return result
}

// Find returns the first of the mirrors to answer that it has the source, and the
// digest that it names. Ask asks a registry for that. A source that is named by a
// digest is looked for by that digest, whatever the mirror's tag names by now. If
// no mirror has it, the error is ErrNotMirrored.
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
				err = errors.New("the registry does not say which digest the tag has")
			}
			answers <- answer{mirror, digest, err}
		}()
	}
	err := ErrNotMirrored
	for range mirrors {
		a := <-answers
		switch {
		case a.err == nil && source.Digest().Algorithm == a.digest.Algorithm && a.digest != source.Digest():
			err = fmt.Errorf("%s answers with %s, which was not asked for", a.mirror, a.digest)
		case a.err == nil:
			return a.mirror, a.digest, nil
		case failure.CodeOf(a.err) != failure.NotFound:
			err = fmt.Errorf("asking for %s: %w", a.mirror, a.err)
		}
	}
	return reference.Reference{}, v1.Hash{}, err
}

// take runs the commands of a client, and looks at what it has in the end.
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
		return fmt.Errorf("%s has something else under %s: not %s, but %s", t.Digests[0], t.Name, digest, strings.Join(strings.Fields(held), " "))
	}
	if t.Remove == nil || p.Keep {
		return nil
	}
	if _, err := p.Run(ctx, t.Remove); err != nil {
		return fmt.Errorf("the image is there, but the mirror's own name could not be removed: %w", err)
	}
	return nil
}
