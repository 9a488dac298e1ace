package name_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

// place is a target and its documented rules for names, written in another way
// than in the code.
type place struct {
	target   string
	profiles []name.Profile
	legal    *regexp.Regexp // what stands below the namespace
	longest  int
}

const component = `[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`

var (
	flatProfiles = []name.Profile{name.Flat, name.Host, name.Last, name.One}
	places       = []place{
		{"docker.io/user", flatProfiles, regexp.MustCompile(`^` + component + `$`), 255},
		{"registry.cn-hangzhou.aliyuncs.com/user", flatProfiles, regexp.MustCompile(`^` + component + `$`), 64},
		{"ccr.ccs.tencentyun.com/user", flatProfiles, regexp.MustCompile(`^` + component + `$`), 244},
		{"swr.cn-north-4.myhuaweicloud.com/user", flatProfiles, regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-|/)[a-z0-9]+)*$`), 128},
		{"ghcr.io/user", name.Profiles(), regexp.MustCompile(`^` + component + `(?:/` + component + `)*$`), 255},
		{"harbor.example.com/team/mirror", name.Profiles(), regexp.MustCompile(`^` + component + `(?:/` + component + `)*$`), 255},
	}
)

var oneTag = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

// check checks the names of all repositories: legal, unique, and readable
// backwards.
func check(t *testing.T, p place, profile name.Profile, repositories iter.Seq[reference.Repository]) {
	t.Helper()
	s := scheme(t, p.target, profile, nil)
	taken := map[reference.Reference]reference.Repository{}
	for r := range repositories {
		src, err := r.Tagged("1")
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Mirror(src)
		if err != nil {
			t.Fatalf("%s has no name: %v", src, err)
		}
		full := n.Reference.Repository().String()
		below, ok := strings.CutPrefix(full, p.target+"/")
		if profile == name.One {
			p.legal, p.longest = oneTag, 128
			below, ok = n.Reference.Tag(), below == "mirrors"
		}
		if !ok || !p.legal.MatchString(below) || len(below) > p.longest || len(full) > 255 {
			t.Fatalf("%s on %s: %s has the name %s, which is not legal there", profile, p.target, r, n.Reference)
		}
		canonical := name.Canonical(r)
		if profile == name.Last {
			continue
		}
		if other, ok := taken[n.Reference]; ok && other != canonical && n.Before.IsZero() {
			t.Fatalf("%s on %s: %s and %s have one name, %s", profile, p.target, other, r, n.Reference)
		}
		if n.Before.IsZero() {
			taken[n.Reference] = canonical
		}
		back, err := s.Source(n.Reference)
		switch {
		case errors.Is(err, name.ErrShortened):
			if len(below) < p.longest/2 && len(full) < 200 && !strings.Contains(r.Path(), "--") && !strings.Contains(r.Path(), "__") && !strings.Contains(r.Path(), "cut-") && !strings.Contains(r.Host(), "--") {
				t.Fatalf("%s on %s: %s was shortened to %s for no reason", profile, p.target, r, n.Reference)
			}
		case err != nil:
			t.Fatalf("%s on %s: %s has the name %s, which does not read back: %v", profile, p.target, r, n.Reference, err)
		case back.Repository() != canonical && n.Before.Repository() != back.Repository():
			t.Fatalf("%s on %s: %s has the name %s, which reads back as %s", profile, p.target, r, n.Reference, back)
		}
	}
}

// words are confusing components: labels, hosts, pieces of escapes and of
// shortened names, and separators.
var words = strings.Fields("a io com cn quay docker library host gcr google-containers a.b b elastic co k8s " +
	"docker.io quay.io gcr.io registry.k8s.io a.b a_b a__b a-b a--b a---b a----b io_5000 gcr_io localhost_5000 " +
	"cut-0123456789abcdef0123456789abcdef x.cut-0123456789abcdef0123456789abcdef 5000 dev")

var hosts = strings.Fields("gcr.io us.gcr.io k8s.gcr.io registry.k8s.io docker.io quay.io ghcr.io docker.elastic.co " +
	"docker.n8n.io docker.io.io io.io host.io host.com gcr.com a.io a.b.io a.com a.com.cn a.co.uk a.com.dev a.b a.cn.com io.a.com " +
	"localhost localhost:5000 a.io:5000 a.com.cn:5000 quay.io:8443 a:5000 xn--fiqs8s.io a--b.com registry.cn-hangzhou.aliyuncs.com com.com")

// TestAdversarialNames tries all repositories of one and two words, and of
// three of the most confusing ones.
func TestAdversarialNames(t *testing.T) {
	var paths []string
	worst := words[:8]
	for _, a := range words {
		paths = append(paths, a)
		for _, b := range words {
			paths = append(paths, a+"/"+b)
		}
	}
	for _, a := range worst {
		for _, b := range worst {
			for _, c := range worst {
				paths = append(paths, a+"/"+b+"/"+c)
			}
		}
	}
	var all []reference.Repository
	for _, host := range hosts {
		for _, path := range paths {
			r, err := reference.NewRepository(host, path)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
	}
	for _, profile := range name.Profiles() {
		t.Run(string(profile), func(t *testing.T) {
			t.Parallel()
			check(t, places[5], profile, slices.Values(all))
		})
	}
}

// TestGeneratedNames tries random repositories of all lengths for all targets.
func TestGeneratedNames(t *testing.T) {
	for _, p := range places {
		for _, profile := range p.profiles {
			t.Run(fmt.Sprint(p.target, " ", profile), func(t *testing.T) {
				t.Parallel()
				random := rand.New(rand.NewPCG(4, 2026))
				check(t, p, profile, func(yield func(reference.Repository) bool) {
					for range 500 {
						if !yield(generate(random)) {
							return
						}
					}
				})
			})
		}
	}
}

// generate returns a random repository: a known or unknown host, and components
// of words, letters and separators, up to the maximum length.
func generate(random *rand.Rand) reference.Repository {
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	for {
		host := pick(hosts)
		if random.IntN(3) == 0 {
			host = pick([]string{"a", "quay", "docker", "x-y", "xn--p1ai"}) + "." + pick([]string{"b", "example", "cn", "gcr"}) + "." + pick([]string{"com", "io", "museum", "cn", "k8s"})
		}
		parts := make([]string, 1+random.IntN(5))
		for i := range parts {
			parts[i] = pick(words)
			if random.IntN(2) == 0 {
				parts[i] = strings.Repeat(pick([]string{"a", "x1", "long"}), 1+random.IntN(12))
			}
			for range random.IntN(4) {
				parts[i] += pick([]string{".", "_", "__", "-", "--", "-----"}) + pick([]string{"a", "io", "com", "quay", "5000"})
			}
		}
		if r, err := reference.NewRepository(host, strings.Join(parts, "/")); err == nil {
			return r
		}
	}
}

// TestOneRepository tries random repositories with tags of all lengths and forms: in
// profile one both are in the tag.
func TestOneRepository(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 2026))
	s := scheme(t, "docker.io/user", name.One, nil)
	const letters = "ab1..__--.Z"
	taken := map[reference.Reference]reference.Reference{}
	refused, short := 0, 0
	for range 20_000 {
		r := name.Canonical(generate(random))
		if random.IntN(2) == 0 { // short ones, which are neighbours
			r, _ = reference.NewRepository("quay.io", strings.Repeat("a", 1+random.IntN(2))+"/b")
		}
		length := 1 + random.IntN(6)
		if random.IntN(4) == 0 {
			length = 1 + random.IntN(reference.MaxTag)
		}
		tag := []byte{"a1Z_"[random.IntN(4)]}
		for len(tag) < length {
			tag = append(tag, letters[random.IntN(len(letters))])
		}
		src, err := r.Tagged(string(tag))
		if err != nil {
			t.Fatal(err)
		}
		n, err := s.Mirror(src)
		if err != nil {
			if refused++; !errors.Is(err, name.ErrLong) || len(tag) <= 128-2-45 {
				t.Fatalf("%s has no name: %v", src, err)
			}
			continue
		}
		if other, ok := taken[n.Reference]; ok && other != src {
			t.Fatalf("%s and %s have one name, %s", other, src, n.Reference)
		}
		taken[n.Reference] = src
		switch back, err := s.Source(n.Reference); {
		case errors.Is(err, name.ErrShortened):
			short++
		case err != nil || back != src && n.Before.IsZero():
			t.Fatalf("%s has the name %s, which reads back as %s, %v", src, n.Reference, back, err)
		}
	}
	if refused < 100 || short < 100 {
		t.Errorf("%d were refused and %d shortened, which is too few to tell", refused, short)
	}
}

func FuzzMirror(f *testing.F) {
	for _, seed := range []string{
		"nginx", "gcr.io/ns/img:tag", "gcr.io/quay/x", "gcr.io/tekton-releases/github.com/tektoncd/pipeline/cmd/git-init:v1",
		"gcr.io/google.com/cloudsdktool/cloud-sdk", "registry.k8s.io/ingress-nginx/controller:v1.9@sha256:" + digest,
		"docker.n8n.io/n8nio/n8n", "localhost:5000/a/b", "quay.io/a--b/c__d", "a.com.cn:5000/x", "gcr.io/x/cut-" + digest[:32],
		"quay.io/a/b@sha256:" + digest, "quay.io/a/b:digest-" + digest, "k8s.gcr.io/pause:3.1", "gcr.io/x",
	} {
		f.Add(seed)
	}
	var schemes []*name.Scheme
	for _, p := range places {
		for _, profile := range p.profiles {
			schemes = append(schemes, scheme(f, p.target, profile, nil))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		src, err := reference.Parse(text)
		if err != nil {
			return
		}
		for _, s := range schemes {
			n, err := s.Mirror(src)
			if errors.Is(err, name.ErrTag) || errors.Is(err, name.ErrLong) {
				continue
			}
			if err != nil {
				t.Fatalf("%s has no name: %v", src, err)
			}
			if reparsed, err := reference.Parse(n.Reference.String()); err != nil || reparsed != n.Reference {
				t.Fatalf("%s has the name %s, which parses as %s, %v", src, n.Reference, reparsed, err)
			}
			back, err := s.Source(n.Reference)
			if errors.Is(err, name.ErrAmbiguous) || errors.Is(err, name.ErrShortened) {
				continue
			}
			if err != nil {
				t.Fatalf("%s has the name %s, which does not read back: %v", src, n.Reference, err)
			}
			again, err := s.Mirror(back)
			if err != nil || again.Reference != n.Reference {
				t.Fatalf("%s has the name %s, which reads back as %s, which has the name %s, %v", src, n.Reference, back, again.Reference, err)
			}
			if n.Before.IsZero() && (back.Repository() != name.Canonical(src.Repository()) || back.Tag() != src.Tag()) {
				t.Fatalf("%s has the name %s, which reads back as %s", src, n.Reference, back)
			}
		}
	})
}

// FuzzSource checks that the source of a mirror name has that mirror name.
func FuzzSource(f *testing.F) {
	for _, seed := range []string{"quay.a.b:1", "host.a__io_5000.x:1", "docker.nginx:digest-" + digest, "gcr.quay.x:1", "a.b.cut-" + digest[:32] + ":1",
		"docker.io/library/nginx:1", "docker.n8n.io.a.b:1", "a---b.c--d__e:1", "host.x:1", "us.gcr.io.a:1", "google-containers.pause:1", "mirrors:quay.a.b..1", "mirrors:quay.a.b..@sha256:" + digest, "mirrors:a.b..._1"} {
		f.Add(seed)
	}
	var schemes []*name.Scheme
	for _, profile := range name.Profiles() {
		schemes = append(schemes, scheme(f, "harbor.example.com/user", profile, nil))
	}
	f.Fuzz(func(t *testing.T, text string) {
		mirror, err := reference.Parse("harbor.example.com/user/" + text)
		if err != nil {
			return
		}
		for _, s := range schemes {
			src, err := s.Source(mirror)
			if err != nil {
				continue
			}
			if n, err := s.Mirror(src); err != nil || n.Reference.Repository() != mirror.Repository() || mirror.Tag() != "" && n.Reference.Tag() != mirror.Tag() {
				t.Fatalf("%s reads as %s, which has the name %s, %v", mirror, src, n.Reference, err)
			}
		}
	})
}
