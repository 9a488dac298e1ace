package mirror

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
)

// The platforms of the images in the table of cases.
const amd, arm, s390 = "linux/amd64", "linux/arm64", "linux/s390x"

// shelf is a world with the versions of one image, of which a tag names one at
// a time.
type shelf struct {
	*world
	versions [3]*fakeregistry.Image
}

func newShelf(t *testing.T, source, target fakeregistry.Options) *shelf {
	s := &shelf{world: newWorld(t, source, nil, target)}
	for i := range s.versions {
		s.versions[i] = fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(i) + 1, Platforms: []string{amd, arm, s390}, Layers: []int{500}, Attestations: true})
	}
	return s
}

// moves lets the source's tag name a version.
func (s *shelf) moves(tag string, version int) { s.source.Add("a", tag, s.versions[version]) }

// digest is that of a platform of a version; the index's for none.
func (s *shelf) digest(version int, platform string) string {
	s.t.Helper()
	img := s.versions[version]
	var index struct {
		Manifests []struct {
			Digest   string
			Platform struct{ OS, Architecture string }
		}
	}
	if err := json.Unmarshal(img.Root().Body, &index); err != nil {
		s.t.Fatal(err)
	}
	for _, m := range index.Manifests {
		if m.Platform.OS+"/"+m.Platform.Architecture == platform {
			return m.Digest
		}
	}
	return fakeregistry.Digest(img.Root().Body)
}

// asked copies a:1 or what else is named, and returns the outcome.
func (s *shelf) asked(name string, platforms ...string) Result {
	s.t.Helper()
	step := s.step(name, platforms...)
	if ref := step.Image.Reference; ref.Tag() != "" && ref.HasDigest() {
		d := &step.Destinations[0]
		d.Mirror, d.ByDigest = parse(s.t, s.to[0]+"/m/a:"+ref.Tag()), parse(s.t, s.to[0]+"/m/a:digest-"+ref.Digest().Hex)
	}
	return s.run(step)[0]
}

// held is what a tag of the mirror holds: the version that it belongs to and
// its platforms, "1 amd64 arm64", "2 all" for an exact copy, "" for nothing.
func (s *shelf) held(tag string) string {
	s.t.Helper()
	_, body, ok := s.targets[0].Manifest("m/a", tag)
	if !ok {
		return ""
	}
	for version := range s.versions {
		if fakeregistry.Digest(body) == s.digest(version, "") {
			return string(rune('0'+version)) + " all"
		}
		var has []string
		var index struct{ Manifests []struct{ Digest string } }
		if err := json.Unmarshal(body, &index); err != nil {
			s.t.Fatal(err)
		}
		for _, p := range []string{amd, arm, s390} {
			digest := s.digest(version, p)
			if fakeregistry.Digest(body) == digest || slices.ContainsFunc(index.Manifests, func(m struct{ Digest string }) bool { return m.Digest == digest }) {
				has = append(has, strings.TrimPrefix(p, "linux/"))
			}
		}
		if has != nil {
			return string(rune('0'+version)) + " " + strings.Join(has, " ")
		}
	}
	return "something else"
}

