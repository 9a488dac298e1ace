package fakeregistry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/imageferry/ferry/internal/distribution"
)

// Before makes the registry store everything in a real one behind it, which is
// empty, has no logins and returns relative locations. The options, behaviours
// and faults are the registry's own.
func (r *Registry) Before(handler http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.real = handler
}

// forward forwards a request to the real registry.
func (r *Registry) forward(w http.ResponseWriter, req *http.Request) {
	req = req.Clone(req.Context())
	req.Header.Del("Authorization")
	if r.opts.NoRange {
		req.Header.Del("Range")
	}
	r.real.ServeHTTP(w, req)
}

// ask sends a request to the real registry.
func (r *Registry) ask(method, path, mediaType string, body []byte) *heldAnswer {
	held := &heldAnswer{header: http.Header{}, code: http.StatusOK}
	at, err := url.Parse(path)
	if err != nil {
		held.code = http.StatusBadRequest
		return held
	}
	r.real.ServeHTTP(held, &http.Request{
		Method: method, URL: at, RequestURI: path, Host: "real", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {mediaType}, "Accept": {distribution.Accept}},
		Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	})
	return held
}

// Manifest returns the manifest of a tag or digest of a repository.
func (r *Registry) Manifest(repo, ref string) (mediaType string, body []byte, ok bool) {
	if r.real != nil {
		got := r.ask(http.MethodGet, "/v2/"+repo+"/manifests/"+ref, "", nil)
		return got.header.Get("Content-Type"), got.body.Bytes(), got.code == http.StatusOK
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.manifest(repo, ref)
	return m.mediaType, m.body, ok
}

// Tags returns the tags of a repository in order.
func (r *Registry) Tags(repo string) []string {
	var tags []string
	if r.real != nil {
		var list struct{ Tags []string }
		_ = json.Unmarshal(r.ask(http.MethodGet, "/v2/"+repo+"/tags/list", "", nil).body.Bytes(), &list)
		return list.Tags
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if rp := r.repos[repo]; rp != nil {
		for tag := range rp.tags {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}
