package catalog

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func digest(n int) string { return fmt.Sprintf("sha256:%064x", n) }

// at is a moment of the tests.
func at(minute int) time.Time { return time.Date(2026, 11, 28, 3, minute, 0, 0, time.UTC) }

// told adds what records say to a log.
func told(t *testing.T, log []Change, minute int, records string) []Change {
	t.Helper()
	changes, faults, err := Changes(Fold(log), []byte(records), at(minute))
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	return append(log, changes...)
}

func copied(source, mirror string, n int) string {
	return fmt.Sprintf(`{"source":%q,"mirror":%q,"status":"copied","source_digest":%q,"digest":%q,"platforms":["linux/amd64","linux/rare"],"size":%d}`,
		source, mirror, digest(n), digest(n), 1000+n)
}

const gone = `{"source":"docker.io/library/nginx:1.27","mirror":"docker.io/me/docker.nginx:1.27","status":"failed","error":{"code":"not-found","side":"source"}}`

// story is a log with every kind of change.
func story(t *testing.T) []Change {
	t.Helper()
	nginx := func(n int) string { return copied("docker.io/library/nginx:1.27", "docker.io/me/docker.nginx:1.27", n) }
	log := told(t, nil, 1, "["+nginx(1)+","+copied("gcr.io/a/b:2", "docker.io/me/a.b:2", 2)+"]")
	log = told(t, log, 2, "["+nginx(1)+"]") // nothing new
	log = told(t, log, 3, "["+nginx(3)+"]")
	log = told(t, log, 4, "["+gone+"]")
	log = told(t, log, 5, `[{"source":"docker.io/library/nginx:1.27","mirror":"docker.io/me/docker.nginx:1.27","status":"gone"}]`)
	log = told(t, log, 6, "["+nginx(3)+"]")
	log = told(t, log, 7, `[{"source":"docker.io/a/c:1","status":"failed"}]`)
	// A failure is noted once for each reason, and ends.
	log = told(t, log, 8, failed("nginx", "quota"))
	log = told(t, log, 9, failed("nginx", "quota"))
	log = told(t, log, 10, failed("nginx", "cancelled")) // says nothing about the image
	log = told(t, log, 11, failed("nginx", "rewritten"))
	log = told(t, log, 12, "["+nginx(3)+"]")
	return told(t, log, 13, failed("redis", "quota"))
}

func failed(image, code string) string {
	return fmt.Sprintf(`[{"source":"docker.io/library/%s:1.27","mirror":"docker.io/me/docker.%[1]s:1.27","status":"failed","error":{"code":%q,"side":"target"}}]`, image, code)
}

func TestChanges(t *testing.T) {
	var got []string
	for _, c := range story(t) {
		got = append(got, fmt.Sprint(c.At.Minute(), " ", c.What, " ", c.Source))
	}
	if diff := cmp.Diff([]string{
		"1 copied docker.io/library/nginx:1.27", "1 copied gcr.io/a/b:2", "3 moved docker.io/library/nginx:1.27",
		"4 gone docker.io/library/nginx:1.27", "6 back docker.io/library/nginx:1.27",
		"8 failed docker.io/library/nginx:1.27", "11 failed docker.io/library/nginx:1.27", "12 back docker.io/library/nginx:1.27",
		"13 failed docker.io/library/redis:1.27",
	}, got); diff != "" {
		t.Error(diff)
	}
}

