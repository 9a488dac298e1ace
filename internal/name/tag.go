package name

import (
	"regexp"

	"github.com/imageferry/ferry/internal/reference"
)

// digestPrefix begins the tag of an image that was asked for by digest alone.
// It is not "sha256-": that is the OCI referrers' fallback tag, and with an
// ending cosign's.
const digestPrefix = "digest-"

var (
	digestTag   = regexp.MustCompile(`^digest-[0-9a-f]{64}_*$`)
	referrerTag = regexp.MustCompile(`^sha(?:256|512)-[0-9a-f]{64,128}(?:\.|$)`)
)

// mirrorTag is the tag of src's mirror: its own, or one made of the digest. A
// tag of the source that looks like one made of a digest gets an underscore
// more, so that they never meet.
func (s *Scheme) mirrorTag(src reference.Reference) (string, error) {
	tag := src.Tag()
	switch {
	case tag == "":
		return digestPrefix + src.Digest().Hex, nil
	case digestTag.MatchString(tag):
		if len(tag) == reference.MaxTag {
			return "", ErrTag
		}
		return tag + "_", nil
	case s.target.Profile == Last && referrerTag.MatchString(tag):
		// It would attach itself to another source's image of the same name.
		return "", ErrTag
	}
	return tag, nil
}

// sourceReference undoes mirrorTag.
func sourceReference(r reference.Repository, mirror reference.Reference) (reference.Reference, error) {
	tag := mirror.Tag()
	if digestTag.MatchString(tag) {
		if hex := tag[len(digestPrefix):]; len(hex) == 64 {
			return reference.Parse(r.String() + "@sha256:" + hex)
		}
		tag = tag[:len(tag)-1]
	}
	if tag == "" {
		return reference.Parse(r.String() + "@" + mirror.Digest().String())
	}
	src, err := r.Tagged(tag)
	if mirror.HasDigest() {
		src = src.WithDigest(mirror.Digest())
	}
	return src, err
}
