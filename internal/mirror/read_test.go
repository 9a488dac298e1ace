package mirror

import (
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
)

// TestRead reads an image without copying it: all, one platform, those that exist
// of the default ones, and none of them.
func TestRead(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil)
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd, arm}, Layers: []int{500}})
	w.source.Add("a", "1", image)
	ref := parse(t, w.from+"/a:1")
	for name, test := range map[string]struct {
		platforms []string
		byDefault bool
		manifests int // 0 for a failure
	}{
		"all":             {nil, false, 3},
		"one":             {[]string{arm}, false, 1},
		"both":            {[]string{arm, amd}, false, 3},
		"a default":       {[]string{amd}, true, 1},
		"another default": {[]string{"linux/s390x"}, true, 3},
		"not there":       {[]string{"linux/s390x"}, false, 0},
	} {
		var platforms []reference.Platform
		for _, text := range test.platforms {
			p, err := reference.ParsePlatform(text)
			if err != nil {
				t.Fatal(err)
			}
			platforms = append(platforms, p)
		}
		read, err := w.mirror.Read(t.Context(), ref, platforms, test.byDefault)
		if test.manifests == 0 {
			if failure.CodeOf(err) != failure.NoPlatform {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(read.Manifests) != test.manifests || read.SourceDigest.String() != fakeregistry.Digest(image.Root().Body) {
			t.Errorf("%s: %d manifests of %s", name, len(read.Manifests), read.SourceDigest)
		}
	}
	read, err := w.mirror.Read(t.Context(), ref, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, blob := range image.Blobs {
		digest, err := v1.NewHash(fakeregistry.Digest(blob))
		if err != nil {
			t.Fatal(err)
		}
		r, err := read.Open(t.Context(), v1.Descriptor{Digest: digest, Size: int64(len(blob))})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != string(blob) {
			t.Errorf("%d bytes of %s, %v", len(got), digest, err)
		}
		r.Close()
	}
}
