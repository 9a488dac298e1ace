package registry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// special are the ranges in which no registry of the public internet lives:
// the IANA special-purpose registries (RFC 6890 and its updates) and the
// addresses at which clouds serve their machines' secrets. The standard
// library calls several of them global unicast, hence a list.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT; 100.100.100.200 is Alibaba's metadata service
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's wire server, which hosted runners can reach
	"169.254.0.0/16",   // link-local; 169.254.169.254 is everyone's metadata service
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // IETF protocol assignments; 192.0.0.192 is Oracle's metadata service
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/3",      // multicast, reserved, broadcast
	"64:ff9b::/96",     // NAT64: any IPv4 address in disguise
	"64:ff9b:1::/48",   // NAT64 of private networks
	"2001::/23",        // IETF protocol assignments, Teredo among them
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4: any IPv4 address in disguise
	"3fff::/20",        // documentation
)

// globalV6 is the only range of IPv6 that the internet routes as unicast.
var globalV6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// public reports whether addr belongs to the public internet.
func public(addr netip.Addr) bool {
	addr = addr.Unmap()
	if addr.Is6() && !globalV6.Contains(addr) {
		return false
	}
	for _, p := range special {
		if p.Contains(addr) {
			return false
		}
	}
	return addr.IsValid()
}

// errForbidden marks a connection that the guard did not let happen.
var errForbidden = errors.New("address is not on the public internet")

// guard looks at the address that is about to be connected to: what the name
// resolved to, on every attempt, so that neither redirects nor realms nor
// names that change their address get past it.
func guard(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	if !public(target.Addr()) {
		return fmt.Errorf("connecting to %s: %w", target.Addr(), errForbidden)
	}
	return nil
}

// dialTimeout bounds one connection's TCP handshake.
const dialTimeout = 15 * time.Second

// dialer opens connections to the public internet, and to the hosts of the
// private set, which are "host:port" as the owner named them.
type dialer struct {
	private map[string]bool
	plain   map[string]bool // spoken to without TLS
	at      map[string]string
	proxy   func(*http.Request) (*url.URL, error) // nil for no proxies
	lookup  func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: dialTimeout}
	if !d.private[address] {
		nd.Control = guard
	}
	if elsewhere, ok := d.at[address]; ok {
		return nd.DialContext(ctx, network, elsewhere)
	}
	proxy, err := d.through(address)
	switch {
	case err != nil:
		return nil, err
	case proxy != nil:
		return d.tunnel(ctx, proxy, address)
	}
	return nd.DialContext(ctx, network, address)
}
