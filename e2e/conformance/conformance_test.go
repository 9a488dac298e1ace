// Package conformance runs the suite for clients before real registries: what
// registries and proxies are known to do is added in front of CNCF distribution.
package conformance

import (
	"testing"

	"github.com/imageferry/ferry/e2e/parts"
	"github.com/imageferry/ferry/internal/conformance"
)

func TestFerryBeforeDistribution(t *testing.T) { conformance.Run(t, parts.Memory) }
