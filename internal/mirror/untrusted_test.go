package mirror

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// object is a JSON object, a manifest above all.
type object map[string]any

func (o object) bytes(t testing.TB) []byte {
	t.Helper()
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func descriptor(mediaType types.MediaType, digest string, size int64) object {
	return object{"mediaType": mediaType, "digest": digest, "size": size}
}

func manifest(layers ...object) object {
	return object{"schemaVersion": 2, "mediaType": types.OCIManifestSchema1, "config": descriptor(types.OCIConfigJSON, someDigest, 2), "layers": layers}
}

func index(entries ...object) object {
	return object{"schemaVersion": 2, "mediaType": types.OCIImageIndex, "manifests": entries}
}

// TestUntrustedManifests serves what no honest registry would. Each is refused
// with a code of its own, before a byte of a blob is read and before the target
// is asked to take anything.
func TestUntrustedManifests(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("somebody followed a URL of a manifest: %s %s", r.Method, r.URL)
	}))
	defer trap.Close()
	with := func(o object, key string, value any) object {
		o[key] = value
		return o
	}
	other := func(n int, size int64) object {
		return descriptor(types.OCILayer, fmt.Sprintf("sha256:%064x", n), size)
	}
	plain := func(o object) func(*world) []byte { return func(*world) []byte { return o.bytes(t) } }
	raw := func(text string) func(*world) []byte { return func(*world) []byte { return []byte(text) } }

	for _, c := range []struct {
		name string
		body func(*world) []byte
		want failure.Code
		asks int // requests for manifests at most
	}{
		{"100 MiB of manifest", raw(`{"schemaVersion":2` + strings.Repeat(" ", 100<<20) + `}`), failure.ManifestTooLarge, 1},
		{"an index that names another type of itself", plain(with(index(), "mediaType", types.DockerManifestSchema1)), failure.Unsupported, 1},
		{"nothing", raw(""), failure.Unsupported, 2}, // what may pass is asked for again
		{"null", raw("null"), failure.Unsupported, 1},
		{"a list", raw("[]"), failure.Unsupported, 1},
		{"JSON without a bottom", raw(`{"mediaType":"` + string(types.OCIImageIndex) + `","manifests":` + strings.Repeat("[", 200_000)), failure.Unsupported, 1},
		{"an unheard-of type", plain(with(manifest(), "mediaType", "application/x-evil\r\n::error::x")), failure.Unsupported, 1},
		{"a digest of another kind", plain(manifest(descriptor(types.OCILayer, "sha512:"+strings.Repeat("0", 128), 1))), failure.Unsupported, 1},
		{"layers over the limit together", plain(manifest(other(1, 600<<20), other(2, 600<<20))), failure.TooLarge, 1},
		{"a layer held elsewhere", plain(manifest(with(other(1, 9), "urls", []string{trap.URL + "/layer"}))), failure.Unsupported, 1},
		{"a config held elsewhere", plain(with(manifest(), "config", with(descriptor(types.OCIConfigJSON, someDigest, 2), "urls", []string{trap.URL}))), failure.Unsupported, 1},
		{"a manifest held elsewhere", plain(index(with(descriptor(types.OCIManifestSchema1, someDigest, 9), "urls", []string{trap.URL}))), failure.Unsupported, 1},
		{"a child that is another one", func(w *world) []byte {
			w.source.PutManifest("f", someDigest, string(types.OCIManifestSchema1), []byte("{}"))
			w.source.Inject(fakeregistry.Fault{Match: "/manifests/" + someDigest, Times: -1, Status: http.StatusOK, Body: string(manifest().bytes(t))})
			return index(descriptor(types.OCIManifestSchema1, someDigest, 2)).bytes(t)
		}, failure.Corrupt, 3},
		// No digest can name an index that holds it, but a registry can lie.
		{"an index that holds itself", func(w *world) []byte {
			body := index(descriptor(types.OCIImageIndex, someDigest, 200)).bytes(t)
			w.source.Inject(fakeregistry.Fault{Match: "/manifests/" + someDigest, Times: -1, Status: http.StatusOK, Body: string(body)})
			return body
		}, failure.Corrupt, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			w.source.PutManifest("f", "1", "", c.body(w))
			result := w.run(w.step("f:1"))[0]
			if code(result.Failure) != c.want {
				t.Errorf("it ended as %v, want %s", result.Failure, c.want)
			}
			if n := w.source.Count("/manifests/"); n > c.asks {
				t.Errorf("%d manifests were asked for, want %d at most", n, c.asks)
			}
			if n := w.source.Count("/blobs/"); n > 0 {
				t.Errorf("%d blobs were asked for", n)
			}
			if n := w.targets[0].Count("^(POST|PUT|PATCH|DELETE) "); n > 0 {
				t.Errorf("the target was written to %d times", n)
			}
		})
	}
}

