package clients

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/reference"
)

func ref(t testing.TB, text string) reference.Reference {
	t.Helper()
	r, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	sum   = v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}
	arm64 = reference.Platform{OS: "linux", Architecture: "arm64"}
)

// mirrors returns mirrors of all kinds that the rules distinguish.
func mirrors(t testing.TB) map[string]Mirror {
	pinned := "@" + sum.String()
	return map[string]Mirror{
		"tag":          {Source: ref(t, "nginx:1"), Name: ref(t, "docker.io/u/docker.nginx:1"), Digest: sum, Exact: true},
		"tag, digest":  {Source: ref(t, "gcr.io/a/b:1"+pinned), Name: ref(t, "docker.io/u/a.b:1"), Digest: sum, Exact: true},
		"digest":       {Source: ref(t, "gcr.io/a/b"+pinned), Name: ref(t, "docker.io/u/a.b:x"), Digest: sum, Exact: true},
		"other digest": {Source: ref(t, "gcr.io/a/b"+pinned), Name: ref(t, "docker.io/u/a.b:x"), Digest: sum},
		"platform":     {Source: ref(t, "gcr.io/a/b:1"), Name: ref(t, "docker.io/u/a.b:1"), Digest: sum, Platform: arm64},
		"bad platform": {Source: ref(t, "gcr.io/a/b:1"), Name: ref(t, "docker.io/u/a.b:1"), Platform: reference.Platform{OS: "$(id)", Architecture: "`id`"}},
	}
}

// pulls compares the lines of a client.
func pulls(t *testing.T, pull func(Mirror) []string, want map[string][]string) {
	t.Helper()
	for name, lines := range want {
		if got := pull(mirrors(t)[name]); !slices.Equal(got, lines) {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(lines, "\n     "))
		}
	}
}

// word matches text that a shell takes literally: no blank, quote, variable,
// pipe or glob.
const word = `[A-Za-z0-9._:/@-]+`

// TestLinesAreWhatAShellTakesAsItIs checks that every line consists of words
// and flags.
func TestLinesAreWhatAShellTakesAsItIs(t *testing.T) {
	line := regexp.MustCompile(`^` + word + `(?: ` + word + `)*$`)
	for _, c := range All() {
		for name, m := range mirrors(t) {
			lines := c.Pull(m)
			if len(lines) == 0 && c.Name != "ferry" { // which finds default names only
				t.Errorf("%s, %s: no lines", c.Name, name)
			}
			for _, l := range lines {
				if !line.MatchString(l) || !strings.HasPrefix(l, c.Name+" ") {
					t.Errorf("%s, %s: %q", c.Name, name, l)
				}
			}
		}
	}
}

func TestPinned(t *testing.T) {
	m := mirrors(t)["tag"]
	if got, want := m.Pinned(), "docker.io/u/docker.nginx@"+sum.String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	m.Digest.Hex = "`x`"
	if got := m.Pinned(); got != "" {
		t.Errorf("%s is no digest", got)
	}
}
