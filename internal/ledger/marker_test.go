package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// sum is a fingerprint.
var sum = strings.Repeat("0123456789abcdef", 4)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// image returns the image of a text.
func image(t *testing.T, text string) request.Image {
	t.Helper()
	ref, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return request.Image{Reference: ref, Written: text}
}

func TestMarkerRoundTrip(t *testing.T) {
	for _, m := range []Marker{
		{},
		{Issue: 12, Request: sum, State: Retry, Tries: 3, Since: noon, Run: 17},
		{Issue: 12, State: Done, Tries: 1, Since: noon, Used: Usage{Repeats: 21, From: noon}},
		{Issue: 12, State: Retry, Tries: 1, Since: noon, Asker: config.Collaborators, Used: Usage{Repeats: 1, Bytes: 5 << 40, Repositories: 3, From: noon}},
		{Issue: 12, State: Retry, Tries: 1, Since: noon, Asker: config.Anyone},
		{Issue: 12, Request: sum, Text: strings.Repeat("f", 64), State: Done, Since: noon},
		{Issue: 12, Request: sum, State: Interrupted, Since: noon, Refresh: true},
		{Issue: 12, Request: sum, State: Working, Since: noon, Shards: 256},
		{Issue: 12, Request: sum, State: Working, Since: noon, Refresh: true, Shards: 2},
		{Issue: 12, Request: sum, State: Working, Since: noon, Shards: 3, Used: Usage{Bytes: 7, Repositories: 2, From: noon}, Reserved: Usage{Bytes: 5, Repositories: 1}},
		{Issue: 12, State: Working, Lost: 2, Since: noon, Alive: noon},
		{Issue: 1 << 40, State: GivenUp, Since: time.Unix(1, 0).UTC()},
	} {
		if m.State == "" {
			m.State = Working
		}
		for _, comment := range []string{m.String(), m.String() + "\n", m.String() + "\r\ntext\n<!-- ferry:v2 -->"} {
			if got, ok := ParseMarker(comment); !ok || got != m {
				t.Errorf("ParseMarker(%q) = %+v, %v", comment, got, ok)
			}
		}
	}
}

func TestMarkerOnlyAtTheStart(t *testing.T) {
	marker := Marker{Issue: 1, State: Done}.String()
	for _, comment := range []string{
		"", " " + marker, "\n" + marker, "> " + marker, "text " + marker, marker + " text", marker[:len(marker)-1],
		strings.Replace(marker, "v2", "v3", 1),
		strings.Replace(marker, "state=done", "state=bliss", 1),
		strings.Replace(marker, "issue=1", "issue=9999999999999999999", 1),
		strings.Replace(marker, "issue=1", "issue=-1", 1),
		strings.Replace(marker, " -->", " asker=god -->", 1),
	} {
		if m, ok := ParseMarker(comment); ok {
			t.Errorf("ParseMarker(%q) = %+v", comment, m)
		}
	}
}

func TestMarkerHoldsNoForeignText(t *testing.T) {
	m := Marker{Request: "--> @octocat", Asker: "--> @octocat"}
	if strings.Contains(m.String(), "octocat") {
		t.Errorf("marker is %q", m)
	}
}

func FuzzParseMarker(f *testing.F) {
	f.Add(Marker{Issue: 12, Request: sum, State: Retry, Tries: 3, Since: noon, Run: 17}.String() + "\nrest")
	f.Add("<!-- ferry:v2 issue=012 request=- state=done tries=00 since=0 run=0 -->")
	f.Fuzz(func(t *testing.T, comment string) {
		m, ok := ParseMarker(comment)
		if !ok {
			return
		}
		if again, ok := ParseMarker(m.String()); !ok || !again.Since.Equal(m.Since) || again.State != m.State || again.Issue != m.Issue {
			t.Errorf("%q is read as %+v, then as %+v", comment, m, again)
		}
	})
}

