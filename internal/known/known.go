// Package known contains facts about the world's registries: their hosts,
// rules, pages and public mirrors, and the images that Docker and Kubernetes
// publish. The tables name the source of each fact. To add a registry, add a
// row in registries.go; no other package contains the host of a registry.
package known

import (
	"slices"
	"strings"
)

// Of returns the facts about the registry with the host, which may be in any
// case and have a port.
func Of(host string) Registry {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	if r, ok := table.hosts[host]; ok {
		return *r
	}
	if !strings.Contains(host, ".") {
		return Registry{}
	}
	for i := range table.rows {
		for _, domain := range table.rows[i].Domains {
			if strings.HasSuffix(host, domain) {
				return table.rows[i]
			}
		}
	}
	return Registry{}
}

// IsRegistry reports whether host, without port, is certainly a registry's.
func IsRegistry(host string) bool { return Of(host).Host() != "" && !strings.Contains(host, ":") }

// All returns the known registries in the order of the table.
func All() []Registry { return table.rows }

// Allowed returns the hosts that are allowed as sources by default.
func Allowed() []string {
	var hosts []string
	for _, r := range table.rows {
		if r.Allowed {
			hosts = append(hosts, r.Hosts...)
		}
	}
	return hosts
}

// Searched returns the hosts to search for an image that another registry
// lacks, the most likely ones first.
func Searched() []string {
	var hosts []string
	for _, r := range table.rows {
		if r.Searched {
			hosts = append(hosts, r.Host())
		}
	}
	return hosts
}

// Labels returns the labels in mirror names, by host.
func Labels() map[string]string {
	labels := map[string]string{}
	for _, r := range table.rows {
		if r.Label != "" {
			labels[r.Host()] = r.Label
		}
	}
	return labels
}

// TokenServers returns the token servers of public registries, by host.
func TokenServers() map[string]TokenServer {
	servers := map[string]TokenServer{}
	for _, r := range table.rows {
		if r.Tokens.Realm != "" {
			servers[r.Host()] = r.Tokens
		}
	}
	return servers
}

// IsTokenServer reports whether server, a host, is known to issue tokens for
// the registry with the given host.
func IsTokenServer(registry, server string) bool {
	r := Of(registry)
	if r.TokenHosts == nil {
		return false
	}
	m := r.TokenHosts.FindStringSubmatch(server)
	return m != nil && strings.Contains(registry, "."+m[1]+".")
}

// index has the rows by the keys of look-ups.
type index struct {
	rows     []Registry
	hosts    map[string]*Registry // by Hosts and Aliases
	misspelt map[string]string    // by Misspelt: the right host
	short    map[string]string    // by Short: the first host
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
