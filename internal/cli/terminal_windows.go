package cli

import "golang.org/x/sys/windows"

// movesCursor makes a console interpret escape sequences, which is off by
// default on Windows, and reports whether it succeeded.
func movesCursor(fd uintptr) bool {
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(fd), &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(windows.Handle(fd), mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
