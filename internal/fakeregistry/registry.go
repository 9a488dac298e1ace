// Package fakeregistry is a registry in memory, for tests and for the demo. It
// is as strict as the real ones where go-containerregistry's own is lax:
// blobs belong to repositories, manifests need what they name, uploads are
// sessions that can be resumed and blobs are mounted across repositories. It
// asks for logins, counts what it is asked and fails on demand.
package fakeregistry

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"regexp"
	"slices"
	"sync"
)

// Options configure a Registry. The zero value allows everyone to read and
// write.
type Options struct {
	// Username and Password are required to push, and to pull if Private is
	// set.
	Username, Password string
	Private            bool
	// Tokens makes the registry require bearer tokens, from /token on the same
	// host, instead of a password.
	Tokens bool
	// OneScope makes the token server grant only the first scope.
	OneScope bool
	// NoMount and NoRange make it behave like registries without these
	// features.
	NoMount, NoRange bool
	// NoReferrers makes it behave like registries before OCI 1.1.
	NoReferrers bool
	// ReadOnly refuses every push, with any password.
	ReadOnly bool
	// Catalog makes it list its repositories, as CNCF distribution does.
	Catalog bool
	// NoDelete makes it refuse all deletions.
	NoDelete bool
	// Refuse returns a message and true to refuse a pushed manifest. Nil
	// accepts all.
	Refuse func(mediaType string, body []byte) (string, bool)
}

// Registry is an http.Handler that serves the OCI distribution specification.
type Registry struct {
	opts Options

	mu      sync.Mutex
	repos   map[string]*repository
	blobs   map[string][]byte // by digest; shared by all repositories
	uploads map[string]*upload
	faults  []*Fault
	serve   http.Handler // answer, with all behaviours around it
	real    http.Handler // stores everything instead; nil for none
	log     []Request
	next    int
}

type repository struct {
	blobs     map[string]bool
	manifests map[string]manifest // by digest
	tags      map[string]string   // to digests
}

type manifest struct {
	mediaType string
	body      []byte
	subject   string
}

type upload struct {
	mu   sync.Mutex
	data []byte
}

// Request is a request that was made.
type Request struct {
	Method, Path string // the path with its query
	Status       int
	Received     int64 // bytes of the request's body
	Sent         int64 // bytes of the response's body
}

// Requests returns the requests answered so far, in the order in which they
// ended.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// Count returns the number of requests so far whose "METHOD path" matches.
func (r *Registry) Count(pattern string) int {
	re, n := regexp.MustCompile(pattern), 0
	for _, q := range r.Requests() {
		if re.MatchString(q.Method + " " + q.Path) {
			n++
		}
	}
	return n
}

// Forget clears the list of requests.
func (r *Registry) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = nil
}

// HasBlob reports whether a repository has a blob.
func (r *Registry) HasBlob(repo, digest string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	rp := r.repos[repo]
	return rp != nil && rp.blobs[digest]
}

func (r *Registry) manifest(repo, ref string) (manifest, bool) {
	rp := r.repos[repo]
	if rp == nil {
		return manifest{}, false
	}
	if digest, ok := rp.tags[ref]; ok {
		ref = digest
	}
	m, ok := rp.manifests[ref]
	return m, ok
}

func (r *Registry) repo(name string) *repository {
	rp := r.repos[name]
	if rp == nil {
		rp = &repository{map[string]bool{}, map[string]manifest{}, map[string]string{}}
		r.repos[name] = rp
	}
	return rp
}

// Digest returns the digest of b.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Fault is a fault of matching requests.
type Fault struct {
	// Match is a regular expression for "METHOD path".
	Match string
	// Times is the number of requests with the fault; negative for all.
	Times int
	// Status, if not zero, is the status of the response, with RetryAfter and
	// Body.
	Status     int
	RetryAfter string
	Body       string
	// Header is added to that response.
	Header http.Header
	// CutResponse closes the connection after so many bytes of the response
	// body, CutRequest after so many of the request body.
	CutResponse, CutRequest int64
	// Do is called instead, if not nil. It returns true if it has answered.
	Do func(http.ResponseWriter, *http.Request) bool
}
