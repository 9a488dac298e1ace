// Package catalog records what has been mirrored. Its data is a log of changes:
// files with one line of JSON for each change. Every run adds its own file. The
// snapshot and the files of the API are derived from the log: the same lines in
// any order give the same bytes.
//
// Lines and records are untrusted: every reference, digest and platform is
// parsed, and invalid lines are reported with their numbers.
package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
)

// What is the kind of a change.
type What string

// The kinds of changes.
const (
	Copied  What = "copied"  // the mirror has the image, for the first time in this log
	Moved   What = "moved"   // the mirror's tag has another digest than before
	Gone    What = "gone"    // the source no longer has the tag
	Back    What = "back"    // the mirror is unchanged, and its source has the tag again or can be copied again
	Deleted What = "deleted" // "ferry keep" has deleted the mirror
	Kept    What = "kept"    // the mirror has the content that another one had before its tag moved
	Failed  What = "failed"  // the image cannot be copied, for the first time or for another reason than before
)

// version is the version of the lines that this package writes.
const version = 1

// Change is one line of the log.
type Change struct {
	At           time.Time // in UTC, with a resolution of seconds
	What         What
	Source       reference.Reference
	Mirror       reference.Reference
	SourceDigest v1.Hash // zero if the source is gone
	Digest       v1.Hash
	Platforms    []reference.Platform
	Size         int64  // the size of the image in bytes; zero if unknown
	By           string // where the image stands in a list, "FILE:LINE", or the issue that requested it, "#12"
	Code         string // of a failure (docs/outputs.md, "Codes of errors"); empty for others
	Elsewhere    []Elsewhere
}

// Elsewhere is a public mirror that had the content of the source, or of one of its
// platforms, when the image was copied.
type Elsewhere struct {
	Mirror   string `json:"mirror"` // a reference with a digest
	State    string `json:"state"`  // "same" or "platform"
	Platform string `json:"platform,omitempty"`
}

// elsewhere returns the public mirrors in a line that are valid. Those with another
// digest than the source are left out: only its content is safe to pull from them.
func (l *line) elsewhere(source v1.Hash) (valid []Elsewhere) {
	for _, e := range l.Elsewhere {
		ref, err := reference.Parse(e.Mirror)
		if err != nil || !ref.HasDigest() || ref.String() != e.Mirror || source == (v1.Hash{}) {
			continue
		}
		_, err = reference.ParsePlatform(e.Platform)
		if e.State == "same" && ref.Digest() == source && e.Platform == "" || e.State == "platform" && err == nil {
			valid = append(valid, e)
		}
	}
	return valid
}

// line is the JSON form of a Change.
type line struct {
	Version      int      `json:"v"`
	At           string   `json:"at"`
	What         What     `json:"what"`
	Source       string   `json:"source"`
	Mirror       string   `json:"mirror"`
	SourceDigest string   `json:"source_digest,omitempty"`
	Digest       string   `json:"digest,omitempty"`
	Platforms    []string `json:"platforms,omitempty"`
	Size         int64    `json:"size,omitempty"`
	By           string   `json:"by,omitempty"`
	Code         string   `json:"code,omitempty"`

	Elsewhere []Elsewhere `json:"elsewhere,omitempty"`
}

// listed reports whether a list has got an image, not an issue.
func (c *Change) listed() bool { return c.By != "" && c.By[0] != '#' }

// maxLine is the maximum length of a line, in bytes.
const maxLine = 64 << 10

// Fault is a line that cannot be read.
type Fault struct {
	Line int // from 1
	Err  error
}

// Read parses a file of the log. Lines of a later version, incomplete lines and
// invalid lines are faults and do not affect the others.
func Read(text []byte) (changes []Change, faults []Fault) {
	number := 0
	for len(text) > 0 {
		number++
		row, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		if len(bytes.TrimSpace(row)) == 0 {
			continue
		}
		c, err := readLine(row)
		if err != nil {
			faults = append(faults, Fault{number, err})
			continue
		}
		changes = append(changes, c)
	}
	return changes, faults
}

