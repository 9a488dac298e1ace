package catalog

import (
	_ "embed"
	"html"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/texts"
)

// The folders of the API.
const (
	api    = "api/v1/"
	images = api + "images/"
)

// The files for browsers, with places for names, and the descriptions of the API.
var (
	//go:embed texts/index.html
	searchPage string
	//go:embed texts/app.js
	script string
	//go:embed texts/style.css
	style string
	//go:embed texts/list.html
	listPage string // of a host, which works without a script
	//go:embed texts/openapi.json
	openAPI string
	//go:embed texts/schema.json
	schema string
)

// About is what the search page says beside the log. All of it may be empty.
type About struct {
	Request          string // address of a form for missing images, to which their names are appended
	English, Chinese string // who may make requests, and what targets hold of what they may hold
}

// policy returns the paragraph for the search page.
func (a About) policy() string {
	if a.English == "" {
		return ""
	}
	return `<p data-zh="` + html.EscapeString(a.Chinese) + `">` + html.EscapeString(a.English) + "</p>\n"
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
// host.
func (s Snapshot) pages(hosts []hostRow, about About, write func(path string, text []byte) error) error {
	var links, fresh strings.Builder
	for _, h := range hosts {
		links.WriteString(`<li><a href="` + html.EscapeString(h.List) + `">` + html.EscapeString(h.Host) + "</a></li>\n")
	}
	all := s.news()
	for _, n := range all[:min(len(all), maxFresh)] {
		fresh.WriteString("<li><time>" + n.at.UTC().Format(time.DateOnly) + `</time> <span class="` + string(n.what) + `">` + string(n.what) + "</span> <code>" + html.EscapeString(n.names) + "</code></li>\n")
	}
	places := strings.NewReplacer("{hosts}", links.String(), "{fresh}", fresh.String(), "{request}", html.EscapeString(about.Request), "{policy}", about.policy())
	files := map[string]string{
		"feed.atom":          feed(all),
		"index.html":         places.Replace(texts.Unpack(searchPage)),
		"app.js":             texts.Unpack(script),
		"style.css":          texts.Unpack(style),
		api + "openapi.json": texts.Unpack(openAPI),
		api + "schema.json":  texts.Unpack(schema),
	}
	for path, text := range files {
		if err := write(path, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}
