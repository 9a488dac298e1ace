package mirror

import (
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/plan"
)

// TestProgressAddsUp holds the last event of a copy against the image: all
// bytes and all layers have arrived, each once, whatever was sent.
func TestProgressAddsUp(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	for _, name := range []string{"a", "b"} { // b is there but for its tag
		w.source.Add(name, "1", fakeregistry.Generate(fakeregistry.Spec{
			Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{3000, 200}, Shared: []int{500},
		}))
		var last Event
		w.mirror.Run(t.Context(), []plan.Step{w.step(name + ":1")}, func(e Event) { last = e })
		if last.Kind != Finished || last.Done != last.Total || last.Total == 0 || last.LayersDone != last.Layers || last.Layers != 5 {
			t.Errorf("%s ends with %+v, want all bytes and 5 layers", name, last)
		}
	}
}
