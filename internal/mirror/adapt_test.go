package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
)

const ociIndex, dockerList = "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"

// refuseEmpty is what Aliyun's ACR says to OCI 1.1's empty configs.
func refuseEmpty(_ string, body []byte) (string, bool) {
	return "unknown manifest class for application/vnd.oci.empty.v1+json", bytes.Contains(body, []byte(`"application/vnd.oci.empty.v1+json"`))
}

// refuseIndex is what Huawei's SWR says to OCI indexes.
func refuseIndex(mediaType string, _ []byte) (string, bool) {
	return "Invalid image, fail to parse 'manifest.json'", mediaType == ociIndex
}

func refuseLists(mediaType string, body []byte) (string, bool) {
	if mediaType == dockerList {
		return "unsupported manifest type", true
	}
	return refuseIndex(mediaType, body)
}

func TestAdaptsAsFarAsTheTargetDemands(t *testing.T) {
	cases := []struct {
		name    string
		refuse  func(string, []byte) (string, bool)
		changes []Change
		tags    []string
	}{
		{"takes everything", nil, nil, []string{"1"}},
		{"ACR", refuseEmpty, []Change{NoAttestations}, []string{"1"}},
		{"SWR", refuseIndex, []Change{NoAttestations, DockerMediaTypes}, []string{"1"}},
		{"no indexes at all", refuseLists, []Change{NoAttestations, DockerMediaTypes, PlatformTags}, []string{"1", "1-linux-amd64", "1-linux-arm64"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{Refuse: c.refuse})
			for i := range 2 {
				w.source.Add("r"+string(rune('0'+i)), "1", fakeregistry.Generate(fakeregistry.Spec{
					Seed: uint64(i), Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{1000}, Attestations: true,
				}))
			}
			for i, step := range w.steps(2) {
				w.targets[0].Forget()
				receipt := w.one(step)
				if !slices.Equal(receipt.Changes, c.changes) {
					t.Errorf("changes are %v, want %v", receipt.Changes, c.changes)
				}
				repo := "m/r" + string(rune('0'+i))
				if tags := w.targets[0].Tags(repo); !slices.Equal(tags, c.tags) {
					t.Errorf("tags are %v, want %v", tags, c.tags)
				}
				tags := []string{"1"}
				for _, tag := range receipt.Tags {
					tags = append(tags, tag.Mirror.Tag())
					_, body, _ := w.targets[0].Manifest(repo, tag.Mirror.Tag())
					if got := fakeregistry.Digest(body); got != tag.Digest.String() || !strings.HasSuffix(tag.Mirror.Tag(), tag.Platform.Architecture) {
						t.Errorf("%s for %s names %s, the receipt says %s", tag.Mirror, tag.Platform, got, tag.Digest)
					}
				}
				if !slices.Equal(tags, c.tags) {
					t.Errorf("tags of the receipt are %v, want %v", tags, c.tags)
				}
				if exact := receipt.Digest == receipt.SourceDigest; exact != (c.changes == nil) {
					t.Errorf("digest %s, source %s", receipt.Digest, receipt.SourceDigest)
				}
				_, body, _ := w.targets[0].Manifest(repo, "1")
				if got := fakeregistry.Digest(body); got != receipt.Digest.String() {
					t.Errorf("tag names %s, the receipt says %s", got, receipt.Digest)
				}
				refused := 0
				for _, q := range w.targets[0].Requests() {
					if q.Status == 400 && strings.Contains(q.Path, repo) {
						refused++
					}
				}
				if i > 0 && refused > 0 {
					t.Errorf("second image was refused %d times: nothing was learned", refused)
				}
				if again := w.one(step); !again.Present && len(c.tags) == 1 {
					t.Error("copying again sends again")
				}
			}
		})
	}
}

