// Package fakeregistry is a registry in memory, for tests and for the demo. It
// is as strict as the real ones where go-containerregistry's own is lax:
// blobs belong to repositories, manifests need what they name, uploads are
// sessions that can be resumed and blobs are mounted across repositories. It
// asks for logins, counts what it is asked and fails on demand.
package fakeregistry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
)

// Options configure a Registry. The zero value lets everybody read and write.
type Options struct {
	// Username and Password are needed to push, and to pull if Private.
	Username, Password string
	Private            bool
	// Tokens makes the registry ask for bearer tokens, from /token on the same host,
	// instead of a password.
	Tokens bool
	// OneScope makes the token server grant the first scope only.
	OneScope bool
	// NoMount and NoRange make it answer as registries without them do.
	NoMount, NoRange bool
	// NoReferrers makes it answer as registries before OCI 1.1 do.
	NoReferrers bool
	// ReadOnly refuses every push, with any password.
	ReadOnly bool
	// NoDelete makes it refuse to delete anything.
	NoDelete bool
	// Refuse returns a message and true to refuse a manifest that is put. Nil takes
	// all.
	Refuse func(mediaType string, body []byte) (string, bool)
}

// Registry is an http.Handler that serves the OCI distribution specification.
type Registry struct {
	opts Options

	mu      sync.Mutex
	repos   map[string]*repository
	blobs   map[string][]byte // by digest: one copy, however many repositories
	uploads map[string]*upload
	faults  []*Fault
	serve   http.Handler // answer, with all behaviours around it
	log     []Request
	next    int
}

type repository struct {
	blobs     map[string]bool
	manifests map[string]manifest // by digest
	tags      map[string]string   // to digests
}

type manifest struct {
	mediaType string
	body      []byte
	subject   string
}

type upload struct {
	mu   sync.Mutex
	data []byte
}

// Request is one request that was made.
type Request struct {
	Method, Path string // the path with its query
	Status       int
	Received     int64 // bytes of the request's body
	Sent         int64 // bytes of the response's body
}

// New is an empty registry.
func New(opts Options) *Registry {
	r := &Registry{opts: opts, repos: map[string]*repository{}, blobs: map[string][]byte{}, uploads: map[string]*upload{}}
	r.serve = http.HandlerFunc(r.answer)
	return r
}

// Requests are those answered so far, in the order in which they ended.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// Count is the number of requests so far of which "METHOD path" matches.
func (r *Registry) Count(pattern string) int {
	re, n := regexp.MustCompile(pattern), 0
	for _, q := range r.Requests() {
		if re.MatchString(q.Method + " " + q.Path) {
			n++
		}
	}
	return n
}

// Forget empties the list of requests.
func (r *Registry) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = nil
}

// Manifest returns the manifest of a tag or digest of a repository.
func (r *Registry) Manifest(repo, ref string) (mediaType string, body []byte, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.manifest(repo, ref)
	return m.mediaType, m.body, ok
}

// Tags are the tags of a repository in order.
func (r *Registry) Tags(repo string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var tags []string
	if rp := r.repos[repo]; rp != nil {
		for tag := range rp.tags {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}

// HasBlob reports whether a repository holds a blob.
func (r *Registry) HasBlob(repo, digest string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	rp := r.repos[repo]
	return rp != nil && rp.blobs[digest]
}

func (r *Registry) manifest(repo, ref string) (manifest, bool) {
	rp := r.repos[repo]
	if rp == nil {
		return manifest{}, false
	}
	if digest, ok := rp.tags[ref]; ok {
		ref = digest
	}
	m, ok := rp.manifests[ref]
	return m, ok
}

func (r *Registry) repo(name string) *repository {
	rp := r.repos[name]
	if rp == nil {
		rp = &repository{map[string]bool{}, map[string]manifest{}, map[string]string{}}
		r.repos[name] = rp
	}
	return rp
}

// Digest is the digest of b.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ServeHTTP answers one request.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	cw := &counting{ResponseWriter: w}
	body := &countingBody{ReadCloser: req.Body}
	req.Body = body
	r.mu.Lock()
	serve := r.serve
	r.mu.Unlock()
	defer func() {
		req.Body = body.ReadCloser // by which the server knows that a client still keeps its body back
		trouble := recover()
		r.mu.Lock()
		r.log = append(r.log, Request{req.Method, req.URL.RequestURI(), cw.status, body.n, cw.n})
		r.mu.Unlock()
		if trouble != nil {
			panic(trouble)
		}
	}()
	serve.ServeHTTP(cw, req)
	body.giveUp()
}

// answer answers one request as the specification and the options have it, and
// as the faults will.
func (r *Registry) answer(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == "/token" {
		r.token(w, req)
		return
	}
	at, ok := distribution.ParsePath(req.URL.Path)
	name := at.Repository
	if !r.allowed(req, name) {
		r.challenge(w, req, name)
		return
	}
	if r.fail(w, req) {
		return
	}
	if !ok {
		if req.URL.Path == distribution.Root {
			w.WriteHeader(http.StatusOK)
			return
		}
		distribution.WriteError(w, http.StatusNotFound, distribution.NameUnknown, "no such thing")
		return
	}
	switch at.Kind {
	case distribution.Manifests:
		r.serveManifest(w, req, name, at.Reference)
	case distribution.Blobs:
		r.serveBlob(w, req, name, at.Reference)
	case distribution.Uploads:
		r.serveUpload(w, req, name, at.Reference)
	case distribution.Tags:
		r.serveTags(w, name)
	case distribution.Referrers:
		r.serveReferrers(w, name, at.Reference)
	}
}

func (r *Registry) serveBlob(w http.ResponseWriter, req *http.Request, name, digest string) {
	r.mu.Lock()
	var data []byte
	rp := r.repos[name]
	ok := rp != nil && rp.blobs[digest]
	if ok {
		data = r.blobs[digest]
	}
	r.mu.Unlock()
	if !ok {
		distribution.WriteError(w, http.StatusNotFound, distribution.BlobUnknown, "blob unknown to registry")
		return
	}
	if r.opts.NoRange {
		req.Header.Del("Range")
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(data))
}

func (r *Registry) serveTags(w http.ResponseWriter, name string) {
	tags := r.Tags(name)
	if len(tags) == 0 {
		distribution.WriteError(w, http.StatusNotFound, distribution.NameUnknown, "repository name not known to registry")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
}

func (r *Registry) serveReferrers(w http.ResponseWriter, name, digest string) {
	if r.opts.NoReferrers {
		distribution.WriteError(w, http.StatusNotFound, distribution.NameUnknown, "no such thing")
		return
	}
	list := []descriptor{}
	r.mu.Lock()
	if rp := r.repos[name]; rp != nil {
		for d, m := range rp.manifests {
			if m.subject == digest {
				var doc document
				json.Unmarshal(m.body, &doc)
				list = append(list, descriptor{MediaType: m.mediaType, Digest: d, Size: int64(len(m.body)), ArtifactType: doc.ArtifactType})
			}
		}
	}
	r.mu.Unlock()
	slices.SortStableFunc(list, func(a, b descriptor) int { return strings.Compare(a.Digest, b.Digest) })
	w.Header().Set("Content-Type", distribution.Index)
	json.NewEncoder(w).Encode(map[string]any{"schemaVersion": 2, "mediaType": distribution.Index, "manifests": list})
}
