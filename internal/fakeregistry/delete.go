package fakeregistry

import (
	"maps"
	"net/http"

	"github.com/imageferry/ferry/internal/distribution"
)

// deleteManifest deletes a tag or a digest. As on Docker Hub, a manifest with a
// tag cannot be deleted by its digest.
func (r *Registry) deleteManifest(w http.ResponseWriter, name, ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.manifest(name, ref)
	switch {
	case r.opts.NoDelete:
		distribution.WriteError(w, http.StatusMethodNotAllowed, distribution.Unsupported, "the operation is unsupported")
		return
	case !ok:
		distribution.WriteError(w, http.StatusNotFound, distribution.ManifestUnknown, "manifest unknown")
		return
	}
	rp := r.repos[name]
	if _, tagged := rp.tags[ref]; tagged {
		delete(rp.tags, ref)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	for digest := range maps.Values(rp.tags) {
		if digest == ref {
			distribution.WriteError(w, http.StatusForbidden, distribution.Denied, "the manifest is referenced by a tag")
			return
		}
	}
	delete(rp.manifests, ref)
	w.WriteHeader(http.StatusAccepted)
}