func TestPlatformsAreChosen(t *testing.T) {
	all := []string{"linux/amd64", "linux/arm64", "linux/arm/v7"}
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 3, Platforms: all, Layers: []int{1000}, Attestations: true})
	w.source.Add("a", "1", img)
	w.source.Add("plain", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 4, Platforms: all[:1], Layers: []int{1000}}))

	t.Run("several make a smaller index with their attestations", func(t *testing.T) {
		receipt := w.one(w.step("a:1", "linux/amd64", "arm/v7"))
		if !slices.Equal(receipt.Changes, []Change{Subset}) || len(receipt.Platforms) != 2 {
			t.Errorf("receipt is %+v", receipt)
		}
		mediaType, body, _ := w.targets[0].Manifest("m/a", "1")
		var index struct {
			SchemaVersion int
			MediaType     string
			Manifests     []struct{ Digest string }
		}
		if err := json.Unmarshal(body, &index); err != nil || index.SchemaVersion != 2 || index.MediaType != mediaType || len(index.Manifests) != 4 {
			t.Errorf("index is %s (%v)", body, err)
		}
		if again := w.one(w.step("a:1", "linux/amd64", "arm/v7")); !again.Present || again.Digest != receipt.Digest {
			t.Errorf("the same again gives %+v", again)
		}
	})
	t.Run("one gives its own manifest", func(t *testing.T) {
		w.source.Add("a", "2", img)
		receipt := w.one(w.step("a:2", "arm64"))
		if !slices.Equal(receipt.Changes, []Change{SinglePlatform}) || receipt.Digest.String() != fakeregistry.Digest(img.Manifests[2].Body) {
			t.Errorf("receipt is %+v", receipt)
		}
	})
	t.Run("all of them are an exact copy", func(t *testing.T) {
		if receipt := w.one(w.step("a:1", all...)); receipt.Changes != nil || receipt.Digest != receipt.SourceDigest {
			t.Errorf("receipt is %+v", receipt)
		}
	})
	t.Run("a plain image for its own platform", func(t *testing.T) {
		receipt := w.one(w.step("plain:1", "amd64"))
		if receipt.Changes != nil || len(receipt.Platforms) != 1 {
			t.Errorf("receipt is %+v", receipt)
		}
	})
	for _, name := range []string{"a:1", "plain:1"} {
		t.Run("a platform that "+name+" lacks", func(t *testing.T) {
			err := w.run(w.step(name, "s390x"))[0].Failure
			if code(err) != failure.NoPlatform || !strings.Contains(strings.Join(hints(err), " "), "linux/amd64") {
				t.Errorf("error is %v with hints %v", err, hints(err))
			}
		})
	}
}

func TestReferrersComeAlong(t *testing.T) {
	for _, c := range []struct {
		name   string
		source fakeregistry.Options
		target fakeregistry.Options
		list   bool // the target's list is a tag
	}{
		{name: "by the API"},
		{name: "to a target without the API", target: fakeregistry.Options{NoReferrers: true}, list: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.source, func(o *Options) { o.Referrers = true }, c.target)
			img := fakeregistry.Generate(fakeregistry.Spec{Seed: 5, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{1000}})
			root := fakeregistry.Digest(img.Root().Body)
			w.source.Add("a", "1", img)
			w.source.Add("a", "", fakeregistry.Signature(img.Root(), 1))
			w.source.Add("a", strings.Replace(root, ":", "-", 1)+".sig", fakeregistry.Signature(img.Manifests[0], 2))
			receipt := w.one(w.step("a:1"))
			// The tagged signature also refers to a platform's manifest.
			if receipt.Referrers != 3 || receipt.Changes != nil {
				t.Errorf("receipt has %d referrers and changes %v", receipt.Referrers, receipt.Changes)
			}
			tags := w.targets[0].Tags("m/a")
			if !slices.Contains(tags, strings.Replace(root, ":", "-", 1)+".sig") {
				t.Errorf("tags are %v", tags)
			}
			if listed := slices.Contains(tags, strings.Replace(root, ":", "-", 1)); listed != c.list {
				t.Errorf("tags are %v", tags)
			}
		})
	}
}

// TestReferrersAreLookedForWhileTagging has a target that takes no tag before
// the source has been asked what refers to the image.
func TestReferrersAreLookedForWhileTagging(t *testing.T) {
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 5, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	var w *world
	w = newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Referrers = true }, fakeregistry.Options{
		Refuse: func(_ string, body []byte) (string, bool) {
			for range 1000 {
				if !bytes.Equal(body, img.Root().Body) || w.source.Count("/referrers/") > 0 {
					return "", false
				}
				time.Sleep(10 * time.Millisecond)
			}
			return "nobody has asked for referrers", true
		},
	})
	w.source.Add("a", "1", img)
	if receipt := w.one(w.step("a:1")); receipt.Changes != nil {
		t.Errorf("the tag was held up until it was refused: %v", receipt.Changes)
	}
}

