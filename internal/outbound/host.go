package outbound

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/known"
)

// Host is a registry's host as the owner named it, with what is allowed there
// and nowhere else.
type Host struct {
	Name      string // canonical, "docker.io" for example, with its port if it is not the usual one
	Private   bool   // may be on a loopback or private address
	PlainHTTP bool   // speaks HTTP without TLS
	// TokenServer is another host to which the owner lets it send logins; Private
	// and PlainHTTP hold for that host too. Empty for none.
	TokenServer string
}

// wire is the host that is connected to.
func (h Host) wire() string {
	if api := known.Of(h.Name).API; api != "" {
		return api
	}
	return h.Name
}

// Base is the root of the host: its scheme, host and port.
func (h Host) Base() *url.URL {
	if h.PlainHTTP {
		return &url.URL{Scheme: "http", Host: h.wire()}
	}
	return &url.URL{Scheme: "https", Host: h.wire()}
}

// HostPort is the host and port of u in lower case, with the scheme's port if u
// has none: the form in which a dialer sees it.
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

// Trust is where one client may connect to, by what the owner named. The keys
// are as HostPort gives them.
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

// Check returns an error unless a registry may send a client to u: over TLS, or
// without where the owner said so. Addresses are the dialer's to check.
func (t Trust) Check(u *url.URL) error {
	switch {
	case u.Host == "" || u.User != nil:
		return fmt.Errorf("%q is no address of a server", u.Host)
	case u.Scheme == "https", u.Scheme == "http" && t.plain[HostPort(u)]:
		return nil
	}
	// Without path and query, which may hold a signature.
	return fmt.Errorf("%s://%s: only https is allowed", u.Scheme, u.Host)
}