func readLine(row []byte) (Change, error) {
	if len(row) > maxLine {
		return Change{}, fmt.Errorf("has %d bytes", len(row))
	}
	var l line
	if err := json.Unmarshal(row, &l); err != nil {
		return Change{}, errors.New("is not valid JSON, or is incomplete")
	}
	if l.Version != version {
		return Change{}, fmt.Errorf("has version %d, which this version of Ferry does not support", l.Version)
	}
	if !slices.Contains([]What{Copied, Moved, Gone, Back, Kept, Deleted, Failed}, l.What) {
		return Change{}, fmt.Errorf("has an unknown kind of change: %.40q", l.What)
	}
	at, err := time.Parse(time.RFC3339, l.At)
	if err != nil {
		return Change{}, fmt.Errorf("has an invalid time: %.40q", l.At)
	}
	c := Change{At: at.UTC().Truncate(time.Second), What: l.What, Size: max(l.Size, 0), By: clean(l.By), Code: clean(l.Code)}
	return c, c.names(&l)
}

// names parses the names in a line.
func (c *Change) names(l *line) (err error) {
	if c.Source, err = reference.Parse(l.Source); err != nil {
		return err
	}
	if c.Mirror, err = reference.Parse(l.Mirror); err != nil {
		return err
	}
	if l.SourceDigest != "" {
		if c.SourceDigest, err = reference.ParseDigest(l.SourceDigest); err != nil {
			return err
		}
	}
	if l.Digest != "" {
		if c.Digest, err = reference.ParseDigest(l.Digest); err != nil {
			return err
		}
	}
	if c.Digest == (v1.Hash{}) && c.What != Gone && c.What != Failed && c.What != Deleted {
		return errors.New("has no digest")
	}
	for _, text := range l.Platforms {
		// Platforms that are not known are left out: some images have rare
		// ones.
		if p, err := reference.ParsePlatform(text); err == nil {
			c.Platforms = append(c.Platforms, p)
		}
	}
	c.Elsewhere = l.elsewhere(c.SourceDigest)
	return nil
}

// clean returns a place in a list without control characters.
func clean(by string) string {
	by = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune("<>&\"'`", r) {
			return -1
		}
		return r
	}, by)
	if len(by) > 200 {
		return ""
	}
	return strings.ToValidUTF8(by, "")
}

// Path returns the path of a run's file of the log, in the folder of the catalog.
// Every run adds one file and changes no other. run is a name that no other run of
// this day has, such as "RUN-ATTEMPT" of a workflow.
func Path(at time.Time, run string) string {
	return Folder + at.UTC().Format("/2006/01/02/") + path.Base(run) + ".jsonl"
}

// Folder is the path of the log in the folder of the catalog.
const Folder = "v1/log"

