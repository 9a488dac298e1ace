package report

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// pasted are the lines of all shell blocks of a comment.
func pasted(comment string) []string {
	var lines []string
	inside := false
	for line := range strings.SplitSeq(comment, "\n") {
		switch {
		case line == "```sh":
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			lines = append(lines, line)
		}
	}
	return lines
}

// word is what a shell takes as it is: no blank, quote, variable, pipe or glob.
const word = `[A-Za-z0-9._:/@-]+`

var commandLines = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`(?:docker|podman|nerdctl) pull (?:--platform ` + word + ` )?` + word + `(?: && (?:docker|podman|nerdctl) tag ` + word + ` ` + word + `)?`,
	`ctr -n k8s\.io images pull (?:--platform ` + word + ` )?` + word + `(?: && ctr -n k8s\.io images tag --force ` + word + `(?: ` + word + `){1,2})?`,
	`crictl pull ` + word,
	`sed -E -i\.bak \\`,
	`  -e '/image:\|FROM /s#[^'#]+#[^'#]+#g' \\`,
	`  \*\.yaml`,
}, "|") + `)$`)

func TestCommandsAreWhatAShellTakesAsItIs(t *testing.T) {
	seen := 0
	inputs := scenarios(t)
	for i, text := range hostileTexts {
		inputs["hostile text "+string(rune('A'+i))] = hostileInput(t, text)
	}
	for name, in := range inputs {
		for _, line := range pasted(Render(in).Comment) {
			seen++
			if !commandLines.MatchString(line) {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	if seen == 0 {
		t.Error("no commands found")
	}
}

func TestCommands(t *testing.T) {
	sum := digest("a").String()
	for _, c := range []struct {
		source, mirror string
		platforms      []reference.Platform
		changed        bool
		docker, ctr    string
	}{
		{"nginx:1", "docker.io/u/docker.nginx:1", nil, false,
			"docker pull docker.io/u/docker.nginx:1 && docker tag docker.io/u/docker.nginx:1 docker.io/library/nginx:1",
			"ctr -n k8s.io images pull docker.io/u/docker.nginx:1 && ctr -n k8s.io images tag --force docker.io/u/docker.nginx:1 docker.io/library/nginx:1"},
		{"gcr.io/a/b:1@" + sum, "docker.io/u/a.b:1", nil, false,
			"docker pull docker.io/u/a.b:1 && docker tag docker.io/u/a.b:1 gcr.io/a/b:1",
			"ctr -n k8s.io images pull docker.io/u/a.b:1 && ctr -n k8s.io images tag --force docker.io/u/a.b:1 gcr.io/a/b:1 gcr.io/a/b@" + sum},
		{"gcr.io/a/b@" + sum, "docker.io/u/a.b:x", nil, false,
			"docker pull docker.io/u/a.b:x",
			"ctr -n k8s.io images pull docker.io/u/a.b:x && ctr -n k8s.io images tag --force docker.io/u/a.b:x gcr.io/a/b@" + sum},
		{"gcr.io/a/b@" + sum, "docker.io/u/a.b:x", nil, true, // other content must not get the name of this digest
			"docker pull docker.io/u/a.b:x",
			"ctr -n k8s.io images pull docker.io/u/a.b:x"},
		{"gcr.io/a/b:1", "docker.io/u/a.b:1", []reference.Platform{arm64}, true,
			"docker pull --platform linux/arm64 docker.io/u/a.b:1 && docker tag docker.io/u/a.b:1 gcr.io/a/b:1",
			"ctr -n k8s.io images pull --platform linux/arm64 docker.io/u/a.b:1 && ctr -n k8s.io images tag --force docker.io/u/a.b:1 gcr.io/a/b:1"},
	} {
		receipt := copied()
		if c.changed {
			receipt = changed()
		}
		all := arrivalsOf(outcome{image: request.Image{Reference: ref(t, c.source)}, platforms: c.platforms, mirror: ref(t, c.mirror), receipt: receipt})
		if len(all) != 1 {
			t.Errorf("%s: %d things to pull, want one", c.source, len(all))
			continue
		}
		got := all[0]
		if line := got.pull("docker"); line != c.docker {
			t.Errorf("%s:\n got %s\nwant %s", c.source, line, c.docker)
		}
		if line := got.ctr(); line != c.ctr {
			t.Errorf("%s:\n got %s\nwant %s", c.source, line, c.ctr)
		}
	}
}

// manifest has every spelling of three images, and names that only look alike.
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

// TestManifestsAreRewritten runs the block as it stands in the comment.
func TestManifestsAreRewritten(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell here")
	}
	if _, err := exec.LookPath("sed"); err != nil {
		t.Skip("there is no sed here")
	}
	s := scenario(t).
		step(image(t, "nginx"), "docker.io/u/docker.nginx:latest", copied()).
		step(image(t, "gcr.io/a/b:1.2"), "docker.io/u/a.b:1.2", copied()).
		step(image(t, "gcr.io/a/c@"+digest("a").String()), "docker.io/u/a.c:x", copied())
	var script []string
	for _, line := range pasted(Render(s.Input).Comment) {
		if strings.HasPrefix(line, "sed ") || strings.HasPrefix(line, "  ") {
			script = append(script, line)
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "deploy.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time changes nothing
		command := exec.Command(sh, "-ec", strings.Join(script, "\n"))
		command.Dir = dir
		if out, err := command.CombinedOutput(); err != nil {
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
