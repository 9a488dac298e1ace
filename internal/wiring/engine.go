package wiring

import (
	"slices"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/runner"
)

// Engine is a Mirror and what it holds open.
type Engine struct {
	*mirror.Mirror
	sources, targets *registry.Clients
	// Visitors are the targets without a login.
	Visitors *registry.Clients
}

// Registries are the options of the clients of this run. out, if not nil, masks
// the tokens that logins are exchanged for.
func (env Env) Registries(out *runner.Runner) registry.Options {
	opts := registry.Options{UserAgent: UserAgent(), Network: env.network(), Wait: env.Wait}
	if out != nil {
		opts.Secret = func(token string) { out.Mask(token) }
	}
	return opts
}

// NewEngine makes the two ways out and the Mirror between them. Images are read
// from the archive, if it is not nil, instead of their sources. The copies move
// minRate bytes a second at least, or end; 0 for any.
func NewEngine(cfg *config.Config, opts registry.Options, archive mirror.Source, minRate int64) *Engine {
	e := &Engine{
		sources:  registry.NewSources(cfg.Sources, opts),
		targets:  registry.NewTargets(cfg.Targets, cfg.Sources, opts),
		Visitors: registry.NewSources(Visited(cfg), opts),
	}
	e.Mirror = mirror.New(mirror.Options{
		Sources: e.sources, Archive: archive, Targets: e.targets,
		ImageBytes: cfg.Limits.ImageBytes, RequestBytes: cfg.Limits.RequestBytes, IndexManifests: cfg.Limits.IndexManifests,
		MinRate: minRate, Referrers: cfg.Referrers, Elsewhere: open(cfg.Sources),
	})
	return e
}

// open are the registries where an image that is missing at another is likely to
// be, as far as everybody may ask for their images.
func open(sources []config.Source) []string {
	var hosts []string
	for _, host := range known.Searched() {
		i := slices.IndexFunc(sources, func(s config.Source) bool { return s.Host == host })
		if i >= 0 && sources[i].Username == "" && (sources[i].Requests == "" || sources[i].Requests == config.Anyone) {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// Close closes the connections to all registries.
func (e *Engine) Close() {
	e.Mirror.Close()
	e.sources.Close()
	e.targets.Close()
	e.Visitors.Close()
}

// Visited are the targets as sources, and what they may send a client on to,
// all without credentials: the registries as everybody sees them.
func Visited(cfg *config.Config) []config.Source {
	var all []config.Source
	for _, t := range cfg.Targets {
		all = append(all, config.Source{Host: t.Host, Private: t.Private, PlainHTTP: t.PlainHTTP, TokenServer: t.TokenServer})
	}
	for _, s := range cfg.Sources {
		if !slices.ContainsFunc(all, func(known config.Source) bool { return known.Host == s.Host }) {
			all = append(all, config.Source{Host: s.Host, Private: s.Private, PlainHTTP: s.PlainHTTP, TokenServer: s.TokenServer})
		}
	}
	return all
}
