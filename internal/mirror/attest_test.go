package mirror

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/fakeregistry"
)

// TestStatement: each copy gets one statement of where it comes from, that refers
// to it, and a target that does not take it gets the image all the same.
func TestStatement(t *testing.T) {
	const run = "https://github.com/alice/ferry/actions/runs/1"
	attest := func(o *Options) { o.Attest, o.Run = true, run }
	w := newWorld(t, fakeregistry.Options{}, attest, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{1000}}))
	step := w.step("a:1")
	receipt := w.one(step)
	if len(receipt.Changes) > 0 {
		t.Errorf("changes: %v", receipt.Changes)
	}
	if n := w.targets[0].Count("^GET .*/manifests/sha256:"); n > 0 {
		t.Errorf("%d manifests that had just been put were fetched", n)
	}
	to := receipt.Mirror.Repository()
	client, _ := w.mirror.opts.Targets.ForRepository(to)
	referrers := func() []v1.Descriptor {
		t.Helper()
		found, err := client.Referrers(t.Context(), to, receipt.Digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	found := referrers()
	if len(found) != 1 || found[0].ArtifactType != inToto {
		t.Fatalf("referrers: %+v", found)
	}
	m, err := client.Manifest(t.Context(), receipt.Mirror.Untagged(found[0].Digest))
	if err != nil {
		t.Fatal(err)
	}
	var a artifact
	if err := json.Unmarshal(m.Body, &a); err != nil || a.Subject.Digest != receipt.Digest || len(a.Layers) != 1 {
		t.Fatalf("%s, %v", m.Body, err)
	}
	text, err := client.SmallBlob(t.Context(), to, a.Layers[0].Digest, a.Layers[0].Size)
	if err != nil {
		t.Fatal(err)
	}
	var s statement
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if o := s.Predicate; s.Subject[0].Digest["sha256"] != receipt.Digest.Hex || o.Source != step.Image.Reference.String() ||
		o.SourceDigest != receipt.SourceDigest.String() || o.Run != run || o.Seen.IsZero() || len(o.Changes) > 0 {
		t.Errorf("%s", text)
	}
	w.one(step) // it is there
	if again := referrers(); len(again) != 1 {
		t.Errorf("referrers of a copy that was there: %+v", again)
	}

	refusing := newWorld(t, fakeregistry.Options{}, attest, fakeregistry.Options{})
	refusing.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{1000}}))
	refusing.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/manifests/sha256:", Times: -1, Status: http.StatusBadRequest})
	if got := refusing.one(refusing.step("a:1")); !slices.Contains(got.Changes, NoStatement) {
		t.Errorf("changes at a target that refuses: %v", got.Changes)
	}
}