// nameCases are the rows of docs/names.md, "What a tag holds".
var nameCases = []struct {
	name string
	ask  func(s *shelf) Result // the last request
	want string                // what the tag holds then
	code failure.Code
}{
	{"one platform of a new tag", func(s *shelf) Result { return s.asked("a:1", arm) }, "0 arm64", ""},
	{"another platform of the tag", func(s *shelf) Result { s.asked("a:1", arm); return s.asked("a:1", amd) }, "0 amd64 arm64", ""},
	{"the last platform of the tag", func(s *shelf) Result { s.asked("a:1", arm, s390); return s.asked("a:1", amd) }, "0 all", ""},
	{"all platforms of the tag", func(s *shelf) Result { s.asked("a:1", arm); return s.asked("a:1") }, "0 all", ""},
	{"one platform of a tag that holds all", func(s *shelf) Result { s.asked("a:1"); return s.asked("a:1", arm) }, "0 all", ""},
	{"one platform of a tag that holds more", func(s *shelf) Result { s.asked("a:1", arm, amd); return s.asked("a:1", arm) }, "0 amd64 arm64", ""},
	{"a tag that has moved", func(s *shelf) Result { s.asked("a:1"); s.moves("1", 1); return s.asked("a:1") }, "1 all", ""},
	{"one platform of a tag that has moved", func(s *shelf) Result { s.asked("a:1", amd, arm); s.moves("1", 1); return s.asked("a:1", arm) }, "1 amd64 arm64", ""},
	{"another platform of a tag that has moved", func(s *shelf) Result { s.asked("a:1", amd); s.moves("1", 1); return s.asked("a:1", arm) }, "1 amd64 arm64", ""},
	{"one platform of a whole tag that has moved", func(s *shelf) Result { s.asked("a:1"); s.moves("1", 1); return s.asked("a:1", arm) }, "1 all", ""},
	{"the digest of the tag", func(s *shelf) Result { return s.asked("a:1@" + s.digest(0, "")) }, "0 all", ""},
	{"the digest of a platform of the tag", func(s *shelf) Result { return s.asked("a:1@" + s.digest(0, arm)) }, "0 arm64", ""},
	{"the digest of another platform of the tag", func(s *shelf) Result { s.asked("a:1", amd); return s.asked("a:1@" + s.digest(0, arm)) }, "0 amd64 arm64", ""},
	{"an earlier digest of the tag", func(s *shelf) Result { s.moves("old", 1); return s.asked("a:1@" + s.digest(1, "")) }, "", ""},
	{"the same if the mirror's tag exists", func(s *shelf) Result { s.moves("old", 1); s.asked("a:1"); return s.asked("a:1@" + s.digest(1, "")) }, "0 all", ""},
	{"a digest with a tag that the source does not have", func(s *shelf) Result { return s.asked("a:9@" + s.digest(0, "")) }, "", ""},
	{"a name for which another image has precedence", func(s *shelf) Result {
		s.source.Add("first", "1", s.versions[1])
		return s.after("first:1")
	}, "", failure.NameTaken},
	{"the same if both are the same image", func(s *shelf) Result {
		s.source.Add("first", "1", s.versions[0])
		return s.after("first:1")
	}, "0 all", ""},
	{"the same if that image does not exist", func(s *shelf) Result { return s.after("first:1") }, "0 all", ""},
	{"a shared name with other content", func(s *shelf) Result { s.targets[0].Add("m/a", "1", s.versions[1]); return s.exclusive("a:1") }, "1 all", failure.NameTaken},
	{"a shared name with a platform of the image", func(s *shelf) Result { s.asked("a:1", arm); return s.exclusive("a:1") }, "0 all", ""},
	{"one platform for a shared name", func(s *shelf) Result { s.asked("a:1"); return s.exclusive("a:1", arm) }, "0 all", ""},
}

func (s *shelf) changed(name string, change func(*plan.Destination), platforms ...string) Result {
	step := s.step(name, platforms...)
	change(&step.Destinations[0])
	return s.run(step)[0]
}

func (s *shelf) after(name string) Result {
	return s.changed("a:1", func(d *plan.Destination) { d.Before = parse(s.t, s.from+"/"+name) })
}

func (s *shelf) exclusive(name string, platforms ...string) Result {
	return s.changed(name, func(d *plan.Destination) { d.Exclusive = true }, platforms...)
}

func TestWhatATagHolds(t *testing.T) {
	docs, err := os.ReadFile("../../docs/names.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range nameCases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(string(docs), "| "+c.name+" |") {
				t.Error("docs/names.md has no such row")
			}
			s := newShelf(t, fakeregistry.Options{}, fakeregistry.Options{})
			s.moves("1", 0)
			result := c.ask(s)
			if code(result.Failure) != c.code {
				t.Fatalf("it ended as %v, want %q", result.Failure, c.code)
			}
			if got := s.held("1"); got != c.want {
				t.Errorf("the tag holds %q, want %q", got, c.want)
			}
			if result.Failure != nil {
				return
			}
			r := result.Receipt
			_, body, ok := s.targets[0].Manifest("m/a", r.Mirror.Tag())
			if !ok || fakeregistry.Digest(body) != r.Digest.String() {
				t.Errorf("%s holds %s, the receipt says %s", r.Mirror, fakeregistry.Digest(body), r.Digest)
			}
			byDigest := strings.HasPrefix(r.Mirror.Tag(), "digest-")
			if slices.Contains(r.Changes, ByDigest) != byDigest {
				t.Errorf("changes are %v under the name %s", r.Changes, r.Mirror)
			}
		})
	}
}

