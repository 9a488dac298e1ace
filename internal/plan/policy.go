package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
)

// policy is the owner's configuration, prepared for look-ups.
type policy struct {
	cfg     *config.Config
	schemes []*name.Scheme
	sources map[string]config.Source // by host
}

func newPolicy(cfg *config.Config) (*policy, error) {
	schemes, err := Schemes(cfg)
	if err != nil {
		return nil, err
	}
	p := &policy{cfg: cfg, schemes: schemes, sources: map[string]config.Source{}}
	for _, source := range cfg.Sources {
		p.sources[withoutDefaultPort(source.Host)] = source
	}
	return p, nil
}

// request returns the failure of the whole request, or nil.
func (p *policy) request(asker Asker) *failure.Error {
	if !asker.among(p.cfg.Requests) {
		return &failure.Error{Code: failure.NotPermitted, Hints: []string{string(p.cfg.Requests)}}
	}
	if asker.Role >= Collaborator { // people with write access can start the workflow without limits anyway
		return nil
	}
	if limit := p.cfg.Limits.RequestsPerDay; asker.Recent >= limit {
		return &failure.Error{Code: failure.TooOften, Hints: []string{strconv.Itoa(limit)}}
	}
	if limit := p.cfg.Limits.BytesPerDay; asker.Bytes >= limit {
		return &failure.Error{Code: failure.TooMuch, Hints: []string{failure.Bytes(limit)}}
	}
	return nil
}

// quota returns what the asker may still use today; nil for no limit.
func (p *policy) quota(asker Asker) *Quota {
	if asker.Role >= Collaborator {
		return nil
	}
	l := p.cfg.Limits
	return &Quota{
		Bytes: max(l.BytesPerDay-asker.Bytes, 0), MaxBytes: l.BytesPerDay,
		Repositories: max(l.RepositoriesPerDay-asker.Repositories, 0), MaxRepositories: l.RepositoriesPerDay,
	}
}

// archive answers the wish for a file.
func (p *policy) archive(asker Asker) Archive {
	switch a := p.cfg.Archives; {
	case a.Requests == "":
		return ArchivesOff
	case !asker.among(a.Requests):
		return ArchiveNotPermitted
	case asker.Role < Collaborator && asker.Archives >= a.PerDay:
		return TooManyArchives
	}
	return WithArchive
}

// image returns the failure of an image at all targets, or nil.
func (p *policy) image(image request.Image, asker Asker) *failure.Error {
	repository := image.Reference.Repository()
	if err := p.ownMirror(image.Reference); err != nil {
		return err
	}
	host := withoutDefaultPort(repository.Host())
	source, listed := p.sources[host]
	// Even if the list contains it by mistake. The address is checked again
	// when connecting; this check gives a clear answer early.
	if reference.Inside(host) && !source.Private {
		return &failure.Error{Code: failure.HostForbidden}
	}
	if !listed {
		return &failure.Error{Code: failure.HostNotAllowed, Hints: p.hosts()}
	}
	if source.Requests != "" && !asker.among(source.Requests) {
		return &failure.Error{Code: failure.HostNotPermitted, Hints: []string{string(source.Requests)}}
	}
	covered := func(by []name.Pattern) bool {
		return slices.ContainsFunc(by, func(pattern name.Pattern) bool { return pattern.Covers(repository) })
	}
	switch {
	case covered(p.cfg.Denied):
		return &failure.Error{Code: failure.Denied}
	case len(p.cfg.Allowed) > 0 && asker.Role < Collaborator && !covered(p.cfg.Allowed):
		return &failure.Error{Code: failure.NotListed}
	}
	return nil
}

// withoutDefaultPort removes the default port of HTTPS.
func withoutDefaultPort(host string) string { return strings.TrimSuffix(host, ":443") }

// ownMirror refuses to mirror Ferry's own mirrors.
func (p *policy) ownMirror(ref reference.Reference) *failure.Error {
	for i, target := range p.cfg.Targets {
		if !strings.HasPrefix(ref.Repository().String(), target.String()+"/") {
			continue
		}
		err := &failure.Error{Code: failure.OwnMirror}
		if source, e := p.schemes[i].Source(ref); e == nil {
			err.Hints = []string{source.String()}
		}
		return err
	}
	return nil
}

// hosts returns the allowed sources in alphabetical order.
func (p *policy) hosts() []string {
	hosts := make([]string, 0, len(p.sources))
	for host := range p.sources {
		hosts = append(hosts, host)
	}
	slices.Sort(hosts)
	return hosts
}

// Schemes returns the naming schemes of the targets, in the order of the
// targets.
func Schemes(cfg *config.Config) ([]*name.Scheme, error) {
	schemes := make([]*name.Scheme, len(cfg.Targets))
	for i, t := range cfg.Targets {
		var err error
		if schemes[i], err = cfg.Scheme(t); err != nil {
			return nil, fmt.Errorf("preparing the names of target %s: %w", t, err)
		}
	}
	return schemes, nil
}
