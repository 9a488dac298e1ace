package registry

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/outbound"
)

// mayLogin reports whether the registry's credentials may be shown to the token
// server at realm, an address from the registry's answer. The registry could ask
// for them directly, so this guards against others that control only the headers
// of the answer: a cache, a proxy, a bug in the software.
//
// That two hosts share the end of their names says nothing: under github.io,
// amazonaws.com or myhuaweicloud.com anybody can rent one. So realm has to be
// the registry itself, a domain above it, whose holder could take the
// registry's name away at any time, a token server that is known, or one that
// the owner has named.
func (w *wire) mayLogin(realm *url.URL) bool {
	at := outbound.HostPort(realm)
	if realm.Scheme == w.base.Scheme && at == outbound.HostPort(w.base) || w.trust.Named(realm) {
		return true
	}
	if realm.Scheme != "https" || w.base.Scheme != "https" {
		return false
	}
	if first, err := url.Parse(w.opts.TokenServers[w.host.Name].Realm); err == nil && at == outbound.HostPort(first) {
		return true
	}
	registry, server := strings.ToLower(w.base.Hostname()), strings.ToLower(realm.Hostname())
	return above(server, registry) || known.IsTokenServer(registry, server)
}

// above reports whether domain is host or one that host is part of. Addresses
// and names of one label are no domain.
func above(domain, host string) bool {
	if _, err := netip.ParseAddr(domain); err == nil || !strings.Contains(domain, ".") {
		return false
	}
	return strings.HasSuffix("."+host, "."+domain)
}
