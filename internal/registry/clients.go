package registry

import (
	"strings"
	"sync"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/outbound"
	"github.com/imageferry/ferry/internal/reference"
)

// Clients are the clients of one side: one for each source host, or one for
// each target namespace, created on first use. There is none for hosts and
// namespaces that the owner did not name.
type Clients struct {
	clients map[namespace]func() *Client // the same client at every call

	mu   sync.Mutex
	made []*Client
}

// namespace is a namespace on a registry, or all of it.
type namespace struct{ host, path string }

// NewSources returns the clients of the sources. Only sources with credentials
// use them. Only private sources may redirect to addresses that are not public,
// and then only to hosts named in sources.
func NewSources(sources []config.Source, opts Options) *Clients {
	var named []outbound.Host
	for _, s := range sources {
		named = append(named, outbound.Host{Name: s.Host, Private: s.Private, PlainHTTP: s.PlainHTTP, TokenServer: s.TokenServer})
	}
	set := newClients()
	for i, s := range sources {
		set.clients[namespace{host: s.Host}] = set.once(func() *Client {
			return newClient(failure.Source, named[i], reachableFrom(named[i], named), accountOf(s.Username, s.Password), s.OIDC, opts)
		})
	}
	return set
}

// NewTargets returns the clients of the targets. Targets at one host share a
// client if they have the same login, which then needs one token. A private
// target may redirect to the hosts named in sources or targets, because its
// token server may be one of them.
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
		identity           oidc.Identity
	}
	shared := map[key]func() *Client{}
	set := newClients()
	for i, t := range targets {
		with := key{named[i], t.Username, t.Password.Reveal(), t.OIDC}
		if shared[with] == nil {
			shared[with] = set.once(func() *Client {
				return newClient(failure.Target, named[i], reachableFrom(named[i], named), accountOf(t.Username, t.Password), t.OIDC, opts)
			})
		}
		set.clients[namespace{t.Host, t.Namespace}] = shared[with]
	}
	return set
}

// reachableFrom returns the named hosts to which a client of host may be
// redirected, even with its login: the token server that the owner named for it
// and, if it is private, the other private hosts. A public registry must not
// redirect into the owner's network.
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

// once returns a function that creates a client at the first call.
func (s *Clients) once(build func() *Client) func() *Client {
	return sync.OnceValue(func() *Client {
		c := build()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.made = append(s.made, c)
		return c
	})
}

// ForHost returns the client of a source host, and false if the owner did not
// name it.
func (s *Clients) ForHost(host string) (*Client, bool) { return s.at(namespace{host: host}) }

// ForRepository returns the client of the innermost namespace that contains the
// repository, and false if the owner named none.
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
