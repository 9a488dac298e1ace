// Package distribution contains what clients and servers of the OCI
// distribution specification share: paths, media types, error bodies and pages.
package distribution

import "strings"

// Kind is the kind of resource that a path of the API names in a repository.
type Kind string

// The kinds.
const (
	Manifests Kind = "manifests"     // the reference is a tag or a digest
	Blobs     Kind = "blobs"         // a digest
	Uploads   Kind = "blobs/uploads" // a session, or nothing to start one
	Tags      Kind = "tags"          // "list"
	Referrers Kind = "referrers"     // the digest of the subject
)

// Root is the path that tells whether a server supports the API.
const Root = "/v2/"

// Catalog is the path of the list of all repositories, which CNCF distribution has
// in addition to the specification.
const Catalog = "/v2/_catalog"

// Endpoint is a parsed path of the API (OCI distribution specification,
// "Endpoints").
type Endpoint struct {
	Repository string // its path, "library/nginx" for example
	Kind       Kind
	Reference  string
}

// ParsePath parses a path. It returns false for any other path, including Root,
// and does not check the names in it. The last kind in the path counts, because
// a repository's path may itself contain one, such as "a/blobs/b".
func ParsePath(path string) (Endpoint, bool) {
	path, ok := strings.CutPrefix(path, Root)
	last := strings.LastIndexByte(path, '/')
	if !ok || last < 0 {
		return Endpoint{}, false
	}
	head, reference := path[:last], path[last+1:]
	for _, kind := range [...]Kind{Manifests, Blobs, Uploads, Tags, Referrers} {
		repository, ok := strings.CutSuffix(head, "/"+string(kind))
		if ok && repository != "" {
			return Endpoint{repository, kind, reference}, true
		}
	}
	return Endpoint{}, false
}

// Path returns the path of e.
func (e Endpoint) Path() string {
	return Root + e.Repository + "/" + string(e.Kind) + "/" + e.Reference
}
