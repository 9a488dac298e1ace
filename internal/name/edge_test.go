package name_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
)

var update = flag.Bool("update", false, "write edge/test/names.json anew")

// edgeScheme is a target with the names of sources, below the namespace; empty
// for a tag that cannot be given.
type edgeScheme struct {
	Target  string            `json:"target"`
	Profile name.Profile      `json:"profile"`
	Labels  map[string]string `json:"labels,omitempty"`
	Names   map[string]string `json:"names"`
}

// TestEdge writes names to a file that the tests of the Worker in edge/ compare
// with its own code, and checks that the file is up to date.
func TestEdge(t *testing.T) {
	const file = "../../edge/test/names.json"
	owners := map[string]string{"registry.k8s.io": "k8s", "quay.io": "redhat", "reg.corp.example:5000": "corp", "docker.n8n.io": "n8n"}
	var schemes []edgeScheme
	for _, p := range places {
		for _, profile := range p.profiles {
			schemes = append(schemes, edgeScheme{Target: p.target, Profile: profile})
		}
	}
	schemes = append(schemes,
		edgeScheme{Target: "docker.io/user", Profile: name.Flat, Labels: owners},
		edgeScheme{Target: "harbor.example.com/team/mirror", Profile: name.Flat, Labels: owners})
	random := rand.New(rand.NewPCG(22, 2026))
	cases := 0
	for i, s := range schemes {
		scheme := scheme(t, s.Target, s.Profile, s.Labels)
		schemes[i].Names = map[string]string{}
		for _, src := range edgeSources(t, random) {
			n, err := scheme.Mirror(src)
			below, _ := strings.CutPrefix(n.Reference.String(), s.Target+"/")
			if err != nil {
				below = ""
			}
			schemes[i].Names[src.String()] = below
			cases++
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(schemes); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if old, err := os.ReadFile(file); err != nil || !bytes.Equal(old, b.Bytes()) {
		t.Errorf("%s is not what names are (%v): go test ./internal/name -update", file, err)
	}
	if cases < 3000 {
		t.Errorf("%s has %d names only", file, cases)
	}
}

// edgeSources draws the repositories and tags of the property tests: of all
// lengths, with words that look like other things, and with special tags.
func edgeSources(t *testing.T, random *rand.Rand) []reference.Reference {
	t.Helper()
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	tags := []string{
		"1", "latest", "V1.2_3-x", "digest-" + digest, "digest-" + digest + "_", "digest-" + strings.Repeat("a", 103),
		"digest-" + digest + strings.Repeat("_", reference.MaxTag-len("digest-")-64), "sha256-" + digest + ".sig", "sha256-" + digest,
	}
	var sources []reference.Reference
	add := func(r reference.Repository, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		tag := tags[0]
		if random.IntN(4) == 0 {
			tag = pick(tags)
		}
		src, err := r.Tagged(tag)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, src)
	}
	for _, host := range hosts {
		add(reference.NewRepository(host, pick(words)))
		add(reference.NewRepository(host, pick(words)+"/"+pick(words)))
		add(reference.NewRepository(host, pick(words)+"/"+pick(words)+"/"+pick(words)))
	}
	for _, repository := range []string{
		"gcr.io/google-containers/pause", "registry.k8s.io/pause", "docker.io/library/nginx", "docker.io/library/a/b", "mcr.microsoft.com/a/b",
		"reg.corp.example:5000/a/b", "k8s.gcr.io:5000/a", "quay.io:443/a/b", "localhost/a/b", "gcr.io/google.com/cloudsdktool/cloud-sdk",
		"gcr.io/tekton-releases/github.com/tektoncd/pipeline/cmd/git-init", "docker.n8n.io/n8nio/n8n", "ghcr.io/dexidp/dex",
	} {
		host, path, _ := strings.Cut(repository, "/")
		add(reference.NewRepository(host, path))
	}
	for range 60 {
		add(generate(random), nil)
	}
	return sources
}
