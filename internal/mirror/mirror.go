// Package mirror copies images from registry to registry: steps go in,
// receipts or typed errors come out, with progress on the way. Bytes are
// streamed; nothing touches the disk and no daemon is involved.
//
// The caller makes the clients of both sides and a Mirror, once a job, and runs it:
//
//	sources := registry.NewSources(cfg.Sources, opts)
//	targets := registry.NewTargets(cfg.Targets, cfg.Sources, opts)
//	m := mirror.New(mirror.Options{Sources: sources, Targets: targets, ...})
//	results := m.Run(ctx, plan.Steps, func(e mirror.Event) { ... })
//
// An image is resolved once and then copied by digest: its manifests are read
// (tree.go), what was asked for is chosen from them (choose.go), every blob is
// placed by the transfer room, and the manifests are put from the leaves to
// the root with the tag last (put.go), so that a tag never names an incomplete
// image. The target's tag is then read back and compared.
package mirror

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Options are the parts and limits of a Mirror.
type Options struct {
	Sources *registry.Clients
	// Archive, if not nil, is read instead of Sources, for all hosts.
	Archive Source
	// Manifests are manifests that have been read from Sources before, by their
	// digests, which the caller has checked.
	Manifests map[v1.Hash]*registry.Manifest
	Targets   *registry.Clients
	// ImageBytes limits all distinct blobs of one image together, RequestBytes
	// those of all images of one Run, and IndexManifests the number of
	// manifests of an image and of its referrers. All are required.
	ImageBytes, RequestBytes int64
	IndexManifests           int
	// Verify, if not nil, checks whether the owner allows an image with this
	// digest, signed or not. The change is Unsigned or empty; the error is a
	// *failure.Error.
	Verify func(context.Context, reference.Reference) (Change, error)
	// Attest attaches to each mirror a statement about its origin, with Run, the
	// URL of the current run.
	Attest bool
	Run    string
	// First are the platforms that are copied before the others, if an image has
	// several. The image is announced then (see registry.Client.Announce).
	First []reference.Platform
	// MinRate is the minimum rate of a Run in bytes per second, averaged over
	// slowTime; 0 for none. It is for jobs that take the time of others.
	MinRate int64
	// Referrers copies signatures, attestations and SBOMs that refer to an image.
	Referrers bool
	// Sizes reads the manifests of an index that a target already has, so that
	// its receipt has the size, in a Run of at most maxSized images, from the side
	// that does not count pulls.
	Sizes bool
	// Elsewhere are the hosts at which Ferry looks for an image that its source
	// does not have. They must not have logins: requesters see the result.
	Elsewhere []string
	// Public are the public mirrors for AskPublic.
	Public []PublicMirror
	// Quotas are the limits of targets. What would exceed them is refused before
	// anything is written.
	Quotas []Quota
	// Held returns the number of tags that targets have, by repository, as far as it
	// is known without asking them. May be nil.
	Held func(context.Context) map[string]int
	// Engine copies the blobs and may outlive the Mirror; nil to create one.
	Engine *transfer.Engine
}

// Quota is what a target may hold.
type Quota struct {
	Target             string // "host/namespace"
	Repositories, Tags int    // zero for no limit
}

// Mirror copies images. It caches which blobs the targets have, which forms they
// refuse and how much of their quotas is used, so use one Mirror for a whole job.
type Mirror struct {
	opts       Options
	engine     *transfer.Engine
	firstForms firstForms
	writing    exclusion // by repository and digest

	counting sync.Mutex            // guards counted and held
	counted  map[string]plan.Stock // what targets with a quota hold at most, by target
	held     map[string]plan.Stock // what they hold as far as is known

	public          []*publicMirror
	sources         sync.Map      // of *resolved, by reference: what AskPublic compares with; nil until it is known
	turn            chan struct{} // see allowance
	placing, asking chan struct{}
}

// New returns a new Mirror.
func New(opts Options) *Mirror {
	engine := opts.Engine
	if engine == nil {
		engine = transfer.New(transfer.Options{})
	}
	m := &Mirror{
		opts: opts, engine: engine, counted: map[string]plan.Stock{}, held: map[string]plan.Stock{},
		turn: make(chan struct{}, 1), placing: make(chan struct{}, maxPlacing), asking: make(chan struct{}, maxAsking),
	}
	for _, p := range opts.Public {
		m.public = append(m.public, &publicMirror{PublicMirror: p, turn: make(chan struct{}, publicAtOnce), said: map[reference.Reference]*saying{}})
	}
	return m
}

// source returns the source for a host. It reports false if there is none.
func (m *Mirror) source(host string) (Source, bool) {
	if m.opts.Archive != nil {
		return m.opts.Archive, true
	}
	c, ok := m.opts.Sources.ForHost(host)
	if len(m.opts.Manifests) > 0 {
		return planned{remote{c}, m.opts.Manifests}, ok
	}
	return remote{c}, ok
}

// Engine returns the engine that copies blobs. A blob that is read through it
// while it is being copied is read from the source only once.
func (m *Mirror) Engine() *transfer.Engine { return m.engine }

// Close waits until all background work has ended. All runs must have ended.
func (m *Mirror) Close() {
	if m.opts.Engine == nil {
		m.engine.Close()
	}
}
