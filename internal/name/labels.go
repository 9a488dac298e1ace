package name

import (
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

const (
	gcr        = "gcr.io"
	kubernetes = "registry.k8s.io"
	// googleContainers is the project on gcr.io from which Kubernetes once
	// came, and the label that mirrors have borne since.
	googleContainers = "google-containers"
	// explicitHost is the first component of names that spell their host out.
	explicitHost = "host"
)

// builtinLabels are the labels that everybody knows. They are part of names
// that have been given: one that is changed or added is a new major version.
func builtinLabels() map[string]string {
	return map[string]string{
		gcr:                 "gcr", // left out wherever the name is clear without it
		kubernetes:          googleContainers,
		reference.DockerHub: "docker",
		"quay.io":           "quay",
		"ghcr.io":           "ghcr",
		"mcr.microsoft.com": "mcr",
		"nvcr.io":           "nvcr",
		"docker.elastic.co": "elastic",
	}
}

// canonicalHost is the one spelling of hosts that serve the same content.
func canonicalHost(host string) string {
	host = strings.TrimSuffix(host, ":443")
	if host == "k8s.gcr.io" { // redirects to registry.k8s.io since 2023-03-20
		return kubernetes
	}
	return host
}

// Canonical is the one repository that stands for all that hold the same by
// definition: k8s.gcr.io is registry.k8s.io, and HTTPS's own port is no port.
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

// shared reports whether two repositories have r's name: the convention puts
// registry.k8s.io where gcr.io/google-containers has always been.
func (s *Scheme) shared(r reference.Repository) bool {
	if s.target.Profile != Flat || s.labels[kubernetes] != googleContainers {
		return false
	}
	return r.Host() == kubernetes || r.Host() == gcr && strings.HasPrefix(r.Path(), googleContainers+"/")
}
