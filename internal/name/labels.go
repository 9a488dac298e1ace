package name

import (
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// googleContainers is the project on gcr.io from which Kubernetes once
	// came, and the label that mirrors have borne since.
	googleContainers = "google-containers"
	// explicitHost is the first component of names that spell their host out.
	explicitHost = "host"
)

// canonicalHost is the one spelling of hosts that serve the same content.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(host, ":443")
	if same := known.Of(host).SameAs; same != "" {
		return same
	}
	return host
}

// Canonical is the name to use for a repository that has several by definition:
// k8s.gcr.io is registry.k8s.io, and the default port of HTTPS is left out.
func Canonical(r reference.Repository) reference.Repository {
	host := canonicalHost(r.Host())
	if host == r.Host() {
		return r
	}
	canonical, err := reference.NewRepository(host, r.Path())
	if err != nil { // only a path that is empty or too long, which r's is not
		return r
	}
	return canonical
}

// yields reports whether r has the name of another repository: the convention
// puts registry.k8s.io where gcr.io/google-containers has always been.
func (s *Scheme) yields(r reference.Repository) bool {
	return s.target.Profile == Flat && s.labels[known.Kubernetes] == googleContainers &&
		r.Host() == known.GCR && strings.HasPrefix(r.Path(), googleContainers+"/")
}
