package report

import (
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// maxArchive is the number of bytes that WithArchive may add to a comment.
const maxArchive = 4 << 10

// archiveFile is the name of the tar file.
const archiveFile = "images.tar"

// File is a tar file with the images of a request.
type File struct {
	URL    string // where it can be downloaded; empty if there is none
	Size   int64  // in bytes; 0 if unknown
	SHA256 string // in hexadecimal
	Limit  int64  // the limit that Size exceeds; then there is no file
	Until  time.Time
	Parts  []Part // of a release, whose files are below URL; nil for an artifact
}

// Part is a part of a tar file.
type Part struct {
	Name   string `json:"file"`
	SHA256 string // in hexadecimal
}

// archive answers the wish for a file.
func (a *answer) archive() *block {
	w, f := a.l.Archive, a.in.Files
	switch a.in.Plan.Archive {
	case plan.WithArchive:
		if a.saving() != "" {
			return paragraph(a.l.pending(a.in.RunURL))
		}
	case plan.ArchivesOff:
		return paragraph(w.Off)
	case plan.ArchiveNotPermitted:
		return paragraph(fill(w.NotPermitted, "{who}", a.l.audience([]string{string(f.Requests)})))
	case plan.TooManyArchives:
		return paragraph(fill(w.TooMany, "{n}", number(f.PerDay)))
	case plan.NoArchive:
	}
	return nil
}

// pending says that a file is being made by a run. WithArchive looks for it.
func (l *language) pending(run string) md {
	return fill(l.Archive.Pending, "{run}", link(l.Footer.Run, run))
}

// saving returns the request for "ferry save". A file is made once nothing is left
// to do, of the content that was mirrored.
func (a *answer) saving() string {
	if a.in.Plan.Archive != plan.WithArchive || a.in.Issue == 0 || a.state.Open() {
		return ""
	}
	var b strings.Builder
	seen := map[reference.Reference]bool{}
	for _, o := range a.all {
		ref := o.image.Reference
		if o.failure != nil || o.receipt == nil || seen[ref] {
			continue
		}
		seen[ref] = true
		b.WriteString(ref.WithDigest(o.receipt.SourceDigest).String())
		for i, p := range o.image.Platforms {
			b.WriteString([]string{" | ", ","}[min(i, 1)] + p.String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// WithArchive returns the comment with the file in place of the announcement that
// run would make one. It reports false if the comment does not announce it.
func WithArchive(comment, run string, f File) (string, bool) {
	for _, l := range languages() {
		if pending := string(l.pending(run)); strings.Contains(comment, pending) {
			return strings.Replace(comment, pending, string(l.made(run, f)), 1), true
		}
	}
	return comment, false
}

// made says where the file is, or why there is none.
func (l *language) made(run string, f File) md {
	w := l.Archive
	switch {
	case f.URL == "" && f.Limit > 0:
		return fill(w.TooLarge, "{size}", size(f.Size), "{limit}", size(f.Limit))
	case f.URL == "":
		return fill(w.Failed, "{run}", link(l.Footer.Run, run))
	}
	ready, file, links := w.Released, archiveFile, []string{}
	if f.Parts == nil {
		ready, f.Parts = w.Ready, []Part{{file, f.SHA256}}
		links = []string{string(link(md(file), f.URL))}
	} else if len(f.Parts) == 1 {
		file = f.Parts[0].Name
	}
	var commands []string
	for _, p := range f.Parts {
		commands = append(commands, "sha256sum "+p.Name+" # "+p.SHA256)
		if ready == w.Released {
			links = append(links, string(link(md(p.Name), f.URL+"/"+p.Name)))
		}
	}
	if len(f.Parts) > 1 {
		commands = append(commands, "cat "+file+".* | docker load # podman load, nerdctl load",
			"cat "+file+".* | ctr -n k8s.io images import - # k3s ctr images import")
	} else {
		commands = append(commands, "docker load -i "+file+" # podman load, nerdctl load",
			"ctr -n k8s.io images import "+file+" # k3s ctr images import")
	}
	said := fill(ready, "{file}", md(strings.Join(links, " ")), "{size}", size(f.Size), "{time}", l.moment(f.Until))
	return said + "\n\n```sh\n" + md(strings.Join(commands, "\n")) + "\n```"
}
