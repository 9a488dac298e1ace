package registry

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
)

const (
	// tunnelTimeout bounds all that it takes to open a tunnel: the proxy makes
	// a connection of its own meanwhile.
	tunnelTimeout = time.Minute
	// lookupTimeout bounds the look at what a name is on this machine. Where a
	// proxy is needed, names of the internet often resolve to nothing, slowly.
	lookupTimeout = 2 * time.Second
)

// proxyError is that there is no tunnel, for a reason that whoever set the proxy
// up would like to know. Of the proxy's own words nothing is kept.
type proxyError struct {
	at     string // the proxy's address, which is for the log alone
	detail string
	lasts  bool // it will be the same if tried again at once
	err    error
}

func (e *proxyError) Error() string {
	if e.err != nil {
		return fmt.Sprintf("proxy %s: %s: %v", e.at, e.detail, e.err)
	}
	return fmt.Sprintf("proxy %s: %s", e.at, e.detail)
}

func (e *proxyError) Unwrap() error { return e.err }

// turnedDown is the error for a proxy's answer. Who is told 407 and insists may
// find the account locked.
func turnedDown(proxy *url.URL, address string, status int) error {
	said := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	return &proxyError{at: proxy.Host, detail: "the proxy answers CONNECT " + address + " with " + said, lasts: status < http.StatusInternalServerError}
}

// through is the proxy that a connection to address goes through, nil for none.
func (d dialer) through(address string) (*url.URL, error) {
	if d.proxy == nil {
		return nil, nil
	}
	u := &url.URL{Scheme: "https", Host: address}
	if d.plain[address] {
		u.Scheme = "http"
	}
	proxy, err := d.proxy(&http.Request{URL: u})
	if err != nil {
		return nil, fmt.Errorf("choosing a proxy: %w", err)
	}
	return proxy, nil
}

// tunnel opens a connection to address through proxy (RFC 9110 §9.3.6). The
// guard does not look at the proxy's address, for the owner named it; it is
// connected to for nothing but this.
func (d dialer) tunnel(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, tunnelTimeout)
	defer cancel()
	if !d.private[address] {
		if err := d.guardName(ctx, address); err != nil {
			return nil, err
		}
	}
	if proxy.Scheme != "http" && proxy.Scheme != "https" {
		return nil, &proxyError{at: proxy.Host, detail: fmt.Sprintf("the proxy has to be one for http:// or https://, and not for %.20q", proxy.Scheme), lasts: true}
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", hostPort(proxy))
	if err != nil {
		return nil, &proxyError{at: proxy.Host, detail: "the proxy cannot be reached", err: err}
	}
	if proxy.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: proxy.Hostname()})
	}
	if err := connect(ctx, conn, proxy, address); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// connect asks the proxy at the other end of conn for a tunnel.
func connect(ctx context.Context, conn net.Conn, proxy *url.URL, address string) error {
	interrupt := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		request.Header.Set("Proxy-Authorization", "Basic "+basic(proxy.User.Username(), config.NewSecret(password)))
	}
	from := bufio.NewReader(io.LimitReader(conn, maxHeader))
	err := request.Write(conn)
	var answer *http.Response
	if err == nil {
		answer, err = http.ReadResponse(from, request)
	}
	switch {
	case !interrupt():
		return fmt.Errorf("asking the proxy for a tunnel: %w", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("asking the proxy for a tunnel: %w", err)
	case answer.StatusCode/100 != 2:
		return turnedDown(proxy, address, answer.StatusCode)
	case from.Buffered() > 0:
		return errors.New("asking the proxy for a tunnel: it says more than its answer") // who is behind it speaks second
	}
	return nil
}

// madeUp is the range that no network routes (RFC 2544) and that proxies which
// answer for the DNS as well take their addresses from, one for each name: what
// Clash and others call fake-ip.
var madeUp = netip.MustParsePrefix("198.18.0.0/15")

// guardName is the guard where a proxy resolves the name and this machine does
// not see what to. It refuses addresses that are not public, names that are
// none on the internet, and names that lead inside by what this machine knows.
// That a name leads inside by what the proxy alone knows, the proxy has to see.
func (d dialer) guardName(ctx context.Context, address string) error {
	forbidden := func(why string) error {
		return fmt.Errorf("connecting to %s through a proxy: %s: %w", address, why, errForbidden)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading address %q: %w", address, err)
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if !public(addr) { // nor is one that has a zone
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
	addresses, err := d.lookup(ctx, "ip", host)
	outside := func(addr netip.Addr) bool { return public(addr) || madeUp.Contains(addr.Unmap()) }
	if err == nil && !slices.ContainsFunc(addresses, outside) {
		return forbidden(fmt.Sprintf("it leads to %v", addresses))
	}
	return nil // also where this machine can resolve no name of the internet
}
