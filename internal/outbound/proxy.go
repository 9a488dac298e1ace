package outbound

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	netproxy "golang.org/x/net/proxy"
)

const (
	// dialTimeout limits the TCP handshake of one connection.
	dialTimeout = 15 * time.Second
	// tunnelTimeout limits the opening of a tunnel, in which the proxy connects
	// to the server.
	tunnelTimeout = time.Minute
)

// ProxyError is the reason why a proxy opened no tunnel. It contains no text
// from the proxy.
type ProxyError struct {
	proxy string // host and port, for the log only
	// Detail describes the failure without the proxy's address. It may be
	// shown.
	Detail string
	// Lasting reports whether another attempt would fail in the same way.
	Lasting bool
	err     error
}

func (e *ProxyError) Error() string {
	if e.err != nil {
		return fmt.Sprintf("proxy %s: %s: %v", e.proxy, e.Detail, e.err)
	}
	return fmt.Sprintf("proxy %s: %s", e.proxy, e.Detail)
}

func (e *ProxyError) Unwrap() error { return e.err }

// refusedTunnel is the error for a proxy's response to CONNECT. A 4xx is
// lasting: repeating a request after 407 may lock the account.
func refusedTunnel(proxy *url.URL, address string, status int) error {
	said := strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
	return &ProxyError{proxy: proxy.Host, Detail: "the proxy answered CONNECT " + address + " with " + said, Lasting: status < http.StatusInternalServerError}
}

// tunnel opens a connection to address through proxy, by CONNECT (RFC 9110
// §9.3.6) or SOCKS5. The guard does not check the proxy's address, which the
// owner configured. The proxy is only used for tunnels, and resolves names.
func tunnel(ctx context.Context, proxy *url.URL, roots *x509.CertPool, address string) (net.Conn, error) {
	if proxy.Hostname() == "" || strings.Trim(proxy.Path, "/") != "" {
		return nil, &ProxyError{Detail: "its address is not valid; in a user name or password, write %23 for #, %25 for %, %2F for / and %40 for @", Lasting: true}
	}
	switch proxy.Scheme {
	case "http", "https":
	case "socks5", "socks5h":
		return socks(ctx, proxy, address)
	default:
		return nil, &ProxyError{proxy: proxy.Host, Detail: fmt.Sprintf("%.20q is not a supported kind of proxy: use http, https, socks5 or socks5h", proxy.Scheme), Lasting: true}
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", HostPort(proxy))
	if err != nil {
		return nil, unreached(HostPort(proxy), err)
	}
	if proxy.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: proxy.Hostname(), RootCAs: roots})
	}
	if err := connect(ctx, conn, proxy, address); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// unreached is the failure to connect to a proxy. The address of one on the same
// machine tells nothing to others.
func unreached(address string, err error) error {
	detail := "the proxy cannot be reached"
	if host, _, _ := net.SplitHostPort(address); host == "localhost" || net.ParseIP(host).IsLoopback() {
		detail = "the proxy at " + address + " cannot be reached"
	}
	return &ProxyError{proxy: address, Detail: detail, err: err}
}

// socks opens a tunnel through a SOCKS5 proxy (RFC 1928), which resolves the
// name.
func socks(ctx context.Context, proxy *url.URL, address string) (net.Conn, error) {
	at := proxy.Host
	if proxy.Port() == "" {
		at = net.JoinHostPort(proxy.Hostname(), "1080")
	}
	var login *netproxy.Auth
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		login = &netproxy.Auth{User: proxy.User.Username(), Password: password}
	}
	reached := &reachedDialer{net.Dialer{Timeout: dialTimeout}, nil}
	d, err := netproxy.SOCKS5("tcp", at, login, reached)
	if err != nil {
		return nil, &ProxyError{proxy: at, Detail: "the proxy cannot be used", Lasting: true, err: err}
	}
	conn, err := d.(netproxy.ContextDialer).DialContext(ctx, "tcp", address)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("asking the proxy for a tunnel: %w", context.Cause(ctx))
	case reached.err != nil:
		return nil, unreached(at, reached.err)
	}
	said := strings.ToLower(err.Error())
	return nil, &ProxyError{proxy: at, Detail: "the SOCKS proxy did not connect to " + address, err: err,
		Lasting: strings.Contains(said, "auth") || strings.Contains(said, "not allowed")}
}

// reachedDialer records why a connection could not be opened.
type reachedDialer struct {
	net.Dialer
	err error
}

func (d *reachedDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d *reachedDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	d.err = err
	return conn, err
}

// maxProxyAnswer limits the header of a proxy's response to CONNECT.
const maxProxyAnswer = 64 << 10

// connect asks the proxy at the other end of conn for a tunnel.
func connect(ctx context.Context, conn net.Conn, proxy *url.URL, address string) error {
	interrupt := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		login := &http.Request{Header: http.Header{}}
		login.SetBasicAuth(proxy.User.Username(), password)
		request.Header.Set("Proxy-Authorization", login.Header.Get("Authorization"))
	}
	from := bufio.NewReader(io.LimitReader(conn, maxProxyAnswer))
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
		return refusedTunnel(proxy, address, answer.StatusCode)
	case from.Buffered() > 0:
		return errors.New("asking the proxy for a tunnel: bytes follow its answer") // the server behind it speaks second
	}
	return nil
}
