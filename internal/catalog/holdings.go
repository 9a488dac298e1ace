package catalog

import (
	"bytes"
	"encoding/json"
	"errors"
	"sort"

	"github.com/imageferry/ferry/internal/reference"
)

// Branch is the branch of a repository that has the catalog.
const Branch = "catalog"

// HoldingsFile is the path of the file with the Holdings, in the folder of the
// catalog. Runs that check a quota read it alone instead of the whole log.
const HoldingsFile = "v1/mirrors.json"

// Holdings are what all targets hold, and what "ferry keep" has deleted from them, by
// full names.
type Holdings struct {
	Version      int            `json:"version"`
	Repositories map[string]int `json:"repositories"`      // with the number of tags
	Deleted      []string       `json:"deleted,omitempty"` // mirrors, sorted
}

// Holdings returns what all targets hold, as far as the log says.
func (s Snapshot) Holdings() Holdings {
	h := Holdings{Version: version, Repositories: map[string]int{}}
	seen := map[reference.Reference]bool{}
	for _, r := range s.Repositories {
		for _, i := range r.Images {
			if !seen[i.Mirror] {
				seen[i.Mirror] = true
				h.Repositories[i.Mirror.Repository().String()]++
			}
		}
	}
	for k := range s.deleted {
		if !seen[k.mirror] {
			seen[k.mirror] = true
			h.Deleted = append(h.Deleted, k.mirror.String())
		}
	}
	sort.Strings(h.Deleted)
	return h
}

// HasDeleted reports whether a mirror was deleted.
func (h Holdings) HasDeleted(mirror reference.Reference) bool {
	name := mirror.String()
	i := sort.SearchStrings(h.Deleted, name)
	return i < len(h.Deleted) && h.Deleted[i] == name
}

// File returns the text of the HoldingsFile.
func (h Holdings) File() ([]byte, error) {
	var b bytes.Buffer
	err := encode(&b, h)
	return b.Bytes(), err
}

// ReadHoldings reads a HoldingsFile.
func ReadHoldings(text []byte) (h Holdings, err error) {
	if json.Unmarshal(text, &h) != nil || h.Version != version {
		return Holdings{}, errors.New(HoldingsFile + " cannot be read")
	}
	sort.Strings(h.Deleted)
	return h, nil
}
