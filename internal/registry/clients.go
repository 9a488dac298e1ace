package registry

import (
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// Clients are the clients of one side: one for each source's host, one for each
// target's namespace, made when first asked for. Hosts and namespaces that the
// owner did not name have none.
type Clients struct {
	clients map[namespace]func() *Client // the same client at every call

	mu   sync.Mutex
	made []*Client
}

// namespace is a namespace on a registry, or all of it.
type namespace struct{ host, path string }

// NewSources makes the clients of the source side. A source with credentials
// gets them and no other does; only a private one may be sent on to addresses
// that are not public, and then only to hosts that are named in sources.
func NewSources(sources []config.Source, opts Options) *Clients {
	var named []outbound.Host
	for _, s := range sources {
		named = append(named, outbound.Host{Name: s.Host, Private: s.Private, PlainHTTP: s.PlainHTTP, TokenServer: s.TokenServer})
	}
	set := newClients()
	for i, s := range sources {
		set.clients[namespace{host: s.Host}] = set.once(func() *Client {
			return newClient(failure.Source, named[i], reachableFrom(named[i], named), accountOf(s.Username, s.Password), opts)
		})
	}
	return set
}

// NewTargets makes the clients of the target side. Targets on one host have one
// client if they have one login, which then needs one token. A private target may
// be sent on to the hosts that are named in sources or targets, for its token
// server may be one of them.
func NewTargets(targets []config.Target, sources []config.Source, opts Options) *Clients {
	var named []outbound.Host
	for _, t := range targets {
		named = append(named, outbound.Host{Name: t.Host, Private: t.Private, PlainHTTP: t.PlainHTTP, TokenServer: t.TokenServer})
	}
	for _, s := range sources {
		named = append(named, outbound.Host{Name: s.Host, Private: s.Private, PlainHTTP: s.PlainHTTP, TokenServer: s.TokenServer})
	}
	type key struct {
		host               outbound.Host
		username, password string
	}
	shared := map[key]func() *Client{}
	set := newClients()
	for i, t := range targets {
		with := key{named[i], t.Username, t.Password.Reveal()}
		if shared[with] == nil {
			shared[with] = set.once(func() *Client {
				return newClient(failure.Target, named[i], reachableFrom(named[i], named), accountOf(t.Username, t.Password), opts)
			})
		}
		set.clients[namespace{t.Host, t.Namespace}] = shared[with]
	}
	return set
}

// reachableFrom are the named hosts that a client of host may be sent to, even
// with its login: the token server that the owner named for it and, for a
// private one, the other private ones. A registry on the public internet has no
// business in the owner's network.
func reachableFrom(host outbound.Host, named []outbound.Host) []outbound.Host {
	hosts := []outbound.Host{host}
	if host.TokenServer != "" {
		hosts = append(hosts, outbound.Host{Name: host.TokenServer, Private: host.Private, PlainHTTP: host.PlainHTTP})
	}
	for _, h := range named {
		if host.Private && h.Private {
			hosts = append(hosts, h)
		}
	}
	return hosts
}

func newClients() *Clients { return &Clients{clients: map[namespace]func() *Client{}} }

// once makes a client at the first call.
func (s *Clients) once(build func() *Client) func() *Client {
	return sync.OnceValue(func() *Client {
		c := build()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.made = append(s.made, c)
		return c
	})
}

// ForHost is the client of a source's host, false if the owner did not name it.
func (s *Clients) ForHost(host string) (*Client, bool) { return s.at(namespace{host: host}) }

// ForRepository is the client of the namespace that holds the repository: of
// several the innermost. It is false if the owner named none.
func (s *Clients) ForRepository(repository reference.Repository) (*Client, bool) {
	for path := repository.Path(); path != ""; {
		path = path[:max(strings.LastIndexByte(path, '/'), 0)]
		if c, ok := s.at(namespace{repository.Host(), path}); ok {
			return c, true
		}
	}
	return nil, false
}

func (s *Clients) at(n namespace) (*Client, bool) {
	build, ok := s.clients[n]
	if !ok {
		return nil, false
	}
	return build(), true
}

// Close closes all idle connections.
func (s *Clients) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.made {
		c.Close()
	}
}
