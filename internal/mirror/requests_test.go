package mirror

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/request"
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

// TestPullsAtTheTarget: Docker Hub counts manifests that are fetched, so a target
// there is asked for digests.
func TestPullsAtTheTarget(t *testing.T) {
	source, hub := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
	from, to := serve(t, source), serve(t, hub)
	sources := []config.Source{{Host: from, Private: true, PlainHTTP: true}}
	opts := registry.Options{Wait: noWait, Network: outbound.Options{At: map[string]string{"registry-1.docker.io:80": strings.Replace(to, "localhost", "127.0.0.1", 1)}}}
	m := New(Options{
		Sources:    registry.NewSources(sources, opts),
		Targets:    registry.NewTargets([]config.Target{{Host: "docker.io", Private: true, PlainHTTP: true}}, sources, opts),
		ImageBytes: 1 << 30, RequestBytes: 4 << 30, IndexManifests: 50,
	})
	t.Cleanup(m.Close)
	img := func(seed uint64) *fakeregistry.Image {
		return fakeregistry.Generate(fakeregistry.Spec{Seed: seed, Platforms: []string{amd, arm}, Layers: []int{100}})
	}
	step := plan.Step{
		Image:        request.Image{Reference: parse(t, from+"/a/b:1")},
		Destinations: []plan.Destination{{Mirror: parse(t, "docker.io/u/a.b:1")}},
	}
	for _, c := range []struct {
		name  string
		seed  uint64
		pulls int
	}{
		{"nothing there", 1, 0},
		{"the same there", 1, 0},
		{"something else there", 2, 1},
	} {
		source.Add("a/b", "1", img(c.seed))
		hub.Forget()
		r := m.Run(t.Context(), []plan.Step{step}, nil)[0]
		if r.Failure != nil || len(r.Receipt.Platforms) != 2 {
			t.Fatalf("%s: %v, %+v", c.name, r.Failure, r.Receipt)
		}
		if n := hub.Count("^GET .*/manifests/"); n > c.pulls {
			t.Errorf("%s: %d manifests were fetched, want %d at most", c.name, n, c.pulls)
		}
	}
}

// TestSizesOfDockerHub: the size of an index that is there already is read at the
// target, since Docker Hub counts manifests that are fetched.
func TestSizesOfDockerHub(t *testing.T) {
	hub, target := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
	from, to := serve(t, hub), serve(t, target)
	opts := registry.Options{Wait: noWait, Network: outbound.Options{At: map[string]string{"registry-1.docker.io:80": strings.Replace(from, "localhost", "127.0.0.1", 1)}}}
	sources := []config.Source{{Host: "docker.io", Private: true, PlainHTTP: true}}
	m := New(Options{
		Sources:    registry.NewSources(sources, opts),
		Targets:    registry.NewTargets([]config.Target{{Host: to, Private: true, PlainHTTP: true}}, sources, opts),
		ImageBytes: 1 << 30, RequestBytes: 4 << 30, IndexManifests: 50, Sizes: true,
	})
	t.Cleanup(m.Close)
	hub.Add("a/b", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{amd, arm}, Layers: []int{100}}))
	step := plan.Step{
		Image:        request.Image{Reference: parse(t, "docker.io/a/b:1")},
		Destinations: []plan.Destination{{Mirror: parse(t, to+"/u/a.b:1")}},
	}
	first := m.Run(t.Context(), []plan.Step{step}, nil)[0].Receipt
	hub.Forget()
	again := m.Run(t.Context(), []plan.Step{step}, nil)[0].Receipt
	if first == nil || again == nil || !again.Present || again.Size != first.Size || first.Size == 0 {
		t.Errorf("%+v, want one that says present, with the size of %+v", again, first)
	}
	if n := hub.Count("^GET .*/manifests/"); n > 0 {
		t.Errorf("%d manifests of Docker Hub were fetched", n)
	}
}

// TestRequestsForTokens: a token is for as many images as the servers allow, which
// is learned.
func TestRequestsForTokens(t *testing.T) {
	const images = 80
	for _, c := range []struct {
		name   string
		refuse func(*http.Request) int // the status
		most   int                     // tokens at the target
	}{
		{"no limit", func(*http.Request) int { return 0 }, 2},
		{"a limit on the request", func(r *http.Request) int {
			if len(r.URL.RawQuery) > 1000 {
				return http.StatusRequestURITooLong
			}
			return 0
		}, 18},
		{"a limit on the header", func(r *http.Request) int {
			if len(r.Header.Get("Authorization")) > 800 {
				return http.StatusRequestHeaderFieldsTooLarge
			}
			return 0
		}, 18},
		{"one repository is forbidden", func(r *http.Request) int {
			if r.URL.Path == "/token" && strings.Contains(r.URL.RawQuery, "r7%3A") && strings.Contains(r.URL.RawQuery, "r8%3A") {
				return http.StatusForbidden
			}
			return 0
		}, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Tokens: true, Username: "u", Password: "p"})
			w.targets[0].Behave(func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					if status := c.refuse(r); status != 0 {
						rw.WriteHeader(status)
						return
					}
					next.ServeHTTP(rw, r)
				})
			})
			for i := range images {
				w.source.Add(fmt.Sprintf("r%d", i), "1", fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i), Platforms: []string{amd}, Layers: []int{100}}))
			}
			for _, r := range w.run(w.steps(images)...) {
				if r.Failure != nil {
					t.Fatal(r.Failure)
				}
			}
			if n := w.targets[0].Count("^GET /token"); n > c.most {
				t.Errorf("%d tokens were asked for, want %d at most", n, c.most)
			}
		})
	}
}

// TestRefusedDataIsSentInTheSameSession: a target that takes data by PATCH only
// is not asked for another session.
func TestRefusedDataIsSentInTheSameSession(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.targets[0].Behave(fakeregistry.Intercept("^PUT .*/blobs/uploads/", func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.ContentLength != 0 {
			rw.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(rw, r)
	}))
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd}, Layers: []int{100_000, 70_000, 1000}})
	w.source.Add("a/b", "1", img)
	w.one(w.step("a/b:1"))
	if posts, deletes := w.targets[0].Count("^POST .*/blobs/uploads/"), w.targets[0].Count("^DELETE "); posts != len(img.Blobs) || deletes != 0 {
		t.Errorf("%d sessions for %d blobs, %d given up", posts, len(img.Blobs), deletes)
	}
}

// TestManifestsWhileTheTargetIsAsked has a target answer only after the manifests
// of an index have been requested, where they are read in any case.
func TestManifestsWhileTheTargetIsAsked(t *testing.T) {
	const parts = "^GET .*/manifests/sha256:"
	w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Sizes = true }, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 3, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{100}})
	w.source.Add("a", "1", img)
	w.targets[0].Inject(fakeregistry.Fault{Match: "^(GET|HEAD) .*/manifests/1$", Times: 1, Do: func(_ http.ResponseWriter, r *http.Request) bool {
		for w.source.Count(parts) < 2 && r.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return false
	}})
	w.one(w.step("a:1"))
	if n := w.source.Count(parts); n != 2 {
		t.Errorf("%d requests for the parts, want 2", n)
	}
	var steps []plan.Step
	for i := range maxSized + 1 {
		w.source.Add("a", fmt.Sprint(2+i), img)
		steps = append(steps, w.step(fmt.Sprintf("a:%d", 2+i)))
	}
	w.run(steps...)
	before := w.source.Count(parts)
	if w.run(steps...); w.source.Count(parts) != before {
		t.Errorf("%d requests for parts of images that the target has", w.source.Count(parts)-before)
	}
}