// TestBlobsOfAnotherSize: what the manifest says of a layer and what the source
// sends are two things. Nothing false may come to be under the mirror's name.
func TestBlobsOfAnotherSize(t *testing.T) {
	for _, size := range []int{0, 999, 1001, 1 << 20} {
		w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
		img := fakeregistry.Generate(fakeregistry.Spec{Seed: 3, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
		w.source.Add("f", "1", img)
		w.source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/" + fakeregistry.Digest(img.Blobs[0]), Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
			rw.Header().Set("Transfer-Encoding", "chunked") // no Content-Length, so that only the bytes tell
			rw.Write(make([]byte, size))
			return true
		}})
		result := w.run(w.step("f:1"))[0]
		if f := code(result.Failure); f != failure.Corrupt && f != failure.Network {
			t.Errorf("%d bytes for 1000: %v", size, result.Failure)
		}
		if tags := w.targets[0].Tags("m/f"); len(tags) > 0 {
			t.Errorf("%d bytes for 1000: the target has %v", size, tags)
		}
	}
}

// TestEndlessBlob sends more and more; no more is taken than the manifest says.
func TestEndlessBlob(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 3, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	w.source.Add("f", "1", img)
	var sent atomic.Int64
	w.source.Inject(fakeregistry.Fault{Match: "^GET .*/blobs/" + fakeregistry.Digest(img.Blobs[0]), Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		for chunk := make([]byte, 64<<10); ; {
			n, err := rw.Write(chunk)
			if sent.Add(int64(n)); err != nil {
				return true
			}
		}
	}})
	if result := w.run(w.step("f:1"))[0]; code(result.Failure) != failure.Corrupt {
		t.Errorf("it ended as %v, want corrupt", result.Failure)
	}
	// What the kernel's buffers hold is sent in vain, a few times.
	if n := sent.Load(); n > 256<<20 {
		t.Errorf("the source got rid of %d bytes", n)
	}
}

// TestRequestBytes asks for two images of which only one is within the limit on
// a request. The other is refused before any of it moves.
func TestRequestBytes(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.RequestBytes = 250_000 }, fakeregistry.Options{}, fakeregistry.Options{})
	images := map[string]*fakeregistry.Image{}
	for i, name := range []string{"r0", "r1"} {
		images[name] = fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i + 1), Platforms: []string{"linux/amd64"}, Layers: []int{100_000}, Shared: []int{100_000}, Base: 5})
		w.source.Add(name, "1", images[name])
	}
	var refused string
	for _, result := range w.run(w.steps(2)...) {
		path := result.Image.Reference.Repository().Path()
		if result.Failure == nil {
			continue
		}
		if code(result.Failure) != failure.TooLarge || !slices.Equal(hints(result.Failure), []string{"250000"}) {
			t.Errorf("%s: %v, hints %v", path, result.Failure, hints(result.Failure))
		}
		if refused != "" && refused != path {
			t.Error("both were refused")
		}
		refused = path
	}
	if refused == "" {
		t.Fatal("nothing was refused")
	}
	own := fakeregistry.Digest(images[refused].Blobs[slices.IndexFunc(images[refused].Blobs, func(b []byte) bool {
		return len(b) == 100_000 && !slices.ContainsFunc(images["r0"].Blobs, func(o []byte) bool { return refused == "r1" && string(o) == string(b) }) &&
			!slices.ContainsFunc(images["r1"].Blobs, func(o []byte) bool { return refused == "r0" && string(o) == string(b) })
	})])
	if n := w.source.Count("/blobs/" + own); n > 0 {
		t.Error("a blob of what was refused has moved")
	}

	// What they share counts once, and so does what goes to two targets.
	w = newWorld(t, fakeregistry.Options{}, func(o *Options) { o.RequestBytes = 305_000 }, fakeregistry.Options{}, fakeregistry.Options{})
	for name, img := range images {
		w.source.Add(name, "1", img)
	}
	for _, result := range w.run(w.steps(2)...) {
		if result.Failure != nil {
			t.Error(result.Failure)
		}
	}
	// The next request has a budget of its own.
	w.source.Add("r2", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{"linux/amd64"}, Layers: []int{300_000}}))
	if result := w.run(w.step("r2:1"))[0]; result.Failure != nil {
		t.Error(result.Failure)
	}
}

// TestReferrersAreBounded hangs a crowd of artifacts on an image. It arrives,
// and the crowd stays away.
func TestReferrersAreBounded(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Referrers = true }, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 3, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	w.source.Add("f", "1", img)
	for i := range 200 {
		w.source.Add("f", "", fakeregistry.Signature(img.Root(), uint64(i)))
	}
	receipt := w.one(w.step("f:1"))
	if receipt.Digest.String() != fakeregistry.Digest(img.Root().Body) || !slices.Contains(receipt.Changes, ReferrersOverLimit) {
		t.Errorf("receipt %+v", receipt)
	}
	if n := w.source.Count("^GET .*/manifests/sha256:"); n > 10 {
		t.Errorf("%d manifests were read", n)
	}
}

