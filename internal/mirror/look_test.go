package mirror

import (
	"context"
	"net/http"
	"testing"

	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
)

// TestLook: what registries answer to a look, and what it means.
func TestLook(t *testing.T) {
	const denied = `{"errors":[{"code":"DENIED"}]}`
	refuse := func(match string, status int, body string) *fakeregistry.Fault {
		return &fakeregistry.Fault{Match: match, Times: -1, Status: status, Body: body}
	}
	for _, test := range []struct {
		name           string
		there          string // at the target: "same", "other" or nothing
		source, target *fakeregistry.Fault
		gone           bool
		code           failure.Code
		unknown        bool // neither digest matters
	}{
		{name: "new"},
		{name: "unchanged", there: "same"},
		{name: "moved", there: "other"},
		{name: "gone", there: "other", source: refuse("/manifests/1$", http.StatusNotFound, ""), gone: true, unknown: true},
		{name: "nowhere", source: refuse("/manifests/1$", http.StatusNotFound, ""), code: failure.NotFound, unknown: true},
		{name: "private", there: "same", source: refuse("/manifests/1$", http.StatusForbidden, denied), code: failure.Private, unknown: true},
		{name: "down", there: "same", source: refuse("/manifests/1$", http.StatusBadGateway, ""), code: failure.Unavailable, unknown: true},
		{name: "no HEAD at the source", there: "same", source: refuse("^HEAD ", http.StatusMethodNotAllowed, "")},
		{name: "no HEAD at the target", there: "same", target: refuse("^HEAD ", http.StatusMethodNotAllowed, "")},
		{name: "no digest in HEAD", there: "same", source: refuse("^HEAD ", http.StatusOK, "")},
		{name: "the target is down", there: "same", target: refuse("/manifests/1$", http.StatusBadGateway, ""), code: failure.Unavailable, unknown: true},
		{name: "a login for pushing alone", target: refuse("/manifests/1$", http.StatusForbidden, denied)},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
			image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{10}})
			other := fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{10}})
			w.source.Add("a", "1", image)
			switch test.there {
			case "same":
				w.targets[0].Add("m/a", "1", image)
			case "other":
				w.targets[0].Add("m/a", "1", other)
			}
			for r, f := range map[*fakeregistry.Registry]*fakeregistry.Fault{w.source: test.source, w.targets[0]: test.target} {
				if f != nil {
					r.Inject(*f)
				}
			}
			s := w.mirror.Look(t.Context(), []plan.Step{w.step("a:1")}, AllSources)[0][0]
			if code(s.Failure) != test.code || s.Gone != test.gone {
				t.Fatalf("got %+v with %v", s, s.Failure)
			}
			if test.unknown {
				return
			}
			want := Standing{Source: parse(t, "a@"+fakeregistry.Digest(image.Root().Body)).Digest()}
			switch test.there {
			case "same":
				want.Held = want.Source
			case "other":
				want.Held = parse(t, "a@"+fakeregistry.Digest(other.Root().Body)).Digest()
			}
			if s != want {
				t.Errorf("got %+v, want %+v", s, want)
			}
		})
	}
}

// TestLookAsksLittle: a digest names itself, and what is held needs no source.
func TestLookAsksLittle(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{}, fakeregistry.Options{})
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{10}})
	w.source.Add("a", "1", image)
	w.targets[0].Add("m/a", "1", image)
	pinned := w.step("a:1")
	pinned.Image.Reference = pinned.Image.Reference.WithDigest(parse(t, "a@"+fakeregistry.Digest(image.Root().Body)).Digest())
	if s := w.mirror.Look(t.Context(), []plan.Step{pinned}, AllSources)[0]; s[0].Held != s[0].Source || s[1].Held == s[0].Held || w.source.Count("manifests") != 0 {
		t.Errorf("got %+v after %v", s, w.source.Requests())
	}
	if s := w.mirror.Look(t.Context(), []plan.Step{w.step("a:1")}, AbsentSources)[0]; s[1].Source != s[0].Held || w.source.Count("manifests") != 1 {
		t.Errorf("one target lacks it: got %+v after %v", s, w.source.Requests())
	}
	w.source.Forget()
	if s := w.mirror.Look(t.Context(), []plan.Step{w.step("a:1")}, NoSources)[0]; s[0].Held.Hex == "" || s[1] != (Standing{}) || len(w.source.Requests()) != 0 {
		t.Errorf("no source is to be asked: got %+v after %v", s, w.source.Requests())
	}
	w.targets[1].Add("m/a", "1", image)
	w.source.Forget()
	if s := w.mirror.Look(t.Context(), []plan.Step{w.step("a:1")}, AbsentSources)[0]; s[1].Held != s[0].Held || len(w.source.Requests()) != 0 {
		t.Errorf("both targets have it: got %+v after %v", s, w.source.Requests())
	}
}

// TestLookHeld: what a target holds is known to be there, whatever the source says when
// it is asked for another target.
func TestLookHeld(t *testing.T) {
	for _, status := range []int{http.StatusNotFound, http.StatusBadGateway} {
		w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{}, fakeregistry.Options{})
		w.targets[0].Add("m/a", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{10}}))
		w.source.Inject(fakeregistry.Fault{Match: "/manifests/1$", Times: -1, Status: status})
		s := w.mirror.Look(t.Context(), []plan.Step{w.step("a:1")}, AbsentSources)[0]
		if s[0].Held.Hex == "" || s[0].Gone || s[0].Failure != nil || s[1].Failure == nil {
			t.Errorf("the source answers %d: got %+v", status, s)
		}
	}
}

// TestLookEnds: what a run that is stopped has not asked is cancelled, and hosts
// that the owner did not name are not asked.
func TestLookEnds(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if s := w.mirror.Look(stopped, []plan.Step{w.step("a:1")}, AllSources)[0][0]; code(s.Failure) != failure.Cancelled {
		t.Errorf("got %v", s.Failure)
	}
	unknown := w.step("a:1")
	unknown.Image.Reference = parse(t, "registry.example.com/a:1")
	if s := w.mirror.Look(t.Context(), []plan.Step{unknown}, AllSources)[0][0]; code(s.Failure) != failure.HostNotAllowed {
		t.Errorf("got %v", s.Failure)
	}
	repository := unknown.Image.Reference.Repository()
	if l := w.mirror.Tags(t.Context(), []reference.Repository{repository})[repository]; code(l.Failure) != failure.HostNotAllowed {
		t.Errorf("got %v", l.Failure)
	}
}
