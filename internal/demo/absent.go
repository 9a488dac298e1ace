//go:build release

package demo

// Included reports whether the binary has the demo.
const Included = false
