package registry

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/outbound"
)

// mayLogin reports whether the registry's credentials may be sent to the token
// server at realm, an address from the registry's response. The registry could
// ask for them directly, so this protects against others that control only the
// headers of the response: a cache, a proxy, a bug in the software.
//
// A common ending of two host names proves nothing: anybody can register names
// under github.io, amazonaws.com or myhuaweicloud.com. So realm must be the
// registry itself, a domain above it, whose owner controls the registry's name
// anyway, a known token server, or one that the owner has named.
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

// above reports whether domain is host or a parent domain of it. Addresses and
// names with one label are not domains.
func above(domain, host string) bool {
	if _, err := netip.ParseAddr(domain); err == nil || !strings.Contains(domain, ".") {
		return false
	}
	return strings.HasSuffix("."+host, "."+domain)
}
