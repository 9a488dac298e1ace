// Package reference parses names of images. It turns text into a Reference,
// which satisfies the grammar of the OCI distribution specification and has one
// canonical form, or returns a SyntaxError that names the invalid part. No
// function in other packages takes a string that could be a reference, a digest
// or a platform.
//
// The package is stricter than go-containerregistry's name.ParseReference,
// which does not validate: it accepts "..", IP addresses in unusual notations
// and Unicode look-alikes. This package does not use the network, and does not
// decide whether a host is allowed, which is policy.
package reference

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Limits of the grammar, in bytes.
const (
	// MaxRepository is the length of host, slash and path together that every
	// known registry accepts. According to the OCI distribution specification
	// ("Pulling manifests"), many clients limit the host and the repository
	// name together to 255.
	MaxRepository = 255
	// MaxTag is the limit of the OCI distribution specification.
	MaxTag = 128
	// MaxReference is the length of a whole reference: repository, ":", tag,
	// "@sha512:" and 128 hexadecimal digits.
	MaxReference = MaxRepository + 1 + MaxTag + len("@sha512:") + 128

	// maxHost is the length of a DNS name (RFC 1035 §2.3.4) with a port.
	maxHost = 253 + len(":65535")
)

// DockerHub is the canonical host of Docker Hub.
const DockerHub = "docker.io"

// dockerHubAliases are other host names of Docker Hub. All have the same
// repositories, so DockerHub replaces them.
var dockerHubAliases = map[string]bool{
	"index.docker.io":         true,
	"registry-1.docker.io":    true,
	"registry.docker.io":      true,
	"registry.hub.docker.com": true,
	"www.docker.io":           true,
}

// IsDockerHub reports whether host, in any case, is a name of Docker Hub.
func IsDockerHub(host string) bool {
	host = strings.ToLower(host)
	return host == DockerHub || dockerHubAliases[host]
}

// Part is the part of a reference that a SyntaxError concerns.
type Part string

// The parts of a reference.
const (
	PartWhole    Part = "reference"
	PartHost     Part = "host"
	PartPath     Part = "repository"
	PartTag      Part = "tag"
	PartDigest   Part = "digest"
	PartPlatform Part = "platform"
)

// SyntaxError describes which part of a text is invalid, and why. The text is
// foreign: Error quotes it for logs; text for people is written by package
// report.
type SyntaxError struct {
	Text   string // the input, as written
	Part   Part
	Reason string // a clause such as "must be lower case"
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s of %q %s", e.Part, Clip(e.Text, maxQuoted), e.Reason)
}

// maxQuoted is how many bytes of foreign text an error quotes.
const maxQuoted = 120

// Clip shortens foreign text that is shown to people to at most the given
// number of bytes, at a rune boundary, and marks the cut with "…", which takes
// three bytes.
func Clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most - len("…")
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:max(end, 0)] + "…"
}

// Repository is a host and a path: the location of an image, without tag or
// digest. The zero value means no repository. Repositories compare with ==.
type Repository struct {
	text string // the canonical form
	host uint16 // its length
}

// Host returns the registry's host in lower case, with its port if there is
// one. For Docker Hub it is always "docker.io".
func (r Repository) Host() string { return r.text[:r.host] }

// Path returns the name of the repository at its host, such as "library/nginx".
// Official images of Docker Hub always have "library/".
func (r Repository) Path() string { return strings.TrimPrefix(r.text[r.host:], "/") }

// String returns the canonical form, such as "docker.io/library/nginx".
func (r Repository) String() string { return r.text }

// IsZero reports whether r is the zero value.
func (r Repository) IsZero() bool { return r.text == "" }

// Compare orders repositories by host, then by path.
func (r Repository) Compare(o Repository) int {
	return cmp.Or(strings.Compare(r.Host(), o.Host()), strings.Compare(r.Path(), o.Path()))
}

// Tagged returns the reference to one tag of r. It returns a SyntaxError if tag
// is not valid.
func (r Repository) Tagged(tag string) (Reference, error) {
	if err := checkTag(tag, tag); err != nil {
		return Reference{}, err
	}
	return newReference(r, tag, v1.Hash{}), nil
}

// NewRepository parses a host and a path. The host may be in any case and an
// alias of Docker Hub; path must be valid as it is. Errors are of type
// *SyntaxError.
func NewRepository(host, path string) (Repository, error) {
	return newRepository(host+"/"+path, host, path)
}

