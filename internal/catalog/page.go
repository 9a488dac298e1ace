package catalog

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"html"
	"strings"
	"time"
)

// static are the files of the folder page: those for browsers, with places for names,
// and the descriptions of the API. They are compressed, because the program has to be
// small: an object of JSON with the text of each path. "go test -run TestStatic
// -update" makes it.
//
//go:embed page.json.gz
var static []byte

// staticFiles returns the texts of the files in static by their paths.
func staticFiles() (files map[string]string, err error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(static))
	if err == nil {
		err = json.NewDecoder(unpacked).Decode(&files)
	}
	return files, err
}

// maxFresh is how many changes the search page has.
const maxFresh = 20

// hostRow is a registry in the file hosts.json, one that is mirrored. List is the path
// of its page.
type hostRow struct {
	Host         string `json:"host"`
	Repositories int    `json:"repositories"`
	Images       int    `json:"images"`
	List         string `json:"list"`
}

// pages writes the search page and the other files that are not of one repository or
// host. files are those in static.
func (s Snapshot) pages(files map[string]string, hosts []hostRow, request string, write func(path string, text []byte) error) error {
	var links, fresh strings.Builder
	for _, h := range hosts {
		links.WriteString(`<li><a href="` + html.EscapeString(h.List) + `">` + html.EscapeString(h.Host) + "</a></li>\n")
	}
	all := s.news()
	for _, n := range all[:min(len(all), maxFresh)] {
		fresh.WriteString("<li><time>" + n.at.UTC().Format(time.DateOnly) + `</time> <span class="` + string(n.what) + `">` + string(n.what) + "</span> <code>" + html.EscapeString(n.names) + "</code></li>\n")
	}
	files["feed.atom"] = feed(all)
	files["index.html"] = strings.NewReplacer("{hosts}", links.String(), "{fresh}", fresh.String(), "{request}", html.EscapeString(request)).Replace(files["index.html"])
	for path, text := range files {
		if path == listPage {
			continue
		}
		if err := write(path, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

// listPage is the file of static for the page of a host, which works without a script.
const listPage = "list.html"
