package catalog

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/reference"
)

// The folders of the API.
const (
	api    = "api/v1/"
	images = api + "images/"
)

// row is a repository in the file index.json: the name of the source, the
// repository of its newest mirror, the tag or digest of that image, the number
// of images, their platforms separated by spaces, and the day of the last
// change. It is an array to save space.
type row [6]any

// overview is the file index.json.
type overview struct {
	Version      int   `json:"version"`
	Repositories []row `json:"repositories"`
}

// repositoryFile is the file of a repository.
type repositoryFile struct {
	Version int           `json:"version"`
	Source  string        `json:"source"`
	Images  []imageRecord `json:"images"`
}

// imageRecord is an image at one mirror.
type imageRecord struct {
	Source       string   `json:"source"`
	Mirror       string   `json:"mirror"`
	Digest       string   `json:"digest"`
	SourceDigest string   `json:"source_digest"`
	Equal        bool     `json:"equal"` // source and mirror have the same digest
	Platforms    []string `json:"platforms"`
	Size         int64    `json:"size,omitempty"`
	Since        string   `json:"since"`
	Changed      string   `json:"changed"`
	Moved        string   `json:"moved,omitempty"`
	Gone         string   `json:"gone,omitempty"`
	List         string   `json:"list,omitempty"`
	Docker       []string `json:"docker"` // the commands that pull it under the name of its source
}

// Files returns the files of the site, in the order of their paths. request is the
// address of a form for missing images, to which their names are appended; it may be
// empty.
func (s Snapshot) Files(request string) ([]File, error) {
	index := overview{Version: version, Repositories: []row{}}
	hosts := map[string]*bytes.Buffer{}
	var files []File
	for _, r := range s.Repositories {
		index.Repositories = append(index.Repositories, r.row())
		var b bytes.Buffer
		if err := encode(&b, r.file()); err != nil {
			return nil, err
		}
		files = append(files, File{images + filePath(r.Source), b.Bytes()})
		host := r.Source.Host()
		if hosts[host] == nil {
			hosts[host] = &bytes.Buffer{}
		}
		listRepository(hosts[host], r)
	}
	var b bytes.Buffer
	if err := encode(&b, index); err != nil {
		return nil, err
	}
	files = append(files, File{api + "index.json", b.Bytes()})
	files = append(files, File{"feed.atom", s.feed()})
	files = append(files, pages(hosts, request)...)
	sort.SliceStable(files, func(i, j int) bool { return files[i].Path < files[j].Path })
	return files, nil
}

// filePath returns the path of a repository's file below the folder of images.
// No component of a repository starts with "_", so the file does not collide
// with the folder of another repository. A port follows "_", since Windows does
// not allow ":" in file names.
func filePath(r reference.Repository) string {
	return strings.ReplaceAll(r.Host(), ":", "_") + "/" + r.Path() + "/_.json"
}

func (r Repository) row() row {
	newest := r.Images[0]
	var platforms []string
	for _, image := range r.Images {
		if !image.At.Before(newest.At) {
			newest = image
		}
		for _, p := range platformTexts(image.Platforms) {
			if !slices.Contains(platforms, p) {
				platforms = append(platforms, p)
			}
		}
	}
	slices.Sort(platforms)
	return row{r.Source.String(), newest.Mirror.Repository().String(), newest.Source.String()[len(r.Source.String())+1:], len(r.Images), strings.Join(platforms, " "), newest.At.Format(time.DateOnly)}
}

func (r Repository) file() repositoryFile {
	f := repositoryFile{Version: version, Source: r.Source.String()}
	docker := clients.All()[0]
	for _, i := range r.Images {
		f.Images = append(f.Images, imageRecord{
			Source: i.Source.String(), Mirror: i.Mirror.String(), Digest: i.Digest.String(), SourceDigest: digestText(i.SourceDigest),
			Equal: i.Digest == i.SourceDigest, Platforms: platformTexts(i.Platforms), Size: i.Size,
			Since: moment(i.Since), Changed: moment(i.At), Moved: moment(i.MovedAt), Gone: moment(i.GoneAt), List: i.By,
			Docker: docker.Pull(clients.Mirror{Source: i.Source, Name: i.Mirror, Digest: i.Digest, Exact: i.Digest == i.SourceDigest}),
		})
	}
	return f
}

// Search returns the images that have all words in their names or digests, in
// their repositories, the shortest names first.
func (s Snapshot) Search(words []string) []Repository {
	var found []Repository
	for _, r := range s.Repositories {
		var images []Image
		for _, i := range r.Images {
			text := i.Source.String() + " " + i.Mirror.String() + " " + i.Digest.String()
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
				images = append(images, i)
			}
		}
		if r.Images = images; len(images) > 0 {
			found = append(found, r)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return len(found[i].Source.String()) < len(found[j].Source.String()) })
	return found
}
