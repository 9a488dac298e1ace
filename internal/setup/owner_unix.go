//go:build unix

package setup

import (
	"io/fs"
	"os"
	"syscall"
)

// chown gives a file the owner of another.
func chown(file string, like fs.FileInfo) error {
	if stat, ok := like.Sys().(*syscall.Stat_t); ok {
		return os.Chown(file, int(stat.Uid), int(stat.Gid))
	}
	return nil
}
