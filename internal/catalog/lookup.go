package catalog

import (
	"encoding/json"
	"errors"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
)

// FilePath returns the path of a repository's file below the folder of a site.
func FilePath(r reference.Repository) string { return images + filePath(r) }

// Mirror is a mirror of an image.
type Mirror struct {
	Name   reference.Reference
	Digest v1.Hash
}

// Mirrors reads the mirrors of an image from the file of its repository. The file
// may be anybody's; entries that cannot be parsed are left out.
func Mirrors(file []byte, source reference.Reference) ([]Mirror, error) {
	var f repositoryFile
	if json.Unmarshal(file, &f) != nil || f.Version != version {
		return nil, errors.New("the catalog's answer is not that of a catalog, or of another version")
	}
	var found []Mirror
	for _, i := range f.Images {
		of, err := reference.Parse(i.Source)
		if err != nil || of != source {
			continue
		}
		name, err := reference.Parse(i.Mirror)
		digest, invalid := reference.ParseDigest(i.Digest)
		if err == nil && invalid == nil {
			found = append(found, Mirror{name, digest})
		}
	}
	return found, nil
}

// IndexPath and TagsPath are the paths of the files from which Names reads.
const (
	IndexPath = api + "index.json"
	TagsPath  = api + "tags.json"
)

// Names returns the names of all images with tags. The files may be anybody's; names
// that cannot be parsed are left out.
func Names(index, tags []byte) ([]string, error) {
	var repositories struct{ Repositories [][]any }
	var of struct{ Tags []string }
	err := json.Unmarshal(index, &repositories)
	if invalid := json.Unmarshal(tags, &of); err != nil || invalid != nil || len(of.Tags) != len(repositories.Repositories) {
		return nil, errors.New("the catalog's answer is not that of a catalog, or of another version")
	}
	var names []string
	for i, row := range repositories.Repositories {
		if len(row) == 0 {
			continue
		}
		for _, tag := range strings.Fields(of.Tags[i]) {
			text, _ := row[0].(string)
			if ref, err := reference.Parse(text + ":" + tag); err == nil {
				names = append(names, ref.String())
			}
		}
	}
	return names, nil
}