// TestElsewhere: the log and the API have the public mirrors with the content of the
// source, until it moves, and nothing else that records say about them.
func TestElsewhere(t *testing.T) {
	record := func(n int, elsewhere ...string) string {
		image := copied("gcr.io/a/b:2", "docker.io/me/a.b:2", n)
		return "[" + strings.TrimSuffix(image, "}") + `,"elsewhere":[` + strings.Join(elsewhere, ",") + "]}]"
	}
	public := func(n int, state, platform string) string {
		return fmt.Sprintf(`{"mirror":"m.example.com/gcr.io/a/b@%s","state":%q,"platform":%q}`, digest(n), state, platform)
	}
	log := told(t, nil, 1, record(1, public(1, "same", ""), public(7, "platform", "linux/amd64"),
		public(2, "same", ""), public(1, "same", "linux/amd64"), public(7, "platform", "amd64<script>"), public(3, "older", ""),
		`{"mirror":"m.example.com/gcr.io/a/b:2","state":"same"}`, `{"mirror":"<script>","state":"same"}`, `{"mirror":"m.example.com/gcr.io/a/b:2","state":"absent"}`, "{}"))
	text, err := Lines(log)
	if err != nil {
		t.Fatal(err)
	}
	again, faults := Read(text)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []Elsewhere{{"m.example.com/gcr.io/a/b@" + digest(1), "same", ""}, {"m.example.com/gcr.io/a/b@" + digest(7), "platform", "linux/amd64"}}
	check := func(when string, want []Elsewhere) {
		t.Helper()
		var file repositoryFile
		if err := json.Unmarshal([]byte(site(t, again)[FilePath(again[0].Source.Repository())]), &file); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, file.Images[0].Elsewhere); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	check("copied", want)
	again = told(t, again, 2, `[{"source":"gcr.io/a/b:2","mirror":"docker.io/me/a.b:2","status":"gone"}]`)
	again = told(t, again, 3, record(1))
	check("back", want)
	again = told(t, again, 4, record(2))
	check("moved", nil)
}

// site are the files of the site of a log.
func site(t *testing.T, log []Change) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := Fold(log).Write(About{Request: "https://github.com/alice/ferry/issues/new?images=", English: "Anyone <may> ask.", Chinese: "任何人都可以提请求。"}, func(path string, text []byte) error {
		if _, twice := all[path]; twice {
			t.Errorf("%s is there twice", path)
		}
		all[path] = string(text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSameSite: the log, read back from its lines, gives the same site whatever
// their order, and however often each is there.
func TestSameSite(t *testing.T) {
	log := story(t)
	want := site(t, log)
	text, err := Lines(log)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		lines := strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")
		lines[len(lines)-1] += "\n"
		lines = append(lines, lines[random.IntN(len(lines))])
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		changes, faults := Read([]byte(strings.Join(lines, "")))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(want, site(t, changes)); diff != "" {
			t.Fatal(diff)
		}
	}
}

func TestFiles(t *testing.T) {
	all := site(t, story(t))
	var index struct{ Repositories [][]any }
	if err := json.Unmarshal([]byte(all["api/v1/index.json"]), &index); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]any{
		{"docker.io/library/nginx", "docker.io/me/docker.nginx", "1.27", 1.0, "linux/amd64", "2026-11-28"},
		{"gcr.io/a/b", "docker.io/me/a.b", "2", 1.0, "linux/amd64", "2026-11-28"},
	}, index.Repositories); diff != "" {
		t.Error(diff)
	}
	var nginx struct {
		Images []struct {
			Digest, Since, Changed, Moved, Gone string
			Equal                               bool
			Docker                              []string
		}
	}
	if err := json.Unmarshal([]byte(all["api/v1/images/docker.io/library/nginx.json"]), &nginx); err != nil || len(nginx.Images) != 1 {
		t.Fatal(err, all)
	}
	i := nginx.Images[0]
	if i.Digest != digest(3) || i.Since != "2026-11-28T03:01:00Z" || i.Moved != "2026-11-28T03:03:00Z" || i.Gone != "" || !i.Equal ||
		!slices.Equal(i.Docker, []string{"docker pull docker.io/me/docker.nginx:1.27", "docker tag docker.io/me/docker.nginx:1.27 docker.io/library/nginx:1.27"}) {
		t.Errorf("%+v", i)
	}
	if !strings.Contains(all["list/gcr.io.html"], `<a href="../api/v1/images/gcr.io/a/b.json">a/b</a></th><td>docker.io/me/a.b</td><td>2</td>`) || !strings.Contains(all["index.html"], `<a href="list/gcr.io.html">gcr.io</a>`) {
		t.Error(all["list/gcr.io.html"], all["index.html"])
	}
}

