package catalog

import (
	"html"
	"sort"
	"strings"
	"time"
)

// maxNews is how many changes the feed has.
const maxNews = 100

// news is an entry of the feed.
type news struct {
	at    time.Time
	what  What
	names string // source → mirror
}

// news returns what is new, moved and gone, the newest first: the last change of each
// image and kind, at most maxNews.
func (s Snapshot) news() []news {
	var all []news
	var oldest time.Time // of those that can be among the newest
	for _, r := range s.Repositories {
		for _, i := range r.Images {
			for _, change := range []struct {
				what What
				at   time.Time
			}{{Copied, i.Since}, {Moved, i.MovedAt}, {Gone, i.GoneAt}} {
				if !change.at.IsZero() && !change.at.Before(oldest) {
					all = append(all, news{change.at, change.what, i.Source.String() + " → " + i.Mirror.String()})
				}
			}
			if len(all) > 20*maxNews {
				all = newest(all)
				oldest = all[len(all)-1].at
			}
		}
	}
	return newest(all)
}

// newest sorts news and returns the newest maxNews.
func newest(all []news) []news {
	sort.Slice(all, func(i, j int) bool {
		if a, b := all[i].at, all[j].at; !a.Equal(b) {
			return a.After(b)
		}
		return string(all[i].what)+all[i].names < string(all[j].what)+all[j].names
	})
	return all[:min(len(all), maxNews)]
}

// feed returns an Atom feed (RFC 4287).
func feed(all []news) string {
	updated := time.Unix(0, 0)
	if len(all) > 0 {
		updated = all[0].at
	}
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Mirrored images</title><link rel="self" href="feed.atom"/><id>urn:ferry:catalog</id><author><name>Ferry</name></author><updated>` + moment(updated) + "</updated>\n")
	for _, n := range all {
		source, _, _ := strings.Cut(n.names, " ")
		title := html.EscapeString(string(n.what) + " " + n.names)
		id := "urn:ferry:" + moment(n.at) + ":" + string(n.what) + ":" + strings.ReplaceAll(n.names, " → ", ":")
		b.WriteString("<entry><title>" + title + `</title><link href="./#` + html.EscapeString(source) + `"/><id>` + html.EscapeString(id) + "</id><updated>" + moment(n.at) + `</updated><content type="text">` + title + "</content></entry>\n")
	}
	b.WriteString("</feed>\n")
	return b.String()
}

// moment returns a time for JSON, or "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
