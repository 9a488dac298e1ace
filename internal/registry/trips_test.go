package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/request"
)

// distance serves each request after half of a round trip, and its response
// arrives after the other half.
type distance struct {
	trip    time.Duration
	handler http.Handler
}

func (d distance) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	time.Sleep(d.trip / 2)
	arrived := r.Clone(context.WithoutCancel(r.Context()))
	arrived.Host, arrived.RequestURI, arrived.Body = r.URL.Host, r.URL.RequestURI(), io.NopCloser(bytes.NewReader(body))
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, arrived)
	select {
	case <-time.After(d.trip - d.trip/2):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// TestRoundTrips counts the round trips to the target, one after another, that
// a copy consists of, from the token to the proof that the tag is written.
// Connections stand already, and the source is near.
func TestRoundTrips(t *testing.T) {
	const trip, near = time.Second, 10 * time.Millisecond
	image := func(platforms ...string) *fakeregistry.Image {
		return fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: platforms, Layers: []int{100, 200}})
	}
	one, two := image("linux/amd64"), image("linux/amd64", "linux/arm64")
	for _, c := range []struct {
		name    string
		target  string
		image   *fakeregistry.Image
		present bool
		late    time.Duration // how long the target takes to write a tag
		want    int
	}{
		// Token, look-up, session, data, manifest; the tag is read back meanwhile.
		{"an image", "registry.example.com", one, false, 0, 5},
		{"an image, Docker Hub", "docker.io", one, false, 0, 5},
		{"two platforms", "registry.example.com", two, false, 0, 6},
		{"a slow target", "registry.example.com", one, false, trip, 7},
		{"nothing to copy", "registry.example.com", one, true, 0, 2},
		{"nothing to copy, Docker Hub", "docker.io", two, true, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := fakeregistry.New(fakeregistry.Options{Tokens: true})
				target := fakeregistry.New(fakeregistry.Options{Tokens: true, Username: "u", Password: "p"})
				target.Behave(fakeregistry.Intercept("^PUT .*/manifests/1$", func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					time.Sleep(c.late)
					next.ServeHTTP(w, r)
				}))
				source.Add("a/b", "1", c.image)
				if c.present {
					target.Add("m/a.b", "1", c.image)
				}
				opts := registry.Options{TokenServers: map[string]known.TokenServer{}}
				for _, host := range []string{"quay.io", c.target} {
					opts.TokenServers[host] = known.TokenServer{Realm: fmt.Sprintf("https://auth.%s/token", strings.TrimPrefix(host, "registry.")), Service: host}
				}
				from := []config.Source{{Host: "quay.io"}}
				sources := registry.NewSources(from, opts)
				targets := registry.NewTargets([]config.Target{{Host: c.target, Username: "u", Password: config.NewSecret("p")}}, from, opts)
				sources.Over(distance{near, source}, near)
				targets.Over(distance{trip, target}, trip)
				m := mirror.New(mirror.Options{Sources: sources, Targets: targets, ImageBytes: 1 << 30, RequestBytes: 1 << 30, IndexManifests: 50})
				defer m.Close()
				began := time.Now()
				result := m.Run(t.Context(), []plan.Step{{
					Image:        request.Image{Reference: parse(t, "quay.io/a/b:1")},
					Destinations: []plan.Destination{{Mirror: parse(t, c.target+"/m/a.b:1")}},
				}}, nil)[0]
				if result.Failure != nil || result.Receipt.Present != c.present {
					t.Fatalf("%v, %+v", result.Failure, result.Receipt)
				}
				if took := time.Since(began); took.Round(trip) != time.Duration(c.want)*trip {
					t.Errorf("it took %v, want about %d round trips\n%s", took, c.want, strings.Join(lines(target), "\n"))
				}
			})
		})
	}
}

func lines(r *fakeregistry.Registry) (list []string) {
	for _, q := range r.Requests() {
		list = append(list, fmt.Sprint(q))
	}
	return list
}

func parse(t *testing.T, text string) reference.Reference {
	t.Helper()
	ref, err := reference.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
