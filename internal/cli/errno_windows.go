package cli

import "golang.org/x/sys/windows"

// Errors of the network. No error has the numbers that package syscall gives them on
// Windows.
const (
	addressInUse      = windows.WSAEADDRINUSE
	connectionRefused = windows.WSAECONNREFUSED
)
