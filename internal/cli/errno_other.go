//go:build !windows

package cli

import "syscall"

// Errors of the network.
const (
	addressInUse      = syscall.EADDRINUSE
	connectionRefused = syscall.ECONNREFUSED
)
