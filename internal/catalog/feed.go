package catalog

import (
	"bytes"
	"html"
	"sort"
	"strings"
	"time"
)

// maxNews is how many changes the feed has.
const maxNews = 100

// news is an entry of the feed.
type news struct {
	at   time.Time
	text string
}

// feed is an Atom feed (RFC 4287) of what is new, moved and gone, the newest first.
// It has the last change of each image and kind.
func (s Snapshot) feed() []byte {
	var all []news
	for _, r := range s.Repositories {
		for _, i := range r.Images {
			for _, change := range []struct {
				what What
				at   time.Time
			}{{Copied, i.Since}, {Moved, i.MovedAt}, {Gone, i.GoneAt}} {
				if !change.at.IsZero() {
					all = append(all, news{change.at, string(change.what) + " " + i.Source.String() + " → " + i.Mirror.String()})
				}
			}
		}
	}
	sort.Slice(all, func(i, j int) bool {
		if a, b := all[i].at, all[j].at; !a.Equal(b) {
			return a.After(b)
		}
		return all[i].text < all[j].text
	})
	all = all[:min(len(all), maxNews)]
	updated := time.Unix(0, 0)
	if len(all) > 0 {
		updated = all[0].at
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Mirrored images</title><id>urn:ferry:catalog</id><author><name>Ferry</name></author><updated>` + moment(updated) + "</updated>\n")
	for _, n := range all {
		title := html.EscapeString(n.text)
		id := "urn:ferry:" + moment(n.at) + ":" + strings.ReplaceAll(strings.ReplaceAll(n.text, " → ", ":"), " ", ":")
		b.WriteString("<entry><title>" + title + "</title><id>" + html.EscapeString(id) + "</id><updated>" + moment(n.at) + `</updated><content type="text">` + title + "</content></entry>\n")
	}
	b.WriteString("</feed>\n")
	return b.Bytes()
}
