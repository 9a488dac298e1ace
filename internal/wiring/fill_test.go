package wiring

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/fakeregistry"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/transfer"
)

// TestAMissIsServedAndFilled checks that a client gets an image that the mirror
// lacks, and that the mirror has all of it afterwards. How much of the source
// is read twice depends on timing; data that has arrived at the mirror is read
// there.
func TestAMissIsServedAndFilled(t *testing.T) {
	source := fakeregistry.New(fakeregistry.Options{})
	target := fakeregistry.New(fakeregistry.Options{Username: "alice", Password: "sesame"})
	img := fakeregistry.Generate(fakeregistry.Spec{Seed: 1, Platforms: []string{"linux/amd64", "linux/arm64"}, Layers: []int{3 << 20, 500_000}})
	source.Add("harbour/hello", "1.0", img)
	at := map[string]string{}
	for host, handler := range map[string]http.Handler{"gcr.io:80": source, "registry.example.com:80": target} {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		at[host] = server.Listener.Addr().String()
	}
	defaults := config.DefaultLimits()
	s := &config.Serve{
		Config: config.Config{
			Targets: []config.Target{{
				Host: "registry.example.com", Namespace: "alice", Profile: "flat", Private: true, PlainHTTP: true,
				Username: "alice", Password: config.NewSecret("sesame"),
			}},
			Sources: []config.Source{{Host: "gcr.io", Private: true, PlainHTTP: true}},
			Limits:  defaults,
		},
		Places: []config.FrontPlace{{Kind: config.PlaceMirror, Blobs: "auto", Fill: true}, {Kind: config.PlaceUpstream, Blobs: "relay"}},
	}
	engine := transfer.New(transfer.Options{})
	defer engine.Close()
	var log bytes.Buffer
	f, err := NewFront(t.Context(), s, Env{At: at, Getenv: func(string) string { return "" }}, FrontParts{
		Engine: engine, Memories: front.NewMemories(1 << 20), Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(ctx context.Context, uri string) []byte {
		t.Helper()
		rec := httptest.NewRecorder()
		req := httptest.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
		req.Host = "127.0.0.1:5050"
		f.ServeHTTP(rec, req)
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: status %d: %s", uri, rec.Code, rec.Body)
		}
		return rec.Body.Bytes()
	}
	gone, goes := context.WithCancel(t.Context())
	index := get(gone, "/v2/gcr.io/harbour/hello/manifests/1.0")
	goes() // the copy continues
	var list struct{ Manifests []struct{ Digest string } }
	if err := json.Unmarshal(index, &list); err != nil {
		t.Fatal(err)
	}
	get(t.Context(), "/v2/gcr.io/harbour/hello/manifests/"+list.Manifests[0].Digest)
	for _, blob := range img.Blobs {
		if got := get(t.Context(), "/v2/gcr.io/harbour/hello/blobs/"+fakeregistry.Digest(blob)); !bytes.Equal(got, blob) {
			t.Error("another blob")
		}
	}
	f.Close()
	if _, body, ok := target.Manifest("alice/harbour.hello", "1.0"); !ok || !bytes.Equal(body, img.Root().Body) {
		t.Fatalf("the mirror was not filled:\n%s", log.String())
	}
	if tags := target.Tags("alice/harbour.hello"); len(tags) != 1 {
		t.Errorf("the mirror has the tags %v", tags)
	}
	sent := int64(0)
	for _, r := range source.Requests() {
		if strings.Contains(r.Path, "/blobs/") {
			sent += r.Sent
		}
	}
	size := int64(0)
	for _, blob := range img.Blobs {
		size += int64(len(blob))
	}
	if sent > 2*size {
		t.Errorf("the source sent %d bytes of blobs that have %d", sent, size)
	}
}