func TestFingerprint(t *testing.T) {
	base := func() request.Request {
		return request.Request{Images: []request.Image{image(t, "nginx:1"), image(t, "gcr.io/a/b:2")}}
	}
	same := base()
	same.Images[0].Written, same.Images[0].Assumptions, same.Chinese = "docker pull nginx:1", []request.Assumption{request.AssumedHost}, true
	if Fingerprint(same) != Fingerprint(base()) {
		t.Error("another spelling of the same request is another request")
	}
	seen := map[string]string{Fingerprint(base()): "the request itself"}
	for name, change := range map[string]func(r *request.Request){
		"another tag":    func(r *request.Request) { r.Images[0] = image(t, "nginx:2") },
		"one image more": func(r *request.Request) { r.Images = append(r.Images, image(t, "redis:7")) },
		"one image less": func(r *request.Request) { r.Images = r.Images[:1] },
		"a platform": func(r *request.Request) {
			r.Images[0].Platforms = []reference.Platform{{OS: "linux", Architecture: "arm64"}}
		},
		"a custom name":   func(r *request.Request) { r.Images[0].As = request.Alias{Path: "web"} },
		"a problem":       func(r *request.Request) { r.Problems = []request.Problem{{Code: request.Malformed, Written: "x"}} },
		"another problem": func(r *request.Request) { r.Problems = []request.Problem{{Code: request.Malformed, Written: "y"}} },
		"nothing":         func(r *request.Request) { *r = request.Request{} },
	} {
		r := base()
		change(&r)
		sum := Fingerprint(r)
		if other, ok := seen[sum]; ok {
			t.Errorf("%s has the fingerprint of %s", name, other)
		}
		seen[sum] = name
		if !fingerprintPattern.MatchString(sum) {
			t.Errorf("%s: %q", name, sum)
		}
	}
}

// TestSignature checks that a signature is valid for one marker as a whole, one
// issue, one repository and one set of secrets.
func TestSignature(t *testing.T) {
	key := NewKey("octo/ferry", "", "sesame")
	m := Marker{Issue: 12, Request: sum, State: Retry, Tries: 3, Since: noon, Run: 17, Asker: config.Collaborators}
	read := func(line string) Marker {
		t.Helper()
		got, ok := ParseMarker(line + "\ntext")
		if !ok {
			t.Fatalf("%q is no marker", line)
		}
		return got
	}
	line := m.Signed(key)
	if !read(line).SignedBy(key, 12) || !read(line).SignedBy(NewKey("Octo/Ferry", "", "sesame"), 12) {
		t.Errorf("%q is not signed", line)
	}
	for name, signed := range map[string]bool{
		"another issue":      read(line).SignedBy(key, 13),
		"another repository": read(line).SignedBy(NewKey("octo/other", "", "sesame"), 12),
		"another secret":     read(line).SignedBy(NewKey("octo/ferry", "s", "esame"), 12),
		"no secret":          read(m.Signed(NewKey("octo/ferry", ""))).SignedBy(NewKey("octo/ferry", ""), 12),
		"no signature":       read(m.String()).SignedBy(key, 12),
		"another asker":      read(strings.Replace(line, "collaborators", "owner", 1)).SignedBy(key, 12),
		"another request":    read(strings.Replace(line, "request=0", "request=1", 1)).SignedBy(key, 12),
	} {
		if signed {
			t.Errorf("%s: signed", name)
		}
	}
}

// TestOldMarker checks that a marker of version 1 is found, and matches no
// request.
func TestOldMarker(t *testing.T) {
	m, ok := ParseMarker("<!-- ferry:v1 issue=7 request=0123456789abcdef state=done tries=1 since=1 run=2 asker=owner -->\n")
	if !ok || m.Issue != 7 || m.State != Done || m.SignedBy(NewKey("a/b", "c"), 7) {
		t.Errorf("got %+v, %v", m, ok)
	}
}

// TestMarkerIsShort: what is nothing is not written, and what is too large is cut
// to what a marker can hold.
func TestMarkerIsShort(t *testing.T) {
	const least = "<!-- ferry:v2 issue=0 request=- state= tries=0 since=- run=0 -->"
	if got := (Marker{Used: Usage{From: noon}}).String(); got != least {
		t.Errorf("got %q, want %q", got, least)
	}
	for _, test := range []struct {
		marker Marker
		want   string
	}{
		{Marker{Lost: 1}, " lost=1 "},
		{Marker{Lost: 5_000_000}, " lost=999999 "},
		{Marker{Used: Usage{Repeats: 1, From: noon}}, " repeats=1 from="},
		{Marker{Used: Usage{Repeats: 5_000_000}}, " repeats=999999 from=0 "},
		{Marker{Used: Usage{Bytes: 1, From: noon}}, " bytes=1 from="},
		{Marker{Used: Usage{Bytes: 1 << 62}}, " bytes=999999999999999999 from=0 "},
		{Marker{Used: Usage{Repositories: 1, From: noon}}, " repositories=1 from="},
		{Marker{Used: Usage{Repositories: 5_000_000}}, " repositories=999999 from=0 "},
	} {
		if got := test.marker.String(); !strings.Contains(got, test.want) {
			t.Errorf("%+v: %q lacks %q", test.marker, got, test.want)
		}
	}
}
