package mirror

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
)

// TestVerification: an image that the owner does not want goes nowhere, one that
// is marked says so, and each is verified once, by its digest.
func TestVerification(t *testing.T) {
	var asked atomic.Int32
	w := newWorld(t, fakeregistry.Options{}, func(o *Options) {
		o.Verify = func(_ context.Context, ref reference.Reference) (Change, error) {
			asked.Add(1)
			switch {
			case !ref.HasDigest() || ref.Tag() != "":
				t.Errorf("%s is verified", ref)
			case strings.Contains(ref.String(), "evil"):
				return "", &failure.Error{Code: failure.Unverified}
			case strings.Contains(ref.String(), "marked"):
				return Unsigned, nil
			}
			return "", nil
		}
	}, fakeregistry.Options{}, fakeregistry.Options{})
	for i, name := range []string{"good", "evil", "marked"} {
		w.source.Add(name, "1", fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i), Platforms: []string{"linux/amd64"}, Layers: []int{1000}}))
	}
	for range 2 { // the second time it is there already
		asked.Store(0)
		for _, r := range w.run(w.step("good:1"), w.step("evil:1"), w.step("marked:1")) {
			evil, marked := strings.Contains(r.Image.Reference.String(), "evil"), strings.Contains(r.Image.Reference.String(), "marked")
			if evil != (code(r.Failure) == failure.Unverified) || !evil && (r.Receipt == nil || slices.Contains(r.Receipt.Changes, Unsigned) != marked) {
				t.Errorf("%s: %+v, %v", r.Image.Reference, r.Receipt, r.Failure)
			}
		}
		if n := asked.Load(); n != 3 {
			t.Errorf("%d verifications", n)
		}
	}
}
