package setup

import "io/fs"

func owners(fs.FileInfo) []uint32 { return nil }
