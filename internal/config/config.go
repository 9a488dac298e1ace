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
}