func newRepository(text, host, path string) (Repository, error) {
	host, err := canonicalHost(text, host)
	if err != nil {
		return Repository{}, err
	}
	if host == DockerHub && path != "" && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	if err := checkPath(text, path); err != nil {
		return Repository{}, err
	}
	r := Repository{host + "/" + path, uint16(len(host))} // at most maxHost
	if n := len(r.text); n > MaxRepository {
		return Repository{}, &SyntaxError{text, PartPath, fmt.Sprintf("has %d characters including its host; the limit is %d", n, MaxRepository)}
	}
	return r, nil
}

func canonicalHost(text, host string) (string, error) {
	fail := func(reason string) (string, error) {
		return "", &SyntaxError{text, PartHost, reason}
	}
	if host == "" {
		return fail("is empty")
	}
	if len(host) > maxHost {
		return fail(fmt.Sprintf("has %d characters; the limit is %d", len(host), maxHost))
	}
	for i := range len(host) {
		if host[i] >= 0x80 {
			return fail("has a character that is not ASCII")
		}
	}
	host = strings.ToLower(host)
	dns, port, hasPort := strings.Cut(host, ":")
	if hasPort {
		if !isPort(port) {
			return fail("has a port that is not a number from 1 to 65535")
		}
	}
	for _, label := range strings.Split(dns, ".") {
		if !isLabel(label) {
			return fail("is not a host name")
		}
	}
	if !looksLikeHost(host) { // "GHCR/a": in lower case it would be a path on Docker Hub
		return fail("has no dot and no port")
	}
	if dockerHubAliases[host] || host == DockerHub+":443" {
		host = DockerHub
	}
	return host, nil
}

func checkPath(text, path string) error {
	if path == "" {
		return &SyntaxError{text, PartPath, "is empty"}
	}
	for _, component := range strings.Split(path, "/") {
		if isComponent(component) {
			continue
		}
		switch {
		case component == "":
			return &SyntaxError{text, PartPath, "has an empty component"}
		case strings.ToLower(component) != component:
			return &SyntaxError{text, PartPath, "must be in lower case"}
		}
		return &SyntaxError{text, PartPath, fmt.Sprintf("has a component %q that is not letters and digits joined by single dots, underscores or dashes", Clip(component, maxQuoted))}
	}
	return nil
}

// ValidTag reports whether text is a tag.
func ValidTag(text string) bool { return checkTag(text, text) == nil }

func checkTag(text, tag string) error {
	switch {
	case tag == "":
		return &SyntaxError{text, PartTag, "is empty"}
	case len(tag) > MaxTag:
		return &SyntaxError{text, PartTag, fmt.Sprintf("has %d characters; the limit is %d", len(tag), MaxTag)}
	case !isTag(tag):
		return &SyntaxError{text, PartTag, "may only have letters, digits, dots, underscores and dashes, and may not begin with a dot or a dash"}
	}
	return nil
}

// ParseDigest parses "sha256:" and 64 lower-case hexadecimal digits, the only
// form that Ferry uses for mirrors. Errors are of type *SyntaxError.
func ParseDigest(text string) (v1.Hash, error) {
	algorithm, hex, ok := strings.Cut(text, ":")
	if !ok || algorithm != "sha256" || !isHex(hex, 64) {
		return v1.Hash{}, &SyntaxError{text, PartDigest, "is not sha256: and 64 hexadecimal digits"}
	}
	return v1.Hash{Algorithm: algorithm, Hex: hex}, nil
}

// ParseAnyDigest parses a digest of any algorithm that the OCI image
// specification registers ("Registered Algorithms"), because people may name an
// image by its sha512. Errors are of type *SyntaxError.
func ParseAnyDigest(text string) (v1.Hash, error) {
	if hex, ok := strings.CutPrefix(text, "sha512:"); ok && isHex(hex, 128) {
		return v1.Hash{Algorithm: "sha512", Hex: hex}, nil
	}
	digest, err := ParseDigest(text)
	if err != nil {
		return v1.Hash{}, &SyntaxError{text, PartDigest, "is not sha256: and 64, or sha512: and 128, hexadecimal digits"}
	}
	return digest, nil
}

// Reference is an image: a repository with a tag, a digest, or both. The zero
// value means no reference; all other values are valid, because Parse and the
// constructors check them. References compare with ==.
type Reference struct {
	text string // the canonical form, so that a long plan holds each name once
	// host is the length of the host, path the end of the path, and tag that of the
	// tag or, without one, of the path.
	host, path, tag uint16
}

