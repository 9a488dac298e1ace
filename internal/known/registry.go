package known

import "github.com/imageferry/ferry/internal/pattern"

// Vendor is a provider of registries for which Ferry has special rules. The
// empty one stands for all others.
type Vendor string

// The vendors.
const (
	Docker  Vendor = "docker"
	GitHub  Vendor = "github"
	Quay    Vendor = "quay"
	Alibaba Vendor = "alibaba"
	Tencent Vendor = "tencent"
	Huawei  Vendor = "huawei"
)

// Cloud is a provider whose registries take the identity of a job of GitHub Actions
// in place of a password.
type Cloud string

// The clouds.
const (
	Amazon Cloud = "amazon"
	Google Cloud = "google"
	Azure  Cloud = "azure"
)

// Hosts that rules in other packages refer to.
const (
	GCR        = "gcr.io"
	Kubernetes = "registry.k8s.io"
)

// Registry has the facts about one registry, or about all registries of a
// vendor. Zero fields mean that nothing is known.
type Registry struct {
	// Hosts are the registry's hosts. The first one is the preferred one.
	Hosts []string
	// Aliases are further hosts of the same registry.
	Aliases []string
	// API is the host that serves the API, if it is not the first of Hosts.
	API string
	// Domains are the endings of the hosts of a family of registries, including
	// the dot or dash in front: "-docker.pkg.dev".
	Domains []string
	// SameAs is the host of the registry with the same repositories.
	SameAs string
	Vendor Vendor
	Cloud  Cloud

	// Allowed registries are sources by default.
	Allowed bool
	// Searched registries are searched for images that another one lacks.
	Searched bool

	// Often registries are so common that a host similar to the first of Hosts
	// is regarded as a misspelling of it.
	Often bool
	// Misspelt are hosts that do not exist or are not registries, and that
	// people write for the first of Hosts.
	Misspelt []string
	// Websites are hosts of pages whose addresses people paste instead of image
	// names.
	Websites []string
	// Short are the labels of public mirrors for the first of Hosts, in front
	// of their own domain: "gcr" in "gcr.m.daocloud.io".
	Short []string

	// Label stands for the host in mirror names. Changing a label changes
	// existing names, which requires a new major version.
	Label string
	// Names are the rules for repositories beyond the OCI grammar.
	Names Names
	// Refuses are the forms of manifests that the registry refuses.
	Refuses Refuses

	// Tokens is the registry's token server, according to its challenges.
	Tokens TokenServer
	// TokenHosts matches other hosts that may receive a login for the registry.
	// Its first group is part of the registry's host as well.
	TokenHosts *pattern.Regexp

	// Manager is the host of the vendor's own API, which lists repositories and
	// deletes tags where the registry does not.
	Manager string
	// Console is the page for managing repositories, and Logins the page for
	// creating access tokens. In addresses, {account} stands for the first
	// component of a namespace, {namespace} for the whole.
	Console, Logins Page
}

// Names are rules for the names of repositories.
type Names struct {
	// Least and Most are the limits on the number of components, if known.
	Least, Most int
	// Shortest and Longest are the limits on the number of characters below the
	// namespace.
	Shortest, Longest int
	// SingleDash means that names have no two dashes in a row.
	SingleDash bool
}

// Refuses are refused forms of manifests.
type Refuses struct {
	EmptyConfig bool // artifacts with OCI's empty config
	OCIIndex    bool // indexes with OCI's media type; Docker's is accepted
}

// TokenServer is where the tokens for a registry are issued.
type TokenServer struct{ Realm, Service string }

// Page is a page of a registry's website.
type Page struct{ Title, Address string }

// Host returns the first of the registry's hosts, or the first of its domains;
// empty for an unknown registry.
func (r Registry) Host() string {
	switch {
	case len(r.Hosts) > 0:
		return r.Hosts[0]
	case len(r.Domains) > 0:
		return r.Domains[0]
	}
	return ""
}
