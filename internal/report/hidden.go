package report

import (
	"encoding/json"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/reference"
)

// The lines around the records in a comment. GitHub shows neither, and no foreign
// text in a comment has them: clean splits them.
const (
	recordsOpen  = "<!-- ferry:records"
	recordsClose = "-->"
)

// hiddenRecords are the records of what has arrived, for the catalog, which has no
// other source for it. They are cut first.
func (a *answer) hiddenRecords() *block {
	b := &block{rank: rankRecords, open: recordsOpen, close: recordsClose, silent: true}
	for _, o := range a.all {
		r := o.record()
		if r.Status != Copied && r.Status != Present || !canonical(o.receipt.SourceDigest) || !canonical(o.receipt.Digest) {
			continue
		}
		r.Platforms = slices.DeleteFunc(r.Platforms, func(p string) bool {
			_, err := reference.ParsePlatform(p)
			return err != nil
		})
		var elsewhere []RecordElsewhere
		for _, e := range r.Elsewhere {
			if e.State == mirror.Same || e.State == mirror.OnePlatform {
				elsewhere = append(elsewhere, e)
			}
		}
		// Only what the catalog takes.
		r = Record{Source: r.Source, Mirror: r.Mirror, Status: r.Status, SourceDigest: r.SourceDigest, Digest: r.Digest, Platforms: r.Platforms, Size: r.Size, Elsewhere: elsewhere}
		// Marshal escapes angle brackets, so the text cannot end the comment.
		if text, err := json.Marshal(r); err == nil {
			b.items = append(b.items, md(text))
		}
	}
	if b.items == nil {
		return nil
	}
	return b
}

// canonical reports whether a digest is one by the grammar.
func canonical(digest v1.Hash) bool {
	_, err := reference.ParseDigest(digest.String())
	return err == nil
}

// RecordsIn returns the records in a comment of Ferry as a JSON array, and false if
// there are none.
func RecordsIn(comment string) ([]byte, bool) {
	_, rest, found := strings.Cut(comment, "\n"+recordsOpen+"\n")
	text, _, ended := strings.Cut(rest, "\n"+recordsClose)
	if !found || !ended {
		return nil, false
	}
	return []byte("[" + strings.ReplaceAll(text, "\n", ",") + "]"), true
}
