//go:build !windows

package cli

// movesCursor reports whether a terminal obeys escape sequences: all do but
// those whose TERM says so.
func movesCursor(uintptr) bool { return true }
