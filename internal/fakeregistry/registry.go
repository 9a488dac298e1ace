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

// Options configure a Registry. The zero value lets everybody read and write.
type Options struct {
	// Username and Password are needed to push, and to pull if Private.
	Username, Password string
	Private            bool
	// Tokens makes the registry ask for bearer tokens, from /token on the same host,
	// instead of a password.
	Tokens bool
	// OneScope makes the token server grant the first scope only.
	OneScope bool
	// NoMount and NoRange make it answer as registries without them do.
	NoMount, NoRange bool
	// NoReferrers makes it answer as registries before OCI 1.1 do.
	NoReferrers bool
	// ReadOnly refuses every push, with any password.
	ReadOnly bool
	// NoDelete makes it refuse to delete anything.
	NoDelete bool
	// Refuse returns a message and true to refuse a manifest that is put. Nil takes
	// all.
	Refuse func(mediaType string, body []byte) (string, bool)
}

// Registry is an http.Handler that serves the OCI distribution specification.
type Registry struct {
	opts Options

	mu      sync.Mutex
	repos   map[string]*repository
	blobs   map[string][]byte // by digest: one copy, however many repositories
	uploads map[string]*upload
	faults  []*Fault
	serve   http.Handler // answer, with all behaviours around it
	real    http.Handler // keeps everything instead; nil for none
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

// Request is one request that was made.
type Request struct {
	Method, Path string // the path with its query
	Status       int
	Received     int64 // bytes of the request's body
	Sent         int64 // bytes of the response's body
}

// Requests are those answered so far, in the order in which they ended.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// Count is the number of requests so far of which "METHOD path" matches.
func (r *Registry) Count(pattern string) int {
	re, n := regexp.MustCompile(pattern), 0
	for _, q := range r.Requests() {
		if re.MatchString(q.Method + " " + q.Path) {
			n++
		}
	}
	return n
}

// Forget empties the list of requests.
func (r *Registry) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = nil
}

// HasBlob reports whether a repository holds a blob.
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

// Digest is the digest of b.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Fault is something that goes wrong with requests, a number of times.
type Fault struct {
	// Match is a regular expression on "METHOD path".
	Match string
	// Times is how often it happens; negative for always.
	Times int
	// Status answers with that status, RetryAfter and Body, if not zero.
	Status     int
	RetryAfter string
	Body       string
	// Header is added to such an answer.
	Header http.Header
	// CutResponse breaks the connection after so many bytes of the answer's
	// body, CutRequest after so many of the request's.
	CutResponse, CutRequest int64
	// Do is called instead, if not nil. It returns true if it has answered.
	Do func(http.ResponseWriter, *http.Request) bool
}
