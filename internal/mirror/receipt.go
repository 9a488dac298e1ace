package mirror

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// Result is the result of an image at a destination. Both are those of the plan, which
// must not change any more. Exactly one of Receipt and Failure is set.
type Result struct {
	Image       *request.Image
	Destination *plan.Destination
	Receipt     *Receipt       `json:",omitempty"`
	Failure     *failure.Error `json:",omitempty"`
}

// Receipt proves by digests what was copied.
type Receipt struct {
	// SourceDigest is the digest of the source's tag when it was resolved.
	SourceDigest v1.Hash `json:",omitzero"`
	// Digest is the digest of the target's tag, read after the copy. It equals
	// SourceDigest unless Changes gives the reason.
	Digest v1.Hash `json:",omitzero"`
	// Mirror is the name of the image at the target: the destination's, or its
	// ByDigest.
	Mirror reference.Reference
	// Platforms are the platforms at the target, in the order of the index.
	// There may be more than were requested. Unknown platforms (attestations)
	// are left out. Empty for artifacts.
	Platforms []reference.Platform `json:",omitzero"`
	// Size is the sum of all distinct blobs and manifests of the image, in
	// bytes. Zero if the target already had an index whose parts were not read;
	// see Options.Sizes.
	Size int64 `json:",omitzero"`
	// Sent is the number of bytes sent to this target for this image; Mounted
	// is the number of bytes that the target mounted from another of its
	// repositories.
	Sent, Mounted int64 `json:",omitzero"`
	// Took is the time from the start of the step to the verification.
	Took time.Duration `json:",omitzero"`
	// Present reports whether the target already had the image and nothing was
	// sent.
	Present bool `json:",omitzero"`
	// Referrers is the number of copied signatures, attestations and other
	// referrers.
	Referrers int `json:",omitzero"`
	// Changes are the differences between the copy and the source, in order;
	// empty for an exact copy.
	Changes []Change `json:",omitzero"`
	// Missing are the platforms of the parts that are missing if Changes has
	// Incomplete; Attestation for an attestation.
	Missing []reference.Platform `json:",omitzero"`
	// Kept is the name of what Mirror named before; zero if that is not kept.
	Kept reference.Reference `json:",omitzero"`
	// Tags are the additional tags of the mirror if Changes has PlatformTags.
	Tags []PlatformTag `json:",omitzero"`
}

// Attestation is the platform that BuildKit gives to attestation manifests.
var Attestation = reference.Platform{OS: "unknown", Architecture: "unknown"}

// PlatformTag is the tag of one platform's image at a target that refuses
// indexes. The mirror's own tag refers to one of them, linux/amd64 if there is
// one.
type PlatformTag struct {
	Platform reference.Platform
	Mirror   reference.Reference
	Digest   v1.Hash
}

// Change is the stable name of a difference between a mirror and its source.
type Change string

// The changes.
const (
	// Subset: only the requested platforms, as a new index.
	Subset Change = "subset"
	// SinglePlatform: one platform's image instead of the index, as requested.
	SinglePlatform Change = "single-platform"
	// Incomplete: without parts that the source lists but does not serve, or
	// that cannot be copied; Receipt.Missing has their platforms.
	Incomplete Change = "incomplete"
	// ByDigest: under the name without the tag, because the source's tag has
	// another digest; Receipt.Mirror is that name.
	ByDigest Change = "by-digest"
	// Unsigned: without a signature that the owner requires.
	Unsigned Change = "unsigned"
	// NoAttestations: without attestation manifests, because the target refuses
	// them.
	NoAttestations Change = "no-attestations"
	// DockerMediaTypes: OCI manifests rewritten as Docker's, because the target refuses OCI's.
	DockerMediaTypes Change = "docker-media-types"
	// PlatformTags: one tag for each platform, because the target refuses indexes.
	PlatformTags Change = "platform-tags"
	// NoReferrers: without some signatures and attestations, because the target
	// does not accept them.
	NoReferrers Change = "no-referrers"
	// ReferrersOverLimit: without some referrers, because they would exceed the
	// owner's limits.
	ReferrersOverLimit Change = "referrers-over-limit"
	// ReferrersUnread: without some referrers, because the source's responses
	// about them are invalid.
	ReferrersUnread Change = "referrers-unread"
	// NoStatement: without the statement of where it comes from, because the target does not take it.
	NoStatement Change = "no-statement"
	// Unconfirmed: the target accepted the image, but its tag could not be read
	// back.
	Unconfirmed Change = "unconfirmed"
)
