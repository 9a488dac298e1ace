package name

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Naming is how a public mirror names its copies.
type Naming string

// The namings, with the name of docker.io/grafana/loki at m.example.com.
const (
	Prefix      Naming = "prefix" // the path begins with the host of the source: m.example.com/docker.io/grafana/loki
	SamePath    Naming = "path"   // the path of the source: m.example.com/grafana/loki
	LastSegment Naming = "last"   // its last component: m.example.com/loki
)

// Public is a mirror of images that anybody can pull from and that Ferry does not
// write to.
type Public struct {
	At     string    // a registry, or a registry and a path
	Names  Naming    // how it names its copies
	Images []Pattern // the images that it may have
}

// NewPublic returns a public mirror at a place such as "m.example.com" or
// "m.example.com/google_containers".
func NewPublic(at string, names Naming, images []Pattern) (Public, error) {
	sample, err := reference.Parse(at + "/x:x")
	if err != nil || !strings.HasPrefix(sample.String(), at+"/x") {
		return Public{}, ErrIllegal
	}
	return Public{at, names, images}, nil
}

// Host returns the registry.
func (p Public) Host() string {
	host, _, _ := strings.Cut(p.At, "/")
	return host
}

// Of returns the name of an image at the public mirror: with the digest if ref has
// one, else with the tag. It reports false if the mirror does not have such images.
func (p Public) Of(ref reference.Reference) (reference.Reference, bool) {
	r := ref.Repository()
	if !slices.ContainsFunc(p.Images, func(i Pattern) bool { return i.Covers(r) }) {
		return reference.Reference{}, false
	}
	path := r.Path()
	switch p.Names {
	case Prefix:
		path = r.String()
	case LastSegment:
		path = path[strings.LastIndexByte(path, '/')+1:]
	case SamePath:
	}
	end := ":" + ref.Tag()
	if ref.HasDigest() {
		end = "@" + ref.Digest().String()
	}
	there, err := reference.Parse(p.At + "/" + path + end)
	return there, err == nil && there.Repository().Host() == p.Host()
}
