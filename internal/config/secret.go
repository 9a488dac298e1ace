package config

import (
	"fmt"
	"log/slog"
)

// Secret is a credential. Printing, formatting, logging or marshalling it,
// alone or inside other values, gives "[secret]". Only Reveal returns the
// value.
//
// The value is stored in a function, because fmt prints the unexported fields
// of a struct without calling their methods.
type Secret struct{ reveal func() string }

// NewSecret hides value. An empty value gives the zero Secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{func() string { return value }}
}

// Reveal returns the value, for the constructor that needs it.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.reveal == nil }

const redacted = "[secret]"

// Format hides the value from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// String hides the value.
func (Secret) String() string { return redacted }

// MarshalText hides the value from JSON, XML, YAML and similar encodings.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalBinary hides the value from gob and similar encodings.
func (Secret) MarshalBinary() ([]byte, error) { return []byte(redacted), nil }

// LogValue hides the value from log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
