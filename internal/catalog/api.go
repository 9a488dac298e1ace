package catalog

import (
	"bytes"
	"html"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/texts"
)

// row is a repository in the file index.json: the name of the source, the
// repository of its newest mirror, the tag or digest of that image, the number
// of images, their platforms separated by spaces, and the day of the last
// change. It is an array to save space.
type row [6]any

// targetRow, of the file targets.json, counts what is in a namespace of a registry:
// its host, and the first component of the repositories if they have several.
type targetRow struct {
	Target       string `json:"target"`
	Repositories int    `json:"repositories"`
	Tags         int    `json:"tags"`
}

// clientRow, of the file clients.json, has the commands with which a client pulls a
// mirror under the name of its source, for sources with a tag, a digest, and both.
// {mirror} stands for the mirror, and {repository}, {tag} and {digest} for the parts of
// the source.
type clientRow struct {
	Name      string   `json:"name"`
	Tag       []string `json:"tag"`
	Digest    []string `json:"digest"`
	TagDigest []string `json:"tag@digest"`
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

	Elsewhere []Elsewhere `json:"elsewhere,omitempty"`
}

// Write writes the files of the site, each with its path below the site's folder;
// texts/schema.json describes those of the API.
// The text of a file is valid until write returns.
func (s Snapshot) Write(about About, write func(path string, text []byte) error) error {
	var b bytes.Buffer
	asJSON := func(path string, v any) error {
		b.Reset()
		if err := encode(&b, v); err != nil {
			return err
		}
		return write(path, b.Bytes())
	}
	index, tags, hosts := []row{}, []string{}, []hostRow{}
	digests := map[string][][2]string{}
	var list bytes.Buffer
	for at, r := range s.Repositories {
		host := r.Source.Host()
		if len(hosts) == 0 || hosts[len(hosts)-1].Host != host {
			hosts = append(hosts, hostRow{Host: host, List: "list/" + hostPath(host) + ".html"})
		}
		h := &hosts[len(hosts)-1]
		h.Repositories++
		h.Images += len(r.Images)
		index = append(index, r.row())
		tags = append(tags, r.tags())
		r.digests(digests)
		if err := asJSON(images+filePath(r.Source), r.file()); err != nil {
			return err
		}
		listRepository(&list, r, tags[at], index[at])
		if at+1 == len(s.Repositories) || s.Repositories[at+1].Source.Host() != host {
			page := strings.NewReplacer("{host}", html.EscapeString(host), "{rows}", list.String()).Replace(texts.Unpack(listPage))
			if err := write(h.List, []byte(page)); err != nil {
				return err
			}
			list.Reset()
		}
	}
	files := map[string]any{"repositories": index, "tags": tags, "hosts": hosts, "targets": s.Holdings().targets(), "clients": clientRows()}
	for digits, rows := range digests {
		files["digests/"+digits] = rows
	}
	for name, rows := range files {
		field, _, _ := strings.Cut(name, "/")
		if name == "repositories" {
			name = "index"
		}
		if err := asJSON(api+name+".json", map[string]any{"version": version, field: rows}); err != nil {
			return err
		}
	}
	return s.pages(hosts, about, write)
}

// listRepository writes a repository as a row of its host's page.
func listRepository(b *bytes.Buffer, r Repository, tags string, row row) {
	b.WriteString(`<tr><th scope="row"><a href="../` + html.EscapeString(images+filePath(r.Source)) + `">` + html.EscapeString(r.Source.Path()) + "</a></th>")
	for _, cell := range []any{row[1], tags, row[4], row[5]} {
		text, _ := cell.(string)
		b.WriteString("<td>" + html.EscapeString(text) + "</td>")
	}
	b.WriteString("</tr>\n")
}

// hostPath returns a host as a part of a path. A port follows "_", since Windows
// does not allow ":" in file names.
func hostPath(host string) string { return strings.ReplaceAll(host, ":", "_") }

