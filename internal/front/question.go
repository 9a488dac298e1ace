package front

import (
	"net/http"
	"net/url"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/distribution"
	"github.com/imageferry/ferry/internal/reference"
)

// Base is the kind of "/v2/", with which clients find out whether this is a
// registry.
const Base distribution.Kind = "base"

// Rule is how the source of a question was found.
type Rule string

// The rules, in the order in which they are tried.
const (
	ByHost      Rule = "host"      // the name that the front was called by
	ByNamespace Rule = "namespace" // the parameter "ns", which containerd and Docker send
	ByPath      Rule = "path"      // the first component of the path
	ByDefault   Rule = "default"   // no rule applied, which means Docker Hub
)

// maxPath is the longest path that is accepted, in bytes. A token, a host, the
// longest repository, a tag of 128 and the words between them have about 700.
const maxPath = 1024

// Question is the meaning of a request.
type Question struct {
	Kind       distribution.Kind
	Repository reference.Repository // of the source, canonical
	Tag        string               // of a manifest requested by tag
	Digest     v1.Hash              // of everything else
	Namespace  string               // the parameter "ns" as the client wrote it
	Rule       Rule                 // that gave the source
	Written    string               // the repository as the client wrote it, for links
	Query      url.Values           // the rest of the query: pages and filters
}

// split splits the path of a request. It refuses everything that is not exactly
// a path of the specification, so that no two parsers can disagree on it.
func split(path, raw string) (distribution.Endpoint, *Refusal) {
	none := distribution.Endpoint{}
	switch {
	case len(path) > maxPath || len(raw) > 2*maxPath:
		return none, refuse(http.StatusBadRequest, distribution.NameInvalid, "the path is longer than %d bytes", maxPath)
	case raw != "" && strings.Contains(strings.NewReplacer("%3A", "", "%3a", "").Replace(raw), "%"):
		// Escaped colons are common in digests. An escaped slash is a way to
		// make two servers see two different paths.
		return none, refuse(http.StatusBadRequest, distribution.NameInvalid, "the path has needless escapes: write names without them")
	case path == distribution.Root || path == strings.TrimSuffix(distribution.Root, "/"):
		return distribution.Endpoint{Kind: Base}, nil
	case !strings.HasPrefix(path, distribution.Root):
		return none, refuse(http.StatusNotFound, distribution.NameUnknown, "this is a container registry: its paths begin with /v2/")
	}
	e, ok := distribution.ParsePath(path)
	if !ok || e.Kind == distribution.Uploads || e.Kind == distribution.Tags && e.Reference != "list" {
		return none, refuse(http.StatusNotFound, distribution.Unsupported, "there is no such endpoint: this registry serves manifests, blobs, tags/list and referrers of a repository")
	}
	return e, nil
}

// read parses the reference according to the kind.
func (q *Question) read(e distribution.Endpoint) *Refusal {
	switch {
	case e.Kind == distribution.Tags:
		return nil
	case e.Kind == distribution.Manifests && !strings.Contains(e.Reference, ":"):
		ref, err := q.Repository.Tagged(e.Reference)
		if err != nil {
			return refuse(http.StatusNotFound, distribution.ManifestUnknown, "the tag is not valid")
		}
		q.Tag = ref.Tag()
		return nil
	}
	parse, form := reference.ParseDigest, "sha256: and 64 hexadecimal digits"
	if e.Kind == distribution.Manifests {
		parse, form = reference.ParseAnyDigest, "sha256: and 64, or sha512: and 128, hexadecimal digits"
	}
	digest, err := parse(e.Reference)
	if err != nil {
		return refuse(http.StatusBadRequest, distribution.DigestInvalid, "the digest is not %s in lower case", form)
	}
	q.Digest = digest
	return nil
}

// String returns the requested resource in canonical form, for the log.
func (q Question) String() string {
	switch {
	case q.Repository.IsZero():
		return ""
	case q.Tag != "":
		return q.Repository.String() + ":" + q.Tag
	case q.Digest != (v1.Hash{}):
		return q.Repository.String() + "@" + q.Digest.Algorithm + ":" + q.Digest.Hex
	}
	return q.Repository.String()
}
