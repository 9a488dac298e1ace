// Package lists reads lists of images to keep up to date. It turns a text into
// entries with their lines, and reports all faults at once. An invalid entry
// does not affect the others. The package does no I/O; docs/lists.md describes
// the formats.
//
// Ferry's own formats are lines (images.txt) and YAML (images.yaml). The lists
// of image-syncer, skopeo sync, regsync, dregsy, hauler, oc-mirror and Images.lock are read
// unchanged. The format is detected from the content.
//
// A list may hold credentials. They are neither read nor quoted in faults.
package lists

import (
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/selection"
)

// The limits of a list.
const (
	// MaxBytes is the maximum size: a line of a list has about 60 bytes.
	MaxBytes = 10 << 20
	// MaxEntries is how many entries are read; more are a fault.
	MaxEntries = 100_000
	// maxLine is the maximum length of a line of images.txt, in bytes: an image
	// has at most about 500, and a selection as many.
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
	Dregsy      Format = "dregsy"
	Diun        Format = "diun"
	Hauler      Format = "hauler"
	ImageSet    Format = "oc-mirror"
	ImagesLock  Format = "Images.lock"
)

// List is the content of a text.
type List struct {
	Format  Format
	Entries []Entry // in order
	// Upstreams are texts outside of the list that name more images, in order.
	Upstreams []Upstream
	// Faults are the parts that cannot be read, in order; they have no entries.
	Faults []Fault
	// Notes are the parts that are ignored, or have another meaning here.
	Notes []Fault
}

// Entry is a repository and a selection of its images.
type Entry struct {
	Line   int // from 1
	Source reference.Repository
	// Digest is the digest of the image; zero if the tags name it. With a
	// digest there is at most one tag, which is a name.
	Digest v1.Hash
	Tags   selection.Selection
	// Platforms are the platforms to copy; empty for those of the target.
	Platforms []reference.Platform
	// As is the requested mirror name; zero for the default.
	As request.Alias
	// Targets are where to copy to, "host/namespace" each; empty for the targets
	// of the run.
	Targets []string
	// Immutable matches the tags that never name other content; nil for none.
	Immutable *selection.Pattern
	// KeepOld reports whether the old content of a moved tag is kept under
	// another tag.
	KeepOld bool
	// To are complete destinations, as in the lists of other programs; empty
	// for mirror names at the targets.
	To []Destination
}

// Destination is a repository that images are copied to.
type Destination struct {
	Repository reference.Repository
	// Tags replace the tags of the entry, one for each; empty for the same
	// tags.
	Tags []string
}

// Named returns the references of the entry if it names all of them, so that
// the tags need not be listed.
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

// References returns the references for tags, as far as they are valid.
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

// Fault is a part of a list that cannot be read, or is ignored.
type Fault struct {
	Line   int    // from 1; 0 for the whole list
	Reason string // a clause: `has "newst", which is not allowed here`
	Cure   string // what to do, a clause; may be empty
}

// String returns one line without the list's name: "12: has …: write …".
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

// Options are how to read a list.
type Options struct {
	// Today is the day of a scheduled run, for groups with a schedule; zero for
	// another run, in which all groups are due.
	Today time.Time
	// Now is the time of the run, for templates of regsync.
	Now time.Time
	// Format is the format of the list; Unknown to detect it.
	Format Format
	// Getenv looks up the variables in the destinations of image-syncer and
	// regsync. It is not called for those that may hold credentials.
	Getenv func(string) string
}
