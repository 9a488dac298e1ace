// Package doctor examines a set-up and says what it found: whether the
// configuration is whole, whether people can ask, whether the token may
// answer, and whether every target takes an image and gives it out again.
//
// It knows no sentences: a Finding is a Kind and the values that belong to it,
// which the report turns into words and links. Effects are few and harmless:
// labels that Ferry would create anyway, and an image of a few hundred bytes
// that is deleted again.
package doctor

import "context"

// Examine looks at everything, in the order in which it is to be set right.
func Examine(ctx context.Context, p Patient) []Finding {
	var findings []Finding
	if p.NameMasked {
		findings = append(findings, Finding{Level: Warning, Kind: NameMasked})
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
	return append(findings, p.sources(ctx)...)
}
