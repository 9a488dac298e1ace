package mirror

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/request"
)

// world is a source, targets and a Mirror between them.
type world struct {
	t       *testing.T
	source  *fakeregistry.Registry
	from    string // the source's host
	targets []*fakeregistry.Registry
	to      []string
	mirror  *Mirror
}

// noWait makes retries immediate.
func noWait(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// serve serves a registry under a name, for a reference has no IP address for a host.
func serve(t *testing.T, r http.Handler) string {
	server := httptest.NewServer(r)
	t.Cleanup(func() { _ = server.Config.Close() }) // net/http holds refused requests for half a second
	return strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "localhost", 1)
}

func newWorld(t *testing.T, source fakeregistry.Options, adjust func(*Options), targets ...fakeregistry.Options) *world {
	t.Helper()
	w := &world{t: t, source: fakeregistry.New(source)}
	w.from = serve(t, w.source)
	sources := []config.Source{{Host: w.from, Private: true, PlainHTTP: true}}
	var configured []config.Target
	for _, opts := range targets {
		r := fakeregistry.New(opts)
		host := serve(t, r)
		w.targets, w.to = append(w.targets, r), append(w.to, host)
		configured = append(configured, config.Target{Host: host, Private: true, PlainHTTP: true, Username: opts.Username, Password: config.NewSecret(opts.Password)})
	}
	ropts := registry.Options{UserAgent: "ferry/test", Wait: noWait}
	opts := Options{
		Sources: registry.NewSources(sources, ropts), Targets: registry.NewTargets(configured, sources, ropts),
		ImageBytes: 1 << 30, RequestBytes: 4 << 30, IndexManifests: 50,
	}
	t.Cleanup(opts.Sources.Close)
	t.Cleanup(opts.Targets.Close)
	if adjust != nil {
		adjust(&opts)
	}
	w.mirror = New(opts)
	return w
}

func parse(t *testing.T, text string) reference.Reference {
	t.Helper()
	ref, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// step copies source repository:tag to the same name in every target, under "m/".
func (w *world) step(name string, platforms ...string) plan.Step {
	w.t.Helper()
	s := plan.Step{Image: request.Image{Reference: parse(w.t, w.from+"/"+name)}}
	var chosen []reference.Platform
	for _, text := range platforms {
		p, err := reference.ParsePlatform(text)
		if err != nil {
			w.t.Fatal(err)
		}
		chosen = append(chosen, p)
	}
	for _, host := range w.to {
		s.Destinations = append(s.Destinations, plan.Destination{Mirror: parse(w.t, host+"/m/"+name), Platforms: chosen})
	}
	return s
}

func (w *world) run(steps ...plan.Step) []Result {
	return w.mirror.Run(context.Background(), steps, nil)
}

// one runs one step to one destination and wants it to succeed.
func (w *world) one(step plan.Step) *Receipt {
	w.t.Helper()
	result := w.run(step)[0]
	if result.Failure != nil {
		w.t.Fatalf("copying: %v", result.Failure)
	}
	return result.Receipt
}

func code(f *failure.Error) failure.Code {
	if f == nil {
		return ""
	}
	return f.Code
}

func TestAllPlatformsArriveUnchanged(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{Tokens: true}, nil, fakeregistry.Options{Tokens: true, Username: "u", Password: "p"})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}, Layers: []int{100_000, 30_000}, Attestations: true})
	w.source.Add("a/b", "1", img)
	receipt := w.one(w.step("a/b:1"))
	if want := fakeregistry.Digest(img.Root().Body); receipt.Digest.String() != want || receipt.SourceDigest.String() != want {
		t.Errorf("digest is %s, want %s", receipt.Digest, want)
	}
	if len(receipt.Changes) != 0 || receipt.Present {
		t.Errorf("receipt is %+v, want an exact new copy", receipt)
	}
	var platforms []string
	for _, p := range receipt.Platforms {
		platforms = append(platforms, p.String())
	}
	if want := []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}; !slices.Equal(platforms, want) {
		t.Errorf("platforms are %v, want %v", platforms, want)
	}
	for _, part := range img.Manifests {
		if _, body, ok := w.targets[0].Manifest("m/a/b", fakeregistry.Digest(part.Body)); !ok || string(body) != string(part.Body) {
			t.Errorf("manifest %s did not arrive as it was", fakeregistry.Digest(part.Body))
		}
	}
	for _, blob := range img.Blobs {
		if !w.targets[0].HasBlob("m/a/b", fakeregistry.Digest(blob)) {
			t.Errorf("blob %s did not arrive", fakeregistry.Digest(blob))
		}
	}
}

func TestCopyAgainAsksOnceEachSide(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Username: "u", Password: "p"})
	w.source.Add("a/b", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{1000}}))
	w.one(w.step("a/b:1"))
	w.source.Forget()
	w.targets[0].Forget()
	receipt := w.one(w.step("a/b:1"))
	if !receipt.Present || receipt.Sent != 0 || len(receipt.Platforms) != 2 {
		t.Errorf("receipt is %+v, want one that says present", receipt)
	}
	if s, d := len(w.source.Requests()), len(w.targets[0].Requests()); s != 1 || d != 1 {
		t.Errorf("asked the source %d and the target %d times, want once each", s, d)
	}
}

// TestSizes: the size of an index that is there already costs requests, so only
// a few images of a run have one, and only if it is wanted.
func TestSizes(t *testing.T) {
	for _, test := range []struct {
		name   string
		wanted bool
		images int
		sized  bool
	}{
		{"not wanted", false, 1, false},
		{"one image", true, 1, true},
		{"many images", true, maxSized + 1, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Sizes = test.wanted }, fakeregistry.Options{}, fakeregistry.Options{})
			var steps []plan.Step
			for i := range test.images {
				w.source.Add("a/b", strconv.Itoa(i), fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i), Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{1000}}))
				steps = append(steps, w.step("a/b:"+strconv.Itoa(i)))
			}
			first := w.run(steps...)
			w.source.Forget()
			for i, again := range w.run(steps...) {
				var want int64
				if test.sized {
					want = first[i].Receipt.Size
				}
				if got := again.Receipt; !got.Present || got.Size != want {
					t.Errorf("receipt %d is %+v, want one that says present, with the size %d", i, got, want)
				}
			}
			want := test.images
			if test.sized {
				want += 2 // the manifests of the platforms, once for both targets
			}
			if got := len(w.source.Requests()); got != want {
				t.Errorf("asked the source %d times, want %d", got, want)
			}
		})
	}
}

// steps copies r0:1, r1:1, … to every target.
func (w *world) steps(n int) []plan.Step {
	var steps []plan.Step
	for i := range n {
		steps = append(steps, w.step("r"+strconv.Itoa(i)+":1"))
	}
	return steps
}

func isManifest(path string) bool { return strings.Contains(path, "/manifests/") }

func hints(f *failure.Error) []string {
	if f == nil {
		return nil
	}
	return f.Hints
}
