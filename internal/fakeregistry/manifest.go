package fakeregistry

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/distribution"
)

func (r *Registry) serveManifest(w http.ResponseWriter, req *http.Request, name, ref string) {
	if req.Method == http.MethodPut {
		r.putManifest(w, req, name, ref)
		return
	}
	if req.Method == http.MethodDelete {
		r.deleteManifest(w, name, ref)
		return
	}
	r.mu.Lock()
	_, known := r.repos[name]
	m, ok := r.manifest(name, ref)
	r.mu.Unlock()
	switch {
	case !known:
		distribution.WriteError(w, http.StatusNotFound, distribution.NameUnknown, "repository name not known to registry")
		return
	case !ok:
		distribution.WriteError(w, http.StatusNotFound, distribution.ManifestUnknown, "manifest unknown")
		return
	}
	w.Header().Set("Content-Type", m.mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(m.body)))
	w.Header().Set("Docker-Content-Digest", Digest(m.body))
	w.WriteHeader(http.StatusOK)
	if req.Method == http.MethodGet {
		w.Write(m.body)
	}
}

func (r *Registry) putManifest(w http.ResponseWriter, req *http.Request, name, ref string) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 4<<20))
	if err != nil {
		return
	}
	mediaType, digest := req.Header.Get("Content-Type"), Digest(body)
	if r.opts.Refuse != nil {
		if message, no := r.opts.Refuse(mediaType, body); no {
			distribution.WriteError(w, http.StatusBadRequest, distribution.ManifestInvalid, message)
			return
		}
	}
	if strings.HasPrefix(ref, "sha256:") && ref != digest {
		distribution.WriteError(w, http.StatusBadRequest, distribution.DigestInvalid, "provided digest did not match uploaded content")
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if missing := r.missing(name, body); missing != "" {
		distribution.WriteError(w, http.StatusBadRequest, distribution.ManifestBlobUnknown, "blob unknown to registry: "+missing)
		return
	}
	r.put(name, ref, mediaType, body)
	if m, _ := r.manifest(name, digest); m.subject != "" && !r.opts.NoReferrers {
		w.Header().Set("OCI-Subject", m.subject)
	}
	w.Header().Set("Docker-Content-Digest", digest)
	w.WriteHeader(http.StatusCreated)
}

// document has the fields of a manifest or an index that a registry needs.
type document struct {
	MediaType    string            `json:"mediaType,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Config       *descriptor       `json:"config,omitempty"`
	Layers       []descriptor      `json:"layers,omitempty"`
	Manifests    []descriptor      `json:"manifests,omitempty"`
	Subject      *descriptor       `json:"subject,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// missing is a part of a manifest that its repository does not have.
func (r *Registry) missing(name string, body []byte) string {
	var d document
	if json.Unmarshal(body, &d) != nil {
		return "everything"
	}
	rp := r.repo(name)
	for _, blob := range append(slices.Clone(d.Layers), deref(d.Config)...) {
		if !rp.blobs[blob.Digest] && len(blob.URLs) == 0 {
			return blob.Digest
		}
	}
	for _, child := range d.Manifests {
		if _, ok := rp.manifests[child.Digest]; !ok {
			return child.Digest
		}
	}
	return ""
}

func deref(d *descriptor) []descriptor {
	if d == nil {
		return nil
	}
	return []descriptor{*d}
}

func (r *Registry) put(name, ref, mediaType string, body []byte) {
	var d document
	json.Unmarshal(body, &d)
	m := manifest{mediaType: mediaType, body: body}
	if d.Subject != nil {
		m.subject = d.Subject.Digest
	}
	rp := r.repo(name)
	rp.manifests[Digest(body)] = m
	if ref != "" && !strings.HasPrefix(ref, "sha256:") {
		rp.tags[ref] = Digest(body)
	}
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	Platform     *platform         `json:"platform,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	ArtifactType string            `json:"artifactType,omitempty"`
	URLs         []string          `json:"urls,omitempty"`
}

type platform struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Variant      string `json:"variant,omitempty"`
}
