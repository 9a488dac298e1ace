package name_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func parse(t testing.TB, text string) reference.Reference {
	t.Helper()
	ref, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func scheme(t testing.TB, target string, profile name.Profile, labels map[string]string) *name.Scheme {
	t.Helper()
	host, namespace, _ := strings.Cut(target, "/")
	s, err := name.New(name.Target{Host: host, Namespace: namespace, Profile: profile}, labels)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mirror(t testing.TB, s *name.Scheme, src string) name.Name {
	t.Helper()
	n, err := s.Mirror(parse(t, src))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSpellingsOfOneImageHaveOneName(t *testing.T) {
	for _, spellings := range [][]string{
		{"nginx", "nginx:latest", "docker.io/nginx", "docker.io/library/nginx", "index.docker.io/library/nginx",
			"registry-1.docker.io/nginx", "registry.hub.docker.com/library/nginx", "docker.io:443/nginx", "DOCKER.IO/nginx"},
		{"registry.k8s.io/pause:3.9", "k8s.gcr.io/pause:3.9", "registry.k8s.io:443/pause:3.9"},
		{"quay.io/a/b:1", "quay.io:443/a/b:1", "Quay.io/a/b:1"},
		{"quay.io/a/b:1", "quay.io/a/b:1@sha256:" + digest}, // the digest is what is copied, not where to
	} {
		for _, profile := range name.Profiles() {
			s := scheme(t, "harbor.example.com/user", profile, nil)
			want := mirror(t, s, spellings[0])
			for _, spelling := range spellings[1:] {
				if got := mirror(t, s, spelling); got != want {
					t.Errorf("%s: %s is %s, but %s is %s", profile, spellings[0], want.Reference, spelling, got.Reference)
				}
			}
		}
	}
}

func TestTags(t *testing.T) {
	const long = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, test := range []struct{ src, want, back string }{
		{"quay.io/a/b", "latest", ""},
		{"quay.io/a/b:V1.2_3-x", "V1.2_3-x", ""},
		{"quay.io/a/b:" + long, long, ""},
		{"quay.io/a/b:1@sha256:" + digest, "1", "quay.io/a/b:1"},
		{"quay.io/a/b@sha256:" + digest, "digest-" + digest, ""},
		{"quay.io/a/b@sha512:" + strings.Repeat("00", 64), "digest-" + strings.Repeat("a", 103), ""},
		{"quay.io/a/b:1@sha512:" + digest + digest, "1", "quay.io/a/b:1"},
		{"quay.io/a/b:digest-" + strings.Repeat("a", 103), "digest-" + strings.Repeat("a", 103) + "_", ""},
		// A tag that looks like one of Ferry's is changed.
		{"quay.io/a/b:digest-" + digest, "digest-" + digest + "_", ""},
		{"quay.io/a/b:digest-" + digest + "_", "digest-" + digest + "__", ""},
		{"quay.io/a/b:digest-" + digest + "-x", "digest-" + digest + "-x", ""},
		// Signatures are images too, and stay with their repository.
		{"quay.io/a/b:sha256-" + digest + ".sig", "sha256-" + digest + ".sig", ""},
	} {
		s := scheme(t, "docker.io/user", name.Flat, nil)
		n := mirror(t, s, test.src)
		if n.Reference.Tag() != test.want || n.Reference.HasDigest() {
			t.Errorf("%s has the mirror %s, want the tag %q and no digest", test.src, n.Reference, test.want)
		}
		back, err := s.Source(n.Reference)
		if want := parse(t, max(test.back, test.src)); test.back == "" && (err != nil || back != want) {
			t.Errorf("%s reads back as %s, %v, want %s", n.Reference, back, err, want)
		}
	}
}

func TestTagsThatCannotBeGiven(t *testing.T) {
	for profile, src := range map[name.Profile]string{
		name.Flat: "quay.io/a/b:digest-" + digest + strings.Repeat("_", reference.MaxTag-len("digest-")-64),
		// With the profile last it would refer to the image of another source.
		name.Last: "quay.io/a/b:sha256-" + digest + ".sig",
		name.One:  "gcr.io/sha256-" + digest + "/a:1",
	} {
		if n, err := scheme(t, "docker.io/user", profile, nil).Mirror(parse(t, src)); !errors.Is(err, name.ErrTag) {
			t.Errorf("%s: %s is %s, %v; want ErrTag", profile, src, n.Reference, err)
		}
	}
}

func TestExclusive(t *testing.T) {
	for _, test := range []struct {
		profile name.Profile
		src     string
		want    bool
	}{
		{name.Flat, "registry.k8s.io/pause:3.9", false},
		{name.Flat, "k8s.gcr.io/a/b:1", false},
		{name.Flat, "gcr.io/google-containers/pause:3.9", false},
		{name.Flat, "gcr.io/google-containers-x/pause:3.9", false},
		{name.Flat, "gcr.io/a/b:1", false},
		{name.Flat, "nginx", false},
		{name.Host, "registry.k8s.io/pause:3.9", false},
		{name.Path, "gcr.io/google-containers/pause:3.9", false},
		{name.Last, "nginx", true},
	} {
		if got := mirror(t, scheme(t, "harbor.example.com/user", test.profile, nil), test.src); got.Exclusive != test.want {
			t.Errorf("%s: %s → %s: Exclusive is %t, want %t", test.profile, test.src, got.Reference, got.Exclusive, test.want)
		}
	}
	shared := scheme(t, "docker.io/user", name.Flat, nil)
	if a, b := mirror(t, shared, "gcr.io/google-containers/a/b:1"), mirror(t, shared, "registry.k8s.io/a/b:1"); a.Reference != b.Reference || a.Before.String() != "registry.k8s.io/a/b:1" || !b.Before.IsZero() {
		t.Errorf("gcr.io/google-containers has the name %s after %s, registry.k8s.io %s after %s; by convention they share it", a.Reference, a.Before, b.Reference, b.Before)
	}
	relabelled := scheme(t, "docker.io/user", name.Flat, map[string]string{"registry.k8s.io": "k8s"})
	if a, b := mirror(t, relabelled, "gcr.io/google-containers/a:1"), mirror(t, relabelled, "registry.k8s.io/a:1"); !a.Before.IsZero() || !b.Before.IsZero() || a == b {
		t.Errorf("with a label of its own, registry.k8s.io shares %v with %v", a, b)
	}
}

func TestLabelsOfTheOwner(t *testing.T) {
	s := scheme(t, "docker.io/user", name.Flat, map[string]string{
		"reg.corp.example:5000": "corp", "quay.io": "redhat", "gcr.io": "google",
	})
	for src, want := range map[string]string{
		"reg.corp.example:5000/a/b": "corp.a.b",
		"quay.io/a/b":               "redhat.a.b",
		"gcr.io/a/b":                "a.b",
		"gcr.io/redhat/b":           "google.redhat.b",
		"gcr.io/quay/b":             "quay.b", // nobody's label now
		"gcr.io/gcr/b":              "gcr.b",
		"gcr.io/corp/b":             "google.corp.b",
	} {
		if got := mirror(t, s, src+":1").Reference.String(); got != "docker.io/user/"+want+":1" {
			t.Errorf("%s has the name %s, want %s", src, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for why, test := range map[string]struct {
		target name.Target
		labels map[string]string
	}{
		"unknown profile":            {target: name.Target{Host: "docker.io", Namespace: "user", Profile: "flatt"}},
		"no namespace":               {target: name.Target{Host: "docker.io"}},
		"namespace in capitals":      {target: name.Target{Host: "docker.io", Namespace: "User"}},
		"no host":                    {target: name.Target{Namespace: "user"}},
		"nested namespace on Hub":    {target: name.Target{Host: "docker.io", Namespace: "user/x"}},
		"nested names on ACR":        {target: name.Target{Host: "registry.cn-hangzhou.aliyuncs.com", Namespace: "user", Profile: name.Path}},
		"no room for names":          {target: name.Target{Host: "harbor.example.com", Namespace: strings.Repeat("a/", 100) + "a"}},
		"label of two registries":    {name.Target{Host: "docker.io", Namespace: "user"}, map[string]string{"a.example": "quay"}},
		"one label twice":            {name.Target{Host: "docker.io", Namespace: "user"}, map[string]string{"a.example": "x", "b.example": "x"}},
		"two labels of one registry": {name.Target{Host: "docker.io", Namespace: "user"}, map[string]string{"k8s.gcr.io": "x", "registry.k8s.io": "y"}},
		"label with a dot":           {name.Target{Host: "docker.io", Namespace: "user"}, map[string]string{"a.example": "a.b"}},
		"label that is reserved":     {name.Target{Host: "docker.io", Namespace: "user"}, map[string]string{"a.example": "host"}},
		"empty label":                {name.Target{Host: "docker.io", Namespace: "user"}, map[string]string{"a.example": ""}},
	} {
		if _, err := name.New(test.target, test.labels); err == nil {
			t.Errorf("%s: New has no complaint about %+v, %v", why, test.target, test.labels)
		}
	}
}

func TestSourceRefuses(t *testing.T) {
	long := mirror(t, scheme(t, "registry.cn-hangzhou.aliyuncs.com/user", name.Flat, nil), "quay.io/"+strings.Repeat("a", 60)+"/b")
	for _, test := range []struct {
		target  string
		profile name.Profile
		mirror  string
		want    error
	}{
		{"docker.io/user", name.Flat, "docker.io/other/quay.a.b:1", name.ErrNotMirror},
		{"docker.io/user", name.Flat, "docker.io/user2/quay.a.b:1", name.ErrNotMirror},
		{"docker.io/user", name.Flat, "quay.io/user/quay.a.b:1", name.ErrNotMirror},
		{"docker.io/user", name.Flat, "docker.io/user/mine:1", name.ErrNotMirror},
		{"docker.io/user", name.Flat, "docker.io/user/docker.library.nginx:1", name.ErrNotMirror}, // docker.nginx is
		{"docker.io/user", name.Flat, "docker.io/user/gcr.ns.img:1", name.ErrNotMirror},           // ns.img is
		{"docker.io/user", name.Flat, "docker.io/user/k8s.gcr.io.pause:1", name.ErrNotMirror},
		{"docker.io/user", name.Flat, "docker.io/user/host.quay__io.a.b:1", name.ErrNotMirror},
		{"docker.io/user", name.Host, "docker.io/user/quay.a.b:1", name.ErrNotMirror},
		{"docker.io/user", name.Last, "docker.io/user/nginx:1", name.ErrAmbiguous},
		{"harbor.example.com/user", name.Path, "harbor.example.com/user/team/app:1", name.ErrNotMirror},
		{"registry.cn-hangzhou.aliyuncs.com/user", name.Flat, long.Reference.String(), name.ErrShortened},
	} {
		src, err := scheme(t, test.target, test.profile, nil).Source(parse(t, test.mirror))
		if !errors.Is(err, test.want) {
			t.Errorf("%s on %s: %s reads as %s, %v; want %v", test.profile, test.target, test.mirror, src, err, test.want)
		}
	}
}

func TestSourceKeepsTheDigest(t *testing.T) {
	s := scheme(t, "docker.io/user", name.Flat, nil)
	for mirror, want := range map[string]string{
		"docker.io/user/docker.nginx:1@sha256:" + digest: "docker.io/library/nginx:1@sha256:" + digest,
		"docker.io/user/docker.nginx@sha256:" + digest:   "docker.io/library/nginx@sha256:" + digest,
	} {
		if src, err := s.Source(parse(t, mirror)); err != nil || src.String() != want {
			t.Errorf("%s reads as %s, %v; want %s", mirror, src, err, want)
		}
	}
}

func TestCustom(t *testing.T) {
	for _, test := range []struct {
		target    string
		profile   name.Profile
		src       string
		path, tag string
		want      string // below the target
		err       error
	}{
		{"docker.io/user", name.Flat, "nginx:1", "my-nginx", "", "my-nginx:1", nil},
		{"docker.io/user", name.Flat, "nginx:1", "my-nginx", "x", "my-nginx:x", nil},
		{"docker.io/user", name.Flat, "nginx@sha256:" + digest, "my-nginx", "", "my-nginx:digest-" + digest, nil},
		{"docker.io/user", name.Flat, "nginx:1", "docker.nginx", "1", "docker.nginx:1", nil}, // what it has anyway
		// Every name with a dot belongs to a source, even if it has not been
		// requested.
		{"docker.io/user", name.Flat, "evil/nginx:1", "docker.nginx", "", "", name.ErrTaken},
		{"docker.io/user", name.Flat, "evil/nginx:1", "docker.library.nginx", "", "", name.ErrTaken},
		{"docker.io/user", name.Flat, "evil/nginx:1", "my.nginx", "", "", name.ErrTaken},
		{"docker.io/user", name.Flat, "evil/nginx:1", "quay.x.cut-" + digest[:32], "", "", name.ErrTaken},
		// So does another tag of the image's own name.
		{"docker.io/user", name.Flat, "nginx:1.0", "docker.nginx", "1.27", "", name.ErrTaken},
		{"docker.io/user", name.Flat, "nginx:1.0", "", "1.27", "", name.ErrTaken},
		{"docker.io/user", name.Flat, "nginx@sha256:" + digest, "", "1.27", "", name.ErrTaken},
		// Tags that refer to other images.
		{"docker.io/user", name.Flat, "nginx:1", "my-nginx", "sha256-" + digest, "", name.ErrTag},
		{"docker.io/user", name.Flat, "nginx:1", "my-nginx", "sha256-" + digest + ".sig", "", name.ErrTag},
		{"docker.io/user", name.Flat, "nginx:1", "my-nginx", "digest-" + digest, "", name.ErrTag},
		// Names that the target does not accept.
		{"docker.io/user", name.Flat, "nginx:1", "team/nginx", "", "", name.ErrIllegal},
		{"docker.io/user", name.Flat, "nginx:1", "..", "", "", name.ErrIllegal},
		{"docker.io/user", name.Flat, "nginx:1", "../other/nginx", "", "", name.ErrIllegal},
		{"docker.io/user", name.Flat, "nginx:1", "/nginx", "", "", name.ErrIllegal},
		{"docker.io/user", name.Flat, "nginx:1", "my-nginx", "-x", "", name.ErrIllegal},
		{"docker.io/user", name.Flat, "nginx:1", "n", "", "", name.ErrIllegal},
		{"docker.io/user", name.Flat, "nginx:1", strings.Repeat("n", 256), "", "", name.ErrIllegal},
		{"swr.cn-north-4.myhuaweicloud.com/user", name.Flat, "nginx:1", "my--nginx", "", "", name.ErrIllegal},
		{"harbor.example.com/user", name.Flat, "nginx:1", "team/nginx", "", "team/nginx:1", nil},
		{"harbor.example.com/user", name.Path, "nginx:1", "team/nginx", "", "team/nginx:1", nil},
		{"harbor.example.com/user", name.Path, "evil/nginx:1", "docker.io/library/nginx", "", "", name.ErrTaken},
		{"harbor.example.com/user", name.Path, "evil/nginx:1", "localhost/a/b", "", "", name.ErrTaken},
		{"harbor.example.com/user", name.Path, "nginx:1", "my.nginx", "", "my.nginx:1", nil},
		{"docker.io/user", name.Host, "nginx:1", "my.nginx", "", "my.nginx:1", nil},
		{"docker.io/user", name.Host, "evil/nginx:1", "docker.io.library.nginx", "", "", name.ErrTaken},
		// With the profile last no names are free; they are protected by being
		// exclusive.
		{"docker.io/user", name.Last, "nginx:1", "my-nginx", "", "my-nginx:1", nil},
	} {
		s := scheme(t, test.target, test.profile, nil)
		got, err := s.Custom(parse(t, test.src), test.path, test.tag)
		switch {
		case !errors.Is(err, test.err):
			t.Errorf("%s: %s as %s:%s: error %v, want %v", test.profile, test.src, test.path, test.tag, err, test.err)
		case err == nil && got.Reference.String() != test.target+"/"+test.want:
			t.Errorf("%s: %s as %s:%s is %s, want %s", test.profile, test.src, test.path, test.tag, got.Reference, test.want)
		case err == nil && got != mirror(t, s, test.src) && !got.Exclusive:
			t.Errorf("%s: the custom name %s is not exclusive", test.profile, got.Reference)
		}
	}
}

func TestNothingIsNoSource(t *testing.T) {
	for _, profile := range name.Profiles() {
		s := scheme(t, "harbor.example.com/user", profile, nil)
		if n, err := s.Mirror(reference.Reference{}); err == nil {
			t.Errorf("%s: the zero reference has the mirror name %s", profile, n.Reference)
		}
		if src, err := s.Source(reference.Reference{}); err == nil {
			t.Errorf("%s: the zero reference mirrors %s", profile, src)
		}
	}
}
