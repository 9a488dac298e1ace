package main

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
)

// harbor answers as Harbor's proxy cache does (ProxyBlob in its package
// controller/proxy): a blob that its own registry lacks is read from the source
// for the client, and once more for that registry. Requests meanwhile miss as
// well. Harbor itself, with its databases, does not run here.
type harbor struct{ source, local string }

func (h harbor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := h.source
	if head, err := http.Head(h.local + r.URL.Path); err == nil {
		head.Body.Close()
		if head.StatusCode == http.StatusOK {
			from = h.local
		}
	}
	resp, err := http.Get(from + r.URL.Path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	if from == h.source && resp.StatusCode == http.StatusOK && path.Base(path.Dir(r.URL.Path)) == "blobs" {
		go h.keep(r.URL.Path)
	}
	w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
	w.Header().Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // the client notices
}

// keep reads a blob from the source and pushes it to the local registry. What
// fails is missing there, as in Harbor.
func (h harbor) keep(blob string) {
	resp, err := http.Get(h.source + blob)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	session, err := http.Post(h.local+path.Dir(blob)+"/uploads/", "", nil)
	if err != nil {
		return
	}
	session.Body.Close()
	to, err := session.Location()
	if err != nil {
		return
	}
	query := to.Query()
	query.Set("digest", path.Base(blob))
	to.RawQuery = query.Encode()
	put, err := http.NewRequest(http.MethodPut, to.String(), resp.Body)
	if err != nil {
		return
	}
	put.ContentLength = resp.ContentLength
	if done, err := http.DefaultClient.Do(put); err == nil {
		done.Body.Close()
		if done.StatusCode != http.StatusCreated {
			fmt.Println("not kept:", done.Status)
		}
	}
}
