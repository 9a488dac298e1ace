package name

import (
	"testing"

	"github.com/imageferry/ferry/internal/reference"
)

func TestPattern(t *testing.T) {
	for _, test := range []struct {
		text, canonical string
		covers, not     []string
	}{
		{"nginx", "docker.io/library/nginx", []string{"nginx", "docker.io/library/nginx"}, []string{"nginx-x", "docker.io/library/nginx/x"}},
		{"docker.io/foo/*", "docker.io/foo/*", []string{"foo/bar", "foo/bar/baz"}, []string{"foobar/x", "docker.io/foo", "quay.io/foo/bar"}},
		{"docker.io/library/*", "docker.io/library/*", []string{"nginx"}, []string{"foo/bar"}},
		{"docker.io/*", "docker.io/*", []string{"nginx", "foo/bar"}, []string{"quay.io/foo/bar"}},
		{"Quay.io/*", "quay.io/*", []string{"quay.io/a/b"}, []string{"quay.io:8443/a/b"}},
		{"k8s.gcr.io/*", "registry.k8s.io/*", []string{"k8s.gcr.io/pause", "registry.k8s.io/pause"}, []string{"gcr.io/pause/x"}},
		{"registry.k8s.io/secret", "registry.k8s.io/secret", []string{"k8s.gcr.io/secret"}, nil},
		{"quay.io:443/a/b", "quay.io/a/b", []string{"quay.io/a/b", "quay.io:443/a/b"}, nil},
		{"localhost:5000/*", "localhost:5000/*", []string{"localhost:5000/a"}, []string{"localhost:5001/a"}},
	} {
		p, err := ParsePattern(test.text)
		if err != nil || p.String() != test.canonical {
			t.Errorf("%s is %s, %v; want %s", test.text, p, err, test.canonical)
		}
		for want, texts := range map[bool][]string{true: test.covers, false: test.not} {
			for _, text := range texts {
				ref, err := reference.Parse(text)
				if err != nil {
					t.Fatal(err)
				}
				if got := p.Covers(ref.Repository()); got != want {
					t.Errorf("%s covers %s: %t", test.text, text, got)
				}
			}
		}
	}
	for _, text := range []string{"", "*", "/*", "quay.io", "quay.io/", "a b", "a b/*", "Foo", "docker.io/Foo", "docker.io/Foo/*", "nginx:1", "a/b@sha256:x", "https://quay.io/*"} {
		if p, err := ParsePattern(text); err == nil {
			t.Errorf("%q is %s", text, p)
		}
	}
	if ref, err := reference.Parse("nginx"); err != nil || (Pattern{}).Covers(ref.Repository()) {
		t.Errorf("the zero Pattern covers something: %v", err)
	}
}
