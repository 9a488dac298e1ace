package catalog

import (
	"encoding/json"
	"errors"
	"time"
)

// record is a receipt as Ferry's commands print it (docs/outputs.md,
// "Records"), with the fields that the catalog uses.
type record struct {
	Source       string   `json:"source"`
	Mirror       string   `json:"mirror"`
	Status       string   `json:"status"`
	SourceDigest string   `json:"source_digest"`
	Digest       string   `json:"digest"`
	Platforms    []string `json:"platforms"`
	Size         int64    `json:"size"`
	List         string   `json:"list"`
	Before       string   `json:"before"`
	Kept         string   `json:"kept"`

	Elsewhere []Elsewhere `json:"elsewhere"`
	Error     *struct {
		Code string `json:"code"`
		Side string `json:"side"`
	} `json:"error"`
}

// passing are the failures of a run that was ended, or of a host's limit, which say
// nothing about the image.
var passing = map[string]bool{"rate-limited": true, "cancelled": true, "timed-out": true, "too-slow": true}

// Changes returns the changes in records that the snapshot does not have. at is
// the time of the run. An invalid record is a fault, with its number in place
// of a line number.
func Changes(s Snapshot, records []byte, at time.Time) (changes []Change, faults []Fault, err error) {
	var all []record
	if json.Unmarshal(records, &all) != nil {
		return nil, nil, errors.New("is not an array of records from --json")
	}
	at = at.UTC().Truncate(time.Second)
	for i := range all {
		r, c := &all[i], &Change{At: at}
		note := func(news bool, err error) bool {
			if err != nil {
				faults = append(faults, Fault{i + 1, err})
			} else if news {
				changes = append(changes, *c)
			}
			return err == nil
		}
		if note(r.change(s, c)) && r.Kept != "" && !c.Source.IsZero() {
			note(r.kept(s, c))
		}
	}
	return changes, faults, nil
}

// kept makes the change c that of the name that has the content which the mirror had
// before. Its source is that content, by its digest. It reports false if it is known.
func (r *record) kept(s Snapshot, c *Change) (bool, error) {
	l := line{Mirror: r.Kept, SourceDigest: r.Before, Digest: r.Before}
	known := s.find(c.Source, c.Mirror)
	repository := c.Source.Repository().String()
	*c = Change{At: c.At, What: Kept, By: c.By}
	if known != nil && known.Digest.String() == r.Before {
		l.SourceDigest, l.Platforms, c.Size = digestText(known.SourceDigest), platformTexts(known.Platforms), known.Size
	}
	l.Source = repository + "@" + l.SourceDigest
	err := c.names(&l)
	return s.find(c.Source, c.Mirror) == nil, err
}

// change completes the change c in a record. It reports false if there is none.
func (r *record) change(s Snapshot, c *Change) (bool, error) {
	if r.Mirror == "" { // the request was refused
		return false, nil
	}
	c.What, c.Size, c.By = Copied, max(r.Size, 0), clean(r.List)
	// "ferry sync" has a status for it, "ferry copy" an error.
	gone := r.Status == "gone" || r.Error != nil && r.Error.Code == "not-found" && r.Error.Side == "source"
	switch {
	case gone:
		c.What, r.Digest, r.SourceDigest, r.Platforms = Gone, "", "", nil
	case r.Error != nil && !passing[r.Error.Code]:
		c.What, c.Code, r.Digest, r.SourceDigest, r.Platforms = Failed, clean(r.Error.Code), "", "", nil
	case r.Status != "copied" && r.Status != "present":
		return false, nil
	}
	if err := c.names(&line{Source: r.Source, Mirror: r.Mirror, SourceDigest: r.SourceDigest, Digest: r.Digest, Platforms: r.Platforms, Elsewhere: r.Elsewhere}); err != nil {
		return false, err
	}
	if deleted, ok := s.deleted[key{c.Source, c.Mirror}]; ok && !c.At.After(deleted) {
		return false, nil
	}
	known := s.find(c.Source, c.Mirror)
	code, failing := s.failing[key{c.Source, c.Mirror}]
	switch {
	case c.What == Failed:
		return !failing || code != c.Code, nil
	case known == nil:
		return !gone, nil
	case gone:
		return known.GoneAt.IsZero(), nil
	case known.Digest != c.Digest:
		c.What = Moved
		return true, nil
	case failing || !known.GoneAt.IsZero() || c.listed() && !known.listed(): // a list has it now, so that "ferry keep" knows
		c.What = Back
		return true, nil
	}
	return false, nil
}
