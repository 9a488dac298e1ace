// Package npm fetches single files out of npm packages, which is where GitHub
// publishes its example payloads and the description of its API. They are
// fetched when the suite runs and never committed.
package npm

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// File gives a file of a package at an exact version. What was fetched is kept
// in the user's cache folder.
func File(name, version, file string) ([]byte, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	flat := strings.NewReplacer("@", "", "/", "-").Replace(name + "@" + version + "@" + file)
	kept := filepath.Join(cache, "ferry-e2e", flat)
	if content, err := os.ReadFile(kept); !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	content, err := fetch(name, version, file)
	if err != nil {
		return nil, fmt.Errorf("fetching %s of npm package %s@%s: %w", file, name, version, err)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return nil, err
	}
	return content, replace(kept, content)
}

// replace writes a file that is there in full or not at all, since packages of
// tests run side by side.
func replace(file string, content []byte) error {
	temporary, err := os.CreateTemp(filepath.Dir(file), "part-")
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	return errors.Join(err, temporary.Close(), os.Rename(temporary.Name(), file))
}

func fetch(name, version, file string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "npm-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	pack := exec.Command("npm", "pack", "--silent", "--pack-destination", dir, name+"@"+version)
	pack.Stderr = os.Stderr
	out, err := pack.Output()
	if err != nil {
		return nil, err
	}
	archive, err := os.Open(filepath.Join(dir, strings.TrimSpace(string(out))))
	if err != nil {
		return nil, err
	}
	defer archive.Close()
	unpacked, err := gzip.NewReader(archive)
	if err != nil {
		return nil, err
	}
	for entries := tar.NewReader(unpacked); ; {
		header, err := entries.Next()
		if err != nil {
			return nil, err // io.EOF: the package has no such file
		}
		if header.Name == "package/"+file {
			return io.ReadAll(entries)
		}
	}
}
