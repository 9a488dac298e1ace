package catalog

import (
	"bytes"
	_ "embed"
	"html"
	"maps"
	"slices"
	"strings"
	"time"
)

// File is a file of the site, with its path below the site's folder.
type File struct {
	Path string
	Text []byte
}

//go:embed page/index.html
var indexPage string

//go:embed page/app.js
var script string

//go:embed page/style.css
var style string

//go:embed page/list.html
var listPage string

// pages returns the files for browsers: the search page, and a list for each host
// that works without a script. request is the address of a form for missing images, to
// which their names are appended; it may be empty.
func pages(hosts map[string]*bytes.Buffer, request string) []File {
	var links strings.Builder
	var files []File
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		path := "list/" + strings.ReplaceAll(host, ":", "_") + ".html"
		links.WriteString(`<li><a href="` + html.EscapeString(path) + `">` + html.EscapeString(host) + "</a></li>\n")
		files = append(files, File{path, []byte(strings.NewReplacer("{host}", html.EscapeString(host), "{rows}", hosts[host].String()).Replace(listPage))})
	}
	return append(files, File{"index.html", []byte(strings.NewReplacer("{hosts}", links.String(), "{request}", html.EscapeString(request)).Replace(indexPage))}, File{"app.js", []byte(script)}, File{"style.css", []byte(style)})
}

// listRepository writes the rows for a repository's images.
func listRepository(b *bytes.Buffer, r Repository) {
	for _, i := range r.Images {
		b.WriteString("<tr>")
		for _, cell := range []string{i.Source.String(), i.Mirror.String(), i.Digest.String(), strings.Join(platformTexts(i.Platforms), " "), moment(i.At)} {
			b.WriteString("<td>" + html.EscapeString(cell) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
}

// moment returns a time for JSON, or "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
