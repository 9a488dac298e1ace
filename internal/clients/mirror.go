package clients

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// Mirror is an image that can be pulled from a target.
type Mirror struct {
	Source   reference.Reference // the requested image
	Name     reference.Reference // its mirror name, with a tag
	Digest   v1.Hash             // digest of the tag of Name
	Exact    bool                // Digest is also that of the source
	Platform reference.Platform  // the only platform to pull; zero for that of the machine
	Beside   bool                // an additional tag for Platform, beside the mirror name
}

// localName returns the name that the image gets on the machine that pulls it:
// the source's tag. docker cannot give an image a name with only a digest; it
// is empty then.
func (m Mirror) localName() string {
	if m.Source.Tag() == "" {
		return ""
	}
	return m.Source.Repository().String() + ":" + m.Source.Tag()
}

// pinnedSource returns the source by its digest, if it was requested by digest
// and the mirror has the same content: the name under which Kubernetes looks
// for an image that a manifest pins.
func (m Mirror) pinnedSource() string {
	if !m.Source.HasDigest() || !m.Exact {
		return ""
	}
	return m.Source.Repository().String() + "@" + m.Source.Digest().String()
}

// Pinned returns the mirror by its digest, without a tag, because podman
// accepts no reference with both. It is empty if the digest is not valid.
func (m Mirror) Pinned() string {
	if _, err := reference.ParseDigest(m.Digest.String()); err != nil {
		return ""
	}
	return m.Name.Repository().String() + "@" + m.Digest.String()
}

var platformPattern = &pattern.Regexp{Text: `^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?$`}

// platformFlag returns the flag that allows pulling the image of one platform
// onto any machine.
func (m Mirror) platformFlag() []string {
	if p := m.Platform.String(); platformPattern.MatchString(p) {
		return []string{"--platform", p}
	}
	return nil
}

// pull returns "pull" with its arguments.
func (m Mirror) pull() string {
	return strings.Join(slices.Concat([]string{"pull"}, m.platformFlag(), []string{m.Name.String()}), " ")
}

// dockerLike returns the lines of a program with docker's command line.
func dockerLike(program string, m Mirror) []string {
	lines := []string{program + " " + m.pull()}
	if name := m.localName(); name != "" {
		lines = append(lines, program+" tag "+m.Name.String()+" "+name)
	}
	return lines
}

// containerd returns the lines of a program with the command line of ctr.
func containerd(program string, m Mirror) []string {
	lines := []string{program + " images " + m.pull()}
	if names := strings.TrimSpace(m.localName() + " " + m.pinnedSource()); names != "" {
		// --force, because an existing name is an error otherwise.
		lines = append(lines, program+" images tag --force "+m.Name.String()+" "+names)
	}
	return lines
}
