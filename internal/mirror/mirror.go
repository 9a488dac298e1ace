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

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Options are the parts and limits of a Mirror.
type Options struct {
	Sources *registry.Clients
	// Archive is read instead of Sources, if it is not nil. It answers for all hosts.
	Archive Source
	Targets *registry.Clients
	// ImageBytes is the limit on all distinct blobs of one image together,
	// RequestBytes that on those of all images of one Run, and IndexManifests
	// the limit on the manifests of an image, and on what refers to it. All
	// are needed.
	ImageBytes, RequestBytes int64
	IndexManifests           int
	// Verify, if not nil, reports whether the owner wants an image with this digest,
	// whether it is signed or not. The change is Unsigned, or empty; the error is a
	// *failure.Error.
	Verify func(context.Context, reference.Reference) (Change, error)
	// Attest attaches to each mirror a statement of where it comes from, with Run,
	// the address of the run that makes it.
	Attest bool
	Run    string
	// MinRate is how many bytes a second a Run has to move in the mean of
	// slowTime; 0 for any. It is for jobs whose time is somebody else's.
	MinRate int64
	// Referrers copies signatures, attestations and SBOMs that refer to an image.
	Referrers bool
	// Elsewhere are the hosts of sources where an image is looked for that is
	// not where it was said to be. None of them has a login: requesters are told
	// what is found.
	Elsewhere []string
	// Engine moves the blobs, and outlives the Mirror; nil for one of its own.
	Engine *transfer.Engine
}

// Mirror copies images. It caches which blobs the targets hold and which forms
// they refuse, so use one Mirror for a whole job.
type Mirror struct {
	opts       Options
	engine     *transfer.Engine
	firstForms firstForms
	writing    exclusion // by repository and digest

	turn            chan struct{} // see allowance
	placing, asking chan struct{}
}

// New makes a Mirror.
func New(opts Options) *Mirror {
	engine := opts.Engine
	if engine == nil {
		engine = transfer.New(transfer.Options{})
	}
	return &Mirror{
		opts: opts, engine: engine,
		turn: make(chan struct{}, 1), placing: make(chan struct{}, maxPlacing), asking: make(chan struct{}, maxAsking),
	}
}

// source is where the images of a host are read, false if nobody has named it.
func (m *Mirror) source(host string) (Source, bool) {
	if m.opts.Archive != nil {
		return m.opts.Archive, true
	}
	c, ok := m.opts.Sources.ForHost(host)
	return remote{c}, ok
}

// Engine moves the blobs. A blob that is read through it while it is copied is
// read from the source once.
func (m *Mirror) Engine() *transfer.Engine { return m.engine }

// Close waits until nothing of the Mirror runs any more. Runs must have ended.
func (m *Mirror) Close() {
	if m.opts.Engine == nil {
		m.engine.Close()
	}
}
