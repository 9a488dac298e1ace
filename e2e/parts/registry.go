// Package parts starts the real things that Ferry meets in production: CNCF
// distribution registries with the ways of logging in that are in use, and
// the container clients that people paste the answer's commands into.
package parts

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"

	// The drivers that the configurations below name.
	_ "github.com/distribution/distribution/v3/registry/auth/htpasswd"
	_ "github.com/distribution/distribution/v3/registry/auth/token"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/middleware/redirect"

	"github.com/imageferry/ferry/e2e/sandbox"
)

// Account may push to a registry.
type Account struct{ Username, Password string }

// Registry starts an empty distribution registry without logins for hosts,
// the first of which decides the address. It stops with the test. Whoever
// sends it credentials has mistaken it for another: the test fails.
func Registry(t testing.TB, authority *sandbox.Authority, hosts ...string) {
	t.Helper()
	registry := distribution(t, nil, nil)
	Serve(t, authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s got credentials with %s %s", r.Host, r.Method, r.URL)
		}
		registry.ServeHTTP(w, r)
	}), hosts...)
}

// Memory is an empty distribution registry without logins, which answers with
// relative locations and is served by whoever calls it.
func Memory(t *testing.T) http.Handler {
	t.Helper()
	return distribution(t, nil, nil)
}

// Hold keeps a registry from sending the blobs of one repository.
type Hold struct {
	begun, released chan struct{}
	begin           sync.Once
	only            atomic.Value // a blob's digest; none for all
}

// Only lets all blobs but one pass.
func (h *Hold) Only(digest string) { h.only.Store(digest) }

// HeldRegistry is a Registry that does not answer who asks for a blob of
// repository, until it is told to.
func HeldRegistry(t testing.TB, authority *sandbox.Authority, repository string, hosts ...string) *Hold {
	t.Helper()
	h := &Hold{begun: make(chan struct{}), released: make(chan struct{})}
	registry := distribution(t, nil, nil)
	Serve(t, authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		only, _ := h.only.Load().(string)
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/v2/"+repository+"/blobs/"+only) {
			h.begin.Do(func() { close(h.begun) })
			select {
			case <-h.released:
			case <-r.Context().Done():
				return
			}
		}
		registry.ServeHTTP(w, r)
	}), hosts...)
	return h
}

// Begun is closed when somebody waits.
func (h *Hold) Begun() <-chan struct{} { return h.begun }

// Release lets everything pass from now on.
func (h *Hold) Release() { close(h.released) }

// BasicRegistry is a Registry that asks for a user name and a password, even
// for reading, as private registries do.
func BasicRegistry(t testing.TB, authority *sandbox.Authority, account Account, hosts ...string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(account.Password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%s:%s\n", account.Username, hash), 0o600); err != nil {
		t.Fatal(err)
	}
	Serve(t, authority, distribution(t, configuration.Auth{
		"htpasswd": {"realm": "e2e", "path": file},
	}, nil), hosts...)
}

// DockerHub is a registry that is reached and logged into as Docker Hub is:
// registry-1.docker.io wants a token of auth.docker.io, which lets everybody
// pull and the account push below its own name.
func DockerHub(t testing.TB, authority *sandbox.Authority, account Account) {
	t.Helper()
	dockerHub(t, authority, account, nil)
}

func dockerHub(t testing.TB, authority *sandbox.Authority, account Account, storage *Storage) {
	t.Helper()
	tokens := newTokenServer(t, account)
	Serve(t, authority, tokens, "auth.docker.io")
	Serve(t, authority, distribution(t, configuration.Auth{"token": {
		"realm":   "https://auth.docker.io/token",
		"service": tokens.service,
		"issuer":  tokens.issuer,
		"jwks":    tokens.keys,
	}}, storage), "registry-1.docker.io", "index.docker.io", "docker.io")
}

// Storage serves the blobs of a registry that keeps them on storage of its own, as
// hosted registries do, and counts them. Whoever shows it a token has sent it to
// the wrong place: the test fails.
type Storage struct {
	dir, host string
	blobs     atomic.Int32
}

// Blobs is how many were served.
func (s *Storage) Blobs() int { return int(s.blobs.Load()) }

// DockerHubWithStorage is a DockerHub that sends those who want a blob to host.
func DockerHubWithStorage(t testing.TB, authority *sandbox.Authority, account Account, host string) *Storage {
	t.Helper()
	s := &Storage{dir: t.TempDir(), host: host}
	files := http.FileServer(http.Dir(s.dir))
	Serve(t, authority, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Errorf("%s got credentials with %s %s", r.Host, r.Method, r.URL)
		}
		if r.Method == http.MethodGet {
			s.blobs.Add(1)
		}
		files.ServeHTTP(w, r)
	}), host)
	dockerHub(t, authority, account, s)
	return s
}

// distribution is a registry that keeps blobs in memory, or in storage.
func distribution(t testing.TB, auth configuration.Auth, storage *Storage) http.Handler {
	t.Helper()
	logrus.SetOutput(io.Discard) // distribution logs every request
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	c := &configuration.Configuration{
		Auth: auth,
		HTTP: configuration.HTTP{Secret: "e2e", RelativeURLs: true},
		Storage: configuration.Storage{
			"delete":      {"enabled": true},
			"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
		},
	}
	if storage == nil {
		c.Storage["inmemory"] = configuration.Parameters{}
	} else {
		c.Storage["filesystem"] = configuration.Parameters{"rootdirectory": storage.dir}
		c.Middleware = map[string][]configuration.Middleware{
			"storage": {{Name: "redirect", Options: configuration.Parameters{"baseurl": "https://" + storage.host}}},
		}
	}
	return handlers.NewApp(ctx, c)
}

// Serve serves handler on the HTTPS port of hosts until the test ends. All
// hosts must have one address.
func Serve(t testing.TB, authority *sandbox.Authority, handler http.Handler, hosts ...string) {
	t.Helper()
	settings, err := authority.Vouch(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(hosts[0], "443"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:   handler,
		TLSConfig: settings,
		ErrorLog:  log.New(io.Discard, "", 0), // clients that hang up are no news
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.ServeTLS(listener, "", "")
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
}
