package mirror

import (
	"net/http"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
)

// layered are three images that share two layers.
func layered(w *world) {
	for i, repo := range []string{"a", "b", "c"} {
		w.source.Add(repo, "1", fakeregistry.Generate(fakeregistry.Spec{
			Seed: uint64(i), Platforms: []string{amd, arm}, Shared: []int{3000, 2000}, Layers: []int{500},
		}))
	}
}

// told copies an image, of which every byte and layer must be told, and none
// twice.
func (w *world) told(step plan.Step) *Receipt {
	w.t.Helper()
	var last Event
	r := w.mirror.Run(w.t.Context(), []plan.Step{step}, func(e Event) { last = e })[0]
	if r.Failure != nil {
		w.t.Fatal(r.Failure)
	}
	if last.Done != last.Total || last.LayersDone != last.Layers || last.Layers == 0 {
		w.t.Errorf("%d of %d bytes and %d of %d layers were told of", last.Done, last.Total, last.LayersDone, last.Layers)
	}
	return r.Receipt
}

// TestMountsThatLieForOneRepository: the first mount is honest, and a later one,
// into another repository, is not. The blobs are sent there, each counts once, and
// the registry is not asked for mounts any more.
func TestMountsThatLieForOneRepository(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	layered(w)
	w.one(w.step("a:1"))
	if r := w.one(w.step("b:1")); r.Mounted == 0 {
		t.Fatalf("receipt is %+v: nothing was mounted", r)
	}
	w.targets[0].Inject(fakeregistry.Fault{Match: "^POST .*/m/c/.*mount=", Times: -1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.WriteHeader(http.StatusCreated)
		return true
	}})
	if r := w.told(w.step("c:1")); r.Mounted != 0 || r.Changes != nil {
		t.Errorf("receipt is %+v", r)
	}
	w.targets[0].Forget()
	w.source.Add("d", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{amd}, Shared: []int{3000}, Layers: []int{500}}))
	w.one(w.step("d:1"))
	if n := w.targets[0].Count("mount="); n != 0 {
		t.Errorf("%d more mounts were asked for", n)
	}
}

// TestBlobsThatGetLost: a registry forgets a blob that it has got.
func TestBlobsThatGetLost(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd}, Layers: []int{500, 600}}))
	w.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/uploads/", Times: 2, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.WriteHeader(http.StatusCreated)
		return true
	}})
	w.told(w.step("a:1"))
}

// TestManifestsThatGetLost: a registry forgets a part of an index that it has got.
func TestManifestsThatGetLost(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd, arm}, Layers: []int{500}}))
	w.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/manifests/sha256", Times: 1, Do: func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.WriteHeader(http.StatusCreated)
		return true
	}})
	w.one(w.step("a:1"))
}
