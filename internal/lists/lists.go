// Package lists reads lists of images that are kept fresh. Text goes in; entries
// with their lines, and all faults at once, come out. One bad entry never stops
// the others. It is pure; docs/lists.md describes the formats.
//
// Ferry's own formats are lines (images.txt) and YAML (images.yaml). The lists of
// image-syncer, skopeo sync and regsync are read as they are. Which format a text
// is in is seen from its content.
//
// A list may hold credentials. No fault quotes them, and nothing reads them.
package lists

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/selection"
)

// The limits of a list.
const (
	// MaxBytes is its size: a line of a list has some 60 bytes.
	MaxBytes = 10 << 20
	// MaxEntries is how many entries are read; those behind are a fault.
	MaxEntries = 100_000
	// maxLine is the length of a line of images.txt, in bytes: an image has at most
	// some 500, and a selection as many.
	maxLine = 4 << 10
	// maxFaults is how many faults are reported one by one.
	maxFaults = 1000
)

// Format is the stable name of a format.
type Format string

// The formats.
const (
	Unknown     Format = ""
	Lines       Format = "lines" // images.txt
	YAML        Format = "yaml"  // images.yaml
	ImageSyncer Format = "image-syncer"
	Skopeo      Format = "skopeo"
	Regsync     Format = "regsync"
)

// List is what a text says.
type List struct {
	Format  Format
	Entries []Entry // in order
	// Faults are what cannot be read, in order; the entries do not have it.
	Faults []Fault
	// Notes are what was read and does not count, or means something else here.
	Notes []Fault
}

// Entry is a repository and which of its images are meant.
type Entry struct {
	Line   int // from 1
	Source reference.Repository
	// Digest is the very image; zero for what the tags name. With a digest there is
	// at most one tag, which is named.
	Digest v1.Hash
	Tags   selection.Selection
	// Platforms are those to copy; empty for those of the target.
	Platforms []reference.Platform
	// As is the mirror name that is wished; zero for the usual one.
	As request.Alias
	// Targets are where to copy to, "host/namespace" each; empty for the targets
	// of the run.
	Targets []string
	// To are complete destinations, which other programs' lists have; empty for
	// mirror names at the targets.
	To []Destination
}

// Destination is a repository that images are copied to.
type Destination struct {
	Repository reference.Repository
	// Tags replace those that the entry names, one for each; empty for the same.
	Tags []string
}

// Named are the references of the entry if it names them all, so that no list of
// tags is needed.
func (e Entry) Named() ([]reference.Reference, bool) {
	tags, ok := e.Tags.Named()
	switch {
	case ok:
		return e.References(tags), true
	case e.Digest == (v1.Hash{}):
		return nil, false
	}
	ref, err := e.Source.Tagged("latest")
	if err != nil {
		return nil, true
	}
	return []reference.Reference{ref.Untagged(e.Digest)}, true
}

// References are the images that tags name, as far as they satisfy the grammar.
func (e Entry) References(tags []string) []reference.Reference {
	all := make([]reference.Reference, 0, len(tags))
	for _, tag := range tags {
		ref, err := e.Source.Tagged(tag)
		if err != nil {
			continue
		}
		if e.Digest != (v1.Hash{}) {
			ref = ref.WithDigest(e.Digest)
		}
		all = append(all, ref)
	}
	return all
}

// Fault is something that cannot be read, or does not count.
type Fault struct {
	Line   int    // from 1; 0 for the whole
	Reason string // a clause: `has "newst", which is not known here`
	Cure   string // what to do, a clause; may be empty
}

// String is one line without the list's name: "12: has …: write …".
func (f Fault) String() string {
	text := f.Reason
	if f.Cure != "" {
		text += ": " + f.Cure
	}
	if f.Line > 0 {
		text = fmt.Sprintf("%d: %s", f.Line, text)
	}
	return text
}

// Options say how to read a list.
type Options struct {
	// Format is that of the list; Unknown to find it out.
	Format Format
	// Getenv looks up the variables that image-syncer's and regsync's lists may
	// have in destinations. Those that hold credentials are not asked for.
	Getenv func(string) string
}
