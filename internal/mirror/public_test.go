package mirror

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/request"
)

// withPublic adds public mirrors to a world, which name their copies as the source
// does.
func (w *world) withPublic(hosts ...string) {
	w.t.Helper()
	var sources []config.Source
	for _, host := range hosts {
		sources = append(sources, config.Source{Host: host, Private: true, PlainHTTP: true})
	}
	clients := registry.NewSources(sources, registry.Options{UserAgent: "ferry/test", Wait: noWait})
	w.t.Cleanup(clients.Close)
	opts := w.mirror.opts
	for _, host := range hosts {
		c, _ := clients.ForHost(host)
		opts.Public = append(opts.Public, PublicMirror{publicAt(w.t, host, w.from), c})
	}
	w.mirror = New(opts)
}

func publicAt(t *testing.T, at, source string) name.Public {
	t.Helper()
	pattern, err := name.ParsePattern(source + "/*")
	if err != nil {
		t.Fatal(err)
	}
	p, err := name.NewPublic(at, name.SamePath, []name.Pattern{pattern})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// settled returns the answers once all requests have ended, or a test's time is up.
func settled(p *Public, ref reference.Reference, n int) {
	for range 5000 {
		p.mu.Lock()
		done := len(p.said[ref]) >= n && p.said[ref][n-1] != nil
		p.mu.Unlock()
		if done {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestPublicMirrors asks a mirror of each kind, good and bad.
func TestPublicMirrors(t *testing.T) {
	w := newWorld(t, fakeregistry.Options{}, nil, fakeregistry.Options{})
	image := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{100}})
	other := fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{100}})
	w.source.Add("team/tool", "1.0", image)
	root := fakeregistry.Digest(image.Root().Body)
	index, err := v1.ParseIndexManifest(strings.NewReader(string(image.Root().Body)))
	if err != nil {
		t.Fatal(err)
	}
	holding := func(add func(r *fakeregistry.Registry)) http.Handler {
		r := fakeregistry.New(fakeregistry.Options{})
		add(r)
		return r
	}
	answers := func(f func(w http.ResponseWriter, r *http.Request)) http.Handler { return http.HandlerFunc(f) }
	elsewhere := serve(t, answers(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a login was sent to a public mirror")
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	for _, test := range []struct {
		name   string
		public http.Handler
		want   PublicState
		mirror string // what follows the host
	}{
		{"the same", holding(func(r *fakeregistry.Registry) { r.Add("team/tool", "1.0", image) }), Same, "/team/tool@" + root},
		{"a digest without its content", answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Docker-Content-Digest", root)
			w.Header().Set("Content-Type", string(index.MediaType))
		}), Same, "/team/tool@" + root}, // by the digest, nobody gets other content
		{"one platform", answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Docker-Content-Digest", index.Manifests[1].Digest.String())
			w.Header().Set("Content-Type", string(index.Manifests[1].MediaType))
		}), OnePlatform, "/team/tool@" + index.Manifests[1].Digest.String()},
		{"another state", holding(func(r *fakeregistry.Registry) { r.Add("team/tool", "1.0", other) }), Older, "/team/tool:1.0"},
		{"absent", holding(func(*fakeregistry.Registry) {}), Absent, "/team/tool:1.0"},
		{"a page for everything", answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<!doctype html><html><body>welcome</body></html>"))
		}), NoAnswer, "/team/tool:1.0"},
		{"a redirect to a login", answers(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte("<!doctype html><html>log in</html>"))
				return
			}
			http.Redirect(w, r, "/login", http.StatusFound)
		}), NoAnswer, "/team/tool:1.0"},
		{"a digest that is none", answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Docker-Content-Digest", "sha256:<script>")
		}), NoAnswer, "/team/tool:1.0"},
		{"a token of another place", answers(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+elsewhere+`/token",service="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		}), NoAnswer, "/team/tool:1.0"},
		{"an error", answers(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusBadGateway) }), NoAnswer, "/team/tool:1.0"},
		{"no answer", answers(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), NoAnswer, "/team/tool:1.0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := *w
			w.t = t
			host := serve(t, test.public)
			w.withPublic(host)
			step := w.step("team/tool:1.0")
			public := w.mirror.AskPublic(t.Context(), []plan.Step{step})
			results := w.run(step)
			if results[0].Failure != nil {
				t.Fatal(results[0].Failure)
			}
			source, _ := w.mirror.sources.Load(step.Image.Reference)
			if r, ok := source.(*resolved); ok && r != nil && r.parts == nil { // it was there
				r.parts = map[v1.Hash]reference.Platform{}
				for _, m := range index.Manifests {
					r.parts[m.Digest], _ = reference.ParsePlatform(m.Platform.String())
				}
			}
			settled(public, step.Image.Reference, 1)
			got := public.Answers()[step.Image.Reference]
			w.mirror.sources.Range(func(ref, _ any) bool {
				t.Errorf("%s is kept", ref)
				return true
			})
			if len(got) != 1 || got[0].State != test.want || got[0].Mirror.String() != host+test.mirror {
				t.Errorf("got %+v, want %s of %s", got, test.want, host+test.mirror)
			}
			if test.want == OnePlatform && got[0].Platform.String() != "linux/arm64" {
				t.Errorf("the platform is %s", got[0].Platform)
			}
		})
	}
}

// hanging is a client that does not answer before its context ends.
type hanging struct{ asked chan struct{} }

func (h hanging) Digest(ctx context.Context, _ reference.Reference) (v1.Hash, error) {
	select {
	case h.asked <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return v1.Hash{}, &failure.Error{Code: failure.Unavailable, Err: ctx.Err()}
}

// TestHangingPublicMirrorsTakeNoTime measures copies of different lengths beside
// public mirrors that all hang: they take not a moment longer.
func TestHangingPublicMirrorsTakeNoTime(t *testing.T) {
	for _, takes := range []time.Duration{0, time.Millisecond, time.Second, publicTime, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			asked := make(chan struct{}, 1000)
			m := New(Options{Public: []PublicMirror{
				{publicAt(t, "a.example.com", "docker.io"), hanging{asked}}, {publicAt(t, "b.example.com", "docker.io"), hanging{asked}},
			}})
			var steps []plan.Step
			for _, tag := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
				s := plan.Step{Image: request.Image{Reference: parse(t, "nginx:"+tag)}}
				steps = append(steps, s)
				m.sources.Store(s.Image.Reference, &resolved{digest: v1.Hash{Algorithm: "sha256", Hex: strings.Repeat("a", 64)}})
			}
			began := time.Now()
			public := m.AskPublic(t.Context(), steps)
			time.Sleep(takes) // the copy
			found := public.Answers()
			if took := time.Since(began); took != takes {
				t.Errorf("a copy of %s took %s", takes, took)
			}
			for _, list := range found {
				for _, e := range list {
					if e.State != NoAnswer {
						t.Errorf("%s is said to be %s", e.Mirror, e.State)
					}
				}
			}
			if want := 9; takes > publicTime && len(found) != want {
				t.Errorf("%d images have answers, want %d", len(found), want)
			}
			if n := len(asked); n > 2*publicAtOnce {
				t.Errorf("hanging mirrors were asked %d times", n)
			}
			synctest.Wait() // nothing goes on
		})
	}
}

// counting answers that an image is absent.
type counting struct{ n *int }

func (c counting) Digest(_ context.Context, ref reference.Reference) (v1.Hash, error) {
	*c.n++
	return v1.Hash{}, &failure.Error{Code: failure.NotFound, Err: errors.New(ref.String())}
}

// TestPublicMirrorsHaveABudget asks for many images in a minute, and for the same
// image again within a day and after it.
func TestPublicMirrorsHaveABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m := New(Options{Public: []PublicMirror{{publicAt(t, "a.example.com", "docker.io"), counting{&n}}}})
		ask := func(refs ...string) {
			for _, ref := range refs {
				p := m.AskPublic(t.Context(), []plan.Step{{Image: request.Image{Reference: parse(t, ref)}}})
				synctest.Wait()
				p.Answers()
			}
		}
		for i := range 3 * publicEvery {
			ask("nginx:" + strings.Repeat("1", i+1))
		}
		if n != publicEvery {
			t.Errorf("%d images were asked for in a minute, want %d", n, publicEvery)
		}
		ask("nginx:1", "quay.io/a/b:1", "ghcr.io/a/b:1")
		if n != publicEvery {
			t.Error("an image was asked for twice in a day, or one that the mirror does not have")
		}
		time.Sleep(publicDay)
		if ask("nginx:1"); n != publicEvery+1 {
			t.Error("an image is not asked for again after a day")
		}
	})
}
