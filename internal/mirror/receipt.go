package mirror

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// Result is the result of one step at one destination. Exactly one of Receipt and
// Failure is set.
type Result struct {
	Step        plan.Step
	Destination plan.Destination
	Receipt     *Receipt
	Failure     *failure.Error
}

// Receipt proves by digests what was copied.
type Receipt struct {
	// SourceDigest is the digest of the source's tag when it was resolved.
	SourceDigest v1.Hash
	// Digest is the digest of the target's tag, read after the copy. It equals
	// SourceDigest unless Changes says why not.
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
	// Sent is the number of bytes sent to this target for this image; Mounted is the
	// number that the target mounted from another of its repositories instead.
	Sent, Mounted int64
	// Took is the time from the start of the step to the proof.
	Took time.Duration
	// Present reports that the target already had it and nothing was sent.
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
	// Unsigned: without the signature that the owner wants to see.
	Unsigned Change = "unsigned"
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
	// NoStatement: without the statement of where it comes from, because the target does not take it.
	NoStatement Change = "no-statement"
	// Unconfirmed: the target took the image, and its tag could not be read back.
	Unconfirmed Change = "unconfirmed"
)
