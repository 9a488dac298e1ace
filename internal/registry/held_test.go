package registry_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/request"
)

// holding never answers matching requests, in some cases only for what has been
// put.
type holding struct {
	match *regexp.Regexp
	put   *sync.Map // paths; nil if that does not matter
	http.RoundTripper
}

func (h holding) RoundTrip(r *http.Request) (*http.Response, error) {
	holds := h.put == nil
	if !holds && r.Method == http.MethodPut {
		h.put.Store(r.URL.Path, true)
	} else if !holds {
		_, holds = h.put.Load(r.URL.Path)
	}
	if holds && h.match.MatchString(r.Method+" "+r.URL.RequestURI()) {
		if r.Body != nil {
			r.Body.Close()
		}
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return h.RoundTripper.RoundTrip(r)
}

// TestHeldRequests checks that optional requests without an answer cost little
// time, and less for the second image.
func TestHeldRequests(t *testing.T) {
	for _, c := range []struct {
		name           string
		source, target string
		put            bool // what has been put
		first, second  time.Duration
	}{
		{"HEAD of manifests", "", "^HEAD .*/manifests/", false, 10 * time.Second, 5 * time.Second},
		{"reading back", "", "^(GET|HEAD) .*/manifests/", true, 40 * time.Second, 5 * time.Second},
		{"mounts", "", "^POST .*mount=", false, 40 * time.Second, 5 * time.Second},
		{"HEAD of blobs", "", "^HEAD .*/blobs/|^POST .*mount=", false, 40 * time.Second, 10 * time.Second},
		{"referrers", "/referrers/", "", false, 25 * time.Second, 5 * time.Second},
		{"signatures", "/referrers/|/tags/list|/manifests/sha256-", "", false, 45 * time.Second, 25 * time.Second},
		{"the root", "^GET /v2/$", "^GET /v2/$", false, 20 * time.Second, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source, target := fakeregistry.New(fakeregistry.Options{}), fakeregistry.New(fakeregistry.Options{})
				opts := registry.Options{TokenServers: map[string]known.TokenServer{}}
				from := []config.Source{{Host: "quay.io"}}
				sources := registry.NewSources(from, opts)
				targets := registry.NewTargets([]config.Target{{Host: "registry.example.com", Username: "u", Password: config.NewSecret("p")}}, from, opts)
				const near = time.Millisecond
				hold := func(match string, r *fakeregistry.Registry) http.RoundTripper {
					if match == "" {
						match = "^$"
					}
					h := holding{regexp.MustCompile(match), nil, distance{near, r}}
					if c.put {
						h.put = &sync.Map{}
					}
					return h
				}
				sources.Over(hold(c.source, source), near)
				targets.Over(hold(c.target, target), near)
				m := mirror.New(mirror.Options{Sources: sources, Targets: targets, ImageBytes: 1 << 30, RequestBytes: 1 << 30, IndexManifests: 50, Referrers: true})
				defer m.Close()
				for n, limit := range []time.Duration{c.first, c.second} {
					tag := fmt.Sprint(n + 1)
					source.Add("a/b", tag, fakeregistry.Generate(fakeregistry.Spec{Seed: uint64(n), Platforms: []string{"linux/amd64"}, Layers: []int{100, 200}}))
					began := time.Now()
					result := m.Run(t.Context(), []plan.Step{{
						Image:        request.Image{Reference: parse(t, "quay.io/a/b:"+tag)},
						Destinations: []plan.Destination{{Mirror: parse(t, "registry.example.com/m/a.b:"+tag)}},
					}}, nil)[0]
					if took := time.Since(began); result.Failure != nil || took > limit {
						t.Errorf("image %s took %v, want at most %v: %v", tag, took, limit, result.Failure)
					}
				}
			})
		})
	}
}

// TestHeadGivenUp checks that a HEAD that its caller did not wait for is not taken for
// one that was answered.
func TestHeadGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := fakeregistry.New(fakeregistry.Options{})
		source.Add("a/b", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{100}}))
		sources := registry.NewSources([]config.Source{{Host: "quay.io"}}, registry.Options{})
		sources.Over(holding{regexp.MustCompile("^HEAD "), nil, distance{time.Millisecond, source}}, time.Millisecond)
		c, _ := sources.ForHost("quay.io")
		ref := parse(t, "quay.io/a/b:1")
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Digest(brief, ref); err == nil {
			t.Fatal("a HEAD was answered")
		}
		for _, limit := range []time.Duration{6 * time.Second, time.Second} {
			began := time.Now()
			if _, err := c.Digest(t.Context(), ref); err != nil || time.Since(began) > limit {
				t.Errorf("the digest took %v, want at most %v: %v", time.Since(began), limit, err)
			}
		}
	})
}