// TestPathsDoNotMeet: the file of one repository is not the folder of another, and
// no name leads out of the site.
func TestPathsDoNotMeet(t *testing.T) {
	var records []string
	for n, source := range []string{"gcr.io/ns/b:1", "gcr.io/ns/b.json/c:1", "gcr.io/ns/b/_:1", "gcr.io/ns/b.json/c.json/d:1", "gcr.io/ns/b.json:1", "gcr.io/ns/b/c:1", "localhost:5000/a:1"} {
		records = append(records, copied(source, fmt.Sprintf("docker.io/me/m%d:1", n), n+1))
	}
	changes, faults, err := Changes(Snapshot{}, []byte("["+strings.Join(records, ",")+"]"), at(1))
	if err != nil || len(faults) != 1 || faults[0].Line != 3 { // no component begins with "_"
		t.Errorf("%v, %v", faults, err)
	}
	all := site(t, changes)
	for path := range all {
		if strings.ContainsAny(path, `:\`) || strings.Contains(path, "..") {
			t.Errorf("a file is %s", path)
		}
		for other := range all {
			if strings.HasPrefix(other, path+"/") {
				t.Errorf("%s is a file and a folder", path)
			}
		}
	}
}

func TestHostile(t *testing.T) {
	good, err := Lines(story(t)[:1])
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) string { return strings.Replace(string(good), old, with, 1) }
	for name, test := range map[string]struct{ line, want string }{
		"cut off":         {string(good[:len(good)/2]), "is incomplete"},
		"no JSON":         {"<html>", "is not valid JSON"},
		"another version": {change(`"v":1`, `"v":2`), "has version 2"},
		"another change":  {change(`"copied"`, `"eaten"`), "unknown kind"},
		"no time":         {change("2026-11-28T", "yesterday"), "has an invalid time"},
		"no reference":    {change("docker.io/library/nginx:1.27", "../../etc"), "of \"../../etc\""},
		"markup":          {change("docker.io/library/nginx:1.27", "<script>alert(1)</script>"), "script"},
		"no digest":       {change(digest(1), "sha256:1"), "sha256:1"},
		"too long":        {strings.Repeat(" ", maxLine) + string(good), "has 6"},
	} {
		changes, faults := Read([]byte(string(good) + strings.TrimSuffix(test.line, "\n") + "\n" + string(good)))
		if len(changes) != 2 || len(faults) != 1 || faults[0].Line != 2 || !strings.Contains(faults[0].Err.Error(), test.want) {
			t.Errorf("%s: %d changes, %v; want %q", name, len(changes), faults, test.want)
		}
	}
	if _, _, err := Changes(Snapshot{}, []byte(`{"source":1}`), at(1)); err == nil {
		t.Error("an object was taken for records")
	}
	changes, _, _ := Changes(Snapshot{}, []byte(`[{"source":"gcr.io/a/b:1","mirror":"docker.io/m/b:1","status":"copied","digest":"`+digest(1)+`","list":"<img src=x onerror=alert(1)>\u0000:14"}]`), at(1))
	if len(changes) != 1 || strings.ContainsAny(changes[0].By, "<>&\"'\x00") {
		t.Errorf("%+v", changes)
	}
}

// TestPages: no page takes anything from elsewhere, and no script is in one.
func TestPages(t *testing.T) {
	for path, text := range site(t, story(t)) {
		text = strings.Replace(text, `data-form="https://github.com/alice/ferry/issues/new?images="`, "", 1)
		if strings.HasSuffix(path, ".html") && (regexp.MustCompile(`(?i)https?://|<script>|\son[a-z]+=|\sstyle=`).MatchString(text) || !strings.Contains(text, "Content-Security-Policy")) {
			t.Errorf("%s: %s", path, text)
		}
		if path == "app.js" && regexp.MustCompile(`innerHTML|outerHTML|insertAdjacent|document\.write|eval\(`).MatchString(text) {
			t.Error("the script makes markup of data")
		}
	}
}

func TestSearch(t *testing.T) {
	s := Fold(story(t))
	for words, want := range map[string]string{"nginx": "docker.io/library/nginx", "1.27 docker": "docker.io/library/nginx", "a.b": "gcr.io/a/b", "redis": ""} {
		found := s.Search(strings.Fields(words))
		got := ""
		if len(found) > 0 {
			got = found[0].Source.String()
		}
		if got != want {
			t.Errorf("%s: found %q", words, got)
		}
	}
	other := told(t, story(t), 7, "["+copied("docker.io/library/nginx:1.26", "docker.io/me/docker.nginx:1.26", 7)+"]")
	if found := Fold(other).Search([]string{"nginx", "1.27"}); len(found) != 1 || len(found[0].Images) != 1 || found[0].Images[0].Source.Tag() != "1.27" {
		t.Errorf("another tag was found as well: %+v", found)
	}
}

