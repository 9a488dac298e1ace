package wiring

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/event"
	"github.com/imageferry/ferry/internal/front"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/transfer"
)

// Front is a front and its open connections.
type Front struct {
	*front.Front
	clients []*registry.Clients
	fillers []*filler
}

// FrontParts are the parts that outlive a front when its configuration changes.
type FrontParts struct {
	Engine   *transfer.Engine
	Memories *front.Memories
	Log      *slog.Logger
}

// NewFront returns a front with its places, each with its own client. When ctx
// ends, copies to places end.
func NewFront(ctx context.Context, s *config.Serve, env Env, parts FrontParts) (*Front, error) {
	f := &Front{}
	m := maker{ctx: ctx, s: s, opts: env.Registries(nil), parts: parts, now: env.Time, front: f}
	places, err := m.places()
	if err != nil {
		return nil, err
	}
	names, err := m.names()
	if err != nil {
		return nil, err
	}
	requests, err := m.requests(env)
	if err != nil {
		return nil, err
	}
	f.Front = front.New(front.Options{
		Names: names, Places: places, Engine: parts.Engine, Memories: parts.Memories, Log: parts.Log, Now: env.Time,
		Guests:       front.NewGuests(admission(s), env.Time),
		Repositories: &front.Rules{Allowed: s.Allowed, Denied: s.Denied},
		Limits:       front.Extent{Bytes: s.Limits.ImageBytes, Manifests: s.Limits.IndexManifests},
		Patience:     s.Patience, TagTTL: s.TagTTL, Stale: s.Stale, RelayHosts: s.RelayHosts, Requests: requests,
	})
	return f, nil
}

// Close waits for running copies and closes idle connections. Reads of clients
// continue.
func (f *Front) Close() {
	for _, filler := range f.fillers {
		filler.close()
	}
	for _, c := range f.clients {
		c.Close()
	}
}

// maker builds the parts of one front.
type maker struct {
	ctx   context.Context
	s     *config.Serve
	opts  registry.Options
	parts FrontParts
	front *Front
	now   func() time.Time
}

// client returns a client for reading, with the login of source. Private
// sources may redirect to each other.
func (m *maker) client(source config.Source) (*registry.Client, error) {
	sources := []config.Source{source}
	for _, other := range m.s.Sources {
		if other.Host != source.Host {
			sources = append(sources, other)
		}
	}
	set := registry.NewSources(sources, m.opts)
	m.front.clients = append(m.front.clients, set)
	c, ok := set.ForHost(source.Host)
	if !ok {
		return nil, fmt.Errorf("there is no client for %s", source.Host)
	}
	return c, nil
}

// places returns the places of each source, in the order in which they are
// tried.
func (m *maker) places() (map[string][]*front.Place, error) {
	bySource := map[string][]*front.Place{}
	add := func(p config.FrontPlace, source string, place *front.Place) {
		if len(p.Sources) == 0 || slices.Contains(p.Sources, source) {
			bySource[canonical(source)] = append(bySource[canonical(source)], place)
		}
	}
	for _, p := range m.s.Places {
		made, err := m.place(p)
		if err != nil {
			return nil, err
		}
		seen := map[string]bool{}
		for _, source := range m.s.Sources {
			if seen[canonical(source.Host)] {
				continue
			}
			seen[canonical(source.Host)] = true
			for _, place := range made {
				if place.Kind != front.Upstream || place.Client.Host() == canonical(source.Host) {
					add(p, source.Host, place)
				}
			}
		}
	}
	return bySource, nil
}

// place returns the places of one entry of the configuration.
func (m *maker) place(p config.FrontPlace) ([]*front.Place, error) {
	var made []*front.Place
	switch p.Kind {
	case config.PlaceMirror:
		schemes, err := plan.Schemes(&m.s.Config)
		if err != nil {
			return nil, err
		}
		for i, t := range m.s.Targets {
			if p.At != "" && p.At != t.String() {
				continue
			}
			c, err := m.client(config.Source{
				Host: t.Host, Private: t.Private, PlainHTTP: t.PlainHTTP, Username: t.Username, Password: t.Password, OIDC: t.OIDC, TokenServer: t.TokenServer,
			})
			if err != nil {
				return nil, err
			}
			target := name.Target{Host: t.Host, Namespace: t.Namespace, Profile: name.Profile(t.Profile)}
			place := front.NewMirror(c, target, schemes[i])
			if p.Fill {
				filler := m.filler(t, place.String())
				place.Missing = func(ref reference.Reference) { filler.want(m.ctx, ref) }
				place.Filled = func(source reference.Repository, digest v1.Hash) bool {
					at, ok := place.Locate(source)
					return ok && filler.has(source, at, digest)
				}
			}
			made = append(made, place)
		}
	case config.PlaceUpstream:
		for _, source := range m.s.Sources {
			if canonical(source.Host) != source.Host {
				continue
			}
			c, err := m.client(source)
			if err != nil {
				return nil, err
			}
			made = append(made, front.NewUpstream(c))
		}
	default:
		c, err := m.client(p.Other)
		if err != nil {
			return nil, err
		}
		made = append(made, front.NewOther(front.PlaceKind(p.Kind), c, p.Prefix))
	}
	for _, place := range made {
		place.Blobs = front.Way(p.Blobs)
		if p.Budget > 0 {
			place.Budget = front.NewBudget(p.Budget, time.Hour, m.now)
		}
	}
	return made, nil
}

