// Package known holds what Ferry knows about the registries of the world: their
// hosts, rules, pages and public mirrors, the images that Docker and Kubernetes
// publish. The tables say where each fact is from. A registry is added by one
// row in registries.go; no other package spells a registry's host.
package known

import (
	"regexp"
	"slices"
	"strings"
)

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

// Of is what is known of the registry with the host, which may be in any case
// and have a port.
func Of(host string) Registry {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	if r, ok := table.hosts[host]; ok {
		return *r
	}
	for _, r := range table.rows {
		for _, domain := range r.Domains {
			if strings.HasSuffix(host, domain) {
				return r
			}
		}
	}
	return Registry{}
}

// IsRegistry reports whether host, without port, is certainly a registry's.
func IsRegistry(host string) bool { return Of(host).Host() != "" && !strings.Contains(host, ":") }

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

// All are the registries that are known, in the order of the table.
func All() []Registry { return table.rows }

// Allowed are the hosts that may be asked for without being named by the owner.
func Allowed() []string {
	var hosts []string
	for _, r := range table.rows {
		if r.Allowed {
			hosts = append(hosts, r.Hosts...)
		}
	}
	return hosts
}

// Searched are the hosts that are asked for an image that another registry does
// not have, those most likely to have it first.
func Searched() []string {
	var hosts []string
	for _, r := range table.rows {
		if r.Searched {
			hosts = append(hosts, r.Host())
		}
	}
	return hosts
}

// Labels are the labels in mirror names by the hosts that they stand for.
func Labels() map[string]string {
	labels := map[string]string{}
	for _, r := range table.rows {
		if r.Label != "" {
			labels[r.Host()] = r.Label
		}
	}
	return labels
}

// TokenServers are the token servers of public registries by host.
func TokenServers() map[string]TokenServer {
	servers := map[string]TokenServer{}
	for _, r := range table.rows {
		if r.Tokens.Realm != "" {
			servers[r.Host()] = r.Tokens
		}
	}
	return servers
}

// IsTokenServer reports whether server, a host, is known to give out tokens for
// the registry with the host given.
func IsTokenServer(registry, server string) bool {
	r := Of(registry)
	if r.TokenHosts == nil {
		return false
	}
	m := r.TokenHosts.FindStringSubmatch(server)
	return m != nil && strings.Contains(registry, "."+m[1]+".")
}

// index has the rows by what they are looked up by.
type index struct {
	rows     []Registry
	hosts    map[string]*Registry // by Hosts and Aliases
	misspelt map[string]string    // the host that is meant, by Misspelt
	short    map[string]string    // the first host, by Short
	often    []string             // the first hosts
}

var table = newIndex(registries)

func newIndex(rows []Registry) index {
	x := index{rows: rows, hosts: map[string]*Registry{}, misspelt: map[string]string{}, short: map[string]string{}}
	for i := range rows {
		r := &rows[i]
		for _, host := range slices.Concat(r.Hosts, r.Aliases) {
			x.hosts[host] = r
		}
		for _, host := range r.Misspelt {
			x.misspelt[host] = r.Host()
		}
		for _, label := range r.Short {
			x.short[label] = r.Host()
		}
		if r.Often {
			x.often = append(x.often, r.Host())
		}
	}
	return x
}
