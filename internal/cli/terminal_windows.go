package cli

import "golang.org/x/sys/windows"

// movesCursor makes a console interpret escape sequences, which those of Windows do
// not by default, and reports whether it succeeded.
func movesCursor(fd uintptr) bool {
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(fd), &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(windows.Handle(fd), mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
