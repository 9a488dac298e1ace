package mirror

import (
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
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
		read, err := w.mirror.Read(t.Context(), ref, platforms, test.byDefault, false)
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
	read, err := w.mirror.Read(t.Context(), ref, nil, false, false)
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

// TestPrepare checks that a prepared plan is read and refused as a run would, and that
// nothing is written.
func TestPrepare(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.RequestBytes = 300_000 }, fakeregistry.Options{})
	for i, name := range []string{"a/old", "a/new", "a/moved", "a/part"} {
		w.source.Add(name, "1", fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i), Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{50_000}}))
	}
	w.source.Add("a/large", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{"linux/amd64"}, Layers: []int{250_000}}))
	w.run(w.step("a/old:1"), w.step("a/moved:1"))
	before := w.one(w.step("a/moved:1")).Digest
	w.source.Add("a/moved", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 8, Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	w.targets[0].Forget()
	got := w.mirror.Prepare(t.Context(), plan.Plan{
		Steps: []plan.Step{w.step("a/old:1"), w.step("a/new:1"), w.step("a/moved:1"), w.step("a/none:1"), w.step("a/part:1", "linux/arm64")},
		Quota: &plan.Quota{Bytes: 1 << 30, Repositories: 5, MaxRepositories: 5},
	})
	if n := w.targets[0].Count("^(PUT|POST|PATCH)"); n > 0 {
		t.Errorf("%d requests write", n)
	}
	if r := got[0]; r.Receipt == nil || !r.Receipt.Present || r.Content != nil {
		t.Errorf("what is there: %+v", r)
	}
	if r := got[1]; r.Receipt != nil || r.Failure != nil || r.Content == nil || len(r.Content.Manifests) != 3 || len(r.Content.Blobs) != 4 || !r.NewRepository || r.Before != (v1.Hash{}) {
		t.Errorf("what is new: %+v", r)
	}
	if r := got[2]; r.Content == nil || r.Before != before || r.NewRepository {
		t.Errorf("what has moved: %+v, want %s before", r, before)
	}
	if r := got[3]; code(r.Failure) != failure.NotFound {
		t.Errorf("what does not exist: %+v", r)
	}
	if r := got[4]; r.Content == nil || len(r.Content.Manifests) != 1 {
		t.Errorf("one platform: %+v", r)
	}
	over := w.mirror.Prepare(t.Context(), plan.Plan{Steps: []plan.Step{w.step("a/new:1"), w.step("a/large:1")}})
	if (over[0].Failure == nil) == (over[1].Failure == nil) {
		t.Errorf("of two images over the limit, want one refused: %v, %v", over[0].Failure, over[1].Failure)
	}
}
