package fakeregistry

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/imageferry/ferry/internal/distribution"
)

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

// answer answers one request according to the specification, the options and
// the faults.
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
	if r.real != nil {
		r.forward(w, req)
		return
	}
	if !ok {
		if req.URL.Path == distribution.Root {
			w.WriteHeader(http.StatusOK)
			return
		}
		if req.URL.Path == distribution.Catalog && r.opts.Catalog {
			r.serveCatalog(w)
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

func (r *Registry) serveCatalog(w http.ResponseWriter) {
	r.mu.Lock()
	names := slices.Sorted(maps.Keys(r.repos))
	r.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"repositories": names})
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
	sort.SliceStable(list, func(i, j int) bool { return list[i].Digest < list[j].Digest })
	w.Header().Set("Content-Type", distribution.Index)
	json.NewEncoder(w).Encode(map[string]any{"schemaVersion": 2, "mediaType": distribution.Index, "manifests": list})
}

// New returns an empty registry.
func New(opts Options) *Registry {
	r := &Registry{opts: opts, repos: map[string]*repository{}, blobs: map[string][]byte{}, uploads: map[string]*upload{}}
	r.serve = http.HandlerFunc(r.answer)
	return r
}