// newReference returns a reference in a repository. The tag or the digest may be empty.
func newReference(r Repository, tag string, digest v1.Hash) Reference {
	ref := Reference{text: r.text, host: r.host, path: uint16(len(r.text))}
	if tag != "" {
		ref.text += ":" + tag
	}
	ref.tag = uint16(len(ref.text))
	if digest != (v1.Hash{}) {
		ref.text += "@" + digest.String()
	}
	return ref
}

// Parse parses one reference as users of Docker write it: without a host it is
// at Docker Hub, official images may lack "library/", and without tag and
// digest the tag is "latest". Space around the text is not accepted; package
// request repairs typing errors. Errors are of type *SyntaxError.
func Parse(text string) (Reference, error) {
	if len(text) > MaxReference {
		return Reference{}, &SyntaxError{text, PartWhole, fmt.Sprintf("has %d characters; the limit is %d", len(text), MaxReference)}
	}
	if text == "" {
		return Reference{}, &SyntaxError{text, PartWhole, "is empty"}
	}
	rest, digestText, hasDigest := strings.Cut(text, "@")
	var digest v1.Hash
	if hasDigest {
		var err error
		if digest, err = ParseAnyDigest(digestText); err != nil {
			return Reference{}, &SyntaxError{text, PartDigest, "is not sha256: and 64, or sha512: and 128, hexadecimal digits"}
		}
	}
	var tag string
	if colon := strings.LastIndexByte(rest, ':'); colon > strings.LastIndexByte(rest, '/') {
		tag, rest = rest[colon+1:], rest[:colon]
		if err := checkTag(text, tag); err != nil {
			return Reference{}, err
		}
	} else if !hasDigest {
		tag = "latest"
	}
	host, path := DockerHub, rest
	if first, after, ok := strings.Cut(rest, "/"); ok && looksLikeHost(first) {
		host, path = first, after
	}
	repository, err := newRepository(text, host, path)
	if err != nil {
		return Reference{}, err
	}
	ref := newReference(repository, tag, digest)
	if ref.text == text {
		ref.text = text // the caller may keep it
	}
	return ref, nil
}

// looksLikeHost is Docker's rule (distribution/reference, "splitDockerDomain"):
// the first component is a host if it has a dot or a port, is "localhost", or
// has a capital letter, which paths cannot have.
func looksLikeHost(component string) bool {
	return strings.ContainsAny(component, ".:") || component == "localhost" || strings.ToLower(component) != component
}

// Repository returns the repository of the image.
func (r Reference) Repository() Repository { return Repository{r.text[:r.path], r.host} }

// Tag returns the tag; empty if the reference has only a digest.
func (r Reference) Tag() string { return strings.TrimPrefix(r.text[r.path:r.tag], ":") }

// Digest returns the digest; the zero Hash if the reference has only a tag.
func (r Reference) Digest() v1.Hash {
	algorithm, hex, _ := strings.Cut(strings.TrimPrefix(r.text[r.tag:], "@"), ":")
	return v1.Hash{Algorithm: algorithm, Hex: hex}
}

// HasDigest reports whether the reference has a digest.
func (r Reference) HasDigest() bool { return len(r.text) > int(r.tag) }

// IsZero reports whether r is the zero value.
func (r Reference) IsZero() bool { return r.text == "" }

// WithDigest returns r with a digest. It keeps the tag.
func (r Reference) WithDigest(digest v1.Hash) Reference {
	return newReference(r.Repository(), r.Tag(), digest)
}

// Untagged returns r with a digest and without a tag.
func (r Reference) Untagged(digest v1.Hash) Reference {
	return newReference(r.Repository(), "", digest)
}

// String returns the canonical form: host, path, then the tag, the digest, or
// both.
func (r Reference) String() string { return r.text }

// MarshalText returns String, for JSON.
func (r Reference) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText parses a reference; an empty text gives none.
func (r *Reference) UnmarshalText(text []byte) (err error) {
	*r = Reference{}
	if len(text) > 0 {
		*r, err = Parse(string(text))
	}
	return err
}

// MarshalText returns String, for JSON.
func (r Repository) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText parses a repository, which must not be empty.
func (r *Repository) UnmarshalText(text []byte) error {
	ref, err := Parse(string(text) + ":tag")
	*r = ref.Repository()
	return err
}
