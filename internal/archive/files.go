package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
)

// partial is the suffix of the names of unfinished files.
const partial = ".partial"

// MaxParts is the maximum number of parts of an archive: their names have three
// digits, and a release on GitHub takes 1,000 files.
const MaxParts = 999

// File is a file of an archive.
type File struct {
	Name   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Output writes an archive to one file, or to several of a limited size. The
// files have temporary names until the archive is complete, so that an
// unfinished archive is not used.
type Output struct {
	path  string
	limit int64 // bytes a part; zero for one file
	whole hash.Hash
	size  int64
	parts []File
	file  *os.File
	hash  hash.Hash // of the part, if there may be several parts
	open  []string  // the temporary names of the files
}

// Create starts to write path or, if limit is above zero, path.001, path.002
// and so on, of limit bytes each.
func Create(path string, limit int64) *Output {
	return &Output{path: path, limit: limit, whole: sha256.New()}
}

func (o *Output) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		if o.file == nil {
			if err := o.next(); err != nil {
				return done, err
			}
		}
		piece := p[done:]
		part := &o.parts[len(o.parts)-1]
		if left := o.limit - part.Size; o.limit > 0 && int64(len(piece)) > left {
			piece = piece[:left]
		}
		n, err := o.file.Write(piece)
		o.whole.Write(piece[:n])
		if o.limit > 0 {
			o.hash.Write(piece[:n])
		}
		part.Size += int64(n)
		o.size += int64(n)
		done += n
		if err != nil {
			return done, err
		}
		if o.limit > 0 && part.Size == o.limit {
			if err := o.end(); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// next starts another part.
func (o *Output) next() error {
	path := o.path
	if o.limit > 0 {
		if len(o.parts) == MaxParts {
			return fmt.Errorf("the archive would have more than %d parts: use larger parts", MaxParts)
		}
		path = fmt.Sprintf("%s.%03d", o.path, len(o.parts)+1)
		o.hash = sha256.New()
	}
	file, err := os.Create(path + partial)
	if err != nil {
		return err
	}
	o.file, o.open = file, append(o.open, path)
	o.parts = append(o.parts, File{Name: filepath.Base(path)})
	return nil
}

// end completes a part.
func (o *Output) end() error {
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	o.file = nil
	if o.limit > 0 {
		o.parts[len(o.parts)-1].SHA256 = hex.EncodeToString(o.hash.Sum(nil))
	}
	return err
}

// Finish completes the last part. It returns the archive as a whole and its
// files.
func (o *Output) Finish() (File, []File, error) {
	if err := o.end(); err != nil {
		return File{}, nil, err
	}
	whole := File{Name: filepath.Base(o.path), Size: o.size, SHA256: hex.EncodeToString(o.whole.Sum(nil))}
	if o.limit == 0 {
		o.parts = []File{whole}
	}
	return whole, o.parts, nil
}

// Commit gives the files their final names. Finish must have been called.
func (o *Output) Commit() error {
	for len(o.open) > 0 {
		if err := os.Rename(o.open[0]+partial, o.open[0]); err != nil {
			return err
		}
		o.open = o.open[1:]
	}
	return nil
}

// Close removes files that were not committed.
func (o *Output) Close() error {
	var errs []error
	if o.file != nil {
		errs = append(errs, o.file.Close())
	}
	for _, path := range o.open {
		errs = append(errs, os.Remove(path+partial))
	}
	o.file, o.open = nil, nil
	return errors.Join(errs...)
}
