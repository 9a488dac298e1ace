package outbound

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
)

// Options are shared by the connections of all clients.
type Options struct {
	// At redirects connections for "host:port" to another address, so that the
	// demo can simulate a public registry on loopback. It does not bypass the
	// guard, which checks the address that is connected to.
	At map[string]string
	// Proxy returns the proxy for a request, like the field of http.Transport.
	// Proxies are only used for tunnels, even for connections without TLS. Nil
	// for none.
	Proxy func(*http.Request) (*url.URL, error)
	// Lookup resolves the names of servers behind a proxy. Nil for the system's
	// resolver.
	Lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	// FakeIP permits names that resolve to 198.18.0.0/15, the range of
	// addresses that proxies such as Clash in TUN mode make up.
	FakeIP bool
	// Roots are the certificate authorities to trust. Nil for the system's.
	Roots *x509.CertPool
}

// dialer opens connections to the public internet and to the private hosts that
// the owner named.
type dialer struct {
	trust  Trust
	at     map[string]string
	proxy  func(*http.Request) (*url.URL, error) // nil for no proxies
	lookup lookupFunc
	fakeIP bool
	roots  *x509.CertPool // for proxies that speak TLS
}

func newDialer(trust Trust, opts Options) dialer {
	d := dialer{trust, opts.At, opts.Proxy, opts.Lookup, opts.FakeIP, opts.Roots}
	if d.lookup == nil {
		d.lookup = net.DefaultResolver.LookupNetIP
	}
	return d
}

func (d dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	nd := net.Dialer{Timeout: dialTimeout}
	switch {
	case d.trust.private[address]:
	case d.fakeIP && !literal(address):
		nd.Control = guardFakeIP
	default:
		nd.Control = guardAddress
	}
	if other, ok := d.at[address]; ok {
		return nd.DialContext(ctx, network, other)
	}
	proxy, err := d.proxyFor(address)
	switch {
	case err != nil:
		return nil, err
	case proxy == nil:
		return nd.DialContext(ctx, network, address)
	}
	ctx, cancel := context.WithTimeout(ctx, tunnelTimeout)
	defer cancel()
	if !d.trust.private[address] {
		if err := guardName(ctx, d.lookup, address); err != nil {
			return nil, err
		}
	}
	return tunnel(ctx, proxy, d.roots, address)
}

// literal reports whether address contains an IP address instead of a host
// name.
func literal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}

// proxyFor returns the proxy for a connection to address; nil for none.
func (d dialer) proxyFor(address string) (*url.URL, error) {
	if d.proxy == nil {
		return nil, nil
	}
	u := &url.URL{Scheme: "https", Host: address}
	if d.trust.plain[address] {
		u.Scheme = "http"
	}
	proxy, err := d.proxy(&http.Request{URL: u})
	if err != nil {
		return nil, fmt.Errorf("choosing a proxy: %w", err)
	}
	return proxy, nil
}
