//go:build release

package front

import (
	"crypto/tls"
	"errors"
)

// ACMEIncluded reports whether the binary can request certificates.
const ACMEIncluded = false

// Config fails, because this build cannot request certificates.
func (ACME) Config() (*tls.Config, error) { return nil, errors.ErrUnsupported }
