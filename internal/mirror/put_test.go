package mirror

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestImmutableTags: a registry that takes the manifest and not the tag is not
// offered other forms of it.
func TestImmutableTags(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd, arm}, Layers: []int{500}, Attestations: true}))
	w.targets[0].Add("m/a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{amd}, Layers: []int{500}}))
	const says = `{"errors":[{"code":"MANIFEST_INVALID","message":"not this one"}]}`
	w.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/manifests/1$", Times: -1, Status: 400, Body: says})
	r := w.run(w.step("a:1"))[0]
	if code(r.Failure) != failure.TagImmutable || !strings.Contains(r.Failure.Detail, "not this one") {
		t.Errorf("it ended as %v", r.Failure)
	}
	if tags := w.targets[0].Tags("m/a"); !slices.Equal(tags, []string{"1"}) {
		t.Errorf("tags are %v", tags)
	}
	if n := w.targets[0].Count("^PUT .*/manifests/1$"); n != 2 {
		t.Errorf("the tag was put %d times, want twice", n)
	}
}

// TestRefusalsThatPass: a refusal counts if it is repeated.
func TestRefusalsThatPass(t *testing.T) {
	for name, match := range map[string]string{"of a part": "^PUT .*/manifests/sha256:", "of the tag": "^PUT .*/manifests/1$"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd, arm}, Layers: []int{500}, Attestations: true}))
			w.targets[0].Inject(fakeregistry.Fault{Match: match, Times: 1, Status: 400, Body: `{"errors":[{"code":"MANIFEST_INVALID"}]}`})
			if r := w.one(w.step("a:1")); r.Changes != nil {
				t.Errorf("changes are %v", r.Changes)
			}
		})
	}
}

// TestOneManifestAtATime: a manifest that an index lists twice, and that other
// tags name as well, is in no two requests at once.
func TestOneManifestAtATime(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd}, Layers: []int{500}})
	child := img.Root()
	w.source.Add("a", "", img)
	entry := descriptor("application/vnd.oci.image.manifest.v1+json", fakeregistry.Digest(child.Body), int64(len(child.Body)))
	for _, tag := range []string{"1", "2", "3"} {
		w.source.PutManifest("a", tag, ociIndex, index(entry, entry).bytes(t))
	}
	var mu sync.Mutex
	busy := map[string]bool{}
	w.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/manifests/", Times: -1, Do: func(rw http.ResponseWriter, r *http.Request) bool {
		var body bytes.Buffer
		body.ReadFrom(r.Body)
		digest := fakeregistry.Digest(body.Bytes())
		mu.Lock()
		twice := busy[digest]
		busy[digest] = true
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		mu.Lock()
		delete(busy, digest)
		mu.Unlock()
		if twice {
			http.Error(rw, "MANIFEST_INVALID", http.StatusBadRequest)
			t.Errorf("%s was put twice at once", digest)
			return true
		}
		w.targets[0].PutManifest("m/a", r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], r.Header.Get("Content-Type"), body.Bytes())
		rw.WriteHeader(http.StatusCreated)
		return true
	}})
	for _, r := range w.run(w.step("a:1"), w.step("a:2"), w.step("a:3")) {
		if r.Failure != nil || r.Receipt.Changes != nil {
			t.Errorf("result is %+v, %v", r.Receipt, r.Failure)
		}
	}
}