// FuzzRead: whatever the lines are, what can be read is written and read again as
// the same, and gives a site.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"v":1,"at":"2026-11-28T03:41:10Z","what":"copied","source":"quay.io/a/b:1.2","mirror":"docker.io/u/quay.a.b:1.2","digest":"` + digest(1) + `"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		changes, _ := Read(text)
		again, err := Lines(changes)
		if err != nil {
			t.Fatal(err)
		}
		same, faults := Read(again)
		if len(faults) > 0 || len(same) != len(changes) {
			t.Fatal(faults)
		}
		if diff := cmp.Diff(site(t, changes), site(t, same)); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestFeed is about the feed: well-formed, the newest first.
func TestFeed(t *testing.T) {
	var feed struct {
		Updated string `xml:"updated"`
		Entries []struct {
			Title string `xml:"title"`
			ID    string `xml:"id"`
		} `xml:"entry"`
	}
	if err := xml.Unmarshal([]byte(site(t, story(t))["feed.atom"]), &feed); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range feed.Entries {
		got = append(got, e.Title)
	}
	if diff := cmp.Diff([]string{
		"moved docker.io/library/nginx:1.27 → docker.io/me/docker.nginx:1.27",
		"copied docker.io/library/nginx:1.27 → docker.io/me/docker.nginx:1.27", "copied gcr.io/a/b:2 → docker.io/me/a.b:2",
	}, got); diff != "" || feed.Updated != "2026-11-28T03:03:00Z" {
		t.Error(diff, feed.Updated)
	}
}

