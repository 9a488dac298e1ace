package wiring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/fakegithub"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/transfer"
)

// newFront returns the address of a front that is being served.
func newFront(t *testing.T, s *config.Serve, at map[string]string) string {
	t.Helper()
	return newFrontIn(t, s, Env{At: at, Getenv: func(string) string { return "" }})
}

func newFrontIn(t *testing.T, s *config.Serve, env Env) string {
	t.Helper()
	engine := transfer.New(transfer.Options{})
	t.Cleanup(engine.Close)
	f, err := NewFront(t.Context(), s, env, FrontParts{
		Engine: engine, Memories: front.NewMemories(1 << 20), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// TestPlacesOfEveryKind reads the same images through a chain: a front that
// uses another one, with a token, and public mirrors of both forms.
func TestPlacesOfEveryKind(t *testing.T) {
	target := fakeregistry.New(fakeregistry.Options{})
	hub := fakeregistry.New(fakeregistry.Options{})
	at := map[string]string{}
	for host, handler := range map[string]http.Handler{"registry.example.com:80": target, "hub.example.com:80": hub} {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		at[host] = server.Listener.Addr().String()
	}
	img, public := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{300_000}}),
		fakeregistry.Generate(fakeregistry.Spec{Seed: 2, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	target.Add("alice/harbour.hello", "1", img)
	target.Add("alice/docker.nginx", "1", img)
	hub.Add("library/redis", "1", public)
	sources := []config.Source{{Host: "docker.io"}, {Host: "gcr.io"}, {Host: "k8s.gcr.io"}}
	const token = "the-token-of-the-outer-front"
	inner := newFront(t, &config.Serve{
		Config: config.Config{
			Targets: []config.Target{{Host: "registry.example.com", Namespace: "alice", Profile: "flat", Private: true, PlainHTTP: true}},
			Sources: sources, Limits: config.DefaultLimits(),
		},
		Guests: config.Guests{Tokens: []config.FrontToken{{Name: "outer", Hash: sha256.Sum256([]byte(token))}}},
		Places: []config.FrontPlace{
			{Kind: config.PlaceMirror, Blobs: "auto"},
			{Kind: config.PlacePublic, Blobs: "auto", Sources: []string{"docker.io"}, Other: config.Source{Host: "hub.example.com", Private: true, PlainHTTP: true}},
		},
	}, at)
	outer := newFront(t, &config.Serve{
		Config: config.Config{Sources: sources, Limits: config.DefaultLimits()},
		Places: []config.FrontPlace{{
			Kind: config.PlaceFront, Blobs: "auto", Prefix: true,
			Other: config.Source{Host: inner, Private: true, PlainHTTP: true, Username: "any", Password: config.NewSecret(token)},
		}},
	}, nil)
	for _, test := range []struct {
		path string
		want *fakeregistry.Image
	}{{"nginx", img}, {"gcr.io/harbour/hello", img}, {"redis", public}} {
		uris := map[string][]byte{"/manifests/1": test.want.Root().Body}
		for _, blob := range test.want.Blobs {
			uris["/blobs/"+fakeregistry.Digest(blob)] = blob
		}
		for uri, want := range uris {
			if status, body := fetch(t, "http://"+outer+"/v2/"+test.path+uri); status != http.StatusOK || !bytes.Equal(body, want) {
				t.Errorf("%s%s: status %d: %.300s", test.path, uri, status, body)
			}
		}
	}
	if status, _ := fetch(t, "http://"+inner+"/v2/nginx/manifests/1"); status != http.StatusForbidden {
		t.Errorf("without the token the status is %d", status)
	}
}

const workflowToken = "a-token-that-may-start-workflows"

// newRequestingFront returns the address of a front that has images mirrored by a
// workflow. It does not wait before it repeats a request to GitHub.
func newRequestingFront(t *testing.T, registry, github *httptest.Server) string {
	t.Helper()
	return newFrontIn(t, &config.Serve{
		Config: config.Config{
			Targets: []config.Target{{Host: "registry.example.com", Namespace: "alice", Profile: "flat", Private: true, PlainHTTP: true}},
			Sources: []config.Source{{Host: "gcr.io"}, {Host: "quay.io", Username: "alice"}}, Limits: config.DefaultLimits(),
		},
		Places: []config.FrontPlace{{Kind: config.PlaceMirror, Blobs: "auto"}},
		Workflow: config.FrontWorkflow{
			Owner: "alice", Name: "ferry", File: "mirror.yml", Ref: "main", Token: config.NewSecret(workflowToken), Wait: time.Minute, Hourly: 5, Daily: 5,
		},
	}, Env{
		At:     map[string]string{"registry.example.com:80": registry.Listener.Addr().String()},
		Getenv: func(name string) string { return map[string]string{"GITHUB_API_URL": github.URL}[name] },
		Wait:   func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
}

// TestMissingImageIsMirrored pulls an image that nobody has mirrored: the workflow
// of the configuration is started, and the same pull gets what it has mirrored.
func TestMissingImageIsMirrored(t *testing.T) {
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64"}, Layers: []int{1000}})
	target := fakeregistry.New(fakeregistry.Options{})
	registry := httptest.NewServer(target)
	t.Cleanup(registry.Close)
	var started []string
	github := httptest.NewServer(fakegithub.New(fakegithub.Config{
		Repository: event.Repository{Owner: "alice", Name: "ferry"},
		Tokens:     map[string]event.User{workflowToken: {ID: 1, Login: "alice"}},
		Workflows:  map[string]string{".github/workflows/mirror.yml": "active"},
		Notify: func(e fakegithub.Event) {
			started = append(started, e.Text)
			target.Add("alice/harbour.hello", "1", img)
		},
	}))
	t.Cleanup(github.Close)
	front := newRequestingFront(t, registry, github)
	for _, path := range []string{"gcr.io/harbour/hello/manifests/1", "gcr.io/harbour/hello/blobs/" + fakeregistry.Digest(img.Blobs[0])} {
		if status, body := fetch(t, "http://"+front+"/v2/"+path); status != http.StatusOK {
			t.Errorf("%s: status %d: %.300s", path, status, body)
		}
	}
	if status, _ := fetch(t, "http://"+front+"/v2/quay.io/harbour/hello/manifests/1"); status != http.StatusNotFound {
		t.Errorf("of a source with a login: status %d", status)
	}
	if len(started) != 1 || started[0] != "gcr.io/harbour/hello:1" {
		t.Errorf("runs for %q", started)
	}
}

// TestLostAnswers: a run is started once, although GitHub's answer to that is lost.
func TestLostAnswers(t *testing.T) {
	for what, lost := range map[string]fakegithub.Fault{
		"a broken connection":          {Cut: true, Effect: true},
		"a gateway that does not wait": {Status: 502, Effect: true},
	} {
		target := fakeregistry.New(fakeregistry.Options{})
		registry := httptest.NewServer(target)
		t.Cleanup(registry.Close)
		started := 0
		github := httptest.NewServer(fakegithub.New(fakegithub.Config{
			Repository: event.Repository{Owner: "alice", Name: "ferry"},
			Tokens:     map[string]event.User{workflowToken: {ID: 1, Login: "alice"}},
			Workflows:  map[string]string{".github/workflows/mirror.yml": "active"},
			Fault: func(_ int, r *http.Request) fakegithub.Fault {
				if r.Method == http.MethodPost {
					return lost
				}
				return fakegithub.Fault{}
			},
			Notify: func(fakegithub.Event) {
				started++
				target.Add("alice/harbour.hello", "1", fakeregistry.Generate(fakeregistry.Spec{Platforms: []string{"linux/amd64"}, Layers: []int{1000}}))
			},
		}))
		t.Cleanup(github.Close)
		front := newRequestingFront(t, registry, github)
		if status, body := fetch(t, "http://"+front+"/v2/gcr.io/harbour/hello/manifests/1"); status != http.StatusOK {
			t.Errorf("%s: status %d: %s", what, status, body)
		}
		if started != 1 {
			t.Errorf("%s: %d runs were started", what, started)
		}
	}
}

// TestRunThatGitHubRefuses answers the client at once, without GitHub's words, which
// the log has.
func TestRunThatGitHubRefuses(t *testing.T) {
	for what, test := range map[string]struct {
		state string
		fault fakegithub.Fault
	}{
		"a token that has expired":       {"active", fakegithub.Fault{Status: 401, Message: "Bad credentials"}},
		"a token without the permission": {"active", fakegithub.Fault{Status: 403, Message: "Resource not accessible by personal access token"}},
		"a repository of somebody else":  {"active", fakegithub.Fault{Status: 404}},
		"a workflow that is off":         {"disabled_inactivity", fakegithub.Fault{}},
		"a rate limit for an hour": {"active", fakegithub.Fault{Status: 403, Message: "API rate limit exceeded", Header: http.Header{
			"X-Ratelimit-Remaining": {"0"}, "X-Ratelimit-Reset": {strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)},
		}}},
		"a server that fails": {"active", fakegithub.Fault{Status: 502}},
	} {
		target := httptest.NewServer(fakeregistry.New(fakeregistry.Options{}))
		t.Cleanup(target.Close)
		github := fakegithub.New(fakegithub.Config{
			Repository: event.Repository{Owner: "alice", Name: "ferry"},
			Tokens:     map[string]event.User{workflowToken: {ID: 1, Login: "alice"}},
			Workflows:  map[string]string{".github/workflows/mirror.yml": test.state},
			Fault:      func(int, *http.Request) fakegithub.Fault { return test.fault },
		})
		api := httptest.NewServer(github)
		t.Cleanup(api.Close)
		front := newRequestingFront(t, target, api)
		for range 2 {
			status, body := fetch(t, "http://"+front+"/v2/gcr.io/harbour/hello/manifests/1")
			if status != http.StatusNotFound || !bytes.Contains(body, []byte("it could not be requested, for a reason that the log of this front has")) || bytes.Contains(body, []byte("credentials")) {
				t.Errorf("%s: status %d: %s", what, status, body)
			}
		}
		posts := 0
		for _, r := range github.Requests() {
			if r.Method == http.MethodPost {
				posts++
			}
		}
		if posts > 1 || posts == 0 && test.fault.Header == nil {
			t.Errorf("%s: GitHub was asked %d times for a run", what, posts)
		}
	}
}

func fetch(t *testing.T, uri string) (int, []byte) {
	t.Helper()
	resp, err := http.Get(uri)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body.Bytes()
}
