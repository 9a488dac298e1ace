// Package mirror carries images from registry to registry: steps go in,
// receipts or typed errors come out, with progress on the way. Bytes are
// streamed; nothing touches the disk and no daemon is involved.
package mirror

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// Result is what became of one step at one destination. Exactly one of
// Receipt and Err is set; Err is always a *failure.Error underneath.
type Result struct {
	Step        plan.Step
	Destination plan.Destination
	Receipt     *Receipt
	Err         error
}

// Receipt proves by digests what was copied.
type Receipt struct {
	// SourceDigest is what the source's tag named when it was resolved.
	SourceDigest v1.Hash
	// Digest is what the target's tag names, re-read after the copy. It
	// equals SourceDigest unless Changes says why not.
	Digest v1.Hash
	// Platforms are those that arrived, in the order of the index. Unknown
	// platforms (attestations) are left out. Empty for artifacts.
	Platforms []reference.Platform
	// Size is the sum of all distinct blobs and manifests of the image, in bytes.
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
}

// Change is the stable name of a way in which a mirror differs from its source.
type Change string

// The changes.
const (
	// Subset: only the platforms that were asked for, as a new index.
	Subset Change = "subset"
	// SinglePlatform: one platform's image instead of the index, as asked for.
	SinglePlatform Change = "single-platform"
	// NoAttestations: attestation manifests left out, because the target refuses them.
	NoAttestations Change = "no-attestations"
	// DockerMediaTypes: OCI manifests rewritten as Docker's, because the target refuses OCI's.
	DockerMediaTypes Change = "docker-media-types"
	// PlatformTags: one tag for each platform, because the target refuses indexes.
	PlatformTags Change = "platform-tags"
	// NoReferrers: signatures and attestations not copied, because the target refuses them.
	NoReferrers Change = "no-referrers"
)
