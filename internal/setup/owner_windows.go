package setup

import "io/fs"

// chown does nothing: files inherit their owner from the folder.
func chown(string, fs.FileInfo) error { return nil }
