// Package config reads what the owner decided: the inputs of the action, the
// environment and .github/ferry.yaml. All faults are found at once, each
// naming where to set it right.
package config

import (
	"log/slog"

	"github.com/imageferry/ferry/internal/reference"
)

// Secret is a credential. It shows itself to nobody: every way of printing,
// formatting, logging or marshalling it gives "[secret]". Reveal is the only
// way to the value.
type Secret struct{ value string }

// NewSecret hides value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal is the value itself, for the one constructor that needs it.
func (s Secret) Reveal() string { return s.value }

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s.value == "" }

const redacted = "[secret]"

// String hides the value.
func (Secret) String() string { return redacted }

// GoString hides the value from %#v.
func (Secret) GoString() string { return redacted }

// MarshalText hides the value from JSON, YAML and the like.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the value from log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Target is a registry and a namespace that mirrors are pushed to.
type Target struct {
	Host      string               // canonical, "docker.io" for example
	Namespace string               // one or more path components, "user" for example
	Profile   string               // how names are made: "flat", "host", "last" or "path"
	Platforms []reference.Platform // what to copy when the request names no platforms; empty for all
	Username  string
	Password  Secret
	Private   bool // may be on a loopback or private address
	PlainHTTP bool // speaks HTTP without TLS
}

// Who tells who may do something.
type Who string

// Who may do something, from the widest to the narrowest.
const (
	Anyone        Who = "anyone"
	Collaborators Who = "collaborators" // write permission or more, by GitHub's permission API
	Owner         Who = "owner"
)

// Source is a registry that images may be copied from.
type Source struct {
	Host      string // canonical; exact, with its port if it is not 443
	Label     string // the first part of the mirror names; empty for the host itself
	Private   bool   // may be on a loopback or private address
	PlainHTTP bool   // speaks HTTP without TLS
	Username  string
	Password  Secret
}

// Limits bound what one request may cost. Zero is never "unlimited": defaults
// are filled in when the configuration is read.
type Limits struct {
	Images         int   // images a request
	ImageBytes     int64 // bytes an image, all its platforms together
	RequestBytes   int64 // bytes a request
	RequestsPerDay int   // requests a person a day
	IndexManifests int   // manifests an index
}

// Config is everything that the owner decided, with defaults filled in.
type Config struct {
	Targets     []Target
	Sources     []Source // the well-known public registries and the owner's own
	Requests    Who      // who may ask
	CustomNames Who      // who may ask for a mirror name of their own choice
	Denied      []string // repositories that are never mirrored: "docker.io/foo/bar", "docker.io/foo/*"
	Limits      Limits
	Language    string // "auto", "zh" or "en"
	Referrers   bool   // copy signatures, attestations and SBOMs that refer to the image
}
