package name

import (
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/reference"
)

func TestNamesAtPublicMirrors(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, test := range []struct {
		at     string
		names  Naming
		images string
		ref    string
		want   string
	}{
		{"m.example.com", Prefix, "docker.io/*", "nginx:1", "m.example.com/docker.io/library/nginx:1"},
		{"m.example.com", Prefix, "quay.io/*", "nginx:1", ""},
		{"m.example.com", SamePath, "docker.io/*", "grafana/loki", "m.example.com/grafana/loki:latest"},
		{"m.example.com/k8s", LastSegment, "registry.k8s.io/coredns/coredns", "registry.k8s.io/coredns/coredns:v1", "m.example.com/k8s/coredns:v1"},
		{"m.example.com/k8s", LastSegment, "registry.k8s.io/coredns/coredns", "k8s.gcr.io/coredns/coredns:v1", "m.example.com/k8s/coredns:v1"},
		{"m.example.com", Prefix, "docker.io/*", "nginx:1" + digest, "m.example.com/docker.io/library/nginx" + digest},
		{"m.example.com:5000", SamePath, "docker.io/*", "nginx:1", "m.example.com:5000/library/nginx:1"},
	} {
		pattern, err := ParsePattern(test.images)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPublic(test.at, test.names, []Pattern{pattern})
		if err != nil {
			t.Fatal(err)
		}
		ref, err := reference.Parse(test.ref)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.Of(ref)
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("%s at %s (%s) is %q, %v; want %q", test.ref, test.at, test.names, got, ok, test.want)
		}
	}
	for _, at := range []string{"", "nginx", "https://m.example.com", "m.example.com/", "m.example.com/a:1", "M.example.com", "m.example.com/../x", "index.docker.io"} {
		if _, err := NewPublic(at, Prefix, nil); err == nil {
			t.Errorf("%q is taken for a public mirror", at)
		}
	}
}