// TestFormsOfWhatATagHolds: a target that takes Docker's media types alone
// holds the same platforms under other digests.
func TestFormsOfWhatATagHolds(t *testing.T) {
	s := newShelf(t, fakeregistry.Options{}, fakeregistry.Options{Refuse: refuseIndex})
	s.moves("1", 0)
	if r := s.asked("a:1"); r.Failure != nil || !slices.Contains(r.Receipt.Changes, DockerMediaTypes) {
		t.Fatalf("result is %+v", r)
	}
	s.targets[0].Forget()
	s.mirror = New(s.mirror.opts) // which has learned nothing yet
	for _, platforms := range [][]string{{arm}, {}} {
		if r := s.asked("a:1", platforms...); r.Failure != nil || !r.Receipt.Present || len(r.Receipt.Platforms) != 3 {
			t.Errorf("result for %v is %+v, %v", platforms, r.Receipt, r.Failure)
		}
	}
	if n := s.targets[0].Count("^PUT "); n > 0 {
		t.Errorf("%d manifests were put of what was there", n)
	}
}

func TestPlatformTagsLeaveTagsOfTheSource(t *testing.T) {
	s := newShelf(t, fakeregistry.Options{}, fakeregistry.Options{Refuse: refuseLists})
	s.moves("1", 0)
	s.source.Add("a", "1-linux-arm64", fakeregistry.Generate(fakeregistry.Spec{Seed: 9, Platforms: []string{arm}, Layers: []int{10}}))
	s.asked("a:1-linux-arm64")
	_, before, _ := s.targets[0].Manifest("m/a", "1-linux-arm64")
	r := s.asked("a:1")
	if r.Failure != nil || len(r.Receipt.Tags) != 2 {
		t.Fatalf("result is %+v, %v", r.Receipt, r.Failure)
	}
	if _, after, _ := s.targets[0].Manifest("m/a", "1-linux-arm64"); string(after) != string(before) {
		t.Error("a tag for one platform replaced a tag of the source")
	}
}

func TestSignaturesInSharedRepositoriesStay(t *testing.T) {
	for _, mixed := range []bool{false, true} {
		w := newWorld(t, fakeregistry.Options{}, func(o *Options) { o.Referrers = true }, fakeregistry.Options{})
		img := fakeregistry.Generate(fakeregistry.Spec{Seed: 5, Platforms: []string{amd}, Layers: []int{1000}})
		tag := strings.Replace(fakeregistry.Digest(img.Root().Body), ":", "-", 1) + ".sig"
		genuine, forged := fakeregistry.Signature(img.Root(), 1), fakeregistry.Signature(img.Root(), 2)
		w.targets[0].Add("m/a", tag, genuine)
		w.source.Add("a", "1", img)
		w.source.Add("a", tag, forged)
		step := w.step("a:1")
		step.Destinations[0].Exclusive, step.Destinations[0].Mixed = !mixed, mixed
		w.one(step)
		if _, body, _ := w.targets[0].Manifest("m/a", tag); string(body) != string(genuine.Root().Body) {
			t.Error("the signature was replaced")
		}
	}
}

func TestDefaultPlatformsAreAWish(t *testing.T) {
	for name, c := range map[string]struct {
		spec fakeregistry.Spec
		want string
	}{
		"an image for more":       {fakeregistry.Spec{Platforms: []string{amd, arm, s390}}, "linux/amd64 linux/arm64"},
		"an image for one":        {fakeregistry.Spec{Platforms: []string{amd}}, amd},
		"an index for one":        {fakeregistry.Spec{Platforms: []string{amd}, Attestations: true}, amd},
		"an image for none of it": {fakeregistry.Spec{Platforms: []string{s390, "linux/riscv64"}}, "linux/s390x linux/riscv64"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			c.spec.Layers = []int{100}
			w.source.Add("a", "1", fakeregistry.Generate(c.spec))
			step := w.step("a:1", amd, arm)
			step.Destinations[0].Default = true
			var got []string
			for _, p := range w.one(step).Platforms {
				got = append(got, p.String())
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("platforms are %v, want %s", got, c.want)
			}
		})
	}
}

