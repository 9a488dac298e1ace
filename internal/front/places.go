package front

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// PlaceKind is the relation of a place to the source whose images it has.
type PlaceKind string

// The kinds of places.
const (
	Mirror   PlaceKind = "mirror"   // a target, with Ferry's mirror names
	Upstream PlaceKind = "upstream" // the source itself
	Behind   PlaceKind = "front"    // another front, under the original names
	Public   PlaceKind = "public"   // a mirror run by others
)

// Way is how clients get the blobs of a place.
type Way string

// The ways.
const (
	Auto     Way = "auto"     // by redirect if the place redirects to a host that clients can use, else through the front
	Redirect Way = "redirect" // the same, but also to hosts that clients may not reach
	Relay    Way = "relay"    // through the front
)

// Place is a registry that images can be read from. Its client is always a
// source client, because a front only reads.
type Place struct {
	Kind   PlaceKind
	Name   string // for errors and logs, "registry.example.com/alice" for example
	Client *registry.Client
	Blobs  Way
	// Budget limits the requests for manifests; nil for no limit.
	Budget *Budget
	// Locate returns the place's repository for a repository of a source, and
	// false if there is none.
	Locate func(reference.Repository) (reference.Repository, bool)
	// Tag returns the place's reference for a tag of a source's repository, and
	// false if tags of the place cannot be trusted.
	Tag func(repository reference.Repository, tag string) (reference.Reference, bool)
	// Digest returns the place's reference for an image with a sha512 digest, and
	// false if it has none. If Digest is nil, the digest itself is used.
	Digest func(repository reference.Repository, digest v1.Hash) (reference.Reference, bool)
	// Mixed means that the place's repositories have tags and referrers of other
	// sources too, so that its lists are not used.
	Mixed bool
	// Missing is called with an image that the place lacked and another one
	// had. It may be nil, and must return at once.
	Missing func(reference.Reference)
	// Filled reports whether a blob of a source's repository has been copied to
	// the place. It may be nil.
	Filled func(reference.Repository, v1.Hash) bool
}

// String returns the kind and the name.
func (p *Place) String() string { return string(p.Kind) + " " + p.Name }

// NewMirror returns a target as a place. Names of the profile "last" do not
// identify the source, so only digests are requested there.
func NewMirror(client *registry.Client, target name.Target, scheme *name.Scheme) *Place {
	return &Place{
		Kind: Mirror, Name: target.Host + "/" + target.Namespace, Client: client, Blobs: Auto, Mixed: target.Profile == name.One,
		Locate: func(source reference.Repository) (reference.Repository, bool) {
			ref, err := source.Tagged("any")
			if err != nil {
				return reference.Repository{}, false
			}
			mirror, err := scheme.Mirror(ref)
			return mirror.Reference.Repository(), err == nil
		},
		Tag: func(source reference.Repository, tag string) (reference.Reference, bool) {
			ref, err := source.Tagged(tag)
			if err != nil || target.Profile == name.Last {
				return reference.Reference{}, false
			}
			mirror, err := scheme.Mirror(ref)
			return mirror.Reference, err == nil
		},
		// Ferry puts manifests by their sha256 alone.
		Digest: func(source reference.Repository, digest v1.Hash) (reference.Reference, bool) {
			ref, err := reference.Parse(source.String() + "@" + digest.String())
			if err != nil {
				return reference.Reference{}, false
			}
			mirror, err := scheme.Mirror(ref)
			return mirror.Reference, err == nil
		},
	}
}

// NewUpstream returns a source as a place of its own images.
func NewUpstream(client *registry.Client) *Place {
	return &Place{Kind: Upstream, Name: client.Host(), Client: client, Blobs: Auto, Locate: same, Tag: sameTag}
}

func same(r reference.Repository) (reference.Repository, bool) { return r, true }

func sameTag(r reference.Repository, tag string) (reference.Reference, bool) {
	ref, err := r.Tagged(tag)
	return ref, err == nil
}

// NewOther returns another front or a public mirror. With prefix its paths
// begin with the host of the source; without, it has the images of one source
// under their own paths.
func NewOther(kind PlaceKind, client *registry.Client, prefix bool) *Place {
	locate := func(source reference.Repository) (reference.Repository, bool) {
		path := source.Path()
		if prefix {
			if strings.Contains(source.Host(), ":") { // a path cannot contain it
				return reference.Repository{}, false
			}
			path = source.Host() + "/" + path
		}
		r, err := reference.NewRepository(client.Host(), path)
		return r, err == nil
	}
	return &Place{
		Kind: kind, Name: client.Host(), Client: client, Blobs: Auto, Locate: locate,
		Tag: func(source reference.Repository, tag string) (reference.Reference, bool) {
			r, ok := locate(source)
			if !ok {
				return reference.Reference{}, false
			}
			return sameTag(r, tag)
		},
	}
}

// spot is a resource at a place.
type spot struct {
	repository reference.Repository
	kind       distribution.Kind
	reference  string
}

func (s spot) String() string {
	return distribution.Endpoint{Repository: s.repository.Path(), Kind: s.kind, Reference: s.reference}.Path()
}

// manifest returns where the place has the manifest of q.
func (p *Place) manifest(q Question) (spot, bool) {
	if q.Tag != "" {
		ref, ok := p.Tag(q.Repository, q.Tag)
		return spot{ref.Repository(), distribution.Manifests, ref.Tag()}, ok
	}
	if q.Digest.Algorithm == "sha512" && p.Digest != nil {
		ref, ok := p.Digest(q.Repository, q.Digest)
		return spot{ref.Repository(), distribution.Manifests, ref.Tag()}, ok
	}
	return p.thing(q.Repository, distribution.Manifests, q.Digest.String())
}

// thing returns where the place has a resource of a repository.
func (p *Place) thing(source reference.Repository, kind distribution.Kind, ref string) (spot, bool) {
	r, ok := p.Locate(source)
	return spot{r, kind, ref}, ok
}
