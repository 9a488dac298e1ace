package registry

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/imageferry/ferry/internal/reference"
)

// Host is a registry's host as the owner named it, and what may be done there
// that may be done nowhere else.
type Host struct {
	Name      string // canonical, "docker.io" for example, with its port if it is not the usual one
	Private   bool   // may be on a loopback or private address
	PlainHTTP bool   // speaks HTTP without TLS
	// TokenServer is another host to which the owner lets it send logins; the
	// marks above hold for that one too. Empty for none.
	TokenServer string
}

// wire is the host that is really spoken to. Docker Hub's canonical name
// serves no registry.
func (h Host) wire() string {
	if h.Name == reference.DockerHub {
		return "registry-1.docker.io"
	}
	return h.Name
}

func (h Host) base() *url.URL {
	if h.PlainHTTP {
		return &url.URL{Scheme: "http", Host: h.wire()}
	}
	return &url.URL{Scheme: "https", Host: h.wire()}
}

// hostPort is the host and port of u, the port always there, in the form in
// which a dialer gets to see it.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
		if u.Scheme == "http" {
			port = "80"
		}
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// trust is where one client may go, by what the owner named.
type trust struct {
	named   map[string]bool // "host:port" of every host that the owner named for this client
	private map[string]bool
	plain   map[string]bool
}

func newTrust(hosts []Host) trust {
	t := trust{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, h := range hosts {
		at := hostPort(h.base())
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

// reachable reports whether a registry may send us to u: over TLS, or without
// where the owner said so. Addresses are the dialer's business.
func (t trust) reachable(u *url.URL) error {
	switch {
	case u.Host == "" || u.User != nil:
		return fmt.Errorf("%q is no address of a server", u.Host)
	case u.Scheme == "https", u.Scheme == "http" && t.plain[hostPort(u)]:
		return nil
	}
	// Without path and query, which may hold a signature.
	return fmt.Errorf("%s://%s: only https is allowed", u.Scheme, u.Host)
}
