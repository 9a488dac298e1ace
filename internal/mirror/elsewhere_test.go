package mirror

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// TestMissingImageIsFoundElsewhere asks for images at a registry that has none
// of them, or will not say so.
func TestMissingImageIsFoundElsewhere(t *testing.T) {
	other := fakeregistry.New(fakeregistry.Options{})
	host := serve(t, other)
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	sources := registry.NewSources([]config.Source{
		{Host: w.from, Private: true, PlainHTTP: true}, {Host: host, Private: true, PlainHTTP: true},
	}, registry.Options{Wait: noWait})
	t.Cleanup(sources.Close)
	opts := w.mirror.opts
	opts.Sources, opts.Elsewhere = sources, []string{w.from, host, "unlisted.example"}
	w.mirror = New(opts)

	for _, name := range []string{"team/tool", "shut/tool"} {
		other.Add(name, "1.0", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	}
	w.source.Inject(fakeregistry.Fault{Match: "/v2/shut/", Times: -1, Status: http.StatusUnauthorized})
	for _, name := range []string{"team/tool", "shut/tool"} {
		if got, want := hints(w.run(w.step(name + ":1.0"))[0].Failure), []string{host + "/" + name + ":1.0"}; !slices.Equal(got, want) {
			t.Errorf("the hints for %s are %v, want %v", name, got, want)
		}
		if got := hints(w.run(w.step(name + ":2.0"))[0].Failure); len(got) > 0 {
			t.Errorf("the hints for %s are %v, want none", name, got)
		}
	}
	other.Forget()
	w.source.Add("team/tool", "1.1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	if got := hints(w.run(w.step("team/tool:1.0"))[0].Failure); !slices.Equal(got, []string{"1.1"}) || len(other.Requests()) > 0 {
		t.Errorf("where the repository is there the hints are %v, after %d requests to others", got, len(other.Requests()))
	}
	if got := code(w.run(w.step("team/tool:1.0"))[0].Failure); got != failure.NotFound {
		t.Errorf("the code is %s", got)
	}
}

func TestNamesElsewhere(t *testing.T) {
	for _, test := range []struct{ ref, host, want string }{
		{"docker.io/team/tool:1", "ghcr.io", "ghcr.io/team/tool:1"},
		{"docker.io/library/pause:3.9", "registry.k8s.io", "registry.k8s.io/pause:3.9"},
		{"docker.io/library/metrics-server:v0.7.1", "registry.k8s.io", "registry.k8s.io/metrics-server/metrics-server:v0.7.1"},
		{"docker.io/library/pause:3.9", "quay.io", ""},
		{"docker.io/library/pause:3.9", "docker.io", ""},
		{"registry.k8s.io/nginx:1.27", "docker.io", "docker.io/library/nginx:1.27"},
		{"registry.k8s.io/nginx:1.27", "ghcr.io", ""},
		{"quay.io/a/b/c:1", "docker.io", ""},
		{"quay.io/a/b/c:1", "ghcr.io", "ghcr.io/a/b/c:1"},
	} {
		got, _ := moved(parse(t, test.ref), test.host)
		if got.String() != test.want {
			t.Errorf("%s at %s is %q, want %q", test.ref, test.host, got, test.want)
		}
	}
}

// TestExist asks which tags there are, also of a registry that fails.
func TestExist(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	image := fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	w.source.Add("team/tool", "1.0", image)
	w.source.Inject(fakeregistry.Fault{Match: "/v2/broken/", Times: -1, Status: http.StatusInternalServerError})
	there, missing, broken := parse(t, w.from+"/team/tool:1.0"), parse(t, w.from+"/team/tool:latest"), parse(t, w.from+"/broken/tool:1.0")
	elsewhere := parse(t, "unlisted.example/team/tool:1.0")
	got := w.mirror.Exist(t.Context(), []reference.Reference{there, missing, broken, elsewhere})
	if want := (map[reference.Reference]bool{there: true, missing: false}); !maps.Equal(got, want) {
		t.Errorf("the references exist as %v, want %v", got, want)
	}
	if n := w.targets[0].Count(""); n > 0 {
		t.Errorf("the target was asked %d times", n)
	}
}

// Where the text names a version apart from the image, the tags near it are told.
func TestHintsAreNearTheVersionThatIsNamed(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	for _, tag := range []string{"9.0.0", "1.2.1", "1.2.3"} {
		w.source.Add("team/tool", tag, fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
	}
	step := w.step("team/tool:latest")
	step.Image.Alternatives = []string{"1.2.2"}
	if got := hints(w.run(step)[0].Failure); !slices.Equal(got[:2], []string{"1.2.3", "1.2.1"}) {
		t.Errorf("the hints are %v", got)
	}
}
