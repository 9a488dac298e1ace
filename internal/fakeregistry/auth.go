package fakeregistry

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/distribution"
)

// writes reports whether a request changes something.
func writes(req *http.Request) bool {
	return req.Method != http.MethodGet && req.Method != http.MethodHead || strings.Contains(req.URL.Path, "/blobs/uploads/")
}

func (r *Registry) allowed(req *http.Request, name string) bool {
	needed := r.opts.Private || writes(req) || r.opts.Tokens
	if !needed || r.opts.Username == "" && !r.opts.Tokens {
		return true
	}
	if !r.opts.Tokens {
		return r.login(req) && !(r.opts.ReadOnly && writes(req))
	}
	text, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return false
	}
	scopes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return false
	}
	action := "pull"
	switch {
	case req.Method == http.MethodDelete && strings.Contains(req.URL.Path, "/manifests/"):
		action = "delete"
	case writes(req):
		action = "push"
	}
	return name == "" || slices.ContainsFunc(strings.Fields(string(scopes)), func(granted string) bool {
		repository, actions := split(granted)
		return repository == "repository:"+name && slices.Contains(strings.Split(actions, ","), action)
	})
}

// split splits a scope: "repository:a/b:pull,push" is for "repository:a/b".
func split(scope string) (repository, actions string) {
	i := strings.LastIndexByte(scope, ':')
	return scope[:max(i, 0)], scope[i+1:]
}

func (r *Registry) login(req *http.Request) bool {
	username, password, ok := req.BasicAuth()
	return ok && username == r.opts.Username && password == r.opts.Password
}

func (r *Registry) challenge(w http.ResponseWriter, req *http.Request, name string) {
	if r.opts.Tokens {
		scheme := "http"
		if req.TLS != nil {
			scheme = "https"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s://%s/token",service="fake",scope="repository:%s:pull"`, scheme, req.Host, name))
	} else {
		w.Header().Set("WWW-Authenticate", `Basic realm="fake"`)
	}
	distribution.WriteError(w, http.StatusUnauthorized, distribution.Unauthorized, "authentication required")
}

// token grants the scopes of the request: pulls to everyone unless the registry
// is private, pushes to clients with the password unless it is read-only. The
// token is the list of its scopes.
func (r *Registry) token(w http.ResponseWriter, req *http.Request) {
	user := r.opts.Username == "" || r.login(req)
	if _, _, tried := req.BasicAuth(); tried && !user || r.opts.Private && !user {
		distribution.WriteError(w, http.StatusUnauthorized, distribution.Unauthorized, "incorrect username or password")
		return
	}
	asked := req.URL.Query()["scope"]
	if r.opts.OneScope && len(asked) > 1 {
		asked = asked[:1]
	}
	var granted []string
	for _, scope := range asked {
		if !user || r.opts.ReadOnly {
			repository, _ := split(scope)
			scope = repository + ":pull"
		}
		granted = append(granted, scope)
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(strings.Join(append(granted, "."), " ")))
	json.NewEncoder(w).Encode(map[string]any{"token": text, "expires_in": 300})
}