// TestFeedFits holds feeds against what RFC 4287 demands, sections 3 and 4: the elements
// and how often each is there, text without markup, dates, identifiers.
func TestFeedFits(t *testing.T) {
	type node struct {
		name     string
		attrs    map[string]string
		text     string
		children []*node
	}
	read := func(text string) *node {
		decoder := xml.NewDecoder(strings.NewReader(text))
		open := []*node{{}}
		for {
			token, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				return open[0]
			}
			if err != nil {
				t.Fatal(err)
			}
			last := open[len(open)-1]
			switch token := token.(type) {
			case xml.StartElement:
				n := &node{name: token.Name.Local, attrs: map[string]string{}}
				if token.Name.Space != "http://www.w3.org/2005/Atom" {
					t.Errorf("%s is of %q", token.Name.Local, token.Name.Space)
				}
				for _, a := range token.Attr {
					if a.Name.Local != "xmlns" {
						n.attrs[a.Name.Local] = a.Value
					}
				}
				last.children = append(last.children, n)
				open = append(open, n)
			case xml.EndElement:
				open = open[:len(open)-1]
			case xml.CharData:
				last.text += string(token)
			case xml.Comment, xml.Directive:
				t.Errorf("the feed has %v", token)
			}
		}
	}
	// The children of each element, with the least and the highest number.
	counts := map[string]map[string][2]int{
		"":       {"feed": {1, 1}},
		"feed":   {"id": {1, 1}, "title": {1, 1}, "updated": {1, 1}, "author": {1, 9}, "link": {1, 1}, "entry": {0, maxNews}},
		"entry":  {"id": {1, 1}, "title": {1, 1}, "updated": {1, 1}, "content": {0, 1}, "link": {1, 1}},
		"author": {"name": {1, 1}},
		"id":     {}, "title": {}, "updated": {}, "content": {}, "link": {}, "name": {},
	}
	attributes := map[string]map[string]*regexp.Regexp{
		"content": {"type": regexp.MustCompile(`^text$`)},
		"link":    {"href": regexp.MustCompile(`^(feed\.atom|\./#[A-Za-z0-9._~:/@+-]+)$`), "rel": regexp.MustCompile(`^self$`)},
	}
	texts := map[string]*regexp.Regexp{
		"id":      regexp.MustCompile(`^urn:[a-z]{2,31}:[A-Za-z0-9][A-Za-z0-9._~:/@+-]*$`), // RFC 8141
		"updated": regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`),                 // RFC 3339, with capital letters
		"title":   regexp.MustCompile(`^[^\x00-\x1f<>]+$`),
		"content": regexp.MustCompile(`^[^\x00-\x1f<>]+$`),
		"name":    regexp.MustCompile(`^.+$`),
	}
	ids := map[string]bool{}
	var fits func(n *node)
	fits = func(n *node) {
		found := map[string]int{}
		for _, child := range n.children {
			found[child.name]++
			fits(child)
		}
		allowed, known := counts[n.name]
		for name, n := range found {
			if _, ok := allowed[name]; !ok {
				t.Errorf("%d elements %s", n, name)
			}
		}
		for name, most := range allowed {
			if found[name] < most[0] || found[name] > most[1] {
				t.Errorf("%s has %d elements %s", n.name, found[name], name)
			}
		}
		for name, value := range n.attrs {
			if pattern := attributes[n.name][name]; pattern == nil || !pattern.MatchString(value) {
				t.Errorf("%s has the attribute %s=%q", n.name, name, value)
			}
		}
		pattern := texts[n.name]
		if pattern == nil && strings.TrimSpace(n.text) != "" || pattern != nil && !pattern.MatchString(n.text) || !known {
			t.Errorf("%s is %q", n.name, n.text)
		}
		if n.name == "id" {
			if ids[n.text] {
				t.Errorf("two elements have the id %s", n.text)
			}
			ids[n.text] = true
		}
	}
	for _, log := range [][]Change{nil, story(t), stocked(t)} {
		clear(ids)
		feed := site(t, log)["feed.atom"]
		if !strings.HasPrefix(feed, `<?xml version="1.0" encoding="utf-8"?>`) || !utf8.ValidString(feed) {
			t.Errorf("the feed begins with %.60q", feed)
		}
		root := read(feed)
		root.text = ""
		fits(root)
	}
}

// TestKept: the name of old content is in the catalog with that content as its source,
// once, however often the record is read.
func TestKept(t *testing.T) {
	old, moved := "sha256:"+strings.Repeat("1", 64), "sha256:"+strings.Repeat("2", 64)
	record := func(digest, more string) []byte {
		return []byte(fmt.Sprintf(`[{"source":"gcr.io/a/b:1","mirror":"docker.io/me/b:1","status":"copied","source_digest":%q,"digest":%[1]q,"platforms":["linux/amd64"],"size":7%s}]`, digest, more))
	}
	at := time.Date(2026, 11, 29, 3, 41, 0, 0, time.UTC)
	log, _, err := Changes(Fold(nil), record(old, ""), at)
	if err != nil {
		t.Fatal(err)
	}
	kept := record(moved, fmt.Sprintf(`,"before":%q,"kept":"docker.io/me/b:1-20261129-0341"`, old))
	for range 2 {
		changes, faults, err := Changes(Fold(log), kept, at.Add(time.Hour))
		if err != nil || len(faults) > 0 {
			t.Fatal(err, faults)
		}
		log = append(log, changes...)
	}
	text, err := Lines(log[1:])
	if err != nil {
		t.Fatal(err)
	}
	again, faults := Read(text)
	if len(again) != 2 || len(faults) > 0 {
		t.Fatalf("%d changes, %v: %s", len(again), faults, text)
	}
	if k := again[1]; k.What != Kept || k.Source.String() != "gcr.io/a/b@"+old || k.Mirror.String() != "docker.io/me/b:1-20261129-0341" || k.Size != 7 || len(k.Platforms) != 1 {
		t.Errorf("%+v", k)
	}
	if n := len(Fold(log).Repositories[0].Images); n != 2 {
		t.Errorf("%d images", n)
	}
	for _, broken := range []string{`,"kept":"no name:"`, `,"kept":"docker.io/me/b:2","before":"1"`, `,"kept":"docker.io/me/b:2"`} {
		if _, faults, _ := Changes(Fold(nil), record(moved, broken), at); len(faults) != 1 {
			t.Errorf("%s: %v", broken, faults)
		}
	}
}
