package fakegithub

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// Releases is a stand-in for the part of GitHub's API that is about releases
// (https://docs.github.com/en/rest/releases). It serves one request at a time.
type Releases struct {
	URL    string // at which it is
	Token  string
	All    []*Release
	Tags   []string // that were deleted
	Asked  []string // uploads, by name
	Broken int      // how many of the next uploads break off
}

// Release is a release of the repository.
type Release struct {
	ID        int     `json:"id"`
	Tag       string  `json:"tag_name"`
	Body      string  `json:"body"`
	Draft     bool    `json:"draft"`
	UploadURL string  `json:"upload_url"`
	Assets    []Asset `json:"assets"`
}

// Asset is a file of a release.
type Asset struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Size   int    `json:"size"`
	Digest string `json:"digest,omitempty"`
}

// ServeHTTP answers a request.
func (r *Releases) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Header.Get("Authorization") != "Bearer "+r.Token {
		http.Error(w, "{}", http.StatusUnauthorized)
		return
	}
	answer := func(status int, value any) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(value)
	}
	var id int
	at := req.URL.Path
	if parts := strings.SplitN(at, "/", 5); len(parts) == 5 && parts[1] == "repos" {
		at = parts[4]
	}
	_, _ = fmt.Sscanf(strings.TrimPrefix(strings.TrimPrefix(at, "releases/"), "assets/"), "%d", &id)
	of := slices.IndexFunc(r.All, func(r *Release) bool { return r.ID == id })
	switch {
	case req.Method == http.MethodGet && at == "releases":
		page := []*Release{}
		if req.URL.Query().Get("page") == "1" {
			page = append(page, r.All...)
		}
		answer(http.StatusOK, page)
	case req.Method == http.MethodPost && at == "releases":
		made := &Release{ID: 1000 + len(r.All), UploadURL: r.URL + "/upload/assets{?name,label}", Assets: []Asset{}}
		_ = json.NewDecoder(req.Body).Decode(made)
		r.All = append(r.All, made)
		answer(http.StatusCreated, made)
	case req.Method == http.MethodPost && at == "/upload/assets":
		made := r.All[len(r.All)-1]
		name := req.URL.Query().Get("name")
		if slices.ContainsFunc(made.Assets, func(a Asset) bool { return a.Name == name }) {
			answer(http.StatusUnprocessableEntity, map[string]string{"code": "already_exists"})
			return
		}
		text, _ := io.ReadAll(req.Body)
		r.Asked = append(r.Asked, name)
		a := Asset{ID: 100*len(r.Asked) + 7, Name: name, State: "uploaded", Size: len(text), Digest: fmt.Sprintf("sha256:%x", sha256.Sum256(text))}
		if r.Broken > 0 {
			r.Broken--
			a.State, a.Size, a.Digest = "starter", 0, ""
		}
		made.Assets = append(made.Assets, a)
		if a.State == "starter" {
			answer(http.StatusBadGateway, nil)
			return
		}
		answer(http.StatusCreated, a)
	case req.Method == http.MethodDelete && strings.HasPrefix(at, "releases/assets/"):
		for _, made := range r.All {
			made.Assets = slices.DeleteFunc(made.Assets, func(a Asset) bool { return a.ID == id })
		}
		answer(http.StatusNoContent, nil)
	case req.Method == http.MethodDelete && strings.HasPrefix(at, "git/refs/tags/"):
		r.Tags = append(r.Tags, strings.TrimPrefix(at, "git/refs/tags/"))
		answer(http.StatusNoContent, nil)
	case of < 0:
		answer(http.StatusNotFound, nil)
	case req.Method == http.MethodGet:
		answer(http.StatusOK, r.All[of])
	case req.Method == http.MethodPatch:
		_ = json.NewDecoder(req.Body).Decode(r.All[of])
		answer(http.StatusOK, r.All[of])
	case req.Method == http.MethodDelete:
		r.All = slices.Delete(r.All, of, of+1)
		answer(http.StatusNoContent, nil)
	}
}
