package name

import (
	"encoding/base32"
	"encoding/hex"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
)

// digestPrefix begins the tag of an image that was requested by its digest
// only. It is not "sha256-", which is the fallback tag of OCI referrers and,
// with a suffix, a tag of cosign.
const digestPrefix = "digest-"

var (
	digestTag   = &pattern.Regexp{Text: `^digest-([0-9a-f]{64}|[a-z2-7]{103})_*$`}
	referrerTag = &pattern.Regexp{Text: `^sha(?:256|512)-[0-9a-f]{64,128}(?:\.|$)`}
)

// mirrorTag returns the tag of src's mirror: its own, or one made from the
// digest. A tag of the source that looks like one made from a digest gets an
// additional underscore, so that they never collide.
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
		// It would refer to another source's image of the same name.
		return "", ErrTag
	}
	return tag, nil
}

// base32Digits encode a sha512 in a tag: 128 hexadecimal digits do not fit.
var base32Digits = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// digestText encodes a digest for a tag: the 64 hexadecimal digits of a sha256,
// or a sha512 as 103 digits in base 32.
func digestText(digest v1.Hash) string {
	if digest.Algorithm != "sha512" {
		return digest.Hex
	}
	sum, _ := hex.DecodeString(digest.Hex) // valid according to the grammar
	return base32Digits.EncodeToString(sum)
}

// digestOf is the inverse of digestText. The result need not be a digest.
func digestOf(text string) string {
	if len(text) == 64 {
		return "sha256:" + text
	}
	sum, err := base32Digits.DecodeString(text)
	if err != nil || base32Digits.EncodeToString(sum) != text {
		return "" // the last digit has unused bits
	}
	return "sha512:" + hex.EncodeToString(sum)
}

// sourceReference is the inverse of mirrorTag. digest is zero for none.
func sourceReference(r reference.Repository, tag string, digest v1.Hash) (reference.Reference, error) {
	if digestTag.MatchString(tag) {
		if text := tag[len(digestPrefix):]; text[len(text)-1] != '_' {
			return reference.Parse(r.String() + "@" + digestOf(text))
		}
		tag = tag[:len(tag)-1]
	}
	if tag == "" {
		return reference.Parse(r.String() + "@" + digest.String())
	}
	src, err := r.Tagged(tag)
	if digest != (v1.Hash{}) {
		src = src.WithDigest(digest)
	}
	return src, err
}
