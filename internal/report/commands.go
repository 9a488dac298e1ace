package report

import (
	"slices"
	"strings"

	"github.com/imageferry/ferry/internal/clients"
	"github.com/imageferry/ferry/internal/reference"
)

// arrivals are what can be pulled of an outcome: the mirror and, where it has
// one tag for each platform, those of the others.
func arrivals(o outcome) []clients.Mirror {
	r := o.receipt
	if o.failure != nil || r == nil {
		return nil
	}
	m := clients.Mirror{Source: o.image.Reference, Name: o.mirror, Digest: r.Digest, Exact: r.Digest == r.SourceDigest}
	if len(o.platforms) == 1 {
		m.Platform = o.platforms[0]
	}
	all := []clients.Mirror{m}
	for _, t := range r.Tags {
		if t.Digest == r.Digest {
			all[0].Platform = t.Platform
			continue
		}
		all = append(all, clients.Mirror{Source: m.Source, Name: t.Mirror, Digest: t.Digest, Platform: t.Platform, Beside: true})
	}
	return all
}

// pullCommands are all blocks that people paste from: from the first target
// that has the image in every form, from the others in the two commonest.
func (a *answer) pullCommands() []*block {
	var first []clients.Mirror
	var hosts []string
	others := map[string][]clients.Mirror{}
	var last reference.Reference
	for _, o := range a.all {
		got := arrivals(o)
		if got == nil {
			continue
		}
		if got[0].Source != last {
			last = got[0].Source
			first = append(first, got...)
			continue
		}
		host := got[0].Name.Repository().Host()
		if others[host] == nil {
			hosts = append(hosts, host)
		}
		others[host] = append(others[host], got...)
	}
	if first == nil {
		return nil
	}
	h := a.l.headings
	docker, crictl := pulls("docker", rankDocker, first), pulls("crictl", rankTools, first)
	blocks := []*block{paragraph("**" + h.pull + "**"), docker}
	if len(first) > foldOver {
		blocks = []*block{fold("<b>"+h.pull+"</b>", docker)}
	}
	crictl.open = h.crictl + "\n\n" + crictl.open
	blocks = append(blocks, fold(h.otherTools,
		pulls("podman", rankTools, first), pulls("nerdctl", rankTools, first), pulls("ctr", rankTools, first), crictl))
	for _, host := range hosts {
		blocks = append(blocks, fold(fill(h.fromHost, "{host}", "<code>"+md(host)+"</code>"),
			pulls("docker", rankOtherTargets, others[host]), pulls("ctr", rankOtherTargets, others[host])))
	}
	return append(blocks, a.rewriting(first), a.pins())
}

// pulls is a fence with the lines of a client for each mirror.
func pulls(client string, rank int, mirrors []clients.Mirror) *block {
	for _, c := range clients.All() {
		if c.Name == client {
			return commands(md(client), rank, "sh", mirrors, func(m clients.Mirror) string { return strings.Join(c.Pull(m), "\n") })
		}
	}
	return nil
}

// commands is a fence with an item for each mirror that has one, each item
// once; nil if there is none.
func commands(name md, rank int, language md, mirrors []clients.Mirror, item func(clients.Mirror) string) *block {
	b := &block{name: name, rank: rank, open: "```" + language, close: "```"}
	for _, m := range mirrors {
		if text := md(item(m)); text != "" && !slices.Contains(b.items, text) {
			b.items = append(b.items, text)
		}
	}
	if b.items == nil {
		return nil
	}
	return b
}

// rewriting shows how to put the mirror names into files.
func (a *answer) rewriting(mirrors []clients.Mirror) *block {
	sed := commands("sed", rankManifests, "sh", mirrors, func(m clients.Mirror) string {
		if expression := clients.Sed(m); expression != "" {
			return "  -e '" + expression + "' \\"
		}
		return ""
	})
	if sed != nil {
		sed.open += "\nsed -E -i.bak \\"
		sed.close = "  *.yaml\n" + sed.close
	}
	kustomize := commands("kustomize", rankManifests, "yaml", mirrors, clients.Kustomization)
	kustomize.open = a.l.headings.kustomize + "\n\n" + kustomize.open + "\nimages:"
	return fold(a.l.headings.manifests, sed, kustomize)
}

// pins are the mirrors at every target by their digests.
func (a *answer) pins() *block {
	var all []clients.Mirror
	for _, o := range a.all {
		all = append(all, arrivals(o)...)
	}
	pinned := commands(a.l.headings.pinned, rankPinned, "text", all, clients.Mirror.Pinned)
	if pinned == nil {
		return nil
	}
	return fold(a.l.headings.pinned, pinned)
}
