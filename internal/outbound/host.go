package outbound

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// Host is a registry's host that the owner named, with the permissions for that
// host only.
type Host struct {
	Name      string // canonical, "docker.io" for example, with its port if it is not the usual one
	Private   bool   // may have a loopback or private address
	PlainHTTP bool   // uses HTTP without TLS
	// TokenServer is another host to which logins may be sent. Private and
	// PlainHTTP apply to it as well. Empty for none.
	TokenServer string
}

// wire returns the host to connect to.
func (h Host) wire() string {
	if api := known.Of(h.Name).API; api != "" {
		return api
	}
	return h.Name
}

// Base returns the root URL of the host: scheme, host and port.
func (h Host) Base() *url.URL {
	if h.PlainHTTP {
		return &url.URL{Scheme: "http", Host: h.wire()}
	}
	return &url.URL{Scheme: "https", Host: h.wire()}
}

// HostPort returns the host and port of u in lower case, with the scheme's port
// if u has none, which is the form that dialers get.
func HostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// Trust is where one client may connect to, according to the owner. The keys
// have the form of HostPort.
type Trust struct {
	named   map[string]bool // every host that the owner named for this client
	private map[string]bool
	plain   map[string]bool
}

// NewTrust trusts the hosts that the owner named for one client.
func NewTrust(hosts []Host) Trust {
	t := Trust{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, h := range hosts {
		at := HostPort(h.Base())
		t.named[at] = true
		if h.Private {
			t.private[at] = true
		}
		if h.PlainHTTP {
			t.plain[at] = true
		}
	}
	return t
}

// Named reports whether the owner named the host and port of u.
func (t Trust) Named(u *url.URL) bool { return t.named[HostPort(u)] }

// Check returns an error unless a registry may redirect a client to u: with
// TLS, or without if the owner permitted it. The dialer checks addresses.
func (t Trust) Check(u *url.URL) error {
	switch {
	case u.Host == "" || u.User != nil:
		return fmt.Errorf("%q is not the address of a server", u.Host)
	case u.Scheme == "https", u.Scheme == "http" && t.plain[HostPort(u)]:
		return nil
	}
	// Without path and query, which may hold a signature.
	return fmt.Errorf("%s://%s: only https is allowed", u.Scheme, u.Host)
}
