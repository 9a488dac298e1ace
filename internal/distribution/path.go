// Package distribution is what clients and servers of the OCI distribution
// specification have in common: paths, media types, error bodies and pages.
package distribution

import "regexp"

// Kind is what a path of the API names in a repository.
type Kind string

// The kinds.
const (
	Manifests Kind = "manifests"     // the reference is a tag or a digest
	Blobs     Kind = "blobs"         // a digest
	Uploads   Kind = "blobs/uploads" // a session, or nothing to begin one
	Tags      Kind = "tags"          // "list"
	Referrers Kind = "referrers"     // the digest that is referred to
)

// Root is the path that tells whether a server has the API at all.
const Root = "/v2/"

// Endpoint is a path of the API, taken apart (OCI distribution specification,
// "Endpoints").
type Endpoint struct {
	Repository string // its path, "library/nginx" for example
	Kind       Kind
	Reference  string
}

// endpoint takes the last kind in the path: a repository's path may itself hold
// one, "a/blobs/b" for example.
var endpoint = regexp.MustCompile(`^/v2/(.+)/(manifests|blobs/uploads|blobs|tags|referrers)/([^/]*)$`)

// ParsePath reads a path. It returns false for any other, Root included, and
// does not judge the names in it.
func ParsePath(path string) (Endpoint, bool) {
	m := endpoint.FindStringSubmatch(path)
	if m == nil {
		return Endpoint{}, false
	}
	return Endpoint{m[1], Kind(m[2]), m[3]}, true
}

// Path is the path of e.
func (e Endpoint) Path() string {
	return Root + e.Repository + "/" + string(e.Kind) + "/" + e.Reference
}
