package mirror

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/registry"
)

const mib = 1 << 20

// TestFaultsAreSurvived is the fault table of the project's goals, in small:
// one large layer and two small ones, cut and refused on either side.
func TestFaultsAreSurvived(t *testing.T) {
	const size, half = 6 * mib, 3 * mib
	blobs, posts, data := "^GET .*/blobs/", "^POST .*/blobs/uploads/", "^(PUT|PATCH) .*/blobs/uploads/"
	cases := []struct {
		name         string
		source       bool
		fault        fakeregistry.Fault
		read, resent int64 // how many bytes may be moved twice on either side
	}{
		{"source cut once", true, fakeregistry.Fault{Match: blobs, Times: 1, CutResponse: half}, mib, 0},
		{"source cut after every MiB", true, fakeregistry.Fault{Match: blobs, Times: -1, CutResponse: mib + 4096}, mib, 0},
		{"source 429 on blobs", true, fakeregistry.Fault{Match: blobs, Times: 3, Status: 429, RetryAfter: "2"}, 0, 0},
		{"source 503 on blobs", true, fakeregistry.Fault{Match: blobs, Times: 3, Status: 503}, 0, 0},
		{"source 429 on the manifest", true, fakeregistry.Fault{Match: "/manifests/", Times: 3, Status: 429, RetryAfter: "2"}, 0, 0},
		{"source 429 in GHCR's words", true, fakeregistry.Fault{Match: blobs, Times: 3, Status: 429, Body: `{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 333.9ms, allowed: 44000/minute"}]}`}, 0, 0},
		{"target cut once", false, fakeregistry.Fault{Match: data, Times: 1, CutRequest: half}, mib, mib},
		{"target cut twice", false, fakeregistry.Fault{Match: data, Times: 2, CutRequest: half - mib}, mib, mib},
		{"target cut always", false, fakeregistry.Fault{Match: data, Times: -1, CutRequest: half}, mib, mib},
		{"target 429 on POST", false, fakeregistry.Fault{Match: posts, Times: 3, Status: 429, RetryAfter: "2"}, 0, 0},
		{"target 503 on POST", false, fakeregistry.Fault{Match: posts, Times: 3, Status: 503}, 0, 0},
		{"target 503 on data", false, fakeregistry.Fault{Match: data, Times: 2, Status: 503}, mib, size},
		{"target 429 on the manifest", false, fakeregistry.Fault{Match: "^PUT .*/manifests/", Times: 3, Status: 429, RetryAfter: "2"}, 0, 0},
		{"target 503 on the manifest", false, fakeregistry.Fault{Match: "^PUT .*/manifests/", Times: 3, Status: 503}, 0, 0},
		{"target forgets sessions", false, fakeregistry.Fault{Match: "^PUT .*/blobs/uploads/", Times: 1, Status: 404, Body: `{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}`}, size, size},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fakeregistry.Options{Tokens: true}, nil, fakeregistry.Options{Tokens: true, Username: "u", Password: "p"})
			img := fakeregistry.Generate(fakeregistry.Spec{Seed: 7, Platforms: []string{"linux/amd64"}, Layers: []int{size, 20_000, 20_000}})
			w.source.Add("f", "1", img)
			if c.source {
				w.source.Inject(c.fault)
			} else {
				w.targets[0].Inject(c.fault)
			}
			w.one(w.step("f:1"))
			var read, received int64
			for _, q := range w.source.Requests() {
				read += q.Sent
			}
			for _, q := range w.targets[0].Requests() {
				received += q.Received
			}
			const slack = 100_000 // manifests, tokens, errors
			if read > size+40_000+c.read+slack {
				t.Errorf("read %d bytes of %d", read, size)
			}
			if received > size+40_000+c.resent+slack {
				t.Errorf("sent %d bytes of %d", received, size)
			}
		})
	}
}

// TestSourceThatLiesIsFoundOut sends content that is not what its digest says.
func TestSourceThatLiesIsFoundOut(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 7, Platforms: []string{"linux/amd64"}, Layers: []int{mib}})
	w.source.Add("f", "1", img)
	layer := fakeregistry.Digest(img.Blobs[0])
	w.source.Inject(fakeregistry.Fault{Match: "/blobs/" + layer, Times: -1, Status: 200, Body: string(make([]byte, mib))})
	result := w.run(w.step("f:1"))[0]
	if code(result.Failure) != failure.Corrupt {
		t.Errorf("error is %v, want corrupt", result.Failure)
	}
	if tags := w.targets[0].Tags("m/f"); len(tags) != 0 {
		t.Errorf("target has tags %v", tags)
	}
	if w.targets[0].HasBlob("m/f", layer) {
		t.Error("target took the lie")
	}
}

