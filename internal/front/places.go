package front

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// PlaceKind is what a place is to the source whose images it has.
type PlaceKind string

// The kinds of places.
const (
	Mirror   PlaceKind = "mirror"   // a target, under the names that Ferry gives
	Upstream PlaceKind = "upstream" // the source itself
	Behind   PlaceKind = "front"    // another front, under the original names
	Public   PlaceKind = "public"   // somebody else's mirror
)

// Way is how a place's blobs get to a client.
type Way string

// The ways.
const (
	Auto     Way = "auto"     // by redirect where the place gives one that clients can use, else by relay
	Redirect Way = "redirect" // the same, but also to hosts that are thought to be out of reach
	Relay    Way = "relay"    // through the front
)

// Place is somewhere the images of sources may be had. Its client stands on the
// side of the sources whatever the place is: a front only reads.
type Place struct {
	Kind   PlaceKind
	Name   string // for errors and logs, "registry.example.com/alice" for example
	Client *registry.Client
	Blobs  Way
	// Budget bounds the manifests that are asked for there; nil for no bound.
	Budget *Budget
	// Locate is where the place keeps a repository of a source, false if
	// nowhere.
	Locate func(reference.Repository) (reference.Repository, bool)
	// Tag is what the place calls a tag of a source's repository, false if it
	// is not believed about tags.
	Tag func(repository reference.Repository, tag string) (reference.Reference, bool)
	// Digest is what the place calls an image that is named by a sha512, false if
	// it has none. Nil for by that digest.
	Digest func(repository reference.Repository, digest v1.Hash) (reference.Reference, bool)
	// Missing is told of an image that the place lacked and another one had.
	// May be nil. It must return at once.
	Missing func(reference.Reference)
	// Filled reports whether the place has been given a blob of a source's
	// repository that it lacked. Nil for no.
	Filled func(reference.Repository, v1.Hash) bool
}

// String is the kind and the name.
func (p *Place) String() string { return string(p.Kind) + " " + p.Name }

// NewMirror is a target as a place. Names of profile "last" may hold any source's
// image, so that only digests are asked for there.
func NewMirror(client *registry.Client, target name.Target, scheme *name.Scheme) *Place {
	return &Place{
		Kind: Mirror, Name: target.Host + "/" + target.Namespace, Client: client, Blobs: Auto,
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

// NewUpstream is a source as its own place.
func NewUpstream(client *registry.Client) *Place {
	return &Place{Kind: Upstream, Name: client.Host(), Client: client, Blobs: Auto, Locate: same, Tag: sameTag}
}

func same(r reference.Repository) (reference.Repository, bool) { return r, true }

func sameTag(r reference.Repository, tag string) (reference.Reference, bool) {
	ref, err := r.Tagged(tag)
	return ref, err == nil
}

// NewOther is another front or a public mirror, which has the images of several
// sources below their hosts, or with prefix false those of one source as they
// are.
func NewOther(kind PlaceKind, client *registry.Client, prefix bool) *Place {
	locate := func(source reference.Repository) (reference.Repository, bool) {
		path := source.Path()
		if prefix {
			if strings.Contains(source.Host(), ":") { // no path may have that
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

// spot is one thing at a place.
type spot struct {
	repository reference.Repository
	kind       distribution.Kind
	reference  string
}

func (s spot) String() string {
	return distribution.Endpoint{Repository: s.repository.Path(), Kind: s.kind, Reference: s.reference}.Path()
}

// manifest is where the place has the manifest that q asks for.
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

// thing is where the place has something of a repository.
func (p *Place) thing(source reference.Repository, kind distribution.Kind, ref string) (spot, bool) {
	r, ok := p.Locate(source)
	return spot{r, kind, ref}, ok
}