// clientRows returns the commands of all clients that can pull any mirror.
func clientRows() []clientRow {
	none := "sha256:" + strings.Repeat("0", 64)
	parse := func(text string) reference.Reference {
		ref, _ := reference.Parse(text) // the texts below are valid
		return ref
	}
	names := strings.NewReplacer("mirror.invalid/m:m", "{mirror}", "source.invalid/s", "{repository}", ":tag", ":{tag}", none, "{digest}")
	rows := []clientRow{}
	for _, c := range clients.All() {
		lines := func(source string) []string {
			all := c.Pull(clients.Mirror{Source: parse("source.invalid/s" + source), Name: parse("mirror.invalid/m:m"), Exact: true})
			for i := range all {
				all[i] = names.Replace(all[i])
			}
			return all
		}
		if tag := lines(":tag"); tag != nil {
			rows = append(rows, clientRow{c.Name, tag, lines("@" + none), lines(":tag@" + none)})
		}
	}
	return rows
}

// targets counts what the targets hold, in the order of their names.
func (h Holdings) targets() []targetRow {
	rows := []targetRow{}
	for _, repository := range slices.Sorted(maps.Keys(h.Repositories)) {
		target := repository
		if parts := strings.SplitN(repository, "/", 3); len(parts) > 1 {
			target = strings.Join(parts[:len(parts)-1], "/")
		}
		if len(rows) == 0 || rows[len(rows)-1].Target != target {
			rows = append(rows, targetRow{Target: target})
		}
		last := &rows[len(rows)-1]
		last.Repositories++
		last.Tags += h.Repositories[repository]
	}
	return rows
}

// filePath returns the path of a repository's file below the folder of images.
// No component of a repository ends with "_", so a folder does not collide with
// the file of another repository.
func filePath(r reference.Repository) string {
	return hostPath(r.Host()) + "/" + strings.ReplaceAll(r.Path(), ".json/", ".json_/") + ".json"
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
	return row{r.Source.String(), newest.Mirror.Repository().String(), r.tag(newest), len(r.Images), strings.Join(platforms, " "), newest.At.Format(time.DateOnly)}
}

// tag returns the tag or digest of an image's source.
func (r Repository) tag(i Image) string { return i.Source.String()[len(r.Source.String())+1:] }

// tags returns the tags of the source that have a mirror, each once, separated by
// spaces. Digests are left out.
func (r Repository) tags() string {
	var all []string
	for _, i := range r.Images {
		if tag := i.Source.Tag(); tag != "" && (len(all) == 0 || all[len(all)-1] != tag) {
			all = append(all, tag)
		}
	}
	return strings.Join(all, " ")
}

// digests adds the digests of the images to the rows of the files for their first two
// digits.
func (r Repository) digests(rows map[string][][2]string) {
	for _, i := range r.Images {
		digests := []string{i.Digest.Hex, i.SourceDigest.Hex}
		if i.Digest == i.SourceDigest || digests[1] == "" {
			digests = digests[:1]
		}
		for _, hex := range digests {
			of, row := rows[hex[:2]], [2]string{hex, i.Source.String()}
			if len(of) == 0 || of[len(of)-1] != row {
				rows[hex[:2]] = append(of, row)
			}
		}
	}
}

func (r Repository) file() repositoryFile {
	f := repositoryFile{Version: version, Source: r.Source.String()}
	docker := clients.All()[0]
	for _, i := range r.Images {
		f.Images = append(f.Images, imageRecord{
			Source: i.Source.String(), Mirror: i.Mirror.String(), Digest: i.Digest.String(), SourceDigest: digestText(i.SourceDigest),
			Equal: i.Digest == i.SourceDigest, Platforms: platformTexts(i.Platforms), Size: i.Size,
			Since: moment(i.Since), Changed: moment(i.At), Moved: moment(i.MovedAt), Gone: moment(i.GoneAt), List: i.By,
			Docker:    docker.Pull(clients.Mirror{Source: i.Source, Name: i.Mirror, Digest: i.Digest, Exact: i.Digest == i.SourceDigest}),
			Elsewhere: i.Elsewhere,
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
