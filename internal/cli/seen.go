package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/plan"
)

// seen is the set of earlier comparisons with targets whose digest differs from
// the source's: mirrors with only some platforms, or in an adapted format.
// Their digests do not show whether they are up to date, and reading the
// source's manifests counts as pulls on Docker Hub. A lost line only costs
// requests.
type seen map[string]bool

// maxSeen limits the size of the file, in bytes: a line has about 250.
const maxSeen = 64 << 20

// readSeen reads the file of the last run, if it exists.
func readSeen(file string) (seen, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return seen{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSeen))
	if err != nil {
		return nil, err
	}
	all := seen{}
	for line := range bytes.Lines(text) {
		all[strings.TrimSpace(string(line))] = true
	}
	return all, nil
}

// write replaces the file, and creates its folder.
func (s seen) write(file string) error {
	text := strings.Join(slices.Sorted(maps.Keys(s)), "\n") + "\n"
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// seenLine returns the line which records that a mirror with the digest held is
// up to date with the source's digest.
func seenLine(d plan.Destination, source, held v1.Hash) string {
	platforms := make([]string, len(d.Platforms))
	for i, p := range d.Platforms {
		platforms[i] = p.String()
	}
	slices.Sort(platforms)
	return fmt.Sprintf("%s %s %s %s", d.Mirror, source, held, strings.Join(platforms, ","))
}
