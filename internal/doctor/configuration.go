package doctor

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/config"
	"github.com/imageferry/ferry/internal/reference"
)

// example is a well-known image: clusters do not start without it.
const example = "registry.k8s.io/pause:3.10"

// Configuration examines the set-up without requests: the faults of the
// configuration, and its effects on people.
func Configuration(cfg *config.Config, faults config.Faults) []*Finding {
	var findings []*Finding
	for _, f := range faults {
		findings = append(findings, &Finding{Level: Fault, Kind: Misconfigured, Setting: f})
	}
	if len(faults) == 0 {
		findings = append(findings, &Finding{Kind: Configured})
	}
	// If the setting is faulty, the configuration only has its default.
	if !faulty(faults, "targets", "FERRY_TARGET", "FERRY_PROFILE") {
		for _, t := range cfg.Targets {
			if f, ok := names(cfg, t); ok {
				findings = append(findings, f)
			}
		}
	}
	switch {
	case faulty(faults, "requests", "FERRY_REQUESTS"):
	case cfg.Requests == config.Anyone:
		findings = append(findings, &Finding{Kind: OpenToAll})
	default:
		findings = append(findings, &Finding{Level: Note, Kind: OpenToSome, Who: cfg.Requests})
	}
	for _, s := range cfg.Sources {
		if s.HasLogin() && s.Requests == config.Anyone && cfg.Requests == config.Anyone {
			findings = append(findings, &Finding{Level: Warning, Kind: SourceExposed, Host: s.Host})
		}
	}
	return findings
}

// faulty reports whether a fault concerns one of the settings or a part of one
// in the policy file. A file that cannot be read makes all settings faulty.
func faulty(faults config.Faults, settings ...string) bool {
	return slices.ContainsFunc(faults, func(f config.Fault) bool {
		return f.Kind == config.Broken || slices.ContainsFunc(settings, func(s string) bool {
			return f.Name == s || strings.HasPrefix(f.Name, s+"[") || strings.HasPrefix(f.Name, s+".")
		})
	})
}

// names shows a mirror name at a target as an example. The configuration has
// already checked that the target accepts such names.
func names(cfg *config.Config, t config.Target) (*Finding, bool) {
	scheme, err := cfg.Scheme(t)
	if err != nil {
		return nil, false // a fault of the configuration, which has been reported
	}
	source, err := reference.Parse(example)
	if err != nil {
		return nil, false
	}
	mirror, err := scheme.Mirror(source)
	if err != nil {
		return nil, false
	}
	return &Finding{Kind: Names, Target: t.String(), Host: t.Host, Source: source, Mirror: mirror.Reference}, true
}