// filler returns the filler of a target. The sources are read with the logins
// of their places.
func (m *maker) filler(t config.Target, place string) *filler {
	cfg := m.s.Config
	cfg.Targets = []config.Target{t}
	sources, targets := registry.NewSources(cfg.Sources, m.opts), registry.NewTargets(cfg.Targets, cfg.Sources, m.opts)
	m.front.clients = append(m.front.clients, sources, targets)
	f := &filler{
		place: place, cfg: &cfg, engine: m.parts.Engine, memories: m.parts.Memories, log: m.parts.Log, now: m.now,
		mirror: mirror.New(mirror.Options{
			Sources: sources, Targets: targets, Engine: m.parts.Engine,
			ImageBytes: cfg.Limits.ImageBytes, RequestBytes: cfg.Limits.RequestBytes, IndexManifests: cfg.Limits.IndexManifests,
			Referrers: cfg.Referrers,
		}),
		slots: make(chan struct{}, maxFills), wanted: map[reference.Reference]bool{}, failed: map[reference.Reference]time.Time{},
		filled: map[reference.Repository]time.Time{},
	}
	m.front.fillers = append(m.front.fillers, f)
	return f
}

// canonical returns the canonical one of several names of a host.
func canonical(host string) string {
	if same := known.Of(host).SameAs; same != "" {
		return same
	}
	return host
}

func (m *maker) names() (*front.Names, error) {
	var sources []string
	labels := map[string]string{}
	for _, source := range m.s.Sources {
		sources = append(sources, source.Host)
		if label := known.Of(source.Host).Label; label != "" && known.Of(source.Host).Host() == source.Host {
			labels[source.Host] = label
		}
		if source.Label != "" {
			labels[source.Host] = source.Label
		}
	}
	var called []front.Called
	for _, n := range m.s.Names {
		called = append(called, front.Called{Name: n.Name, Source: n.Source})
	}
	return front.NewNames(sources, labels, called)
}

// requests are those that the workflow of the configuration handles, nil without
// one. What needs a login is not requested: the mirror may be for everybody.
func (m *maker) requests(env Env) (*front.Requests, error) {
	w := m.s.Workflow
	if w.Name == "" {
		return nil, nil
	}
	github, err := newGitHub(env, event.Repository{Owner: w.Owner, Name: w.Name}, w.Token)
	if err != nil {
		return nil, err
	}
	var first []string
	for _, platform := range w.First {
		first = append(first, platform.String())
	}
	sources := map[string]bool{}
	for _, source := range m.s.Sources {
		host, public := canonical(source.Host), !source.HasLogin() && !source.Private
		if known, ok := sources[host]; ok {
			public = public && known
		}
		sources[host] = public
	}
	return &front.Requests{
		Run: func(ctx context.Context, image reference.Reference) (id int64, conclusion, page string, err error) {
			r, err := github.LastRun(ctx, w.File, image.String())
			return r.ID, r.Conclusion, r.Page, err
		},
		Reason: func(ctx context.Context, run int64, image reference.Reference) (string, error) {
			return github.RunError(ctx, run, image.String())
		},
		Start: func(ctx context.Context, image reference.Reference) error {
			return github.StartWorkflow(ctx, w.File, w.Ref, map[string]any{"images": image.String(), "first": strings.Join(first, ",")})
		},
		Runs:    env.Site() + "/" + w.Owner + "/" + w.Name + "/actions/workflows/" + w.File,
		Sources: sources, Wait: w.Wait, Hourly: w.Hourly, Daily: w.Daily,
	}, nil
}

func admission(s *config.Serve) front.Admission {
	a := front.Admission{
		Anybody: s.Anybody(), Networks: s.Guests.Networks, Certificates: s.Guests.Certificates != "", Proxies: s.TrustedProxies,
		Requests: s.Guests.Requests, Bytes: s.Guests.Bytes, Blobs: s.Guests.Blobs,
	}
	for _, t := range s.Guests.Tokens {
		a.Tokens = append(a.Tokens, front.Token{Name: t.Name, Hash: t.Hash, Expires: t.Expires})
	}
	return a
}

// FrontTLS returns the TLS configuration of a front; nil for none. called reports
// whether a host name stands for a source. Errors about the settings are
// config.Faults.
func FrontTLS(s *config.Serve, env Env, called func(host string) bool, log *slog.Logger) (*tls.Config, error) {
	var c *tls.Config
	var err error
	switch acme := s.TLS.ACME; {
	case s.TLS.IsZero():
		return nil, nil
	case acme.Cache == "":
		c, err = front.CertificateFiles(s.TLS.Certificate, s.TLS.Key, log, env.Time)
	case !front.ACMEIncluded:
		return nil, config.Faults{{Name: "tls.acme", Reason: "is set, but this build of Ferry, which is made small for the action, cannot request certificates",
			Cure: "use the image ghcr.io/imageferry/ferry, an archive ferry-acme of the release, or go install github.com/imageferry/ferry/cmd/ferry@latest, or set certificate and key"}}
	default:
		transport := env.Transport()
		if transport == nil {
			transport = http.DefaultTransport
		}
		c, err = front.ACME{
			Directory: acme.Directory, Mail: acme.Mail, Cache: acme.Cache, Transport: transport, UserAgent: UserAgent(), Log: log, Now: env.Time,
			Host: func(host string) bool { return slices.Contains(acme.Hosts, host) || called(host) },
		}.Config()
	}
	if err == nil && s.Guests.Certificates != "" {
		err = front.Verify(c, s.Guests.Certificates)
	}
	return c, err
}
