//go:build unix

package setup

import (
	"io/fs"
	"syscall"
)

// owners returns the ids of the user and the group of a file.
func owners(info fs.FileInfo) []uint32 {
	stat := info.Sys().(*syscall.Stat_t) //nolint:forcetypeassert // on every Unix
	return []uint32{stat.Uid, stat.Gid}
}
