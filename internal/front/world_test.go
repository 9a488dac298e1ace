package front

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// world is a front with a source, gcr.io, and a target that has mirrors.
type world struct {
	t        testing.TB
	source   *fakeregistry.Registry
	target   *fakeregistry.Registry
	options  Options
	front    *Front
	log      *strings.Builder
	at       map[string]string // addresses of the registries
	mirror   *Place
	upstream *Place

	mu  sync.Mutex
	now time.Time
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

const targetHost, namespace = "registry.example.com", "alice"

// serve serves a registry under a host name.
func serve(t testing.TB, handler http.Handler, source config.Source, at map[string]string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	host := source.Host
	if host == reference.DockerHub {
		host = "registry-1.docker.io"
	}
	at[host+":80"] = server.Listener.Addr().String()
}

func client(t testing.TB, source config.Source, at map[string]string) *registry.Client {
	t.Helper()
	set := registry.NewSources([]config.Source{source}, registry.Options{
		Network: outbound.Options{At: at},
		Wait:    func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	t.Cleanup(set.Close)
	c, ok := set.ForHost(source.Host)
	if !ok {
		t.Fatalf("%s has no client", source.Host)
	}
	return c
}

// newWorld returns a world. The changes are applied to the options of its
// front.
func newWorld(t testing.TB, changes ...func(*world)) *world {
	t.Helper()
	at := map[string]string{}
	w := &world{
		t: t, at: at, now: time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC), log: &strings.Builder{},
		source: fakeregistry.New(fakeregistry.Options{}),
		target: fakeregistry.New(fakeregistry.Options{Tokens: true, Private: true, Username: "alice", Password: "sesame-of-alice"}),
	}
	gcr := config.Source{Host: "gcr.io", Private: true, PlainHTTP: true}
	store := config.Source{Host: targetHost, Private: true, PlainHTTP: true, Username: "alice", Password: config.NewSecret("sesame-of-alice")}
	serve(t, w.source, gcr, at)
	serve(t, w.target, store, at)
	target := name.Target{Host: targetHost, Namespace: namespace, Profile: name.Flat}
	scheme, err := name.New(target, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.mirror = NewMirror(client(t, store, at), target, scheme)
	w.upstream = NewUpstream(client(t, gcr, at))
	names, err := NewNames([]string{"docker.io", "gcr.io"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	engine := transfer.New(transfer.Options{})
	t.Cleanup(engine.Close)
	w.options = Options{
		Names: names, Places: map[string][]*Place{"gcr.io": {w.mirror, w.upstream}}, Engine: engine,
		Now: w.clock, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}
	for _, change := range changes {
		change(w)
	}
	w.front = New(w.options)
	return w
}

// get sends a request to the front; headers are pairs.
func (w *world) get(method, uri string, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, uri, nil)
	r.Host, r.RemoteAddr = "127.0.0.1:5050", "127.0.0.1:40000"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.front.ServeHTTP(rec, r)
	return rec
}

// expect fails the test unless the response has the status.
func (w *world) expect(rec *httptest.ResponseRecorder, status int) *httptest.ResponseRecorder {
	w.t.Helper()
	if rec.Code != status {
		w.t.Fatalf("status %d, want %d: %s\n%s", rec.Code, status, rec.Body, w.log)
	}
	return rec
}

func image(seed uint64) *fakeregistry.Image {
	return fakeregistry.Generate(fakeregistry.Spec{Seed: seed, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{200_000, 1000}})
}

// testLast returns the target as a place with names of the profile last.
func testLast(t testing.TB, w *world) *Place { return profiled(t, w, name.Last) }

// profiled is the mirror of the world with names of another profile.
func profiled(t testing.TB, w *world, profile name.Profile) *Place {
	t.Helper()
	target := name.Target{Host: targetHost, Namespace: namespace, Profile: profile}
	scheme, err := name.New(target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return NewMirror(w.mirror.Client, target, scheme)
}
