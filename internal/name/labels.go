package name

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// googleContainers is the original project of Kubernetes on gcr.io, and the
	// label that mirrors have used since.
	googleContainers = "google-containers"
	// explicitHost is the first component of names that spell their host out.
	explicitHost = "host"
)

// canonicalHost returns the canonical one of several hosts with the same
// content.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(host, ":443")
	if same := known.Of(host).SameAs; same != "" {
		return same
	}
	return host
}

// Canonical returns the canonical name of a repository with several names:
// k8s.gcr.io is registry.k8s.io, and the default port of HTTPS is left out.
func Canonical(r reference.Repository) reference.Repository {
	host := canonicalHost(r.Host())
	if host == r.Host() {
		return r
	}
	canonical, err := reference.NewRepository(host, r.Path())
	if err != nil { // the path would be empty or too long, which r's is not
		return r
	}
	return canonical
}

// yields reports whether r shares its name with another repository that comes
// first: by convention registry.k8s.io takes the place of
// gcr.io/google-containers.
func (s *Scheme) yields(r reference.Repository) bool {
	return s.target.Profile == Flat && s.labels[known.Kubernetes] == googleContainers &&
		r.Host() == known.GCR && strings.HasPrefix(r.Path(), googleContainers+"/")
}