// TestReferrersThatStayBehind: the image arrives all the same, and the receipt
// says whose doing it was.
func TestReferrersThatStayBehind(t *testing.T) {
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 5, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	signature := fakeregistry.Signature(img.Root(), 1)
	refusing := fakeregistry.Options{Refuse: func(_ string, body []byte) (string, bool) { return "no", bytes.Equal(body, signature.Root().Body) }}
	for _, test := range []struct {
		name   string
		target fakeregistry.Options
		broken string // what the source does not give out
		want   Change
	}{
		{"the target refuses them", refusing, "", NoReferrers},
		{"the source does not list them", fakeregistry.Options{}, "/referrers/", ReferrersUnread},
		{"the source does not give them out", fakeregistry.Options{}, fakeregistry.Digest(signature.Root().Body), ReferrersUnread},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Referrers = true }, test.target)
			w.source.Add("a", "1", img)
			w.source.Add("a", "", signature)
			if test.broken != "" {
				w.source.Inject(fakeregistry.Fault{Match: test.broken, Times: -1, Status: http.StatusInternalServerError})
			}
			if receipt := w.one(w.step("a:1")); !slices.Equal(receipt.Changes, []Change{test.want}) {
				t.Errorf("changes are %v, want %s", receipt.Changes, test.want)
			}
		})
	}
}

// TestNoReferrersOfWhatIsRefused has a target that does not take the image:
// the signature stays behind, too.
func TestNoReferrersOfWhatIsRefused(t *testing.T) {
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 5, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Referrers = true }, fakeregistry.Options{
		Refuse: func(_ string, body []byte) (string, bool) { return "no", bytes.Equal(body, img.Root().Body) },
	})
	w.source.Add("a", "1", img)
	w.source.Add("a", strings.Replace(fakeregistry.Digest(img.Root().Body), ":", "-", 1)+".sig", fakeregistry.Signature(img.Root(), 2))
	for _, result := range w.run(w.step("a:1")) {
		if result.Receipt != nil && result.Receipt.Changes == nil {
			t.Errorf("result is %+v", result.Receipt)
		}
	}
	if asked := w.targets[0].Count(`^PUT .*\.sig`); asked > 0 {
		t.Errorf("%d signatures were put of an image that was refused", asked)
	}
}

func TestOtherContentIsNotOverwritten(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{1000}}))
	other := fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	w.targets[0].Add("m/a", "1", other)
	step := w.step("a:1")
	step.Destinations[0].Exclusive = true
	if err := w.run(step)[0].Failure; code(err) != failure.NameTaken {
		t.Errorf("error is %v, want name-taken", err)
	}
	if _, body, _ := w.targets[0].Manifest("m/a", "1"); string(body) != string(other.Root().Body) {
		t.Error("the tag was overwritten")
	}
	step.Destinations[0].Exclusive = false
	w.one(step)
}

func TestOneFailureStopsNoOther(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{}, fakeregistry.Options{Username: "u", Password: "p"})
	w.source.Add("good", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100_000}}))
	w.source.Add("good", "latest", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100_000}}))
	w.targets[1].Inject(fakeregistry.Fault{Match: "^POST ", Times: -1, Status: 403, Body: `{"errors":[{"code":"DENIED","message":"quota exceeded"}]}`})
	results := w.run(w.step("good:1"), w.step("good:latst"), w.step("missing:1"))
	var codes []failure.Code
	for _, r := range results {
		codes = append(codes, code(r.Failure))
	}
	if want := []failure.Code{"", failure.Quota, failure.NotFound, failure.NotFound, failure.NotFound, failure.NotFound}; !slices.Equal(codes, want) {
		t.Errorf("codes are %v, want %v", codes, want)
	}
	if h := hints(results[2].Failure); len(h) == 0 || h[0] != "latest" {
		t.Errorf("hints are %v, want latest first", h)
	}
}

func TestCancelledJobSaysSo(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	w.source.Add("a", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{4 << 20}}))
	ctx, cancel := context.WithCancel(context.Background())
	results := w.mirror.Run(ctx, append(w.steps(0), w.step("a:1")), func(e Event) {
		if e.Kind == Progress && e.Done > 0 {
			cancel()
		}
	})
	if got := code(results[0].Failure); got != failure.Cancelled {
		t.Errorf("error is %v, want cancelled", results[0].Failure)
	}
	if tags := w.targets[0].Tags("m/a"); len(tags) > 0 {
		t.Errorf("tags are %v", tags)
	}
}
