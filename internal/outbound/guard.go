package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/imageferry/ferry/internal/reference"
)

// special are the ranges that contain no public registry: the IANA
// special-purpose registries (RFC 6890 and its updates) and the addresses at
// which clouds serve the secrets of their machines. The standard library
// regards several of them as global unicast, hence this list.
var special = prefixes(
	"0.0.0.0/8",        // this network
	"10.0.0.0/8",       // private
	"100.64.0.0/10",    // carrier-grade NAT; 100.100.100.200 is Alibaba's metadata service
	"127.0.0.0/8",      // loopback
	"168.63.129.16/32", // Azure's wire server, which hosted runners can reach
	"169.254.0.0/16",   // link-local; 169.254.169.254 is the usual metadata service
	"172.16.0.0/12",    // private
	"192.0.0.0/24",     // IETF protocol assignments; 192.0.0.192 is Oracle's metadata service
	"192.0.2.0/24",     // documentation
	"192.88.99.0/24",   // 6to4 relays
	"192.168.0.0/16",   // private
	"198.18.0.0/15",    // benchmarks
	"198.51.100.0/24",  // documentation
	"203.0.113.0/24",   // documentation
	"224.0.0.0/3",      // multicast, reserved, broadcast
	"64:ff9b:1::/48",   // NAT64 of private networks
	"2001::/23",        // IETF protocol assignments, Teredo among them
	"2001:db8::/32",    // documentation
	"2002::/16",        // 6to4: an embedded IPv4 address
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

// nat64 is the prefix of IPv6 addresses that contain an IPv4 address (RFC 6052).
// Networks without IPv4 resolve all public names to such addresses.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// public reports whether addr belongs to the public internet.
func public(addr netip.Addr) bool {
	addr = addr.Unmap()
	if nat64.Contains(addr) {
		all := addr.As16()
		addr = netip.AddrFrom4([4]byte(all[12:]))
	}
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

// ErrForbidden is wrapped by the errors of all connections that the guard
// refused.
var ErrForbidden = errors.New("address is not on the public internet")

// AddressError is the refusal of an address. It wraps ErrForbidden.
type AddressError struct {
	Addr netip.Addr
	Fake bool // a proxy on this machine or in its network has made it up for a name
}

func (e *AddressError) Error() string {
	what := ""
	if e.Fake {
		what = ", an address that proxies such as Clash assign to a name (fake-ip)"
	}
	return fmt.Sprintf("connecting to %s%s: %v", e.Addr, what, ErrForbidden)
}

func (e *AddressError) Unwrap() error { return ErrForbidden }

// fakeIPs are the ranges from which proxies that answer DNS queries, such as
// Clash, mihomo and sing-box, assign one address to each name by default. No
// network routes them: 198.18.0.0/15 is for benchmarks (RFC 2544), fc00::/8 is
// not assigned (RFC 4193), and mihomo's is one of 2^40.
var fakeIPs = prefixes("198.18.0.0/15", "fc00::/18", "fdfe:dcba:9876::/64")

func fakeIP(addr netip.Addr) bool {
	addr = addr.Unmap()
	return slices.ContainsFunc(fakeIPs, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// guardAddress refuses a connection to an address that is not public. It is a
// Control function of a net.Dialer, so it checks the resolved address on every
// attempt. This covers redirects, token servers and names that change their
// address.
func guardAddress(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	switch {
	case err != nil:
		return fmt.Errorf("reading address %q: %w", address, err)
	case public(target.Addr()):
		return nil
	}
	return &AddressError{target.Addr(), fakeIP(target.Addr())}
}

// guardFakeIP is guardAddress for names if the machine's own resolver may be a
// proxy: it also permits made-up addresses.
func guardFakeIP(network, address string, conn syscall.RawConn) error {
	err := guardAddress(network, address, conn)
	if refused, ok := errors.AsType[*AddressError](err); ok && refused.Fake {
		return nil
	}
	return err
}

// lookupTimeout limits the local resolution of a name that a proxy will resolve
// again. Where a proxy is needed, public names often do not resolve, and
// slowly.
const lookupTimeout = 2 * time.Second

// lookupFunc resolves a name, like net.Resolver.LookupNetIP.
type lookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// guardName is the guard for connections through a proxy, which resolves the
// name without showing the result. It refuses addresses that are not public, names
// that cannot be on the internet, and names that this machine resolves to addresses
// that are not public. Only the proxy can refuse a name that it alone resolves to
// such an address.
func guardName(ctx context.Context, lookup lookupFunc, address string) error {
	forbidden := func(why string) error {
		return fmt.Errorf("connecting to %s through a proxy: %s: %w", address, why, ErrForbidden)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if !public(addr) { // also false for an address with a zone
			return forbidden("the address is special")
		}
		return nil
	}
	name := strings.ToLower(strings.TrimRight(host, "."))
	if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != "" || reference.Inside(name) {
		return forbidden("the name is none on the internet")
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addresses, err := lookup(ctx, "ip", host)
	outside := func(addr netip.Addr) bool { return public(addr) || fakeIP(addr) }
	if err == nil && !slices.ContainsFunc(addresses, outside) {
		if len(addresses) > 0 {
			return &AddressError{Addr: addresses[0]}
		}
		return forbidden("it resolves to no address")
	}
	return nil // also if this machine cannot resolve names of the internet
}
