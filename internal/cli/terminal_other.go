//go:build !windows

package cli

// movesCursor reports whether a terminal interprets escape sequences. All do,
// except those excluded by TERM.
func movesCursor(uintptr) bool { return true }
