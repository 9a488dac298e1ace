package mirror

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
)

// extras matches the requests that look for signatures and their like.
const extras = "^GET .*(/referrers/|/manifests/sha256-|/tags/list)"

// TestRequestsForSignatures: what nothing suggests is not asked for.
func TestRequestsForSignatures(t *testing.T) {
	five := []string{"linux/amd64", "linux/arm64", "linux/arm/v7", "linux/s390x", "linux/ppc64le"}
	tagOf := func(p fakeregistry.Part, suffix string) string {
		return strings.Replace(fakeregistry.Digest(p.Body), ":", "-", 1) + suffix
	}
	for _, c := range []struct {
		name      string
		source    fakeregistry.Options
		platforms []string
		images    int // in one repository
		signed    bool
		most      int
		referrers int
	}{
		{"one platform", fakeregistry.Options{}, five[:1], 1, false, 2, 0},
		{"five platforms", fakeregistry.Options{}, five, 1, false, 2, 0},
		{"five platforms, no API", fakeregistry.Options{NoReferrers: true}, five, 1, false, 2, 0},
		{"ten images of a repository", fakeregistry.Options{}, five, 10, false, 11, 0},
		{"ten images of a repository, no API", fakeregistry.Options{NoReferrers: true}, five, 10, false, 11, 0},
		{"a signature by the API", fakeregistry.Options{}, five, 1, true, 9, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.source, func(o *Options) { o.Referrers = true }, fakeregistry.Options{})
			var steps []plan.Step
			for i := range c.images {
				img := fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i), Platforms: c.platforms, Layers: []int{100}})
				w.source.Add("a", fmt.Sprint(i), img)
				steps = append(steps, w.step(fmt.Sprintf("a:%d", i)))
				if c.signed {
					w.source.Add("a", tagOf(img.Root(), ".sig"), fakeregistry.Signature(img.Root(), 1))
				}
			}
			for _, r := range w.run(steps...) {
				if r.Failure != nil || r.Receipt.Referrers != c.referrers || r.Receipt.Changes != nil {
					t.Fatalf("%v, %+v", r.Failure, r.Receipt)
				}
			}
			if n := w.source.Count(extras); n > c.most {
				t.Errorf("%d requests for signatures, want %d at most", n, c.most)
			}
		})
	}
}
