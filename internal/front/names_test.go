package front

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/distribution"
)

const anyDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func testNames(t testing.TB) *Names {
	t.Helper()
	n, err := NewNames(
		[]string{"docker.io", "gcr.io", "quay.io", "ghcr.io", "registry.k8s.io", "k8s.gcr.io", "registry.example.com:5000"},
		map[string]string{"quay.io": "quay", "docker.io": "docker", "registry.k8s.io": "google-containers", "gcr.io": "gcr", "mcr.microsoft.com": "mcr"},
		[]Called{{"gcr.front.example", "gcr.io"}, {"*.mirror.example", ""}, {"hub.example", "docker.io"}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// asked is a request and its meaning.
type asked struct {
	host, uri string
	want      string // the question, or the status and code of the refusal
	rule      Rule
}

// requests are examples of the rules.
func requests() []asked {
	long := strings.Repeat("a", 10<<10)
	return []asked{
		{uri: "/v2/", want: ""},
		{uri: "/v2", want: ""},
		{uri: "/v2/?ns=gcr.io", want: ""},

		// By the host name of the front.
		{host: "gcr.front.example", uri: "/v2/ns/img/manifests/1", want: "gcr.io/ns/img:1", rule: ByHost},
		{host: "GCR.Front.Example:443", uri: "/v2/ns/img/manifests/1", want: "gcr.io/ns/img:1", rule: ByHost},
		{host: "gcr.front.example.", uri: "/v2/ns/img/manifests/1", want: "gcr.io/ns/img:1", rule: ByHost},
		{host: "quay.mirror.example", uri: "/v2/a/b/manifests/1", want: "quay.io/a/b:1", rule: ByHost},
		{host: "docker.mirror.example", uri: "/v2/nginx/manifests/1", want: "docker.io/library/nginx:1", rule: ByHost},
		{host: "mcr.mirror.example", uri: "/v2/a/b/manifests/1", want: "404 NAME_UNKNOWN"},
		{host: "nobody.mirror.example", uri: "/v2/a/b/manifests/1", want: "404 NAME_UNKNOWN"},
		{host: "a.quay.mirror.example", uri: "/v2/a/b/manifests/1", want: "docker.io/a/b:1", rule: ByDefault},
		{host: "mirror.example", uri: "/v2/a/b/manifests/1", want: "docker.io/a/b:1", rule: ByDefault},
		{host: "gcr.front.example", uri: "/v2/ns/img/manifests/1?ns=gcr.io", want: "gcr.io/ns/img:1", rule: ByHost},
		{host: "gcr.front.example", uri: "/v2/ns/img/manifests/1?ns=quay.io", want: "400 NAME_INVALID"},
		{host: "evil.example", uri: "/v2/ns/img/manifests/1", want: "docker.io/ns/img:1", rule: ByDefault},
		{host: "169.254.169.254", uri: "/v2/ns/img/manifests/1", want: "docker.io/ns/img:1", rule: ByDefault},
		{host: "", uri: "/v2/ns/img/manifests/1", want: "docker.io/ns/img:1", rule: ByDefault},

		// By ns.
		{uri: "/v2/ns/img/manifests/1?ns=gcr.io", want: "gcr.io/ns/img:1", rule: ByNamespace},
		{uri: "/v2/ns/img/manifests/1?ns=GCR.IO", want: "gcr.io/ns/img:1", rule: ByNamespace},
		{uri: "/v2/ns/img/manifests/1?ns=gcr.io:443", want: "gcr.io/ns/img:1", rule: ByNamespace},
		{uri: "/v2/ns/img/manifests/1?ns=%67cr.io", want: "gcr.io/ns/img:1", rule: ByNamespace},
		{uri: "/v2/nginx/manifests/1?ns=docker.io", want: "docker.io/library/nginx:1", rule: ByNamespace},
		{uri: "/v2/library/nginx/manifests/1?ns=registry-1.docker.io", want: "docker.io/library/nginx:1", rule: ByNamespace},
		{uri: "/v2/pause/manifests/3.10?ns=k8s.gcr.io", want: "registry.k8s.io/pause:3.10", rule: ByNamespace},
		{uri: "/v2/a/b/manifests/1?ns=registry.example.com:5000", want: "registry.example.com:5000/a/b:1", rule: ByNamespace},
		{uri: "/v2/a/b/manifests/1?ns=registry.example.com", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/a/b/manifests/1?ns=registry.example.com:5001", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/a/b/manifests/1?ns=evil.example", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/a/b/manifests/1?ns=127.0.0.1", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/a/b/manifests/1?ns=169.254.169.254", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/a/b/manifests/1?ns=[::1]", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=localhost:5000", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/a/b/manifests/1?ns=metadata.google.internal", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/a/b/manifests/1?ns=..", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=gcr.io/../evil.example", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=https://gcr.io", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=gcr.io@evil.example", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=gcr.io%00", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=gcr.io%0d%0aX:1", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=ｇcr.io", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=gcr.io&ns=gcr.io", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=gcr.io&ns=quay.io", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=gcr.io;ns=quay.io", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?ns=" + long, want: "400 NAME_INVALID"},

		// By the path.
		{uri: "/v2/gcr.io/ns/img/manifests/1", want: "gcr.io/ns/img:1", rule: ByPath},
		{uri: "/v2/registry.k8s.io/pause/manifests/3.10", want: "registry.k8s.io/pause:3.10", rule: ByPath},
		{uri: "/v2/docker.io/nginx/manifests/1", want: "docker.io/library/nginx:1", rule: ByPath},
		{uri: "/v2/quay/a/b/manifests/1", want: "quay.io/a/b:1", rule: ByPath},
		{uri: "/v2/docker/library/nginx/manifests/1", want: "docker.io/library/nginx:1", rule: ByPath},
		{uri: "/v2/google-containers/a/b/manifests/1", want: "registry.k8s.io/a/b:1", rule: ByPath},
		{uri: "/v2/quay/a/manifests/1", want: "docker.io/quay/a:1", rule: ByDefault}, // a user of Docker Hub may have that name
		{uri: "/v2/evil.example/a/b/manifests/1", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/127.0.0.1/a/b/manifests/1", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/127.0.0.1:80/a/b/manifests/1", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/registry.example.com:5000/a/b/manifests/1", want: "registry.example.com:5000/a/b:1", rule: ByPath},
		{uri: "/v2/../a/b/manifests/1", want: "400 NAME_INVALID"},

		// Docker Hub.
		{uri: "/v2/nginx/manifests/latest", want: "docker.io/library/nginx:latest", rule: ByDefault},
		{uri: "/v2/a/b/blobs/" + anyDigest, want: "docker.io/a/b@" + anyDigest, rule: ByDefault},
		{uri: "/v2/a/b/blobs/sha256%3A" + anyDigest[7:], want: "docker.io/a/b@" + anyDigest, rule: ByDefault},
		{uri: "/v2/a/b/manifests/" + anyDigest, want: "docker.io/a/b@" + anyDigest, rule: ByDefault},
		{uri: "/v2/a/b/referrers/" + anyDigest, want: "docker.io/a/b@" + anyDigest, rule: ByDefault},
		{uri: "/v2/a/b/tags/list?n=5&last=x", want: "docker.io/a/b", rule: ByDefault},
		{uri: "/v2/manifests/manifests/manifests/1", want: "docker.io/manifests/manifests:1", rule: ByDefault},

		// Invalid requests.
		{uri: "/", want: "404 NAME_UNKNOWN"},
		{uri: "/v1/search", want: "404 NAME_UNKNOWN"},
		{uri: "/v2/_catalog", want: "404 UNSUPPORTED"},
		{uri: "/v2/a/b", want: "404 UNSUPPORTED"},
		{uri: "/v2/a/b/tags/other", want: "404 UNSUPPORTED"},
		{uri: "/v2/a/b/blobs/uploads/x", want: "404 UNSUPPORTED"},
		{uri: "/v2/manifests/1", want: "404 UNSUPPORTED"},
		{uri: "/v2//manifests/1", want: "404 UNSUPPORTED"},
		{uri: "/v2//a/b/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a//b/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/A/b/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a/./b/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a/../b/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a%2fb/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a%2Fb/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a%252fb/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/%2e%2e/b/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b%00/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/%ff", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/.x", want: "404 MANIFEST_UNKNOWN"},
		{uri: "/v2/a/b/manifests/", want: "404 MANIFEST_UNKNOWN"},
		{uri: "/v2/a/b/manifests/" + strings.Repeat("a", 129), want: "404 MANIFEST_UNKNOWN"},
		{uri: "/v2/a/b/blobs/sha512:" + strings.Repeat("a", 128), want: "400 DIGEST_INVALID"},
		{uri: "/v2/a/b/manifests/sha512:" + strings.Repeat("a", 64), want: "400 DIGEST_INVALID"},
		{uri: "/v2/a/b/manifests/" + strings.ToUpper(anyDigest), want: "400 DIGEST_INVALID"},
		{uri: "/v2/a/b/blobs/latest", want: "400 DIGEST_INVALID"},
		{uri: "/v2/" + long + "/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/" + strings.Repeat("a/", 200) + "b/manifests/1", want: "400 NAME_INVALID"},
		{uri: "/v2/a/b/manifests/1?token=secret", want: "400 UNAUTHORIZED"},
		{uri: "/v2/a/b/manifests/1?Access_Token=secret", want: "400 UNAUTHORIZED"},
		{uri: "/v2/a/b/tags/list?n=5&n=6", want: "400 NAME_INVALID"},
	}
}

func TestWhichImageIsMeant(t *testing.T) {
	names := testNames(t)
	for _, test := range requests() {
		u, err := url.Parse(test.uri)
		if err != nil {
			t.Errorf("%s: %v", test.uri, err)
			continue
		}
		q, refusal := names.Question(test.host, u.Path, u.RawPath, u.RawQuery)
		got := q.String()
		if refusal != nil {
			got, _, _ = strings.Cut(refusal.Error(), ":")
			q.Rule = ""
		}
		if got != test.want || q.Rule != test.rule {
			t.Errorf("%s%.100s means %q by %q, want %q by %q", test.host, test.uri, got, q.Rule, test.want, test.rule)
		}
	}
}

func TestNamesWithoutDockerHub(t *testing.T) {
	names, err := NewNames([]string{"gcr.io"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, refusal := names.Question("", "/v2/library/nginx/manifests/1", "", ""); refusal == nil || refusal.Status != http.StatusNotFound {
		t.Errorf("Docker Hub is served although it is not configured: %v", refusal)
	}
}

func TestInvalidNames(t *testing.T) {
	if _, err := NewNames([]string{"gcr.io"}, nil, []Called{{"quay.front.example", "quay.io"}}); err == nil {
		t.Error("a name of the front may stand for a source that is not configured")
	}
	if _, err := NewNames([]string{"not a host"}, nil, nil); err == nil {
		t.Error("a source may be no host")
	}
}

// FuzzQuestion checks that no request reaches a source that is not configured,
// and that names are canonical.
func FuzzQuestion(f *testing.F) {
	for _, seed := range [][3]string{
		{"gcr.front.example", "/v2/ns/img/manifests/1", "ns=gcr.io"},
		{"", "/v2/quay/a/b/blobs/" + anyDigest, ""},
		{"x.mirror.example", "/v2/a%2fb/tags/list", "n=1&last=%00"},
		{"127.0.0.1:5050", "/v2/registry.example.com:5000/a/referrers/" + anyDigest, "ns=%2e%2e"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	names := testNames(f)
	sources := names.Sources()
	f.Fuzz(func(t *testing.T, host, path, query string) {
		u, err := url.Parse(path)
		if err != nil {
			return
		}
		q, refusal := names.Question(host, u.Path, u.RawPath, query)
		if refusal != nil {
			if refusal.Status < 400 || refusal.Status > 499 || refusal.Code == "" || refusal.Message == "" {
				t.Errorf("refused by %v", refusal)
			}
			return
		}
		if q.Kind == Base {
			return
		}
		if !slices.Contains(sources, q.Repository.Host()) {
			t.Errorf("%q %q %q means %s, which is no source", host, path, query, q)
		}
		if q.Repository.Path() == "" || strings.Contains(q.Repository.Path(), "..") || (q.Tag != "") == (q.Digest.Hex != "") && q.Kind != distribution.Tags {
			t.Errorf("%q %q %q means %s", host, path, query, q)
		}
	})
}
