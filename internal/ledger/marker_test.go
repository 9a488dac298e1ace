package ledger

import (
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// image is an image as somebody wrote it.
func image(t *testing.T, text string) request.Image {
	t.Helper()
	ref, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return request.Image{Reference: ref, Written: text}
}

func TestMarkerComesBack(t *testing.T) {
	for _, m := range []Marker{
		{},
		{Issue: 12, Request: "0123456789abcdef", State: Retry, Tries: 3, Since: noon, Run: 17},
		{Issue: 12, State: Done, Tries: 1, Since: noon, Repeats: Repeats{21, noon}},
		{Issue: 12, State: Retry, Tries: 1, Since: noon, Asker: config.Collaborators, Repeats: Repeats{1, noon}},
		{Issue: 12, State: Retry, Tries: 1, Since: noon, Asker: config.Anyone},
		{Issue: 1 << 40, State: GivenUp, Since: time.Unix(1, 0).UTC()},
	} {
		if m.State == "" {
			m.State = Working
		}
		for _, comment := range []string{m.String(), m.String() + "\n", m.String() + "\r\ntext\n<!-- ferry:v1 -->"} {
			if got, ok := ParseMarker(comment); !ok || got != m {
				t.Errorf("ParseMarker(%q) = %+v, %v", comment, got, ok)
			}
		}
	}
}

func TestMarkerIsReadAtTheStartOnly(t *testing.T) {
	marker := Marker{Issue: 1, State: Done}.String()
	for _, comment := range []string{
		"", " " + marker, "\n" + marker, "> " + marker, "text " + marker, marker + " text", marker[:len(marker)-1],
		strings.Replace(marker, "v1", "v2", 1),
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
	f.Add(Marker{Issue: 12, Request: "0123456789abcdef", State: Retry, Tries: 3, Since: noon, Run: 17}.String() + "\nrest")
	f.Add("<!-- ferry:v1 issue=012 request=- state=done tries=00 since=0 run=0 -->")
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
