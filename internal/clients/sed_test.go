package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// manifest has every spelling of three images, and similar names.
const manifest = `image: nginx
image: nginx:latest
  - image: "library/nginx"
image: 'docker.io/library/nginx:latest' # nginx stays in a comment
{image: docker.io/nginx, name: nginx}
image: gcr.io/a/b:1.2
image: gcr.io/a/b:1.2,
image: gcr.io/a/c@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
FROM gcr.io/a/b:1.2 AS build
name: nginx
image: nginx:1.2
image: mynginx
image: my/nginx
image: nginx-unprivileged
image: quay.io/library/nginx
image: gcr.io/a/b:1.2.3
image: gcr.io/a/b:1x2
image: gcr.io/a/b:1.2@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
image: eu.gcr.io/a/b:1.2
`

const rewritten = `image: docker.io/u/docker.nginx:latest
image: docker.io/u/docker.nginx:latest
  - image: "docker.io/u/docker.nginx:latest"
image: 'docker.io/u/docker.nginx:latest' # docker.io/u/docker.nginx:latest stays in a comment
{image: docker.io/u/docker.nginx:latest, name: docker.io/u/docker.nginx:latest}
image: docker.io/u/a.b:1.2
image: docker.io/u/a.b:1.2,
image: docker.io/u/a.c@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
FROM docker.io/u/a.b:1.2 AS build
name: nginx
image: nginx:1.2
image: mynginx
image: my/nginx
image: nginx-unprivileged
image: quay.io/library/nginx
image: gcr.io/a/b:1.2.3
image: gcr.io/a/b:1x2
image: gcr.io/a/b:1.2@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
image: eu.gcr.io/a/b:1.2
`

// TestSed runs the expressions.
func TestSed(t *testing.T) {
	sed, err := exec.LookPath("sed")
	if err != nil {
		t.Skip("there is no sed here")
	}
	arguments := []string{"-E", "-i.bak"}
	for _, m := range []Mirror{
		{Source: ref(t, "nginx"), Name: ref(t, "docker.io/u/docker.nginx:latest"), Digest: sum, Exact: true},
		{Source: ref(t, "gcr.io/a/b:1.2"), Name: ref(t, "docker.io/u/a.b:1.2"), Digest: sum, Exact: true},
		{Source: ref(t, "gcr.io/a/c@"+sum.String()), Name: ref(t, "docker.io/u/a.c:x"), Digest: sum, Exact: true},
	} {
		arguments = append(arguments, "-e", Sed(m))
	}
	file := filepath.Join(t.TempDir(), "deploy.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second run changes nothing
		if out, err := exec.Command(sed, append(arguments, file)...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(rewritten, "\n")
		for i, line := range strings.Split(string(got), "\n") {
			if line != want[i] {
				t.Errorf("line %d: %q, want %q", i+1, line, want[i])
			}
		}
	}
}

func TestSedHasNothingToReplace(t *testing.T) {
	beside := mirrors(t)["tag"]
	beside.Beside = true
	for _, m := range []Mirror{beside, mirrors(t)["other digest"]} {
		if got := Sed(m); got != "" {
			t.Errorf("%+v: %s", m, got)
		}
	}
}
