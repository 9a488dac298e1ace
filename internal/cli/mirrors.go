package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/failure"
	"github.com/imageferry/ferry/internal/mirror"
	"github.com/imageferry/ferry/internal/name"
	"github.com/imageferry/ferry/internal/plan"
	"github.com/imageferry/ferry/internal/pull"
	"github.com/imageferry/ferry/internal/reference"
	"github.com/imageferry/ferry/internal/request"
	"github.com/imageferry/ferry/internal/wiring"
)

// unanswered returns the failure of a mirror that could not be asked for an
// image, as the result that describes it. It reports false for other errors.
func unanswered(source reference.Reference, err error) (mirror.Result, bool) {
	lookup, ok := errors.AsType[*pull.LookupError](err)
	if !ok {
		return mirror.Result{}, false
	}
	f, ok := failure.As(lookup.Err)
	if !ok {
		return mirror.Result{}, false
	}
	at := *f
	at.Side = failure.Target // where the mirror is
	if at.Code == failure.Private {
		at.Code = failure.TargetLogin
	}
	return mirror.Result{Image: &request.Image{Reference: source}, Destination: &plan.Destination{Mirror: lookup.Mirror}, Failure: &at}, true
}

// mirrors returns the configuration with the targets of --from, or else those
// of the environment and the policy file.
func mirrors(env wiring.Env, o origins, profile string, flagged hosts) (*config.Config, error) {
	from := o.targets
	others := len(o.fronts)+len(o.catalogs) > 0
	if len(from) == 0 {
		from = []string{""}
	}
	var cfg *config.Config
	for _, target := range from {
		next, err := load(env, false, []given{{"FERRY_TARGET", "--from", target}, {"FERRY_PROFILE", "--profile", profile}})
		if err != nil {
			return nil, err
		}
		if cfg == nil {
			cfg = next
		} else {
			cfg.Targets = append(cfg.Targets, next.Targets...)
		}
	}
	if others && len(o.targets) == 0 {
		cfg.Targets = nil // that of the environment is not named
	}
	if len(cfg.Targets) == 0 && !others {
		return nil, usageError{"there is no mirror: set --from, for example --from docker.io/USER"}
	}
	for _, t := range cfg.Targets {
		if t.Profile == string(name.Last) {
			return nil, usageError{fmt.Sprintf("%s has names of the profile last, which can belong to several images, so nothing is pulled from there under the name of a source", t)}
		}
	}
	allow(cfg, nil, flagged)
	return cfg, nil
}

// origins are the values of --from.
type origins struct {
	targets  []string
	fronts   []*url.URL
	catalogs []string // addresses
}

// originsOf sorts the values: a URL without a path is a front, one with a path is a
// catalog.
func originsOf(from []string) (o origins) {
	for _, text := range from {
		front, err := config.ParseFront(text)
		switch {
		case err == nil && !strings.HasSuffix(text, "/"):
			o.fronts = append(o.fronts, front)
		case strings.Contains(text, "://"):
			o.catalogs = append(o.catalogs, text)
		default:
			o.targets = append(o.targets, text)
		}
	}
	return o
}

// add adds the names that fronts and catalogs have for the images, and returns their
// registries. An image of a front begins with the host of its source.
func (o origins) add(ctx context.Context, env wiring.Env, images []pull.Image) ([]config.Source, error) {
	var hosts []config.Source
	for _, u := range o.fronts {
		hosts = append(hosts, config.Source{Host: u.Host, Private: true, PlainHTTP: u.Scheme == "http"})
	}
	for i := range images {
		source := images[i].Source
		for _, u := range o.fronts {
			name, err := reference.Parse(u.Host + "/" + source.String())
			if err != nil {
				return nil, err
			}
			images[i].Mirrors = append(images[i].Mirrors, name)
		}
		for _, site := range o.catalogs {
			mirrors, err := published(ctx, env, site, source)
			if err != nil {
				return nil, err
			}
			for _, m := range mirrors {
				images[i].Mirrors = append(images[i].Mirrors, m.Name)
				hosts = append(hosts, config.Source{Host: m.Name.Repository().Host()})
			}
		}
	}
	return hosts, nil
}

// candidates returns the images with the names that they may have at the
// mirrors.
func candidates(cfg *config.Config, wanted []request.Image, platform string) ([]pull.Image, error) {
	var only reference.Platform
	if platform != "" {
		var err error
		if only, err = reference.ParsePlatform(platform); err != nil {
			return nil, usageError{fmt.Sprintf("--platform is %q; write os/arch or os/arch/variant, such as linux/arm64", platform)}
		}
	}
	schemes, err := plan.Schemes(cfg)
	if err != nil {
		return nil, err
	}
	var images []pull.Image
	for _, w := range wanted {
		image := pull.Image{Source: w.Reference, Platform: only}
		if platform == "" && len(w.Platforms) == 1 {
			image.Platform = w.Platforms[0]
		}
		for _, s := range schemes {
			mirror, err := s.Mirror(w.Reference)
			if err != nil {
				return nil, err
			}
			image.Mirrors = append(image.Mirrors, mirror.Reference)
			if w.Reference.Tag() != "" && w.Reference.Digest().Algorithm == "sha512" {
				// The tag may have moved, and mirrors know no sha512 but as a tag.
				if mirror, err := s.Mirror(w.Reference.Untagged(w.Reference.Digest())); err == nil {
					image.Mirrors = append(image.Mirrors, mirror.Reference)
				}
			}
		}
		if !slices.ContainsFunc(images, func(i pull.Image) bool { return i.Source == image.Source && i.Platform == image.Platform }) {
			images = append(images, image)
		}
	}
	return images, nil
}

// readable returns the targets as registries to read from, with their logins.
func readable(cfg *config.Config) []config.Source {
	sources := wiring.Visited(cfg)
	for i := range sources {
		if at := slices.IndexFunc(cfg.Targets, func(t config.Target) bool { return t.Host == sources[i].Host && t.HasLogin() }); at >= 0 {
			sources[i].Username, sources[i].Password, sources[i].OIDC = cfg.Targets[at].Username, cfg.Targets[at].Password, cfg.Targets[at].OIDC
		}
	}
	return sources
}

// beside adds registries to others. A front that is named may be at a private address.
func beside(sources, others []config.Source) []config.Source {
	for _, s := range others {
		at := slices.IndexFunc(sources, func(known config.Source) bool { return known.Host == s.Host })
		if at < 0 {
			sources = append(sources, s)
		} else if s.Private {
			sources[at] = s
		}
	}
	return sources
}

// runClient runs a program and returns its output.
func runClient(ctx context.Context, args []string) (string, error) {
	return runWith(ctx, nil, args)
}

// runWith runs a program with a standard input.
func runWith(ctx context.Context, in io.Reader, args []string) (string, error) {
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdin = in
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, lastLine(complaint.String()))
	}
	return out.String(), nil
}

// lastLine returns the last line of a program's output, usually the cause of a
// failure.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// requestForm returns the URL of a repository's form for requests, to which the
// names of images are appended. It reports false if the text is not a repository.
func requestForm(env wiring.Env, repository string) (string, bool) {
	owner, name, ok := strings.Cut(repository, "/")
	if !ok || owner == "" || name == "" || strings.ContainsAny(repository, " ?#\"'<>") {
		return "", false
	}
	return env.Site() + "/" + repository + "/issues/new?template=mirror.yml&images=", true
}
