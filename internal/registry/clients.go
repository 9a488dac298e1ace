package registry

import (
	"sync"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
)

// TokenServer is where a registry's tokens are got.
type TokenServer struct {
	Realm, Service string
}

// WellKnown are the token servers of public registries, as they announce them
// in their challenges. One that has moved costs a round trip, no more.
func WellKnown() map[string]TokenServer {
	return map[string]TokenServer{
		"docker.io":           {"https://auth.docker.io/token", "registry.docker.io"},
		"ghcr.io":             {"https://ghcr.io/token", "ghcr.io"},
		"quay.io":             {"https://quay.io/v2/auth", "quay.io"},
		"gcr.io":              {"https://gcr.io/v2/token", "gcr.io"},
		"registry.gitlab.com": {"https://gitlab.com/jwt/auth", "container_registry"},
	}
}

// Clients are the clients of one side, one for each host, made when first
// asked for. A host that the owner did not name has none.
type Clients struct {
	make map[string]func() *Client

	mu   sync.Mutex
	made map[string]*Client
}

// NewSources makes the clients of the source side. A source with credentials
// gets them and no other does; only a private one may be sent on to addresses
// that are not public, and then only to hosts that are named in sources.
func NewSources(sources []config.Source, opts Options) *Clients {
	var named []Host
	for _, s := range sources {
		named = append(named, Host{s.Host, s.Private, s.PlainHTTP, s.TokenServer})
	}
	set := newClients()
	for i, s := range sources {
		set.make[s.Host] = func() *Client {
			return newClient(failure.Source, named[i], reachableFrom(named[i], named), login{s.Username, s.Password}, opts)
		}
	}
	return set
}

// NewTargets makes the clients of the target side. A private target may be
// sent on to the hosts that are named in sources or targets, for its token
// server may be one of them.
func NewTargets(targets []config.Target, sources []config.Source, opts Options) *Clients {
	var named []Host
	for _, t := range targets {
		named = append(named, Host{t.Host, t.Private, t.PlainHTTP, t.TokenServer})
	}
	for _, s := range sources {
		named = append(named, Host{s.Host, s.Private, s.PlainHTTP, s.TokenServer})
	}
	set := newClients()
	for i, t := range targets {
		if _, taken := set.make[t.Host]; taken {
			continue
		}
		set.make[t.Host] = func() *Client {
			return newClient(failure.Target, named[i], reachableFrom(named[i], named), login{t.Username, t.Password}, opts)
		}
	}
	return set
}

// reachableFrom are the named hosts that a client of host may be sent to, even
// with its login: the token server that the owner named for it and, for a
// private one, the other private ones. A registry on the public internet has no
// business in the owner's network.
func reachableFrom(host Host, named []Host) []Host {
	hosts := []Host{host}
	if host.TokenServer != "" {
		hosts = append(hosts, Host{Name: host.TokenServer, Private: host.Private, PlainHTTP: host.PlainHTTP})
	}
	for _, h := range named {
		if host.Private && h.Private {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

func newClients() *Clients {
	return &Clients{make: map[string]func() *Client{}, made: map[string]*Client{}}
}

// For is the client of host, false if the owner did not name it.
func (s *Clients) For(host string) (*Client, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.made[host]; ok {
		return c, true
	}
	build, ok := s.make[host]
	if !ok {
		return nil, false
	}
	s.made[host] = build()
	return s.made[host], true
}

// Close lets go of all idle connections.
func (s *Clients) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.made {
		c.Close()
	}
}