// Lines returns changes as a file of the log.
func Lines(changes []Change) ([]byte, error) {
	var b bytes.Buffer
	for _, c := range changes {
		l := line{
			Version: version, At: c.At.UTC().Format(time.RFC3339), What: c.What, Source: c.Source.String(), Mirror: c.Mirror.String(),
			SourceDigest: digestText(c.SourceDigest), Digest: digestText(c.Digest), Platforms: platformTexts(c.Platforms), Size: c.Size, By: c.By, Code: c.Code, Elsewhere: c.Elsewhere,
		}
		if err := encode(&b, l); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// encode writes v as a line of JSON.
func encode(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// digestText returns a digest, or "" for none.
func digestText(digest v1.Hash) string {
	if digest == (v1.Hash{}) {
		return ""
	}
	return digest.String()
}

func platformTexts(list []reference.Platform) []string {
	texts := make([]string, 0, len(list))
	for _, p := range list {
		texts = append(texts, p.String())
	}
	return texts
}

// Snapshot is the current state of all mirrors.
type Snapshot struct {
	Repositories []Repository // repositories of sources, sorted
	// failing are the codes of images that cannot be copied now, by source and
	// mirror.
	failing map[key]string
	// deleted are when mirrors were deleted that have not been copied again.
	deleted map[key]time.Time
}

// Repository is a repository of a source, with its mirrors.
type Repository struct {
	Source reference.Repository
	Images []Image // sorted by the source's tag or digest, then by the mirror
}

// Image is an image at one mirror.
type Image struct {
	Change            // the last change of the mirror's content
	Since   time.Time // when the mirror first got the image
	MovedAt time.Time // when its content last changed; zero for never
	GoneAt  time.Time // when the source lost it; zero if the source has it
}

// key names an image at a mirror.
type key struct{ source, mirror reference.Reference }

// Fold makes a snapshot from changes in any order. Repeated changes count once.
func Fold(changes []Change) Snapshot {
	rows := make(map[key][]*Change, len(changes))
	for i := range changes {
		k := key{changes[i].Source, changes[i].Mirror}
		rows[k] = append(rows[k], &changes[i])
	}
	images := make([]*Image, 0, len(rows))
	failing, deleted := map[key]string{}, map[key]time.Time{}
	for k, history := range rows {
		inOrder(history)
		image := &Image{}
		for _, c := range history {
			if c.What == Failed {
				failing[k] = c.Code
				continue
			}
			delete(failing, k)
			if c.What == Deleted {
				*image, deleted[k] = Image{}, c.At
				continue
			}
			if image.Since.IsZero() {
				if c.What == Gone {
					continue // its content is unknown
				}
				image.Since = c.At
				delete(deleted, k)
			}
			image.apply(*c)
		}
		if !image.Since.IsZero() {
			images = append(images, image)
		}
	}
	s := arrange(images)
	s.failing, s.deleted = failing, deleted
	return s
}

// inOrder sorts the changes of one image by their times. Those of the same second
// are sorted by their lines.
func inOrder(history []*Change) {
	if len(history) < 2 {
		return
	}
	text := func(c *Change) string {
		line, err := Lines([]Change{*c})
		if err != nil {
			return ""
		}
		return string(line)
	}
	sort.SliceStable(history, func(i, j int) bool {
		a, b := history[i], history[j]
		if !a.At.Equal(b.At) {
			return a.At.Before(b.At)
		}
		return text(a) < text(b)
	})
}

func (i *Image) apply(c Change) {
	switch c.What {
	case Failed, Deleted:
		return // Fold leaves both out
	case Gone:
		if i.GoneAt.IsZero() {
			i.GoneAt = c.At
		}
		return
	case Copied, Moved, Back, Kept:
		if i.Digest != (v1.Hash{}) && i.Digest != c.Digest {
			i.MovedAt = c.At
		}
		if c.Size == 0 && i.Digest == c.Digest {
			c.Size = i.Size
		}
		if c.Elsewhere == nil && i.SourceDigest == c.SourceDigest {
			c.Elsewhere = i.Elsewhere
		}
		i.GoneAt = time.Time{}
	}
	i.Change = c
}

// arrange puts images into their repositories and sorts them.
func arrange(images []*Image) Snapshot {
	type named struct {
		*Image
		repository reference.Repository
		name       string
	}
	all := make([]named, len(images))
	for i, image := range images {
		all[i] = named{image, image.Source.Repository(), image.Source.String() + " " + image.Mirror.String()}
	}
	sort.Slice(all, func(i, j int) bool {
		if c := all[i].repository.Compare(all[j].repository); c != 0 {
			return c < 0
		}
		return all[i].name < all[j].name
	})
	var s Snapshot
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].repository == all[from].repository {
			to++
		}
		r := Repository{Source: all[from].repository, Images: make([]Image, 0, to-from)}
		for _, image := range all[from:to] {
			r.Images = append(r.Images, *image.Image)
		}
		s.Repositories = append(s.Repositories, r)
		from = to
	}
	return s
}

// find returns the image of a source at a mirror, or nil.
func (s Snapshot) find(source, mirror reference.Reference) *Image {
	at := sort.Search(len(s.Repositories), func(i int) bool {
		return s.Repositories[i].Source.Compare(source.Repository()) >= 0
	})
	if at == len(s.Repositories) {
		return nil
	}
	images := s.Repositories[at].Images
	for i := range images {
		if images[i].Source == source && images[i].Mirror == mirror {
			return &images[i]
		}
	}
	return nil
}
