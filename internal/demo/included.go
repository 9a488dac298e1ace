//go:build !release

package demo

// Included reports whether the binary has the demo. The builds of releases and
// of the action leave it out, because the simulated parts are 330 kB.
const Included = true
