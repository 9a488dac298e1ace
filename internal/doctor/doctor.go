// Package doctor checks a set-up: whether the configuration is complete,
// whether people can open requests, whether the token may answer them, and
// whether an image can be pushed to and pulled from every target.
//
// It contains no texts: a Finding is a Kind with values, which package report
// turns into sentences and links. It changes little: it creates labels that
// Ferry would create anyway, and pushes an image of a few hundred bytes, which
// it deletes afterwards.
package doctor

import "context"

// Examine checks everything, in the order in which faults should be fixed.
func Examine(ctx context.Context, p Patient) []*Finding {
	var findings []*Finding
	if p.NameMasked {
		findings = append(findings, &Finding{Level: Warning, Kind: NameMasked})
	}
	findings = append(findings, Configuration(p.Config, p.Faults)...)
	if p.Hub != nil {
		p.watch("GitHub")
	}
	findings = append(findings, repository(ctx, p.Hub, p.ReadOnly)...)
	for _, t := range p.Config.Targets {
		p.watch(t.String())
		findings = append(findings, p.target(ctx, t)...)
	}
	findings = append(findings, p.sources(ctx)...)
	if p.Mirrors {
		findings = append(findings, p.mirrors(ctx)...)
	}
	return findings
}
