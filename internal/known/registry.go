package known

import "regexp"

// Vendor is a provider of registries that Ferry treats in ways of its own. The
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

// The hosts that rules of other packages are about.
const (
	GCR        = "gcr.io"
	Kubernetes = "registry.k8s.io"
)

// Registry is what is known of one registry, or of all registries of a vendor.
// The zero value of each field means that nothing is known.
type Registry struct {
	// Hosts are the registry's hosts. The first is the one to write.
	Hosts []string
	// Aliases are further hosts that lead to the same.
	Aliases []string
	// API is the host that serves the API, if it is not the first of Hosts.
	API string
	// Domains end the hosts of a family of registries, with the dot or dash
	// in front: "-docker.pkg.dev".
	Domains []string
	// SameAs is the host of the registry that holds the same repositories.
	SameAs string
	Vendor Vendor

	// Allowed registries may be asked for without being named by the owner.
	Allowed bool
	// Searched registries are asked for an image that another one does not have.
	Searched bool

	// Often registries are written so often that a host which resembles the
	// first of Hosts is taken for a misspelling of it.
	Often bool
	// Misspelt are hosts that do not exist, or are no registries, and are
	// written for the first of Hosts.
	Misspelt []string
	// Websites are hosts of pages that people copy instead of the registry's.
	Websites []string
	// Short are the labels that public mirrors put in front of their own
	// domain for the first of Hosts: "gcr" in "gcr.m.daocloud.io".
	Short []string

	// Label stands for the host in mirror names. Labels are part of names that
	// have been given: a change is a new major version.
	Label string
	// Names are the rules for repositories beyond the OCI grammar.
	Names Names
	// Refuses are the forms of manifests that the registry refuses.
	Refuses Refuses

	// Tokens is where the registry's tokens are got, as its challenges say.
	Tokens TokenServer
	// TokenHosts matches the other hosts that may be given a login for the
	// registry. Its first group is part of the registry's host as well.
	TokenHosts *regexp.Regexp

	// Console is the page on which the owner manages repositories, Logins the
	// one on which access tokens are made. In addresses {account} stands for
	// the first component of a namespace, {namespace} for all.
	Console, Logins Page
}

// Names are rules for the names of repositories.
type Names struct {
	// Least and Most are the numbers of components, as far as known.
	Least, Most int
	// Shortest and Longest are the numbers of characters below the namespace.
	Shortest, Longest int
	// SingleDash names have no two dashes in a row.
	SingleDash bool
}

// Refuses are forms of manifests.
type Refuses struct {
	EmptyConfig bool // artifacts with OCI's empty config
	OCIIndex    bool // indexes of OCI's media type; Docker's is taken
}

// TokenServer is where a registry's tokens are got.
type TokenServer struct{ Realm, Service string }

// Page is a page of a registry's website.
type Page struct{ Title, Address string }

// Host is the first of the registry's hosts, or the first of its domains; empty
// for a registry that is not known.
func (r Registry) Host() string {
	switch {
	case len(r.Hosts) > 0:
		return r.Hosts[0]
	case len(r.Domains) > 0:
		return r.Domains[0]
	}
	return ""
}
