package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
)

const (
	ociManifest = "application/vnd.oci.image.manifest.v1+json"
	ociConfig   = "application/vnd.oci.image.config.v1+json"
	ociLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// entry is a descriptor as a hostile registry writes it.
type entry map[string]any

func described(mediaType string, body []byte) entry {
	return entry{"mediaType": mediaType, "digest": fakeregistry.Digest(body), "size": len(body)}
}

func document(t *testing.T, fields map[string]any) []byte {
	t.Helper()
	fields["schemaVersion"] = 2
	body, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestHostileImages offers manifests that are not what they should be. Not one
// of them may leave a tag, and none may move a blob.
func TestHostileImages(t *testing.T) {
	config := []byte(`{"os":"linux","architecture":"amd64"}`)
	image := func(t *testing.T, layers ...entry) []byte {
		return document(t, map[string]any{"mediaType": ociManifest, "config": described(ociConfig, config), "layers": layers})
	}
	layer := described(ociLayer, []byte("layer"))
	with := func(e entry, key string, value any) entry {
		changed := entry{key: value}
		for k, v := range e {
			if k != key {
				changed[k] = v
			}
		}
		return changed
	}
	cases := []struct {
		name      string
		mediaType string
		body      func(t *testing.T, w *world) []byte
		want      failure.Code
	}{
		{"schema 1", "application/vnd.docker.distribution.manifest.v1+prettyjws", func(*testing.T, *world) []byte { return []byte(`{"schemaVersion":1,"name":"a"}`) }, failure.Unsupported},
		{"schema 1 without a type", "application/json", func(*testing.T, *world) []byte { return []byte(`{"schemaVersion":1,"name":"a"}`) }, failure.Unsupported},
		{"a web page", "text/html", func(*testing.T, *world) []byte { return []byte(`<html>`) }, failure.WebPage},
		{"an unknown type", "application/vnd.evil+json", func(*testing.T, *world) []byte { return []byte(`{}`) }, failure.Unsupported},
		{"broken JSON", ociManifest, func(*testing.T, *world) []byte { return []byte(`{"schemaVersion":2,`) }, failure.Unsupported},
		{"no config", ociManifest, func(*testing.T, *world) []byte { return []byte(`{"schemaVersion":2}`) }, failure.Unsupported},
		{"a digest that is a path", ociManifest, func(t *testing.T, _ *world) []byte {
			return image(t, with(layer, "digest", "sha256:../../../etc/passwd"))
		}, failure.Unsupported},
		{"a negative size", ociManifest, func(t *testing.T, _ *world) []byte { return image(t, with(layer, "size", -1)) }, failure.Unsupported},
		{"two sizes for one blob", ociManifest, func(t *testing.T, _ *world) []byte { return image(t, layer, with(layer, "size", 7)) }, failure.Corrupt},
		{"a layer held elsewhere", ociManifest, func(t *testing.T, _ *world) []byte {
			return image(t, with(layer, "urls", []string{"http://169.254.169.254/"}))
		}, failure.Unsupported},
		{"a foreign layer", ociManifest, func(t *testing.T, _ *world) []byte {
			return image(t, with(layer, "mediaType", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"))
		}, failure.Unsupported},
		{"a layer over the limit", ociManifest, func(t *testing.T, _ *world) []byte { return image(t, with(layer, "size", 2<<30)) }, failure.TooLarge},
		{"layers that overflow", ociManifest, func(t *testing.T, _ *world) []byte {
			return image(t, with(layer, "size", int64(1)<<62), with(described(ociLayer, []byte("b")), "size", int64(1)<<62))
		}, failure.TooLarge},
		{"an index bomb", ociIndex, func(t *testing.T, _ *world) []byte {
			var entries []entry
			for i := range 10_000 {
				entries = append(entries, described(ociManifest, []byte(strconv.Itoa(i))))
			}
			return document(t, map[string]any{"mediaType": ociIndex, "manifests": entries})
		}, failure.TooLarge},
		{"indexes without an end", ociIndex, func(t *testing.T, w *world) []byte {
			body := document(t, map[string]any{"mediaType": ociIndex, "manifests": []entry{}})
			for range 10 {
				w.source.PutManifest("h", fakeregistry.Digest(body), ociIndex, body)
				body = document(t, map[string]any{"mediaType": ociIndex, "manifests": []entry{described(ociIndex, body)}})
			}
			return body
		}, failure.Unsupported},
		{"an index of indexes that multiply", ociIndex, func(t *testing.T, w *world) []byte {
			body := image(t, layer)
			w.source.PutManifest("h", "", ociManifest, body)
			mediaType := ociManifest
			for range 2 {
				var entries []entry
				for range 40 {
					entries = append(entries, described(mediaType, body))
				}
				body, mediaType = document(t, map[string]any{"mediaType": ociIndex, "manifests": entries}), ociIndex
				w.source.PutManifest("h", "", ociIndex, body)
			}
			return body
		}, failure.TooLarge},
		{"a child that is missing", ociIndex, func(t *testing.T, _ *world) []byte {
			return document(t, map[string]any{"mediaType": ociIndex, "manifests": []entry{described(ociManifest, []byte("nowhere"))}})
		}, failure.NotFound},
		{"a child of another size", ociIndex, func(t *testing.T, w *world) []byte {
			child := image(t)
			w.source.PutManifest("h", "", ociManifest, child)
			return document(t, map[string]any{"mediaType": ociIndex, "manifests": []entry{with(described(ociManifest, child), "size", 3)}})
		}, failure.Corrupt},
		{"a child of gigabytes", ociIndex, func(t *testing.T, _ *world) []byte {
			return document(t, map[string]any{"mediaType": ociIndex, "manifests": []entry{with(described(ociManifest, []byte("x")), "size", int64(5)<<30)}})
		}, failure.ManifestTooLarge},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			w.source.PutManifest("h", "1", c.mediaType, c.body(t, w))
			err := w.run(w.step("h:1"))[0].Failure
			if code(err) != c.want {
				t.Errorf("error is %v, want %s", err, c.want)
			}
			if n := w.source.Count("/blobs/"); n > 0 {
				t.Errorf("%d blobs were asked for", n)
			}
			if n := w.targets[0].Count("^(PUT|POST|PATCH) "); n > 0 {
				t.Errorf("%d things were written", n)
			}
		})
	}
}

func TestMissingBlobIsSaid(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{1000, 2000}})
	w.source.Add("h", "1", &fakeregistry.Image{Manifests: img.Manifests, Blobs: img.Blobs[1:]})
	err := w.run(w.step("h:1"))[0].Failure
	if code(err) != failure.NotFound || !strings.Contains(err.Error(), "reading blob (source)") {
		t.Errorf("error is %v, want the step and the side", err)
	}
	if tags := w.targets[0].Tags("m/h"); len(tags) > 0 {
		t.Errorf("tags are %v", tags)
	}
}

