package archive

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/pattern"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/texts"
)

// The files of a folder with an archive and the scripts that load it.
const (
	TarFile    = "images.tar"
	RecordFile = "archive.json"
	SumsFile   = "SHA256SUMS" // written last: without it the folder is not complete
)

// scripts check an archive, join its parts and load it into a client.
var scripts = []struct{ name, text string }{{"load.sh", loadSh}, {"load.ps1", loadPs1}}

//go:embed texts/load.sh
var loadSh string

//go:embed texts/load.ps1
var loadPs1 string

// Record describes an archive, for programs.
type Record struct {
	Images []Entry `json:"images"`
	Size   int64   `json:"size"` // of the archive, in bytes
	SHA256 string  `json:"sha256"`
	Files  []File  `json:"files"` // the files of the archive, in order
	// Limit is the limit of bytes that Size exceeds; nothing was saved then.
	Limit int64 `json:"limit,omitempty"`
}

// Entry is one image of a Record.
type Entry struct {
	Image        reference.Reference  `json:"image"`
	From         reference.Reference  `json:"from"` // where it was read from
	SourceDigest v1.Hash              `json:"source_digest"`
	Digest       v1.Hash              `json:"digest"`
	Platforms    []reference.Platform `json:"platforms"`
	Size         int64                `json:"size"` // of all its blobs and manifests
}

// oldTar matches an earlier archive in a folder, whole or in parts, complete or
// not.
var oldTar = &pattern.Regexp{Text: `^images\.tar(\.[0-9]{3})?(\.partial)?$`}

// Furnish completes a folder: it commits the archive and adds the record, the
// scripts and, last, the checksums. It removes an earlier archive.
func Furnish(folder string, o *Output, r Record) error {
	text, err := encode(r)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, f := range r.Files {
		sums.WriteString(f.SHA256 + "  " + f.Name + "\n")
	}
	if err := removeOld(folder, r.Files); err != nil {
		return err
	}
	if err := o.Commit(); err != nil {
		return err
	}
	for _, s := range scripts {
		if err := os.WriteFile(filepath.Join(folder, s.name), []byte(texts.Unpack(s.text)), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(folder, RecordFile), append(text, '\n'), 0o644); err != nil {
		return err
	}
	path := filepath.Join(folder, SumsFile)
	if err := os.WriteFile(path+partial, []byte(sums.String()), 0o644); err != nil {
		return err
	}
	return os.Rename(path+partial, path)
}

// removeOld removes an earlier archive from a folder, its checksums first. The
// temporary files of the new one stay.
func removeOld(folder string, next []File) error {
	if err := os.Remove(filepath.Join(folder, SumsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		kept := slices.ContainsFunc(next, func(f File) bool { return e.Name() == f.Name+partial })
		if !kept && oldTar.MatchString(e.Name()) {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// readSums reads the file SHA256SUMS of a folder, which lists the files of its
// archive.
func readSums(folder string) ([]File, error) {
	text, err := os.ReadFile(filepath.Join(folder, SumsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s has no file %s: it is not an archive, or saving did not finish", folder, SumsFile)
	}
	if err != nil {
		return nil, err
	}
	var files []File
	for line := range strings.Lines(string(text)) {
		sum, name, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "  ")
		if !ok || !hexSum.MatchString(sum) || !oldTar.MatchString(name) {
			return nil, fmt.Errorf("%s has an invalid line: %.100q", SumsFile, line)
		}
		files = append(files, File{Name: name, SHA256: sum})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s is empty", SumsFile)
	}
	return files, nil
}

var hexSum = &pattern.Regexp{Text: `^[0-9a-f]{64}$`}
