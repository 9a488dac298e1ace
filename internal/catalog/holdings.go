package catalog

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/imageferry/ferry/internal/reference"
)

// Branch is the branch of a repository that has the catalog.
const Branch = "catalog"

// HoldingsFile is the path of the file with the Holdings, in the folder of the
// catalog. Runs that check a quota read it alone instead of the whole log.
const HoldingsFile = "v1/mirrors.json"

// Holdings are the repositories at all targets, by their full names, with the
// number of their tags.
type Holdings map[string]int

type holdingsFile struct {
	Version      int      `json:"version"`
	Repositories Holdings `json:"repositories"`
}

// Holdings returns what all targets hold, as far as the log says.
func (s Snapshot) Holdings() Holdings {
	h := Holdings{}
	seen := map[reference.Reference]bool{}
	for _, r := range s.Repositories {
		for _, i := range r.Images {
			if !seen[i.Mirror] {
				seen[i.Mirror] = true
				h[i.Mirror.Repository().String()]++
			}
		}
	}
	return h
}

// File returns the text of the HoldingsFile.
func (h Holdings) File() ([]byte, error) {
	var b bytes.Buffer
	err := encode(&b, holdingsFile{version, h})
	return b.Bytes(), err
}

// ReadHoldings reads a HoldingsFile.
func ReadHoldings(text []byte) (Holdings, error) {
	var f holdingsFile
	if json.Unmarshal(text, &f) != nil || f.Version != version {
		return nil, errors.New(HoldingsFile + " cannot be read")
	}
	return f.Repositories, nil
}
