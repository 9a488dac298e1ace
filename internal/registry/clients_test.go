package registry

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
)

// TestTargetsOnOneHost checks that each namespace is written to with the login
// of its own target, and that targets with the same login share a client.
func TestTargetsOnOneHost(t *testing.T) {
	logins := map[string]string{} // by path
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, password, ok := r.BasicAuth()
		if !ok {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		logins[r.URL.Path] = username + " " + password
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	host := server.Listener.Addr().String()
	var targets []config.Target
	for _, namespace := range []string{"alice", "bob", "bob/public", "alice2"} {
		owner := map[string]string{"bob/public": "carol", "alice2": "alice"}[namespace]
		if owner == "" {
			owner = namespace
		}
		targets = append(targets, config.Target{
			Host: host, Namespace: namespace, Private: true, PlainHTTP: true,
			Username: owner, Password: config.NewSecret("of-" + owner),
		})
	}
	set := NewTargets(targets, nil, impatient)
	defer set.Close()
	clients := map[string]*Client{}
	for path, owner := range map[string]string{"alice/img": "alice", "alice2/img": "alice", "bob/img": "bob", "bob/public2/img": "bob", "bob/public/img": "carol"} {
		ref, err := reference.Parse(host + "/" + path + ":1")
		if err != nil {
			t.Fatal(err)
		}
		c, ok := set.ForRepository(ref.Repository())
		if !ok {
			t.Fatalf("%s has no client", path)
		}
		if known := clients[owner]; known != nil && known != c {
			t.Errorf("%s has two clients", owner)
		}
		clients[owner] = c
		if _, err := c.Manifest(t.Context(), ref); err == nil {
			t.Errorf("%s: there is none", ref)
		}
		if got, want := logins["/v2/"+path+"/manifests/1"], owner+" of-"+owner; got != want {
			t.Errorf("%s was asked for as %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"mallory/img", "alic/img", "alice3/img"} {
		repository, err := reference.NewRepository(host, path)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := set.ForRepository(repository); ok {
			t.Errorf("%s has a client", path)
		}
	}
}
