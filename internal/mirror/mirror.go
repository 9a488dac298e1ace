// Package mirror carries images from registry to registry: steps go in,
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
// the root with the tag last (put.go), so that a tag never names anything that
// is not there. What the target's tag then names is read back and compared.
package mirror

import (
	"context"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Options are what a Mirror works with.
type Options struct {
	Sources *registry.Clients
	Targets *registry.Clients
	// ImageBytes is the limit on all distinct blobs of one image together,
	// RequestBytes that on those of all images of one Run, and IndexManifests
	// the limit on the manifests of an image, and on what refers to it. All
	// are needed.
	ImageBytes, RequestBytes int64
	IndexManifests           int
	// Referrers copies signatures, attestations and SBOMs that refer to an image.
	Referrers bool
	// Elsewhere are the hosts of sources where an image is looked for that is
	// not where it was said to be. None of them has a login: requesters are told
	// what is found.
	Elsewhere []string
	// Engine moves the blobs, and outlives the Mirror; nil for one of its own.
	Engine *transfer.Engine
}

// Mirror copies images. It remembers what the targets hold and what they
// refuse, so one Mirror serves a whole job.
type Mirror struct {
	opts    Options
	engine  *transfer.Engine
	habits  habits
	writing exclusion // by repository and digest

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

// Engine moves the blobs. A blob that is read through it while it is copied is
// read from the source once.
func (m *Mirror) Engine() *transfer.Engine { return m.engine }

// Close waits until nothing of the Mirror runs any more. Runs must have ended.
func (m *Mirror) Close() {
	if m.opts.Engine == nil {
		m.engine.Close()
	}
}

// Run copies every step to all its destinations, all at once, and returns one
// result for each step and destination, in that order. A failure of one stops
// no other. Watch, if not nil, is told what happens, one call at a time; it
// must return quickly. When ctx ends, what is not done fails as cancelled or
// timed out.
func (m *Mirror) Run(ctx context.Context, steps []plan.Step, watch func(Event)) []Result {
	return m.RunAfter(ctx, nil, steps, watch)
}

// RunAfter is Run, but nothing is written anywhere before ready is closed: until
// then it is only looked what there is. Nil stands for a closed channel.
func (m *Mirror) RunAfter(ctx context.Context, ready <-chan struct{}, steps []plan.Step, watch func(Event)) []Result {
	r := newRun(m, steps, watch)
	r.ready = ready
	return r.do(ctx)
}

// Result is what became of one step at one destination. Exactly one of
// Receipt and Failure is set.
type Result struct {
	Step        plan.Step
	Destination plan.Destination
	Receipt     *Receipt
	Failure     *failure.Error
}

// Receipt proves by digests what was copied.
type Receipt struct {
	// SourceDigest is what the source's tag named when it was resolved.
	SourceDigest v1.Hash
	// Digest is what the target's tag names, re-read after the copy. It
	// equals SourceDigest unless Changes says why not.
	Digest v1.Hash
	// Mirror is the name that has the image: the destination's, or its ByDigest.
	Mirror reference.Reference
	// Platforms are those that the name has, which may be more than were asked
	// for, in the order of the index. Unknown
	// platforms (attestations) are left out. Empty for artifacts.
	Platforms []reference.Platform
	// Size is the sum of all distinct blobs and manifests of the image, in
	// bytes. Zero if the target already had an index, whose parts were not
	// asked for then.
	Size int64
	// Sent is what was sent to this target for this image, in bytes; Mounted
	// is what the target took from another of its repositories instead.
	Sent, Mounted int64
	// Took is the time from the start of the step to the proof.
	Took time.Duration
	// Present tells that the target already had it and nothing was sent.
	Present bool
	// Referrers is the number of signatures, attestations and other referrers
	// that were copied along.
	Referrers int
	// Changes are the ways in which what arrived differs from the source, in
	// order; empty for an exact copy.
	Changes []Change
	// Missing are the platforms of the parts that Changes has as Incomplete.
	Missing []reference.Platform
	// Tags are the further tags of the mirror, where Changes has PlatformTags.
	Tags []PlatformTag
}

// PlatformTag is the tag that one platform's image has at a target that refuses
// indexes. The mirror's own tag names one of them, linux/amd64 if there is one.
type PlatformTag struct {
	Platform reference.Platform
	Mirror   reference.Reference
	Digest   v1.Hash
}

// Change is the stable name of a way in which a mirror differs from its source.
type Change string

// The changes.
const (
	// Subset: only the platforms that were asked for, as a new index.
	Subset Change = "subset"
	// SinglePlatform: one platform's image instead of the index, as asked for.
	SinglePlatform Change = "single-platform"
	// Incomplete: without the parts that the source lists and does not serve, or
	// that cannot be copied; Receipt.Missing has their platforms.
	Incomplete Change = "incomplete"
	// ByDigest: under the name without the tag, because the source's tag names
	// something else; Receipt.Mirror is that name.
	ByDigest Change = "by-digest"
	// NoAttestations: attestation manifests left out, because the target refuses them.
	NoAttestations Change = "no-attestations"
	// DockerMediaTypes: OCI manifests rewritten as Docker's, because the target refuses OCI's.
	DockerMediaTypes Change = "docker-media-types"
	// PlatformTags: one tag for each platform, because the target refuses indexes.
	PlatformTags Change = "platform-tags"
	// NoReferrers: not all signatures and attestations copied, because the target does not take them.
	NoReferrers Change = "no-referrers"
	// ReferrersOverLimit: not all copied, because that would be over the owner's limits.
	ReferrersOverLimit Change = "referrers-over-limit"
	// ReferrersUnread: not all copied, because the source does not give them out as it should.
	ReferrersUnread Change = "referrers-unread"
	// Unconfirmed: the target took the image, and did not tell afterwards what its tag names.
	Unconfirmed Change = "unconfirmed"
)
