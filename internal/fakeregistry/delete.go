package fakeregistry

import (
	"maps"
	"net/http"
)

// deleteManifest deletes what a tag or digest names. As with Docker Hub, a
// manifest that a tag names cannot be deleted by its digest.
func (r *Registry) deleteManifest(w http.ResponseWriter, name, ref string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.manifest(name, ref)
	switch {
	case r.opts.NoDelete:
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "the operation is unsupported")
		return
	case !ok:
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
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
			refuse(w, http.StatusForbidden, "DENIED", "the manifest is referenced by a tag")
			return
		}
	}
	delete(rp.manifests, ref)
	w.WriteHeader(http.StatusAccepted)
}
