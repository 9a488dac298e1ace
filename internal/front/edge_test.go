package front

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/distribution"
)

var update = flag.Bool("update", false, "write the files of edge/ anew")

// edgeQuestion is a request and the answer before any place is asked: its
// meaning, or the refusal.
type edgeQuestion struct {
	Host    string     `json:"host,omitempty"`
	URI     string     `json:"uri"`
	Kind    string     `json:"kind,omitempty"`
	Image   string     `json:"image,omitempty"`
	Rule    Rule       `json:"rule,omitempty"`
	Written string     `json:"written,omitempty"`
	Query   url.Values `json:"query,omitempty"`
	Status  int        `json:"status,omitempty"`
	Code    string     `json:"code,omitempty"`
	Message string     `json:"message,omitempty"`
}

// TestEdge writes requests and their meaning to a file that the tests of the
// Worker in edge/ compare with its own code, and checks that the file is up to
// date.
func TestEdge(t *testing.T) {
	const file = "../../edge/test/questions.json"
	names := testNames(t)
	all := requests()
	// Every host in every place of a request, with every kind of name.
	hosts := append(names.Sources(), "GCR.io", "gcr.io:443", "k8s.gcr.io", "index.docker.io", "docker.io:443", "evil.example", "localhost",
		"localhost:80", "10.0.0.1", "a..b", "-a.b", "quay.io:0", "quay.io:65536", "quay.io:8443", "quay", "mcr.microsoft.com", "xn--80ak6aa92e.com")
	for _, host := range hosts {
		for _, path := range []string{"a", "a/b", "library/a", "a/b/c", "a__b/c-d.e", "a_-b/c"} {
			all = append(all, asked{uri: "/v2/" + path + "/manifests/1?ns=" + host}, asked{uri: "/v2/" + host + "/" + path + "/tags/list?n=1"})
		}
	}
	var questions []edgeQuestion
	for _, r := range all {
		u, err := url.Parse(r.uri)
		if err != nil {
			t.Fatal(err)
		}
		e := edgeQuestion{Host: r.host, URI: r.uri}
		q, refusal := names.Question(r.host, u.Path, u.RawPath, u.RawQuery)
		switch {
		case refusal == nil:
			e.Kind, e.Image, e.Rule, e.Written, e.Query = string(q.Kind), q.String(), q.Rule, q.Written, q.Query
		case strings.Contains(r.uri, "%"):
			// The Worker refuses all escaped paths, so the refusals differ.
			e.Status = refusal.Status
		default:
			e.Status, e.Code, e.Message = refusal.Status, refusal.Code, refusal.Message
		}
		questions = append(questions, e)
	}
	upToDate(t, file, questions)
}

// edgePart is a part of the sample image. Body has a character for each byte.
type edgePart struct {
	Digest string            `json:"digest"`
	Kind   distribution.Kind `json:"kind"`
	Type   string            `json:"type"`
	Body   string            `json:"body"`
}

// TestEdgeSample writes the sample image to a file that the Worker in edge/ serves,
// and checks that the file is up to date.
func TestEdgeSample(t *testing.T) {
	var parts []edgePart
	for digest, part := range sample().parts {
		p := edgePart{Digest: digest.String(), Kind: distribution.Blobs, Type: string(part.mediaType)}
		if part.manifest() {
			p.Kind = distribution.Manifests
		}
		for _, b := range []byte(part.body) {
			p.Body += string(rune(b))
		}
		parts = append(parts, p)
	}
	slices.SortFunc(parts, func(a, b edgePart) int { return strings.Compare(a.Digest, b.Digest) })
	upToDate(t, "../../edge/src/sample.json", map[string]any{"path": SamplePath, "tag": SampleTag, "index": sample().index.String(), "parts": parts})
}

// upToDate checks that a file is the JSON of what, or writes it.
func upToDate(t *testing.T, file string, what any) {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(what); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, b.Bytes()) {
		t.Errorf("%s is not up to date (%v): go test ./internal/front -update", file, err)
	}
}
