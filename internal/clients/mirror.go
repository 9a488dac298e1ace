package clients

import (
	"regexp"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
)

// Mirror is an image that can be pulled from a target.
type Mirror struct {
	Source   reference.Reference // what was asked for
	Name     reference.Reference // where it is now, with a tag
	Digest   v1.Hash             // what the tag of Name names
	Exact    bool                // Digest is what the source names, too
	Platform reference.Platform  // the only one to pull; zero for the machine's own
	Beside   bool                // a further tag for Platform, beside the one that carries the mirror name
}

// localName is the name that the image gets back on the machine that pulls it:
// the source's tag. A name with nothing but a digest is none that docker could
// give to an image; empty then.
func (m Mirror) localName() string {
	if m.Source.Tag() == "" {
		return ""
	}
	return m.Source.Repository().String() + ":" + m.Source.Tag()
}

// pinnedSource is the source by its digest, if it was asked for so and the
// mirror has the very same content: the name under which Kubernetes looks for
// an image that a manifest pins.
func (m Mirror) pinnedSource() string {
	if !m.Source.HasDigest() || !m.Exact {
		return ""
	}
	return m.Source.Repository().String() + "@" + m.Source.Digest().String()
}

// Pinned is the mirror by its digest, without a tag: podman takes no reference
// that has both. It is empty if the digest is none.
func (m Mirror) Pinned() string {
	if _, err := reference.ParseDigest(m.Digest.String()); err != nil {
		return ""
	}
	return m.Name.Repository().String() + "@" + m.Digest.String()
}

var platformPattern = regexp.MustCompile(`^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$`)

// pull is "pull" with its arguments. The flag lets an image of one platform be
// pulled onto machines of any kind.
func (m Mirror) pull() string {
	if p := m.Platform.String(); platformPattern.MatchString(p) {
		return "pull --platform " + p + " " + m.Name.String()
	}
	return "pull " + m.Name.String()
}

// dockerLike gives the lines of a program that has docker's command line.
func dockerLike(program string, m Mirror) []string {
	lines := []string{program + " " + m.pull()}
	if name := m.localName(); name != "" {
		lines = append(lines, program+" tag "+m.Name.String()+" "+name)
	}
	return lines
}

// containerd gives the lines of a program that has the command line of ctr.
func containerd(program string, m Mirror) []string {
	lines := []string{program + " images " + m.pull()}
	if names := strings.TrimSpace(m.localName() + " " + m.pinnedSource()); names != "" {
		// --force, because a name that is there already is an error otherwise.
		lines = append(lines, program+" images tag --force "+m.Name.String()+" "+names)
	}
	return lines
}