func TestHostsThatTheOwnerDidNotName(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	step := w.step("a:1")
	step.Image.Reference = parse(t, "elsewhere.example/a:1")
	if err := w.run(step)[0].Failure; code(err) != failure.HostNotAllowed {
		t.Errorf("error is %v", err)
	}
	step = w.step("a:1")
	step.Destinations[0].Mirror = parse(t, "elsewhere.example/a:1")
	if err := w.run(step)[0].Failure; code(err) != failure.HostNotAllowed {
		t.Errorf("error is %v", err)
	}
}

// TestAnyOrderOfFaults copies several images to two targets under faults drawn
// at random, and wants everything there, each blob taken by each target once.
func TestAnyOrderOfFaults(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 0))
			w := newWorld(t, fakeregistry.Options{Tokens: r.IntN(2) == 0}, nil,
				fakeregistry.Options{Tokens: true, OneScope: r.IntN(2) == 0, Username: "u", Password: "p", NoMount: r.IntN(3) == 0},
				fakeregistry.Options{Username: "u", Password: "p"})
			const images = 4
			blobs := map[string]bool{}
			for i := range images {
				img := fakeregistry.Generate(fakeregistry.Spec{
					Seed: seed<<8 | uint64(i), Base: seed, Platforms: []string{"linux/amd64", "linux/arm64"}[:1+r.IntN(2)],
					Shared: []int{r.IntN(400_000), r.IntN(1000)}, Layers: []int{r.IntN(900_000), r.IntN(2)}, Attestations: r.IntN(2) == 0, Docker: r.IntN(2) == 0,
				})
				w.source.Add(fmt.Sprintf("r%d", i), "1", img)
				for _, b := range img.Blobs {
					blobs[fakeregistry.Digest(b)] = true
				}
			}
			for range 8 {
				fault := fakeregistry.Fault{Match: []string{"/blobs/", "/manifests/", "^PUT ", "^POST ", "^GET ", "/token"}[r.IntN(6)], Times: 1 + r.IntN(3)}
				switch r.IntN(3) {
				case 0:
					fault.Status = []int{429, 500, 502, 503, 408}[r.IntN(5)]
				case 1:
					fault.CutResponse = 1 + r.Int64N(300_000)
				case 2:
					fault.CutRequest = 1 + r.Int64N(300_000)
				}
				append([]*fakeregistry.Registry{w.source}, w.targets...)[r.IntN(3)].Inject(fault)
			}
			for _, result := range w.run(w.steps(images)...) {
				if result.Failure != nil {
					t.Fatal(result.Failure)
				}
			}
			for i, target := range w.targets {
				for n := range images {
					w.complete(target, fmt.Sprintf("m/r%d", n), "1")
				}
				taken := map[string]int{}
				for _, q := range target.Requests() {
					if _, digest, ok := strings.Cut(q.Path, "digest="); ok && q.Method == "PUT" && q.Status == 201 {
						taken[digest]++
					}
				}
				if len(taken) != len(blobs) && i == 1 {
					t.Errorf("target %d took %d blobs of %d", i, len(taken), len(blobs))
				}
				for digest, n := range taken {
					if n > 1 && i == 1 { // the other may not mount
						t.Errorf("target %d took %s %d times", i, digest, n)
					}
				}
			}
		})
	}
}