// TestOneBlobOneWay copies images that share layers into several repositories
// of two targets: each blob is read once and sent once to each.
func TestOneBlobOneWay(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{Tokens: true}, nil,
		fakeregistry.Options{Tokens: true, Username: "u", Password: "p"}, fakeregistry.Options{Username: "u", Password: "p"})
	const images = 6
	unique := map[string]int64{}
	for i := range images {
		img := fakeregistry.Generate(fakeregistry.Spec{
			Seed: uint64(i + 1), Platforms: []string{"linux/amd64", "linux/arm64"},
			Layers: []int{300_000, 70_000}, Shared: []int{200_000, 50_000, 1000}, Base: 9,
		})
		w.source.Add(fmt.Sprintf("r%d", i), "1", img)
		for _, blob := range img.Blobs {
			unique[fakeregistry.Digest(blob)] = int64(len(blob))
		}
	}
	var total int64
	for _, size := range unique {
		total += size
	}
	steps := w.steps(images)
	w.withoutRanges()
	for _, result := range w.run(steps...) {
		if result.Failure != nil {
			t.Fatal(result.Failure)
		}
	}
	if n := w.source.Count("^GET /v2/r[0-9]/blobs/"); n != len(unique) {
		t.Errorf("source was asked for blobs %d times, want %d", n, len(unique))
	}
	for i, target := range w.targets {
		var received int64
		for _, q := range target.Requests() {
			if q.Method == "PUT" && q.Status == 201 && q.Received > 0 && !isManifest(q.Path) {
				received += q.Received
			}
		}
		if received != total {
			t.Errorf("target %d was sent %d bytes of blobs, want %d", i, received, total)
		}
		if n := target.Count("^HEAD .*/blobs/"); n > 1 { // one, to see whether it tells the truth about mounts
			t.Errorf("target %d was asked for blobs %d times", i, n)
		}
	}
	var sent, mounted int64
	for _, result := range w.run(steps...) {
		sent += result.Receipt.Sent
		mounted += result.Receipt.Mounted
	}
	if sent != 0 || mounted != 0 {
		t.Errorf("the second run sent %d and mounted %d bytes", sent, mounted)
	}
}

// withoutRanges makes the source a registry that is known to serve no ranges. What
// is late on a busy machine is then not requested again over another connection.
func (w *world) withoutRanges() {
	w.t.Helper()
	img := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	w.source.Add("other", "1", img)
	w.source.Behave(fakeregistry.RefusingRanges(http.StatusRequestedRangeNotSatisfiable))
	client, _ := w.mirror.opts.Sources.ForHost(w.from)
	layer := registry.NewManifest("", img.Blobs[0])
	blob := client.Blob(parse(w.t, w.from+"/other:1").Repository(), layer.Digest, int64(len(layer.Body)))
	if body, err := blob.Open(w.t.Context(), 1, 2); err == nil {
		body.Close()
	}
	if blob.Ranged() {
		w.t.Fatal("the source serves ranges")
	}
}

// TestOneRegistryMovesNothing copies within one registry, as from Docker Hub to
// Docker Hub: the blobs are mounted.
func TestOneRegistryMovesNothing(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil)
	hub := fakeregistry.New(fakeregistry.Options{Tokens: true, Username: "u", Password: "p"})
	w.from = serve(t, hub)
	w.to = []string{w.from}
	sources := []config.Source{{Host: w.from, Private: true, PlainHTTP: true}}
	ropts := registry.Options{Wait: noWait}
	w.mirror.opts.Sources = registry.NewSources(sources, ropts)
	w.mirror.opts.Targets = registry.NewTargets([]config.Target{{Host: w.from, Private: true, PlainHTTP: true, Username: "u", Password: config.NewSecret("p")}}, sources, ropts)
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{mib}})
	hub.Add("a", "1", img)
	receipt := w.one(w.step("a:1"))
	if receipt.Sent != 0 || receipt.Mounted != blobSum(img) {
		t.Errorf("sent %d and mounted %d bytes of %d", receipt.Sent, receipt.Mounted, blobSum(img))
	}
	if n := hub.Count("^GET .*/blobs/"); n != 0 {
		t.Errorf("%d blobs were read", n)
	}
	w.complete(hub, "m/a", "1")
}

// TestTargetThatTellsNoDigest answers HEAD without the header.
func TestTargetThatTellsNoDigest(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{1000}}))
	w.targets[0].Inject(fakeregistry.Fault{Match: "^HEAD ", Times: -1, Status: 200})
	w.one(w.step("a:1"))
}

// TestTargetThatTagsSomethingElse lies about what the tag names.
func TestTargetThatTagsSomethingElse(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{1000}}))
	w.targets[0].Inject(fakeregistry.Fault{Match: "^(HEAD|GET) .*/manifests/1$", Times: -1, Do: func(rw http.ResponseWriter, r *http.Request) bool {
		if w.targets[0].Count("^PUT .*/manifests/1$") == 0 {
			return false
		}
		fmt.Fprint(rw, `{"schemaVersion":2}`)
		return true
	}})
	if err := w.run(w.step("a:1"))[0].Failure; code(err) != failure.Rewritten {
		t.Errorf("error is %v, want rewritten", err)
	}
}
