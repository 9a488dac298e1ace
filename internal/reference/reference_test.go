package reference

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const digest = "sha256:7fa7445dfbebae4f4b7ab0e6ef99276e96075ae42584af6286ba080750d6dfe5"

var sha512 = "sha512:" + strings.Repeat("0a", 64)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"nginx":                             "docker.io/library/nginx:latest",
		"nginx:1.25":                        "docker.io/library/nginx:1.25",
		"library/nginx":                     "docker.io/library/nginx:latest",
		"grafana/grafana:11":                "docker.io/grafana/grafana:11",
		"docker.io/nginx":                   "docker.io/library/nginx:latest",
		"index.docker.io/library/nginx:1":   "docker.io/library/nginx:1",
		"registry-1.docker.io/a/b":          "docker.io/a/b:latest",
		"registry.hub.docker.com/library/a": "docker.io/library/a:latest",
		"docker.io:443/library/nginx":       "docker.io/library/nginx:latest",
		"GHCR.io/a/b:Main":                  "ghcr.io/a/b:Main",
		"localhost/a":                       "localhost/a:latest",
		"localhost:5000/a/b:1":              "localhost:5000/a/b:1",
		"quay.io/a/b@" + digest:             "quay.io/a/b@" + digest,
		"quay.io/a/b@" + sha512:             "quay.io/a/b@" + sha512,
		"a/b:v1@" + sha512:                  "docker.io/a/b:v1@" + sha512,
		"quay.io/a/b:v1@" + digest:          "quay.io/a/b:v1@" + digest,
		"gcr.io/a/github.com/b/c:v0.1":      "gcr.io/a/github.com/b/c:v0.1",
		"a/b__c/d---e.f:_x":                 "docker.io/a/b__c/d---e.f:_x",
		"k8s.gcr.io/pause":                  "k8s.gcr.io/pause:latest",
		"registry.example.com:65535/a:" + strings.Repeat("a", MaxTag): "registry.example.com:65535/a:" + strings.Repeat("a", MaxTag),
	} {
		got, err := Parse(text)
		if err != nil || got.String() != want {
			t.Errorf("Parse(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, part := range map[string]Part{
		"":                                       PartWhole,
		strings.Repeat("a", MaxReference+1):      PartWhole,
		"nginx:":                                 PartTag,
		"nginx:-1":                               PartTag,
		"nginx:1:2":                              PartPath,
		"nginx: 1":                               PartTag,
		"nginx:" + strings.Repeat("a", MaxTag+1): PartTag,
		"a/b@sha256:abc":                         PartDigest,
		"a/b@sha512:" + strings.Repeat("a", 127): PartDigest,
		"a/b@sha512:" + strings.Repeat("a", 64):  PartDigest,
		"a/b@sha256:" + strings.Repeat("a", 128): PartDigest,
		"a/b@" + strings.ToUpper(digest):         PartDigest,
		"a/b@" + digest + ":latest":              PartDigest,
		"quay.io/":                               PartPath,
		"quay.io//b":                             PartPath,
		"quay.io/A/b":                            PartPath,
		"quay.io/a..b":                           PartPath,
		"quay.io/a___b":                          PartPath,
		"quay.io/a._b":                           PartPath,
		"quay.io/../b":                           PartPath,
		"quay.io/a/./b":                          PartPath,
		"quay.io/-a":                             PartPath,
		"quay.io/a\x00b":                         PartPath,
		"quay.io/а":                              PartPath, // Cyrillic
		"quаy.io/a":                              PartHost, // Cyrillic
		"-quay.io/a":                             PartHost,
		"quay..io/a":                             PartHost,
		"quay.io:0/a":                            PartHost,
		"quay.io:65536/a":                        PartHost,
		"quay.io:http/a":                         PartHost,
		"[::1]:5000/a":                           PartHost,
		"user@quay.io/a":                         PartDigest,
		strings.Repeat("a", 64) + ".io/a":        PartHost,
		"quay.io/" + strings.Repeat("a", MaxRepository): PartPath,
		" nginx": PartPath,
	} {
		got, err := Parse(text)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Part != part {
			t.Errorf("Parse(%q) = %q, %v; want an error about the %s", text, got, err, part)
		}
		if !got.IsZero() {
			t.Errorf("Parse(%q) gives %q with its error", text, got)
		}
	}
}

// TestSyntaxErrorQuotesWholeRunes checks that a long text is cut at a rune
// boundary.
func TestSyntaxErrorQuotesWholeRunes(t *testing.T) {
	for shift := range 3 {
		_, err := Parse(strings.Repeat("a", shift) + strings.Repeat("镜", 100))
		if err == nil || strings.Contains(err.Error(), `\x`) || len(err.Error()) > 500 {
			t.Errorf("the error is %v", err)
		}
	}
}

func TestReferenceParts(t *testing.T) {
	ref, err := Parse("Quay.io/a/b:v1@" + digest)
	if err != nil {
		t.Fatal(err)
	}
	if r := ref.Repository(); r.Host() != "quay.io" || r.Path() != "a/b" || ref.Tag() != "v1" || ref.Digest().String() != digest || !ref.HasDigest() {
		t.Errorf("parts of %q", ref)
	}
	if bare, _ := Parse("quay.io/a/b:v1"); bare.WithDigest(ref.Digest()) != ref {
		t.Errorf("WithDigest loses the tag")
	}
	if tagged, err := ref.Repository().Tagged("v2"); err != nil || tagged.String() != "quay.io/a/b:v2" {
		t.Errorf("Tagged = %q, %v", tagged, err)
	}
	if _, err := ref.Repository().Tagged(""); err == nil {
		t.Errorf("Tagged takes an empty tag")
	}
	if text, err := json.Marshal(ref); err != nil || string(text) != `"`+ref.String()+`"` {
		t.Errorf("JSON is %s, %v", text, err)
	}
	if (Reference{}).String() != "" || (Repository{}).String() != "" {
		t.Errorf("zero values are written")
	}
}

func TestIsDockerHub(t *testing.T) {
	for host, want := range map[string]bool{"docker.io": true, "Index.Docker.io": true, "registry-1.docker.io": true, "quay.io": false, "docker.io.evil.example": false, "": false} {
		if got := IsDockerHub(host); got != want {
			t.Errorf("IsDockerHub(%q) = %t", host, got)
		}
	}
}

// TestGrammar compares the grammar with the regular expressions of the
// specification, for all short words of the relevant letters.
func TestGrammar(t *testing.T) {
	component := regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$`)
	tag := regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]*$`)
	label := regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`)
	port := regexp.MustCompile(`^[1-9][0-9]{0,4}$`)
	const letters = "a0._-A/ "
	words := []string{""}
	for from, length := 0, 0; length < 6; length++ {
		to := len(words)
		for _, w := range words[from:to] {
			for i := range len(letters) {
				words = append(words, w+letters[i:i+1])
			}
		}
		from = to
	}
	for _, w := range words {
		if isComponent(w) != component.MatchString(w) || isTag(w) != tag.MatchString(w) || isLabel(w) != label.MatchString(w) {
			t.Fatalf("%q: component %t, tag %t, label %t", w, isComponent(w), isTag(w), isLabel(w))
		}
	}
	for _, w := range []string{"", "0", "1", "01", "80", "9999", "65535", "99999", "100000", "8a"} {
		if want := port.MatchString(w) && w != "99999"; isPort(w) != want {
			t.Errorf("port %q: %t", w, isPort(w))
		}
	}
}

func TestParsePlatform(t *testing.T) {
	for text, want := range map[string]string{
		"linux/amd64": "linux/amd64", "amd64": "linux/amd64", "x86_64": "linux/amd64", "X86-64": "linux/amd64", "x86": "linux/amd64",
		"arm64": "linux/arm64", "aarch64": "linux/arm64", "linux/arm64/v8": "linux/arm64", "arm64/v9": "linux/arm64/v9",
		"arm": "linux/arm/v7", "armv7": "linux/arm/v7", "linux/arm/v6": "linux/arm/v6", "linux/arm/7": "linux/arm/v7", "armhf": "linux/arm/v7",
		"i386": "linux/386", "windows/amd64": "windows/amd64", "macos/arm64": "darwin/arm64", "amd64/v3": "linux/amd64/v3", "amd64/v1": "linux/amd64",
		"s390x": "linux/s390x", "linux/ppc64le": "linux/ppc64le", "loongarch64": "linux/loong64", "wasip1/wasm": "wasip1/wasm",
	} {
		if got, err := ParsePlatform(text); err != nil || got.String() != want {
			t.Errorf("ParsePlatform(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "linux", "linux/", "linux/foo", "linux/arm64/v7", "linux/amd64/v9/x", "foo/amd64", "linux/amd64 ", "all"} {
		if got, err := ParsePlatform(text); err == nil {
			t.Errorf("ParsePlatform(%q) = %q; want an error", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"nginx", "quay.io/a/b:v1@" + digest, "localhost:5000/a", "GHCR.io/a/b", "a..b/c", "quаy.io/a", "1.2.3.4:80/a", "0x7f.1/a", "docker.io/library/library/a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := Parse(text)
		if err != nil {
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Errorf("error of type %T", err)
			}
			return
		}
		canonical := ref.String()
		if again, err := Parse(canonical); err != nil || again != ref {
			t.Errorf("Parse(%q) = %q, %v; not itself", canonical, again, err)
		}
		if len(canonical) > MaxReference {
			t.Errorf("%d bytes", len(canonical))
		}
		// Another parser must read the same host and path. It refuses paths of
		// one letter, which the specification allows.
		repository := ref.Repository()
		theirs, err := name.NewRepository(repository.String(), name.StrictValidation)
		switch {
		case err != nil && len(repository.Path()) > 1:
			t.Errorf("go-containerregistry refuses %q: %v", repository, err)
		case err == nil && (!IsDockerHub(repository.Host()) && theirs.RegistryStr() != repository.Host() || theirs.RepositoryStr() != repository.Path()):
			t.Errorf("%q is %q to go-containerregistry", repository, theirs)
		}
	})
}

func FuzzParsePlatform(f *testing.F) {
	for _, seed := range []string{"linux/amd64", "arm", "aarch64", "linux/arm/v7", "windows/amd64", "wasip1/wasm"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePlatform(text)
		if err != nil {
			return
		}
		if again, err := ParsePlatform(p.String()); err != nil || again != p {
			t.Errorf("ParsePlatform(%q) = %q, %v; not itself", p, again, err)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse("registry.k8s.io/ingress-nginx/controller:v1.9.4"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestClip checks that a text is cut at a rune boundary.
func TestClip(t *testing.T) {
	for _, text := range []string{"", "abc", "我们都是", strings.Repeat("é", 50), "\xff\xff\xff\xff\xff"} {
		for most := 3; most < 20; most++ {
			got := Clip(text, most)
			if len(got) > most || utf8.ValidString(text) && !utf8.ValidString(got) || len(text) <= most && got != text || len(text) > most && !strings.HasSuffix(got, "…") {
				t.Errorf("Clip(%q, %d) = %q", text, most, got)
			}
		}
	}
}

// TestSameHoweverMade checks that a reference equals the parsed one with the same text,
// so that both are one key of a map.
func TestSameHoweverMade(t *testing.T) {
	one, other := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}, v1.Hash{Algorithm: "sha512", Hex: strings.Repeat("b", 128)}
	for _, name := range []string{"localhost:5000/a", "docker.io/library/nginx", "registry.example.com/a/b_c/d--e"} {
		host, path, _ := strings.Cut(name, "/")
		repository, err := NewRepository(host, path)
		if err != nil {
			t.Fatal(err)
		}
		tagged, err := repository.Tagged("v1.2_x-3")
		if err != nil {
			t.Fatal(err)
		}
		for want, got := range map[string]Reference{
			name + ":v1.2_x-3":                   tagged,
			name + ":v1.2_x-3@" + one.String():   tagged.WithDigest(one),
			name + ":v1.2_x-3@" + other.String(): tagged.WithDigest(one).WithDigest(other),
			name + "@" + other.String():          tagged.WithDigest(one).Untagged(other),
			name + "@" + one.String():            tagged.Untagged(other).WithDigest(one),
		} {
			if parsed, err := Parse(want); err != nil || got != parsed || got.Repository() != repository {
				t.Errorf("made %+v, parsed %+v, %v", got, parsed, err)
			}
		}
		if bare := tagged.WithDigest(one).Untagged(v1.Hash{}); bare.String() != name || bare.Tag() != "" || bare.HasDigest() || bare.Digest() != (v1.Hash{}) {
			t.Errorf("without tag and digest: %+v", bare)
		}
	}
	if r := (Reference{}); r.Repository() != (Repository{}) || r.Tag() != "" || r.Digest() != (v1.Hash{}) || r.HasDigest() || !r.IsZero() {
		t.Errorf("the zero reference has parts: %+v", r)
	}
}
