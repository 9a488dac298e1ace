package mirror

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// copyFirst sets the platforms that are copied first, by run 7.
func copyFirst(t *testing.T, platforms ...string) func(*Options) {
	return func(o *Options) {
		o.Run = "https://github.com/alice/ferry/actions/runs/7"
		for _, text := range platforms {
			p, err := reference.ParsePlatform(text)
			if err != nil {
				t.Fatal(err)
			}
			o.First = append(o.First, p)
		}
	}
}

// TestFirstPlatform: the platform is complete, and the index announced, before another
// platform is sent. The tag is written last.
func TestFirstPlatform(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, copyFirst(t, "linux/arm64"), fakeregistry.Options{})
	image := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64", "linux/arm64", "linux/s390x"}, Layers: []int{1000, 2000}, Attestations: true})
	w.source.Add("a", "1", image)
	step := w.step("a:1")
	receipt := w.one(step)
	if len(receipt.Changes) > 0 || receipt.Digest.String() != fakeregistry.Digest(image.Root().Body) || len(receipt.Platforms) != 3 {
		t.Errorf("%+v", receipt)
	}
	announcement := registry.Announcement(step.Image.Reference)
	var sent []string
	for _, r := range w.targets[0].Requests() {
		if r.Method == http.MethodPut {
			sent = append(sent, r.Path[strings.LastIndex(r.Path, "/")+1:])
		}
	}
	at := slices.Index(sent, announcement)
	// A platform has two layers and a config, and the announcement one blob.
	if at != 5 || !strings.HasPrefix(sent[3], "sha256:") || sent[len(sent)-1] != "1" {
		t.Errorf("the announcement is %d of %q", at, sent)
	}
	client, _ := w.mirror.opts.Targets.ForRepository(receipt.Mirror.Repository())
	to, err := receipt.Mirror.Repository().Tagged(announcement)
	if err != nil {
		t.Fatal(err)
	}
	m, err := client.Manifest(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	index, run := registry.Announced(m)
	if index == nil || run != 7 || !bytes.Equal(index.Body, image.Root().Body) || index.MediaType != "application/vnd.oci.image.index.v1+json" {
		t.Errorf("%s announces %+v by run %d", m.Body, index, run)
	}
}

// TestNoAnnouncement: an image is announced only if somebody waits for some of its
// platforms and the target lets Ferry add a tag; a refusal does no harm.
func TestNoAnnouncement(t *testing.T) {
	several := []string{"linux/amd64", "linux/arm64"}
	for what, test := range map[string]struct {
		platforms []string
		adjust    func(*Options)
	}{
		"nobody waits":          {several, copyFirst(t)},
		"all platforms are":     {several, copyFirst(t, several...)},
		"another platform":      {several, copyFirst(t, "linux/s390x")},
		"one platform":          {several[:1], copyFirst(t, "linux/amd64")},
		"a target with a quota": {several, func(o *Options) { copyFirst(t, "linux/amd64")(o); o.Quotas = []Quota{{Target: "elsewhere/m", Tags: 5}} }},
		"no run":                {several, func(o *Options) { copyFirst(t, "linux/amd64")(o); o.Run = "" }},
		"a refusal":             {several, copyFirst(t, "linux/amd64")},
	} {
		w := newWorld(t, fakeregistry.Options{}, test.adjust, fakeregistry.Options{})
		w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: test.platforms, Layers: []int{1000}}))
		if what == "a refusal" {
			w.targets[0].Inject(fakeregistry.Fault{Match: "^PUT .*/manifests/digest-", Times: -1, Status: http.StatusBadRequest})
		}
		if receipt := w.one(w.step("a:1")); len(receipt.Changes) > 0 {
			t.Errorf("%s: %v", what, receipt.Changes)
		}
		if tags := w.targets[0].Tags("m/a"); !slices.Equal(tags, []string{"1"}) {
			t.Errorf("%s: tags %q", what, tags)
		}
	}
}
