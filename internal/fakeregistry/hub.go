package fakeregistry

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Hub is Docker Hub's own API (https://docs.docker.com/reference/api/hub/latest/) for the
// repositories of a registry: tokens, lists of repositories, deletion of tags.
type Hub struct {
	*Registry
	Username, Secret string
	ReadOnly         bool // the secret is for reading alone
	Tokens           int  // how many were issued
}

func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	say := func(status int, body string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
	if r.Method == http.MethodPost && r.URL.Path == "/v2/auth/token" {
		var login struct{ Identifier, Secret string }
		if json.NewDecoder(r.Body).Decode(&login) != nil || login.Identifier != h.Username || login.Secret != h.Secret {
			say(http.StatusUnauthorized, `{"detail":"Incorrect authentication credentials"}`)
			return
		}
		h.Tokens++
		say(http.StatusOK, `{"access_token":"a-token"}`)
		return
	}
	if r.Header.Get("Authorization") != "Bearer a-token" {
		say(http.StatusUnauthorized, `{"message":"unauthorized","errinfo":{}}`)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && len(parts) == 4 && parts[1] == "namespaces" && parts[3] == "repositories":
		h.list(say, parts[2], r)
	case r.Method == http.MethodDelete && len(parts) == 6 && parts[1] == "repositories" && parts[4] == "tags":
		h.remove(say, parts[2]+"/"+parts[3], parts[5])
	default:
		say(http.StatusNotFound, `{"message":"object not found","errinfo":{}}`)
	}
}

func (h *Hub) list(say func(int, string), namespace string, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, _ := strconv.Atoi(r.URL.Query().Get("page_size"))
	size = min(max(size, 10), 100)
	var names []string
	h.mu.Lock()
	for path := range h.repos {
		if name, ok := strings.CutPrefix(path, namespace+"/"); ok {
			names = append(names, name)
		}
	}
	h.mu.Unlock()
	slices.Sort(names)
	from := (max(page, 1) - 1) * size
	if from > 0 && from >= len(names) {
		say(http.StatusNotFound, `{"message":"page not found","errinfo":{}}`)
		return
	}
	type repository struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	}
	answer := struct {
		Count   int          `json:"count"`
		Results []repository `json:"results"`
	}{len(names), []repository{}}
	for _, name := range names[from:min(from+size, len(names))] {
		answer.Results = append(answer.Results, repository{name, namespace})
	}
	body, _ := json.Marshal(answer)
	say(http.StatusOK, string(body))
}

func (h *Hub) remove(say func(int, string), path, tag string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.repos[path]
	switch {
	case h.ReadOnly:
		say(http.StatusForbidden, `{"message":"access denied","errinfo":{}}`)
	case r == nil || r.tags[tag] == "":
		say(http.StatusNotFound, `{"message":"object not found","errinfo":{}}`)
	default:
		delete(r.tags, tag)
		say(http.StatusNoContent, "")
	}
}