// TestUnwantedPartsAreOptional answers every request for one platform's manifest
// with a web page, which counts only if the platform is wanted.
func TestUnwantedPartsAreOptional(t *testing.T) {
	s := newShelf(t, fakeregistry.Options{}, fakeregistry.Options{})
	s.versions[0] = fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd, arm}, Layers: []int{500}})
	s.source.Add("a", "1", s.versions[0])
	path := "/manifests/" + s.digest(0, arm)
	s.source.Inject(fakeregistry.Fault{Match: path, Times: -1, Status: http.StatusOK, Body: "<html><title>login</title></html>"})
	if receipt := s.one(s.step("a:1", amd)); !slices.Equal(receipt.Changes, []Change{SinglePlatform}) {
		t.Errorf("receipt is %+v", receipt)
	}
	if n := s.source.Count("^GET .*" + path); n != 1 {
		t.Errorf("the other platform was requested %d times", n)
	}
	for _, platforms := range [][]string{nil, {amd, arm}} {
		if err := s.run(s.step("a:1", platforms...))[0].Failure; code(err) != failure.WebPage {
			t.Errorf("%v end as %v", platforms, err)
		}
	}
}

// TestUnusablePartsDoNotCostTheRest breaks one part of an image.
func TestUnusablePartsDoNotCostTheRest(t *testing.T) {
	whole := func() *fakeregistry.Image {
		return fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{amd, arm, s390}, Layers: []int{500}, Attestations: true})
	}
	digests := (&shelf{world: &world{t: t}, versions: [3]*fakeregistry.Image{whole()}})
	layerOf := func(platform string) string {
		for _, m := range whole().Manifests {
			if fakeregistry.Digest(m.Body) == digests.digest(0, platform) {
				var image struct{ Layers []struct{ Digest string } }
				if err := json.Unmarshal(m.Body, &image); err != nil {
					t.Fatal(err)
				}
				return image.Layers[0].Digest
			}
		}
		return ""
	}
	var attestation string
	for _, m := range whole().Manifests {
		if strings.Contains(string(m.Body), "in-toto") {
			attestation = fakeregistry.Digest(m.Body)
		}
	}
	for _, c := range []struct {
		name, broken string
		platforms    []string
		want         int // platforms that arrive
		changes      []Change
		missing      string
		status       int
		code         failure.Code
	}{
		{"a platform's manifest", "/manifests/" + digests.digest(0, arm), nil, 2, []Change{Incomplete}, "[linux/arm64]", 404, ""},
		{"an attestation", "/manifests/" + attestation, nil, 3, []Change{Incomplete}, "[unknown/unknown]", 404, ""},
		{"an attestation of 500", "/manifests/" + attestation, nil, 3, []Change{Incomplete}, "[unknown/unknown]", 500, ""},
		{"a layer", "/blobs/" + layerOf(arm), nil, 2, []Change{Incomplete}, "[linux/arm64]", 404, ""},
		{"a layer nobody asked for", "/blobs/" + layerOf(arm), []string{amd}, 1, []Change{SinglePlatform}, "[]", 404, ""},
		{"a manifest nobody asked for", "/manifests/" + digests.digest(0, arm), []string{amd}, 1, []Change{SinglePlatform}, "[]", 404, ""},
		{"a layer that was asked for", "/blobs/" + layerOf(arm), []string{amd, arm}, 0, nil, "", 404, failure.NotFound},
		{"a manifest that was asked for", "/manifests/" + digests.digest(0, arm), []string{arm}, 0, nil, "", 404, failure.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			w.source.Add("a", "1", whole())
			w.source.Inject(fakeregistry.Fault{Match: c.broken, Times: -1, Status: c.status, Body: `{"errors":[{"code":"MANIFEST_UNKNOWN"}]}`})
			r := w.run(w.step("a:1", c.platforms...))[0]
			if code(r.Failure) != c.code {
				t.Fatalf("it ended as %v, want %q", r.Failure, c.code)
			}
			if c.code != "" {
				return
			}
			if !slices.Equal(r.Receipt.Changes, c.changes) || len(r.Receipt.Platforms) != c.want {
				t.Errorf("receipt is %+v, want %v and %d platforms", r.Receipt, c.changes, c.want)
			}
			if got := fmt.Sprint(r.Receipt.Missing); got != c.missing {
				t.Errorf("%s are said to be missing, want %s", got, c.missing)
			}
			w.complete(w.targets[0], "m/a", "1")
		})
	}
}
