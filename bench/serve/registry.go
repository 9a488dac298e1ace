package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem" // the storage of newTarget
	"github.com/sirupsen/logrus"

	"github.com/imageferry/ferry/bench/internal/wire"
)

// registry is a source that has one image under every name and tag.
type registry struct {
	address  string
	manifest []byte
	blobs    map[string][]byte
	digests  []string // of the layers
	requests atomic.Int64
	sent     atomic.Int64 // bytes of blobs
}

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// newRegistry serves an image with layers of these sizes, behind a path.
func newRegistry(p wire.Path, sizes ...int) (*registry, error) {
	r := &registry{blobs: map[string][]byte{}}
	random := rand.NewChaCha8([32]byte{1})
	add := func(blob []byte) string {
		digest := digestOf(blob)
		r.blobs[digest] = blob
		return digest
	}
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)
	var layers []string
	for _, size := range sizes {
		blob := make([]byte, size)
		_, _ = random.Read(blob) // it never fails
		digest := add(blob)
		r.digests = append(r.digests, digest)
		layers = append(layers, fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}`, digest, size))
	}
	r.manifest = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[%s]}`,
		manifestType, add(config), len(config), strings.Join(layers, ","))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the registry: %w", err)
	}
	r.address = l.Addr().String()
	w := &wire.Wire{}
	w.Shape(p)
	if p != (wire.Path{}) {
		l = w.Listen(l)
	}
	go http.Serve(l, r)
	return r, nil
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (r *registry) forget() {
	r.requests.Store(0)
	r.sent.Store(0)
}

// reads returns how often the bytes of so many were sent.
func (r *registry) reads(bytes int) float64 { return float64(r.sent.Load()) / float64(bytes) }

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.requests.Add(1)
	last := path.Base(req.URL.Path)
	switch {
	case strings.Contains(req.URL.Path, "/manifests/"):
		h := w.Header()
		h.Set("Content-Type", manifestType)
		h.Set("Docker-Content-Digest", digestOf(r.manifest))
		h.Set("Content-Length", strconv.Itoa(len(r.manifest)))
		if req.Method == http.MethodGet {
			_, _ = w.Write(r.manifest)
		}
	case r.blobs[last] != nil:
		w.Header().Set("Docker-Content-Digest", last)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(&metered{w, &r.sent}, req, "", time.Time{}, bytes.NewReader(r.blobs[last]))
	case req.URL.Path == "/v2/":
	default:
		http.NotFound(w, req)
	}
}

// metered counts what is written.
type metered struct {
	http.ResponseWriter
	sent *atomic.Int64
}

func (m *metered) Write(b []byte) (int, error) {
	n, err := m.ResponseWriter.Write(b)
	m.sent.Add(int64(n))
	return n, err
}

// newTarget serves an empty registry that can be pushed to.
func newTarget(ctx context.Context, dir string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listening: %w", err)
	}
	server := &http.Server{Handler: handlers.NewApp(ctx, distributionConfig(dir)), ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(l)
	return l.Addr().String(), nil
}

func distributionConfig(dir string) *configuration.Configuration {
	logrus.SetOutput(io.Discard)
	logrus.SetLevel(logrus.PanicLevel)
	config := &configuration.Configuration{Storage: configuration.Storage{
		"filesystem":  {"rootdirectory": dir, "maxthreads": 200},
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
	}}
	config.HTTP.RelativeURLs = true
	config.HTTP.Secret = "signs upload sessions"
	return config
}
