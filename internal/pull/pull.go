// Package pull pulls mirrored images and names them like their sources: it
// finds a mirror that has the image, lets a client pull it by digest, and
// checks the result.
package pull

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// together is how many images are checked with one command.
const together = 5

// lookupsAtOnce is how many images are looked up at the same time, also while others
// are pulled.
const lookupsAtOnce = 10

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

	mu      sync.Mutex
	pulling int       // images that are not pulled yet
	pulled  []*pulled // images to be checked
}

// pulled is an image that the client has pulled and named.
type pulled struct {
	taking  clients.Taking
	digest  v1.Hash
	checked chan struct{} // closed when err is set
	err     error
}

// Pull pulls the images whose results are Missing, a few at a time, and replaces their
// results. It calls watch with each, one call at a time.
func (p *Puller) Pull(ctx context.Context, results []Result, watch func(Result)) {
	lookups, pulls := make(slots, lookupsAtOnce), make(slots, atOnce)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, r := range results {
		if r.Missing() {
			p.pulling++
		}
	}
	for i, r := range results {
		if !r.Missing() {
			continue
		}
		all.Go(func() {
			result, one := p.pull(ctx, r.Image, lookups, pulls)
			p.settle(ctx, one)
			if one != nil {
				<-one.checked
				result.Err = one.err
			}
			results[i] = result
			mu.Lock()
			defer mu.Unlock()
			watch(result)
		})
	}
	all.Wait()
}

// slots limit what is done at the same time.
type slots chan struct{}

func (s slots) do(f func()) {
	s <- struct{}{}
	defer func() { <-s }()
	f()
}

// pull pulls one image and names it. It is to be checked unless it is nil.
func (p *Puller) pull(ctx context.Context, image Image, lookups, pulls slots) (Result, *pulled) {
	result := Result{Image: image}
	lookups.do(func() { result.Mirror, result.Digest, result.Err = Find(ctx, image.Source, image.Mirrors, p.Digest) })
	if result.Err != nil || p.Client.Name == "" {
		return result, nil
	}
	taking, ok := p.Client.Take(clients.Mirror{
		Source: image.Source, Name: result.Mirror, Digest: result.Digest, Platform: image.Platform, Exact: image.Source.HasDigest(),
	})
	if !ok {
		result.Err = fmt.Errorf("%s cannot name images", p.Client.Name)
		return result, nil
	}
	result.Name = taking.Name
	pulls.do(func() { _, result.Err = p.Run(ctx, taking.Pull) })
	if result.Err == nil && taking.Tag != nil {
		_, result.Err = p.Run(ctx, taking.Tag)
	}
	if result.Err != nil {
		return result, nil
	}
	return result, &pulled{taking: taking, digest: result.Digest, checked: make(chan struct{})}
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

// settle checks a pulled image, if it is not nil, and removes its mirror name: together
// with others, because clients need more time to start than for a name.
func (p *Puller) settle(ctx context.Context, one *pulled) {
	p.mu.Lock()
	p.pulling--
	if one != nil {
		p.pulled = append(p.pulled, one)
	}
	var all []*pulled
	if len(p.pulled) >= together || p.pulling == 0 {
		all, p.pulled = p.pulled, nil
	}
	p.mu.Unlock()
	if len(all) == 0 {
		return
	}
	p.check(ctx, all)
	p.remove(ctx, all)
	for _, one := range all {
		close(one.checked)
	}
}

// check compares the digests that the client reports.
func (p *Puller) check(ctx context.Context, all []*pulled) {
	args, names := slices.Clone(p.Client.Check.Digests), make([]string, len(all))
	for i, one := range all {
		names[i] = one.taking.Name
		args = append(args, p.Client.Check.Prefix+names[i])
	}
	out, err := p.Run(ctx, args)
	if err != nil && len(all) > 1 { // one of them may be the reason
		for i := range all {
			p.check(ctx, all[i:i+1])
		}
		return
	}
	held := p.Client.Check.Held(out, names)
	for i, one := range all {
		if one.err = err; err == nil && !strings.Contains(held[i], one.digest.String()) {
			one.err = fmt.Errorf("%s has another image under %s: want %s, have %s", p.Client.Name, names[i], one.digest, strings.Join(strings.Fields(held[i]), " "))
		}
	}
}

// remove removes the mirror names of checked images.
func (p *Puller) remove(ctx context.Context, all []*pulled) {
	var names []string
	for _, one := range all {
		if name := one.taking.Mirror; one.err == nil && name != "" && !p.Keep && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	_, err := p.Run(ctx, append(slices.Clone(p.Client.Check.Remove), names...))
	for _, one := range all {
		if err != nil && one.err == nil && slices.Contains(names, one.taking.Mirror) {
			one.err = fmt.Errorf("the image was pulled, but its mirror name could not be removed: %w", err)
		}
	}
}
