package bot

import (
	"net/http"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/fakeworld"
	"github.com/imageferry/ferry/internal/wiring"
)

// TestPublicMirrors checks that the answer and the records say what public mirrors have,
// although one of them hangs until its time is up.
func TestPublicMirrors(t *testing.T) {
	w := newWorld(t)
	digest := w.Publish("ns/tool", "1", 1)
	public := fakeregistry.New(fakeregistry.Options{})
	public.Add("gcr.io/ns/tool", "1", fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{20_000, 300}}))
	over := make(chan struct{})
	w.At["m.example.com:80"] = w.Serve(public)
	w.At["silent.example.com:80"] = w.Serve(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(over)
	}))
	w.At["registry.example.com:80"] = w.Serve(http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/manifests/1") {
			<-over // the copy takes longer than the mirrors have time
		}
		w.Target.ServeHTTP(to, r)
	}))
	w.SetPolicy(fakeworld.Policy + `
  - {host: m.example.com, private: true, plain-http: true, requests: owner}
  - {host: silent.example.com, private: true, plain-http: true, requests: owner}
public-mirrors:
  - {at: m.example.com, images: [gcr.io/*]}
  - {at: silent.example.com, images: [gcr.io/*]}
`)
	n := w.open(stranger, "please", "gcr.io/ns/tool:1")
	status, log := w.happens("issues", "opened", n, nil)
	w.WantStatus(status, wiring.StatusDone, log)
	same := "m.example.com/gcr.io/ns/tool@" + digest
	fakeworld.WantText(t, "the comment", w.comment(n), "On public mirrors", "docker pull "+same, `"size":`, `"elsewhere":[{"mirror":"`+same+`","state":"same"}]}`+"\n-->")
	fakeworld.WantText(t, "the outputs", w.outputs(), `"elsewhere":[{"mirror":"`+same+`","state":"same"}`)
}
