package name

import (
	"encoding/base32"
	"encoding/hex"
	"regexp"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
)

// digestPrefix begins the tag of an image that was asked for by digest alone.
// It is not "sha256-": that is the OCI referrers' fallback tag, and with an
// ending cosign's.
const digestPrefix = "digest-"

var (
	digestTag   = regexp.MustCompile(`^digest-([0-9a-f]{64}|[a-z2-7]{103})_*$`)
	referrerTag = regexp.MustCompile(`^sha(?:256|512)-[0-9a-f]{64,128}(?:\.|$)`)
)

// mirrorTag is the tag of src's mirror: its own, or one made of the digest. A
// tag of the source that looks like one made of a digest gets an underscore
// more, so that they never meet.
func (s *Scheme) mirrorTag(src reference.Reference) (string, error) {
	tag := src.Tag()
	switch {
	case tag == "":
		return digestPrefix + digestText(src.Digest()), nil
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

// base32Digits are those of sha512 in a tag: 128 hexadecimal digits do not fit.
var base32Digits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// digestText is a digest in the letters of a tag: the 64 hexadecimal digits of a
// sha256, or the 103 digits to the base of 32 of a sha512.
func digestText(digest v1.Hash) string {
	if digest.Algorithm != "sha512" {
		return digest.Hex
	}
	sum, _ := hex.DecodeString(digest.Hex) // it is hexadecimal by the grammar
	return base32Digits.EncodeToString(sum)
}

// digestOf undoes digestText. The result need not be a digest.
func digestOf(text string) string {
	if len(text) == 64 {
		return "sha256:" + text
	}
	sum, err := base32Digits.DecodeString(text)
	if err != nil || base32Digits.EncodeToString(sum) != text {
		return "" // the last digit has bits that belong to no byte
	}
	return "sha512:" + hex.EncodeToString(sum)
}

// sourceReference undoes mirrorTag.
func sourceReference(r reference.Repository, mirror reference.Reference) (reference.Reference, error) {
	tag := mirror.Tag()
	if digestTag.MatchString(tag) {
		if text := tag[len(digestPrefix):]; text[len(text)-1] != '_' {
			return reference.Parse(r.String() + "@" + digestOf(text))
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
