package e2e

import (
	"regexp"
	"runtime"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// platforms are what every pushed image has: the one of this machine, so that
// its clients can pull it, and another.
var platforms = []v1.Platform{
	{OS: "linux", Architecture: runtime.GOARCH},
	{OS: "linux", Architecture: "s390x"},
}

// push pushes a generated image for all platforms and gives its digest.
func push(t *testing.T, reference string, options ...remote.Option) v1.Hash {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range platforms {
		image, err := random.Image(100_000, 3)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config.OS, config.Architecture = platform.OS, platform.Architecture
		if image, err = mutate.ConfigFile(image, config); err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	if err := remote.WriteIndex(parse(t, reference), index, options...); err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// mustHold checks that a registry holds an image by its digest and with all
// its layers, as the owner sees it.
func mustHold(t *testing.T, reference string, digest v1.Hash) {
	t.Helper()
	index, err := remote.Index(parse(t, reference), remote.WithAuth(&authn.Basic{Username: owner.Username, Password: owner.Password}))
	if err != nil {
		t.Fatal(err)
	}
	got, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got != digest {
		t.Errorf("%s has digest %s, want %s", reference, got, digest)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != len(platforms) {
		t.Errorf("%s has %d platforms, want %d", reference, len(manifest.Manifests), len(platforms))
	}
	for _, m := range manifest.Manifests {
		image, err := index.Image(m.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(image); err != nil {
			t.Errorf("%s for %s: %v", reference, m.Platform, err)
		}
	}
}

func parse(t *testing.T, reference string) name.Reference {
	t.Helper()
	parsed, err := name.ParseReference(reference, name.StrictValidation)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// fence matches one block of code in Markdown.
var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// commands are the blocks of an answer that hold shell commands.
func commands(t *testing.T, answer string) []string {
	t.Helper()
	var scripts []string
	for _, block := range fence.FindAllStringSubmatch(answer, -1) {
		if block[1] == "sh" || block[1] == "bash" || block[1] == "shell" {
			scripts = append(scripts, block[2])
		}
	}
	if len(scripts) == 0 {
		t.Fatalf("the answer has no commands:\n%s", answer)
	}
	return scripts
}

// mustLack checks that a registry has no such image.
func mustLack(t *testing.T, reference string) {
	t.Helper()
	if _, err := remote.Head(parse(t, reference)); err == nil {
		t.Errorf("%s is there, and must not be", reference)
	}
}