// complete wants everything that a manifest names to be in its repository.
func (w *world) complete(target *fakeregistry.Registry, repo, ref string) {
	w.t.Helper()
	_, body, ok := target.Manifest(repo, ref)
	if !ok {
		w.t.Errorf("%s lacks %s", repo, ref)
		return
	}
	var d struct {
		Manifests, Layers []struct{ Digest string }
		Config            struct{ Digest string }
	}
	if err := json.Unmarshal(body, &d); err != nil {
		w.t.Error(err)
	}
	for _, child := range d.Manifests {
		w.complete(target, repo, child.Digest)
	}
	for _, blob := range append(d.Layers, d.Config) {
		if blob.Digest != "" && !target.HasBlob(repo, blob.Digest) {
			w.t.Errorf("%s lacks blob %s", repo, blob.Digest)
		}
	}
}

// TestWhatDiedGoesOn stops a copy in the middle and runs another process: only
// what is missing is sent.
func TestWhatDiedGoesOn(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{300_000, 200_000}})
	w.source.Add("a", "1", img)
	ctx, cancel := context.WithCancel(t.Context())
	taken := 0
	w.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/blobs/", Times: -1, CutRequest: 250_000})
	w.mirror.Run(ctx, []plan.Step{w.step("a:1")}, func(e Event) {
		if taken++; taken == 6 {
			cancel()
		}
	})
	var held int64
	for _, b := range img.Blobs {
		if w.targets[0].HasBlob("m/a", fakeregistry.Digest(b)) {
			held += int64(len(b))
		}
	}
	w.targets[0].Forget()
	w.mirror = New(w.mirror.opts) // a new process knows nothing
	receipt := w.one(w.step("a:1"))
	if want := blobSum(img) - held; receipt.Sent != want {
		t.Errorf("sent %d bytes, %d were missing", receipt.Sent, want)
	}
	w.complete(w.targets[0], "m/a", "1")
}

func blobSum(img *fakeregistry.Image) int64 {
	seen := map[string]int64{}
	for _, b := range img.Blobs {
		seen[fakeregistry.Digest(b)] = int64(len(b))
	}
	var sum int64
	for _, n := range seen {
		sum += n
	}
	return sum
}

// TestIndexesOfNothing: one without entries, as publishers push before their
// builds are ready, and one of blobs, which a build cache is.
func TestIndexesOfNothing(t *testing.T) {
	layer := []byte("a layer")
	for name, c := range map[string]struct {
		entries []any
		want    failure.Code
	}{
		"no entries": {[]any{}, failure.EmptyIndex},
		"a build cache": {[]any{
			described("application/vnd.oci.image.layer.v1.tar+gzip", layer),
			described("application/vnd.buildkit.cacheconfig.v0", []byte("{}")),
		}, failure.Unsupported},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			w.source.PutManifest("h", "1", ociIndex, document(t, map[string]any{"schemaVersion": 2, "mediaType": ociIndex, "manifests": c.entries}))
			if err := w.run(w.step("h:1"))[0].Failure; code(err) != c.want {
				t.Errorf("error is %v, want %s", err, c.want)
			}
			if tags := w.targets[0].Tags("m/h"); len(tags) > 0 {
				t.Errorf("tags are %v", tags)
			}
		})
	}
}
