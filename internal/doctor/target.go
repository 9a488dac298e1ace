package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/known"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/registry"
)

// Scratch is the repository, below a target's namespace, to which the test
// image is pushed. The name is valid at every registry.
const Scratch = "ferry-doctor"

// patience is the time limit for one registry.
const patience = 3 * time.Minute

// target checks that an image can be pushed to a target and pulled from it.
func (p Patient) target(ctx context.Context, t config.Target) []*Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	about := Finding{Target: t.String(), Host: t.Host}
	scratch, err := reference.NewRepository(t.Host, t.Namespace+"/"+Scratch)
	client, ok := p.Targets.ForRepository(scratch)
	if !ok || err != nil || !t.HasLogin() && !t.Private {
		return nil // a fault of the configuration, which has been reported
	}
	about.Repository = scratch
	var findings []*Finding
	say := func(level Level, kind Kind, err error) {
		f := about
		f.Level, f.Kind = level, kind
		errors.As(err, &f.Failure)
		findings = append(findings, &f)
	}
	proven := false
	if t.HasLogin() {
		if proven, err = client.Login(ctx, scratch); err != nil {
			say(refused(err, LoginRefused))
			return findings
		}
		if proven {
			say(OK, LoginValid, nil)
		} else {
			say(Note, LoginUnproven, nil)
		}
	}
	if p.ReadOnly {
		say(Note, NotTried, nil)
		level, kind := p.quota(ctx, t, &about.Stock)
		say(level, kind, nil)
		return findings
	}
	image := newSample(p.Now)
	err = image.push(ctx, client, scratch)
	code := failure.CodeOf(err)
	switch {
	case code == failure.TargetLogin && !t.Password.IsZero() && t.Password.Reveal() == p.Config.Token.Reveal():
		say(Fault, JobMayNotPush, err)
		return findings
	case code == failure.TargetLogin && proven:
		say(Fault, MayNotPush, err)
		return findings
	case code == failure.TargetLogin:
		say(Fault, LoginRefused, err)
		return findings
	case err != nil:
		say(refused(err, NotPushed))
		return findings
	}
	say(OK, Pushed, nil)
	say(p.visibility(ctx, t, image))
	if err := client.Delete(ctx, image.reference); err != nil {
		say(Note, NotDeleted, err)
	} else {
		say(OK, Deleted, nil)
	}
	level, kind := p.quota(ctx, t, &about.Stock)
	say(level, kind, nil)
	return findings
}

// quota compares what a target holds with the owner's limit.
func (p Patient) quota(ctx context.Context, t config.Target, stock *plan.Stock) (Level, Kind) {
	known := false
	if p.Count != nil && t.Quota != (config.Quota{}) {
		*stock, known = p.Count(ctx, t.String())
	}
	switch {
	case !known:
		return Note, QuotaUnknown
	case stock.Scarce():
		return Warning, QuotaScarce
	}
	return OK, QuotaLeft
}

// refused classifies a failed request to a registry. Refusals that people can
// fix have the given kind.
func refused(err error, kind Kind) (Level, Kind, error) {
	f, ok := failure.As(err)
	switch {
	case !ok:
		return Warning, Trouble, err
	case f.Code == failure.Network, f.Code == failure.Proxy, f.Code == failure.TimedOut, f.Code == failure.HostForbidden:
		return Fault, Unreachable, err
	case f.Kind() == failure.Transient:
		return Warning, Trouble, err
	case f.Code == failure.TokenServer:
		return Fault, LoginKept, err
	case f.Code == failure.LoginExchange:
		return Fault, IdentityRefused, err
	case f.Code == failure.TargetClosed:
		return Fault, Closed, err
	case f.Code == failure.Quota:
		return Fault, Full, err
	}
	return Fault, kind, err
}

// visibility checks whether people without a login can pull the pushed image.
func (p Patient) visibility(ctx context.Context, t config.Target, image sample) (Level, Kind, error) {
	visitor, ok := p.Visitors.ForHost(t.Host)
	if !ok {
		return Note, HiddenUnknown, nil
	}
	_, err := visitor.Manifest(ctx, image.reference)
	switch failure.CodeOf(err) {
	case "":
		if t.PullsNeedLogin {
			return Warning, Exposed, nil
		}
		return OK, Public, nil
	case failure.Private, failure.NotFound:
		if t.PullsNeedLogin {
			return OK, AsWanted, nil
		}
		// A private registry may be limited to people with a login on purpose.
		if known.Of(t.Host).Vendor == "" {
			return Note, Restricted, err
		}
		// This may be intended if only some people may make requests.
		if p.Config.Requests == config.Anyone {
			return Fault, Hidden, err
		}
		return Warning, Hidden, err
	default: // limits, outages: they do not tell who may pull
		return Note, HiddenUnknown, err
	}
}

// sources checks the owner's logins for sources, and how many pulls Docker Hub
// still allows.
func (p Patient) sources(ctx context.Context) []*Finding {
	var findings []*Finding
	for _, s := range p.Config.Sources {
		client, ok := p.Sources.ForHost(s.Host)
		if !ok {
			continue
		}
		if s.HasLogin() {
			p.watch(s.Host)
			if f, ok := sourceLogin(ctx, client, s); ok {
				findings = append(findings, f)
			}
		}
		if s.Host == reference.DockerHub {
			if f, ok := allowance(ctx, client); ok {
				findings = append(findings, f)
			}
		}
	}
	return findings
}

func sourceLogin(ctx context.Context, client *registry.Client, s config.Source) (*Finding, bool) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	// The repository does not matter: the password is checked first.
	whatever, err := reference.NewRepository(s.Host, "library/"+Scratch)
	if err != nil {
		return nil, false
	}
	f := &Finding{Kind: LoginValid, Host: s.Host}
	proven, err := client.Login(ctx, whatever)
	switch {
	case err != nil:
		f.Level, f.Kind, err = refused(err, LoginRefused)
		errors.As(err, &f.Failure)
	case !proven:
		f.Level, f.Kind = Note, LoginUnproven
	}
	return f, true
}

// preview is the image that Docker provides for reading the rate limit
// (https://docs.docker.com/docker-hub/usage/pulls/).
const preview = "docker.io/ratelimitpreview/test:latest"

// allowance returns how many pulls Docker Hub still allows, and false if Docker
// Hub does not report it.
func allowance(ctx context.Context, client *registry.Client) (*Finding, bool) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	ref, err := reference.Parse(preview)
	if err != nil {
		return nil, false
	}
	a, told, err := client.Allowance(ctx, ref)
	if err != nil || !told {
		return nil, false
	}
	f := &Finding{Kind: PullsLeft, Host: reference.DockerHub, Allowance: a}
	if a.Remaining < a.Limit/10 {
		f.Level, f.Kind = Warning, PullsScarce
	}
	return f, true
}
