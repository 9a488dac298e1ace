package fakeregistry

import (
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/imageferry/ferry/internal/distribution"
)

func (r *Registry) serveUpload(w http.ResponseWriter, req *http.Request, name, id string) {
	if req.Method == http.MethodPost {
		r.startUpload(w, req, name)
		return
	}
	r.mu.Lock()
	u := r.uploads[id]
	r.mu.Unlock()
	if u == nil {
		distribution.WriteError(w, http.StatusNotFound, distribution.BlobUploadUnknown, "blob upload unknown to registry")
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	at := "/v2/" + name + "/blobs/uploads/" + id
	header := w.Header()
	switch req.Method {
	case http.MethodGet:
		header.Set("Location", at)
		header.Set("Range", "0-"+strconv.Itoa(max(len(u.data)-1, 0)))
		w.WriteHeader(http.StatusNoContent)
	case http.MethodDelete:
		r.mu.Lock()
		delete(r.uploads, id)
		r.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPatch, http.MethodPut:
		if text := req.Header.Get("Content-Range"); text != "" {
			var first, last int
			if n, _ := fmt.Sscanf(text, "%d-%d", &first, &last); n != 2 || first != len(u.data) {
				distribution.WriteError(w, http.StatusRequestedRangeNotSatisfiable, distribution.BlobUploadInvalid, "range does not continue the upload")
				return
			}
		}
		// Received bytes are kept even if the rest is missing, as in
		// distribution.
		buf := make([]byte, 32<<10)
		for {
			n, err := req.Body.Read(buf)
			u.data = append(u.data, buf[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				return
			}
		}
		if req.Method == http.MethodPatch {
			header.Set("Location", at)
			header.Set("Range", "0-"+strconv.Itoa(max(len(u.data)-1, 0)))
			w.WriteHeader(http.StatusAccepted)
			return
		}
		digest := req.URL.Query().Get("digest")
		if Digest(u.data) != digest {
			distribution.WriteError(w, http.StatusBadRequest, distribution.DigestInvalid, "provided digest did not match uploaded content")
			return
		}
		r.mu.Lock()
		delete(r.uploads, id)
		r.blobs[digest] = u.data
		r.repo(name).blobs[digest] = true
		r.mu.Unlock()
		header.Set("Location", "/v2/"+name+"/blobs/"+digest)
		header.Set("Docker-Content-Digest", digest)
		w.WriteHeader(http.StatusCreated)
	default:
		distribution.WriteError(w, http.StatusMethodNotAllowed, distribution.Unsupported, "no such method")
	}
}

func (r *Registry) startUpload(w http.ResponseWriter, req *http.Request, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	query := req.URL.Query()
	if digest := query.Get("mount"); digest != "" && !r.opts.NoMount {
		if from := r.repos[query.Get("from")]; from != nil && from.blobs[digest] {
			r.repo(name).blobs[digest] = true
			w.Header().Set("Location", "/v2/"+name+"/blobs/"+digest)
			w.Header().Set("Docker-Content-Digest", digest)
			w.WriteHeader(http.StatusCreated)
			return
		}
	}
	r.next++
	id := strconv.Itoa(r.next)
	r.uploads[id] = &upload{}
	w.Header().Set("Location", "/v2/"+name+"/blobs/uploads/"+id)
	w.Header().Set("Range", "0-0")
	w.WriteHeader(http.StatusAccepted)
}