// TestGreedyReferrerIsLeftBehind: what refers to an image has to be within the
// limit on the request, too.
func TestGreedyReferrerIsLeftBehind(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Referrers, o.RequestBytes = true, 1<<20 }, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 3, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	w.source.Add("f", "1", img)
	const huge = "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
	greedy := manifest(descriptor("application/x-attestation", huge, 1<<29))
	greedy["subject"] = descriptor(types.OCIManifestSchema1, fakeregistry.Digest(img.Root().Body), int64(len(img.Root().Body)))
	w.source.PutManifest("f", fakeregistry.Digest(greedy.bytes(t)), string(types.OCIManifestSchema1), greedy.bytes(t))
	if receipt := w.one(w.step("f:1")); !slices.Contains(receipt.Changes, ReferrersOverLimit) {
		t.Errorf("receipt %+v", receipt)
	}
	if n := w.source.Count("/blobs/" + huge); n > 0 {
		t.Error("its blob was asked for")
	}
}

// FuzzManifest reads a manifest, as far as that goes without asking anybody,
// and does everything with it that is done with one.
func FuzzManifest(f *testing.F) {
	f.Add(string(types.OCIManifestSchema1), manifest(descriptor(types.OCILayer, someDigest, 7)).bytes(f))
	f.Add("", index(descriptor(types.OCIManifestSchema1, someDigest, 7)).bytes(f))
	f.Add("", []byte(`{"schemaVersion":2,"config":{},"layers":[{"digest":"sha256:0","size":-1}]}`))
	f.Add("", []byte(`{"schemaVersion":1}`))
	f.Add(string(types.DockerManifestList), []byte(`{"manifests":[{"platform":{"os":"linux","architecture":"arm64","variant":"v8"}},{"platform":null}]}`))
	f.Add("text/html", []byte("null"))
	f.Fuzz(func(t *testing.T, mediaType string, body []byte) {
		m := registry.NewManifest(types.MediaType(mediaType), body)
		infer(m)
		if platforms, size := glance(m); size < 0 && len(platforms) > 0 {
			t.Errorf("a size of %d", size)
		}
		g := &grower{limit: 10, sizes: map[v1.Hash]int64{}}
		leaf := &node{manifest: m}
		if g.image(leaf) != nil {
			return
		}
		for _, b := range leaf.blobs {
			if b.Size < 0 || b.Digest.Algorithm != "sha256" || len(b.Digest.Hex) != 64 || len(b.URLs) > 0 {
				t.Errorf("blob %+v was let through", b)
			}
		}
		if leaf.within(1<<30) == nil && newBudget(1<<30, nil).take(leaf) != nil {
			t.Error("an image within the limit is over the budget of the same size")
		}
		root := &node{manifest: registry.NewManifest(types.OCIImageIndex, index().bytes(t)), children: []*node{leaf}}
		leaf.entry.Platform = leaf.config.Platform
		next := root.offers(nil, "1")
		for o, ok := next(); ok; o, ok = next() {
			if !json.Valid(o.node.manifest.Body) {
				t.Errorf("the form %d is no JSON: %q", o.form, o.node.manifest.Body)
			}
		}
		if _, err := root.choose([]reference.Platform{mainPlatform}, false); err != nil && failure.CodeOf(err) == "" {
			t.Errorf("choosing: %v", err)
		}
	})
}

// TestManifestsAreBounded lists large manifests, which would fill the memory if
// each were fetched, parsed and kept as often as it is listed.
func TestManifestsAreBounded(t *testing.T) {
	wide := func(seed, layers int) []byte {
		var list []object
		for i := range layers {
			list = append(list, descriptor(types.OCILayer, fmt.Sprintf("sha256:%032x%032x", seed, i), 1))
		}
		return manifest(list...).bytes(t)
	}
	for _, c := range []struct {
		name  string
		build func(*world) []byte
		want  failure.Code
		asks  int
	}{
		{"one manifest, listed forty times", func(w *world) []byte {
			body := wide(0, 20_000)
			w.source.PutManifest("f", "", string(types.OCIManifestSchema1), body)
			return index(slices.Repeat([]object{descriptor(types.OCIManifestSchema1, fakeregistry.Digest(body), int64(len(body)))}, 40)...).bytes(t)
		}, failure.NotFound, 2}, // there are no such layers
		{"forty manifests", func(w *world) []byte {
			var entries []object
			for seed := range 40 {
				body := wide(seed, 2_000)
				w.source.PutManifest("f", "", string(types.OCIManifestSchema1), body)
				entries = append(entries, descriptor(types.OCIManifestSchema1, fakeregistry.Digest(body), int64(len(body))))
			}
			return index(entries...).bytes(t)
		}, failure.TooLarge, 41},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			w.source.PutManifest("f", "1", "", c.build(w))
			if result := w.run(w.step("f:1"))[0]; code(result.Failure) != c.want {
				t.Errorf("it ended as %v, want %s", result.Failure, c.want)
			}
			if n := w.source.Count("/manifests/"); n > c.asks {
				t.Errorf("%d manifests were asked for, want %d at most", n, c.asks)
			}
			if w.mirror.turn <- struct{}{}; len(w.mirror.turn) != 1 {
				t.Error("the turn was not given back")
			}
		})
	}
}
