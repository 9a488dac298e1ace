package wiring

import (
	"context"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/oidc"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
	"github.com/imageferry/ferry/internal/runner"
)

// Engine is a Mirror and its open connections.
type Engine struct {
	*mirror.Mirror
	sources, targets *registry.Clients
	// Visitors are the clients of all registries without a login.
	Visitors *registry.Clients
}

// Registries returns the options of the registry clients of this run. out, if
// not nil, masks the tokens obtained with logins.
func (env Env) Registries(out *runner.Runner) registry.Options {
	opts := registry.Options{UserAgent: UserAgent(), Network: env.network(), Wait: env.Wait,
		Job: oidc.Job{URL: env.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL"), Token: env.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN")}}
	if out != nil {
		opts.Secret = func(token string) { out.Mask(token) }
	}
	return opts
}

// EngineOptions say how an Engine differs from that of a plain copy.
type EngineOptions struct {
	Held       func(context.Context) map[string]int // what targets hold, see mirror.Options
	Registries registry.Options
	Archive    mirror.Source                  // where images are read from instead of their sources; nil for those
	Manifests  map[v1.Hash]*registry.Manifest // manifests that a plan has read; see mirror.Options
	MinRate    int64                          // bytes per second; slower copies are ended; 0 for no limit
	Sizes      bool                           // reads the sizes of images that are there already; see mirror.Options
	Run        string                         // the address of a run, for the statement of where a mirror comes from
}

// NewEngine returns the clients of both sides and the Mirror between them.
func NewEngine(env Env, cfg *config.Config, opts EngineOptions) *Engine {
	e := &Engine{
		sources:  registry.NewSources(cfg.Sources, opts.Registries),
		targets:  registry.NewTargets(cfg.Targets, cfg.Sources, opts.Registries),
		Visitors: registry.NewSources(Visited(cfg), opts.Registries),
	}
	var public []mirror.PublicMirror
	for _, p := range cfg.Public {
		client, _ := e.Visitors.ForHost(p.Host())
		public = append(public, mirror.PublicMirror{Public: p, Client: client})
	}
	e.Mirror = mirror.New(mirror.Options{
		Quotas: quotas(cfg), Held: opts.Held,
		Sources: e.sources, Archive: opts.Archive, Manifests: opts.Manifests, Targets: e.targets,
		ImageBytes: cfg.Limits.ImageBytes, RequestBytes: cfg.Limits.RequestBytes, IndexManifests: cfg.Limits.IndexManifests,
		Verify: verifier(env.Getenv, cfg.Verify), MinRate: opts.MinRate, Sizes: opts.Sizes, Attest: cfg.Attest, Run: opts.Run, First: cfg.First, Referrers: cfg.Referrers, Elsewhere: open(cfg.Sources),
		Public: public,
	})
	return e
}

// Pulls returns how many pulls the source of an image still allows, as far as it
// tells. It reports false for a limit of less than an hour: that is waited for.
func (e *Engine) Pulls(ctx context.Context, ref reference.Reference) (left int, told bool) {
	client, ok := e.sources.ForRepository(ref.Repository())
	if !ok {
		return 0, false
	}
	a, told, err := client.Allowance(ctx, ref)
	return a.Remaining, told && err == nil && a.Window >= time.Hour
}

// quotas returns the limits of the targets that have one.
func quotas(cfg *config.Config) []mirror.Quota {
	var all []mirror.Quota
	for _, t := range cfg.Targets {
		if t.Quota != (config.Quota{}) {
			all = append(all, mirror.Quota{Target: t.String(), Repositories: t.Quota.Repositories, Tags: t.Quota.Tags})
		}
	}
	return all
}

// open returns the registries that are likely to have an image that another one
// lacks, and whose images everybody may request.
func open(sources []config.Source) []string {
	var hosts []string
	for _, host := range known.Searched() {
		i := slices.IndexFunc(sources, func(s config.Source) bool { return s.Host == host })
		if i >= 0 && !sources[i].HasLogin() && (sources[i].Requests == "" || sources[i].Requests == config.Anyone) {
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

// Visited returns the targets as sources without credentials, with the hosts
// they may redirect to and the public mirrors: the registries as everybody sees
// them.
func Visited(cfg *config.Config) []config.Source {
	var all []config.Source
	for _, t := range cfg.Targets {
		all = append(all, config.Source{Host: t.Host, Private: t.Private, PlainHTTP: t.PlainHTTP, TokenServer: t.TokenServer})
	}
	add := func(s config.Source) {
		if !slices.ContainsFunc(all, func(known config.Source) bool { return known.Host == s.Host }) {
			all = append(all, s)
		}
	}
	for _, s := range cfg.Sources {
		add(config.Source{Host: s.Host, Private: s.Private, PlainHTTP: s.PlainHTTP, TokenServer: s.TokenServer})
	}
	for _, p := range cfg.Public {
		add(config.Source{Host: p.Host()})
	}
	return all
}
