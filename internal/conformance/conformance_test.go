package conformance

import "testing"

func TestFerry(t *testing.T) { Run(t, nil) }
